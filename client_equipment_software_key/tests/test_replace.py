from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, HttpCase, tagged

from .common import SoftwareKeyCommon, SoftwareKeyMixin

WIZARD = "client.equipment.software.key.replacement"


class TestReplace(SoftwareKeyCommon):
    def _dialog(self, key):
        return Form(
            self.env[WIZARD]
            .with_user(self.manager)
            .with_context(active_model=key._name, active_id=key.id, active_ids=key.ids)
        )

    def test_replace_applied(self):
        """The new key has the same data and stands on the same equipment; the old one
        is revoked; both are linked and have trails of their own (S4)."""
        old = self._enter_subscriptions(
            "REPLACE-OLD",
            purchase_reference="PO00042",
            remarks="Box 7",
            owner_id=self.customer.id,
        )
        self._apply(old, remarks="Reception desk")
        new = old.replace(" REPLACE-NEW ", "compromised")
        self.assertRecordValues(
            old | new,
            [
                {
                    "license_key": "REPLACE-OLD",
                    "status": "revoked",
                    "equipment_id": False,
                    "replaced_by_id": new.id,
                    "replaces_id": False,
                },
                {
                    "license_key": "REPLACE-NEW",
                    "status": "applied",
                    "equipment_id": self.laptop.id,
                    "replaced_by_id": False,
                    "replaces_id": old.id,
                },
            ],
        )
        for name in (
            "software_id",
            "key_type",
            "validity_start",
            "validity_end",
            "remarks",
            "purchase_reference",
            "owner_id",
            "company_id",
        ):
            self.assertEqual(new[name], old[name], name)
        self.assertRecordValues(
            new.equipment_feature_ids,
            [
                {
                    "equipment_id": self.laptop.id,
                    "applied_by_id": self.manager.id,
                    "applied_date": self.today,
                    "remarks": "Reception desk",
                }
            ],
        )
        self.assertEqual(self._steps(old), ["created", "applied", "revoked", "revoked"])
        self.assertEqual(self._steps(new), ["created", "applied"])
        self.assertEqual((old | new).verify_audit_trail(), [])
        last = old.audit_log_ids.sorted("number")[-1]
        self.assertEqual(
            (last.reason_code, last.reason_data, last.reason),
            ("replaced", new.license_key_hint, "compromised"),
        )
        self.assertNotIn(new.license_key, last.description)

    def test_replace_in_stock(self):
        """A key that is not applied is replaced in the inventory (S4)."""
        old = self._enter("REPLACE-OLD")
        new = old.replace("REPLACE-NEW")
        self.assertEqual((old.status, new.status), ("revoked", "available"))
        self.assertFalse(new.equipment_feature_ids)

    def test_refused(self):
        """Revoked and expired keys and a license key that is known are refused in
        words, and nothing changes (S4, E2)."""
        old, known = self._enter("REPLACE-OLD", "REPLACE-KNOWN")
        self._apply(old)
        with self.assertRaisesRegex(
            UserError,
            r"(?s)The license key must be unique!.*REPLACE-KNOWN is in the system "
            r"already \(Available\)",
        ):
            old.replace("REPLACE-KNOWN")
        with self.assertRaisesRegex(UserError, "The license key is empty"):
            old.replace("  ")
        known.revoke()
        with self.assertRaisesRegex(UserError, "revoked already"):
            known.replace("REPLACE-NEW")
        expired = self._enter_subscriptions("REPLACE-EXPIRED", end=-1)
        with self.assertRaisesRegex(UserError, "Renew the key first"):
            expired.replace("REPLACE-NEW")
        self.assertEqual((old.status, old.equipment_id), ("applied", self.laptop))
        self.assertFalse(old.search_count([("license_key", "=", "REPLACE-NEW")]))

    def test_one_transaction(self):
        """Where the new key cannot go onto the equipment, nothing has happened (S4)."""
        old = self._enter("REPLACE-OLD")
        self._apply(old)
        # As a faulty import would leave it.
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE client_equipment SET state = 'retired' WHERE id = %s",
            [self.laptop.id],
        )
        self.env.invalidate_all()
        with self.assertRaisesRegex(UserError, "is not in service"):
            with self.env.cr.savepoint():
                old.replace("REPLACE-NEW")
        self.env.invalidate_all()
        self.assertEqual((old.status, old.equipment_id), ("applied", self.laptop))
        self.assertEqual(self._steps(old), ["created", "applied"])

    def test_rights(self):
        """Technicians and auditors replace nothing, by method or dialog (E1)."""
        key = self._enter("REPLACE-OLD")
        for user in (self.technician, self.auditor):
            with self.subTest(user=user.login):
                with self.assertRaises(AccessError):
                    key.with_user(user).replace("REPLACE-NEW")
                with self.assertRaises(AccessError):
                    self.env[WIZARD].with_user(user).create({"software_key_id": key.id})

    def test_elsewhere(self):
        """E1: whoever does not work for the company where a shared key stands is told
        that, and no more, in the dialog and by the method."""
        elsewhere = self.env["client.equipment"].create(
            {"name": "Secret Unit", "company_id": self.other_company.id}
        )
        old = self._enter("REPLACE-OLD", company_id=False)
        self.env["client.equipment.feature"].sudo().create(
            {"software_key_id": old.id, "equipment_id": elsewhere.id}
        )
        self.env.invalidate_all()
        manager = old.with_user(self.manager)
        self.assertIn("of another company", self._dialog(manager).problem)
        with self.assertRaisesRegex(UserError, "of another company") as refused:
            manager.replace("REPLACE-NEW")
        self.assertNotIn("Secret Unit", str(refused.exception))
        self.assertEqual(old.status, "applied")

    def test_dialog(self):
        """The dialog knows the equipment, warns of look-alikes and opens the new
        key (S4)."""
        old, _other = self._enter("REPLACE-OLD", "REPLACE-OTHER")
        self._apply(old)
        dialog = self._dialog(old)
        self.assertEqual(dialog.equipment_id, self.laptop)
        self.assertFalse(dialog.problem)
        dialog.license_key = "REPLACE-OTHER"
        self.assertIn("in the system already", dialog.problem)
        dialog.license_key = "replace other"
        self.assertFalse(dialog.problem)
        self.assertIn("looks like REPLACE-OTHER", dialog.warning)
        dialog.license_key = "replace-old"
        self.assertFalse(dialog.warning)
        dialog.license_key = "REPLACE-NEW"
        action = dialog.save().action_replace()
        new = self.env[action["res_model"]].browse(action["res_id"])
        self.assertEqual(new.replaces_id, old)
        self.assertEqual(new.equipment_id, self.laptop)


@tagged("post_install", "-at_install")
class TestReplaceTour(SoftwareKeyMixin, HttpCase):
    def test_tour(self):
        """A manager replaces an applied key from its form and lands on the new
        one (S4)."""
        old = self._enter("REPLACE-TOUR-OLD")
        self._apply(old)
        self.start_tour(
            f"/odoo/software-keys/{old.id}",
            "software_key_replacement",
            login="sk_manager",
        )
        self.assertEqual(old.status, "revoked")
        self.assertEqual(old.replaced_by_id.license_key, "REPLACE-TOUR-NEW")
        self.assertEqual(old.replaced_by_id.equipment_id, self.laptop)
