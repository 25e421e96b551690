from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged

from .common import PurchaseCommon


@tagged("post_install", "-at_install")
class TestRenewal(PurchaseCommon):
    """G2: keys that are renewed by an order."""

    def test_renewed_by_order(self):
        """G2: Renew is filled in with the keys that end first; the cost stands in the
        entry and is added to the key's; the line has received them."""
        order = self._order((self.antivirus_product, 2, 10))
        keys = self._enter_by(order, "RO-1", "RO-2")
        (other,) = self._enter_subscriptions("RO-3", end=500)
        renewal = self._order((self.antivirus_product, 2, 7))
        dialog = self._dialog(
            renewal.with_user(self.buyer).action_renew_software_keys()
        )
        self.assertEqual(dialog.software_key_ids[:], keys)
        self.assertEqual(dialog.reference, renewal.name)
        self.assertEqual(dialog.missing_count, 2)
        self.assertFalse(dialog.exceeds_order)
        before = keys[0].validity_end
        dialog.save().action_renew()
        self.assertGreater(keys[0].validity_end, before)
        self.assertEqual(renewal.order_line.qty_received, 2)
        self.assertEqual(renewal.software_key_progress, "2 of 2 entered")
        self.assertEqual(order.order_line.qty_received, 2)
        self.assertEqual(keys.mapped("cost"), [17, 17])
        self.assertRecordValues(
            self._entry(keys[0]),
            [{"action": "renewed", "purchase_order": renewal.name, "company_cost": 7}],
        )
        self.assertEqual(keys.with_user(self.manager).verify_audit_trail(), [])
        self.assertEqual(self._steps(other), ["created"])

    def test_next_year(self):
        """G2: renewed once more, the order of last year keeps what it received."""
        keys = self._enter_subscriptions("NY-1", "NY-2")
        orders = [self._order((self.antivirus_product, 2, price)) for price in (7, 8)]
        for order in orders:
            self._dialog(
                order.with_user(self.buyer).action_renew_software_keys()
            ).save().action_renew()
        self.assertEqual([order.order_line.qty_received for order in orders], [2, 2])
        self.assertEqual(keys.mapped("cost"), [15, 15])

    def test_more_than_ordered(self):
        """G2: to renew more keys than were ordered asks first."""
        keys = self._enter_subscriptions("RM-1", "RM-2")
        order = self._order((self.antivirus_product, 1, 7))
        action = order.with_user(self.buyer).action_renew_software_keys()
        action["context"]["default_software_key_ids"] = keys.ids
        dialog = self._dialog(action)
        self.assertTrue(dialog.exceeds_order)
        dialog.save().action_renew()
        self.assertEqual(order.order_line.qty_received, 2)

    def test_api(self):
        """G2: over the API, by an order line that whoever renews may read."""
        keys = self._enter_subscriptions("AP-1")
        line = self._order((self.antivirus_product, 1, 7)).order_line
        with self.assertRefused(AccessError, "Purchase Order Line"):
            keys.with_user(self.manager).renew(False, purchase_line_id=line.id)
        with self.assertRefused(ValidationError, "does not exist"):
            keys.with_user(self.buyer).renew(False, purchase_line_id=2**31 - 1)
        keys.with_user(self.buyer).renew(False, purchase_line_id=line.id)
        self.assertEqual(line.qty_received, 1)

    def test_wrong_line(self):
        """G2: a renewal belongs to a line for the software of its keys, by every
        route."""
        keys = self._enter_subscriptions("WL-1")
        line = self._order((self.office_product, 1, 7)).order_line
        with self.assertRefused(
            ValidationError, "not for the product of Tour Antivirus"
        ):
            keys.with_user(self.buyer).renew(False, purchase_line_id=line.id)
        self.assertFalse(line.qty_received)

    def test_no_forgery(self):
        """G2, L1: a context does not say what a renewal has cost."""
        keys = self._enter_subscriptions("FO-1")
        line = self._order((self.antivirus_product, 1, 7)).order_line
        keys.with_user(self.manager).with_context(
            software_key_renewal_line=line.id
        ).renew(False)
        self.assertFalse(self._entry(keys).purchase_order)
        self.assertFalse(line.qty_received)

    def test_without_order(self):
        """G2: a manager renews without an order as before."""
        (key,) = self._enter_subscriptions("WO-1")
        key.with_user(self.manager).renew(False, "Contract 7")
        self.assertIn("Contract 7", self._entry(key).description)
