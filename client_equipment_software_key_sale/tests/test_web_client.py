from odoo.tests import HttpCase, tagged

from .common import SoldSoftwareMixin


@tagged("post_install", "-at_install")
class TestWebClient(SoldSoftwareMixin, HttpCase):
    def test_renewal_quotation(self):
        """G3: from Renewals Ahead to the quotation, the order and the renewal."""
        keys = self._enter_subscriptions("QUOTE-1", "QUOTE-2")
        self._apply(keys[0])
        self._apply(keys[1], self.branch_laptop)
        self.start_tour(
            "/odoo/software-key-renewals", "renewal_quotation", login="sk_boss"
        )
        order = keys.sudo().renewal_offer_ids.order_id
        self.assertRecordValues(
            order, [{"partner_id": self.customer.id, "state": "sale"}]
        )
        self.assertEqual(order.order_line.qty_delivered, 2)
        for key in keys:
            self.assertEqual(key.validity_end, self._in_days(395))
            self.assertIn(f"Reference: {order.name}", key.remarks)
