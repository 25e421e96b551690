from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .common import PurchaseCommon


@tagged("post_install", "-at_install")
class TestAccess(PurchaseCommon):
    """G2, E1: who sees what."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._order((cls.office_product, 3, 50))
        cls.keys = cls._enter_by(cls.order, "AC-1", "AC-2")

    def test_purchaser(self):
        """G2, E1: who orders and has no right on keys sees how many, and no key."""
        order = self.order.with_user(self.purchaser)
        self.assertEqual(order.software_key_progress, "2 of 3 entered")
        self.assertEqual(order.order_line.qty_received, 2)
        self.assertNotIn("AC-1", str(order.read() + order.order_line.read()))
        form = Form(order)
        self.assertEqual(form.software_key_progress, "2 of 3 entered")
        for name in ("software_key_ids", "renewed_software_key_ids"):
            with self.assertRaises(AccessError):
                order.order_line.mapped(name)
        with self.assertRaises(AccessError):
            order.action_enter_software_keys()

    def test_manager_without_orders(self):
        """G2: who manages keys and has no right on orders works as before."""
        key = self.keys[0].with_user(self.manager)
        with Form(key) as form:
            form.remarks = "Seen"
        self.assertEqual(key.cost, 50)
        with self.assertRaises(AccessError):
            key.read(["purchase_line_id"])
        self._enter("AC-3")
        dialog = Form(
            self.env["client.equipment.software.key.bulk.entry"].with_user(self.manager)
        )
        dialog.software_id = self.office
        dialog.license_keys = "AC-4"
        dialog.save().action_enter()
        key.action_duplicate()
        key.unlink()
        self.assertEqual(self.order.order_line.qty_received, 1)

    def test_technician(self):
        """G2, E1: a technician applies keys, and learns neither order nor cost."""
        key = self.keys[0].with_user(self.technician)
        self._apply(key)
        for name in ("cost", "company_cost", "purchase_line_id"):
            with self.subTest(name=name), self.assertRaises(AccessError):
                key.read([name])
        with self.assertRaises(AccessError):
            self._entry(key).with_user(self.technician).read(["company_cost"])
        Form(key)

    def test_auditor(self):
        """G2: an auditor sees what was paid."""
        entry = self._entry(self.keys[0]).with_user(self.auditor)
        self.assertEqual(entry.company_cost, 50)
        self.assertEqual(self.keys[0].with_user(self.auditor).cost, 50)

    def test_fixed(self):
        """G2: cost follows the order, whoever says otherwise."""
        key = self.keys[0].with_user(self.buyer)
        for name, value in (
            ("cost", 1),
            ("company_cost", 1),
            ("currency_id", False),
            ("renewal_line_ids", [Command.link(self.order.order_line.id)]),
        ):
            with self.subTest(name=name), self.assertRefused(UserError, "system alone"):
                key.write({name: value})
        (other,) = (
            self.env[key._name]
            .with_user(self.buyer)
            .with_context(default_cost=3, default_company_cost=3)
            .create([{"license_key": "AC-5", "software_id": self.office.id}])
        )
        self.assertFalse(other.cost or other.company_cost)

    def test_other_company(self):
        """G2, E1: an order line of another company is none to choose, nor one for a key
        that all companies share."""
        other = self._order(
            (self.office_product, 1, 5),
            user=self.env.user,
            company_id=self.other_company.id,
        )
        with self.assertRaises(AccessError):
            self._enter("AC-6", user=self.buyer, purchase_line_id=other.order_line.id)
        self.buyer.company_ids += self.other_company
        with self.assertRefused(UserError, "company"):
            self._enter("AC-6", user=self.buyer, purchase_line_id=other.order_line.id)
        with self.assertRefused(UserError, "AC-7|ompan"):
            self._enter(
                "AC-7",
                user=self.buyer,
                company_id=False,
                purchase_line_id=self.order.order_line.id,
            )
