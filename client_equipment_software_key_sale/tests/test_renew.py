from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .common import SoldSoftwareCommon

DIALOG = "client.equipment.software.key.renewal"


@tagged("post_install", "-at_install")
class TestRenew(SoldSoftwareCommon):
    """G3: what customers have ordered is renewed, with the order as its reference."""

    def setUp(self):
        super().setUp()
        self.keys = self._enter_subscriptions("RN-1", "RN-2")
        self._apply(self.keys)
        self.order = self._quote(self.keys, self.boss)

    def _dialog(self, user, action=None, keys=None):
        context = action["context"] if action else {}
        if keys:
            context = {"active_model": keys._name, "active_ids": keys.ids}
        return Form(self.env[DIALOG].with_user(user).with_context(**context))

    def test_from_the_order(self):
        """G3: the confirmed order offers Renew for its keys, once."""
        order = self.order.with_user(self.boss)
        self.assertEqual(order.renewed_key_count, 2)
        self.assertFalse(order.key_to_renew_count)
        with self.assertRaisesRegex(UserError, "nothing to renew"):
            order.action_renew_software_keys()
        order.action_confirm()
        self.assertEqual(order.key_to_renew_count, 2)
        self.assertEqual(set(self.keys.mapped("renewal_state")), {"ordered"})
        dialog = self._dialog(self.boss, order.action_renew_software_keys())
        self.assertEqual(dialog.reference, order.name)
        self.assertFalse(dialog.ordered_note)
        dialog.save().action_renew()
        self.assertEqual(self.keys[0].validity_end, self._in_days(395))
        self.assertIn(f"Reference: {order.name}", self.keys[0].remarks)
        self.assertFalse(order.key_to_renew_count)
        self.assertFalse(self.keys[0].renewal_state)
        action = order.action_view_renewed_keys()
        self.assertEqual(self.keys.search(action["domain"]), self.keys)

    def test_from_the_keys(self):
        """G3: a key manager who sees no orders finds what was ordered, from the
        overview, too, and its reference."""
        self.order.action_confirm()
        keys = self.keys.with_user(self.manager)
        found = keys.search([("renewal_state", "=", "ordered")])
        self.assertEqual(found, self.keys)
        self.assertEqual(
            self._dialog(self.manager, keys=found).reference, self.order.name
        )
        tasks = {task["name"]: task for task in keys.get_overview()["tasks"]}
        self.assertEqual(tasks["renewal_ordered"]["count"], 2)
        for task in tasks.values():
            opened = self._count_opened(task, self.manager)
            self.assertEqual(opened, task["count"], task["name"])
        with self.assertRaises(AccessError):
            self.order.with_user(self.manager).read(["name"])

    def test_nothing_ordered(self):
        """G3: without an order there is no reference; one that is typed stays."""
        dialog = self._dialog(self.manager, keys=self.keys)
        self.assertFalse(dialog.reference)
        self.order.action_confirm()
        with self._dialog(self.manager, keys=self.keys) as dialog:
            dialog.reference = "Contract 7"
        self.assertEqual(dialog.reference, "Contract 7")

    def test_ordered_less(self):
        """G3: where the customer takes less than was offered, the dialog says so."""
        self.order.order_line.product_uom_qty = 1
        self.order.action_confirm()
        dialog = self._dialog(self.manager, keys=self.keys)
        self.assertIn(f"{self.order.name} is about 1 of 2 seats", dialog.ordered_note)
        dialog.software_key_ids.remove(id=self.keys[1].id)
        self.assertFalse(dialog.ordered_note)
        dialog.save().action_renew()
        self.assertEqual(self.keys.mapped("renewal_state"), [False, "ordered"])

    def test_replaced(self):
        """G3, S4: what replaces a key takes its place in the order."""
        self.order.action_confirm()
        new = self.keys[0].with_user(self.manager).replace("RN-3")
        self.assertEqual(new.renewal_state, "ordered")
        self.assertEqual(
            self.order.with_user(self.boss)._get_keys_to_renew(), new | self.keys[1]
        )

    def test_technician_does_not_renew(self):
        """G3: who may not renew keys is told."""
        self.order.action_confirm()
        with self.assertRaises(AccessError):
            self.order.with_user(self.seller).action_renew_software_keys()
