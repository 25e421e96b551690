from odoo.tests import HttpCase, tagged

from .common import PurchaseMixin


@tagged("post_install", "-at_install")
class TestTour(PurchaseMixin, HttpCase):
    browser_size = "1280x900"

    def test_enter_from_order(self):
        """G2: from the order to Enter Many Keys, filled in, to the received quantity;
        more than ordered asks first."""
        order = self._order((self.office_product, 3, 50))
        self.start_tour(
            f"/odoo/purchase-orders/{order.id}",
            "software_keys_from_order",
            login="sk_buyer",
        )
        line = order.sudo().order_line
        self.assertEqual(line.qty_received, 4)
        self.assertEqual(set(line.software_key_ids.mapped("cost")), {50})
