from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from odoo.addons.client_equipment_software_key.tests.common import ADDON

from ..models.client_equipment_software import QUOTATION
from .common import PurchaseCommon


@tagged("post_install", "-at_install")
class TestQuotation(PurchaseCommon):
    """G2: the reminders offer a request for quotation, filled in."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.antivirus_product.seller_ids = [
            Command.create(
                {"partner_id": cls.vendor.id, "price": 9, "company_id": cls.company.id}
            )
        ]
        cls.antivirus.write({"minimum_available": 5, "user_id": cls.buyer.id})

    def _request(self, software):
        action = software.with_user(self.buyer).action_request_quotation()
        return Form(
            self.env["purchase.order"]
            .with_user(self.buyer)
            .with_context(**action["context"])
        )

    def test_what_is_missing(self):
        """G2: the shortage, and the keys that end, from the vendor at his price."""
        self._enter_subscriptions("QU-1", "QU-2", end=400)
        self._enter_subscriptions("QU-3", end=10)
        order = self._request(self.antivirus).save()
        self.assertEqual(order.partner_id, self.vendor)
        self.assertRecordValues(
            order.order_line,
            [
                {"product_id": self.antivirus_product.id, "product_qty": 2},
                {"product_id": self.antivirus_product.id, "product_qty": 1},
            ],
        )
        self.assertEqual(order.order_line.mapped("price_unit"), [9, 9])
        self.assertIn("Renewal", order.order_line[1].name)
        self.assertEqual(order.state, "draft")

    def test_packs(self):
        """G2, K14: what is missing is counted in seats, and ordered in units."""
        self.antivirus.purchase_seats = 3
        self.assertEqual(self._request(self.antivirus).save().order_line.product_qty, 2)

    def test_other_company(self):
        """G2, E1: another company's keys do not count."""
        self._enter_subscriptions(
            *("OC-1", "OC-2"),
            end=400,
            user=self.env.user,
            company_id=self.other_company.id,
        )
        self.assertEqual(self._request(self.antivirus).save().order_line.product_qty, 5)

    def _reminders(self):
        """Return the reminders of the night, made anew."""
        self.env["mail.activity"].search(
            [("res_id", "=", self.antivirus.id), ("automated", "=", True)]
        ).unlink()
        self.antivirus.with_company(self.company)._write_fixed(
            {"shortage_reminded": False, "expiry_reminded_until": False}
        )
        self.env["client.equipment.software"]._cron_remind()
        return self.env["mail.activity"].search(
            [
                ("res_model", "=", "client.equipment.software"),
                ("res_id", "=", self.antivirus.id),
            ]
        )

    def test_reminders(self):
        """G2, S5: the reminders *Order* and *Renew* lead there, where their reader may
        order."""
        self._enter_subscriptions("RE-1", end=9)
        reminders = self._reminders()
        self.assertEqual(
            reminders.activity_type_id,
            self.env.ref(f"{ADDON}.mail_activity_type_low")
            + self.env.ref(f"{ADDON}.mail_activity_type_expiring"),
        )
        for reminder in reminders:
            self.assertIn(f"client-software/{self.antivirus.id}/action-", reminder.note)
        leads_to = self.env.ref(QUOTATION).with_user(self.buyer)
        action = leads_to.with_context(active_id=self.antivirus.id).run()
        self.assertEqual(action["res_model"], "purchase.order")
        with self.assertRaises(AccessError):
            leads_to.with_user(self.manager).run()
        self.antivirus.user_id = self.manager
        reminders = self._reminders()
        self.assertEqual(reminders.user_id, self.manager)
        self.assertEqual(reminders.mapped("note"), [False, False])

    def test_no_product(self):
        """G2: without a product it says what to do."""
        self.office.product_id = False
        with self.assertRefused(UserError, "names no product"):
            self.office.with_user(self.buyer).action_request_quotation()
