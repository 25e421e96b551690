from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger
from odoo.tools.safe_eval import safe_eval

from .common import SoftwareKeyMixin


@tagged("post_install", "-at_install")
class TestTroubleshooting(SoftwareKeyMixin, HttpCase):
    """The eight issues of the user guide (§10), in its order."""

    def _dropdown(self, equipment):
        """Return the keys that the technician's dropdown offers on the equipment."""
        Feature = self.env["client.equipment.feature"].with_user(self.technician)
        domain = safe_eval(
            Feature._fields["software_key_id"].domain,
            {
                "company_id": equipment.company_id.id,
                "partner_id": equipment.partner_id.id,
            },
        )
        return self.env["client.equipment.software.key"].browse(
            key_id for key_id, _name in Feature.software_key_id.name_search("", domain)
        )

    def test_1_duplicate_license_key(self):
        """K2: the form says the guide's words; the search then finds the key."""
        key = self._enter("OFFICE-1")
        with mute_logger("odoo.sql_db", "odoo.http"):
            self.start_tour("/odoo/software-keys", "guide_repeated", login="sk_manager")
        self.assertEqual(
            self.env["client.equipment.software.key"].search(
                [("license_key", "=", "OFFICE-1")]
            ),
            key,
        )

    def test_2_not_in_dropdown(self):
        """A3: the status says why a key is missing; the guide's ways bring it back."""
        applied, expired, revoked = keys = self._enter_subscriptions("1", "2", "3")
        self._apply(applied)
        expired.validity_end = self._in_days(-1)
        revoked.revoke()
        self.assertEqual(keys.mapped("status"), ["applied", "expired", "revoked"])
        self.assertFalse(self._dropdown(self.spare_laptop) & keys)
        applied.equipment_feature_ids.with_user(self.technician).unlink()
        expired.validity_end = self._in_days(365)
        self.assertEqual(self._dropdown(self.spare_laptop) & keys, applied + expired)

    def test_3_cannot_remove(self):
        """A7, E1: an auditor has no trash icon; an administrator can always remove."""
        key = self._enter("OFFICE-1")
        feature = self._apply(key)
        self.start_tour("/odoo/client-equipment", "guide_read_only", login="sk_auditor")
        with self.assertRaises(AccessError):
            feature.with_user(self.auditor).unlink()
        administrator = self._new_user("administrator", "base.group_system")
        feature.with_user(administrator).unlink()
        self.assertEqual(key.status, "available")

    def test_4_applied_without_assignment(self):
        """S7, section 4: Needs Attention finds it; a manager sets it Available."""
        key = self._enter("OFFICE-1")
        feature = self._apply(key)
        self.env.flush_all()
        self.env.cr.execute(
            "DELETE FROM client_equipment_feature WHERE id = %s", [feature.id]
        )
        self.env.invalidate_all()
        self.assertFalse(
            self.env["client.equipment.feature"].search(
                [("software_key_id", "=", key.id)]
            )
        )
        self.start_tour("/odoo/software-keys", "guide_repair", login="sk_manager")
        self.assertRecordValues(key, [{"status": "available", "equipment_id": False}])
        self.assertEqual(self._steps(key), ["created", "applied", "reinstated"])
        self.assertIn(key, self._dropdown(self.laptop))

    def test_5_validity_not_restricting(self):
        """A3, A5, S1: a key whose day has passed is good for nothing at once."""
        late, by_hand = keys = self._enter_subscriptions("LATE-1", "LATE-2")
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE client_equipment_software_key SET validity_end = %s"
            " WHERE id = ANY(%s)",
            [self._in_days(-2), keys.ids],
        )
        self.env.invalidate_all()
        self.assertEqual(set(keys.mapped("status")), {"available"})
        self.assertFalse(self._dropdown(self.laptop) & keys)
        with self.assertRefused(UserError, "LATE-1 has expired"):
            self._apply(late)
        by_hand.status = "expired"
        self.assertEqual(self._steps(by_hand), ["created", "expired"])
        with self.enter_registry_test_mode():
            self.env.ref(
                "client_equipment_software_key.ir_cron_expire"
            ).method_direct_trigger()
        self.assertEqual(late.status, "expired")
        self.assertEqual(self._steps(late), ["created", "expired"])

    def test_6_on_two_equipment(self):
        """A4: neither a second assignment nor the status by hand can lead there."""
        key = self._enter("OFFICE-1")
        self._apply(key)
        with self.assertRefused(UserError, "applied to .*LAPTOP-12345"):
            self._apply(key, self.spare_laptop)
        with self.assertRefused(UserError, "Remove the key from the equipment first"):
            key.status = "available"
        with self.assertRefused(UserError, "applied to .*LAPTOP-12345"):
            self.spare_laptop.with_user(self.technician).write(
                {"equipment_feature_ids": [Command.create({"software_key_id": key.id})]}
            )
        self.assertEqual(key.equipment_feature_ids.equipment_id, self.laptop)

    def test_7_missing_audit_logs(self):
        """L1, L4: what succeeded has its entry, what failed has none, none can go."""
        key = self._enter("OFFICE-1")
        self._apply(key)
        with self.assertRefused(UserError, "applied to"):
            self._apply(key, self.spare_laptop)
        self.assertEqual(self._steps(key), ["created", "applied"])
        for user in (self.technician, self.manager, self.auditor):
            entries = self.env["client.equipment.audit.log"].with_user(user)
            self.assertEqual(
                entries.search_count([("software_key_id", "=", key.id)]), 2
            )
        with self.assertRefused(AccessError, "Audit Log"):
            key.audit_log_ids.with_user(self.manager).unlink()
        with self.assertRefused(UserError, "never be deleted"):
            key.audit_log_ids.sudo().unlink()

    def test_8_cannot_delete(self):
        """K10: an applied key names its equipment; then delete it, or revoke it."""
        key, other = keys = self._enter("OFFICE-1", "OFFICE-2")
        features = self._apply(keys)
        with self.assertRefused(UserError, "OFFICE-1 is applied to .*LAPTOP-12345"):
            key.unlink()
        features.with_user(self.technician).unlink()
        trail = key.audit_log_ids.ids
        key.unlink()
        self.assertFalse(self.env["client.equipment.audit.log"].browse(trail).exists())
        other.revoke()
        self.assertEqual(
            self._steps(other), ["created", "applied", "revoked", "revoked"]
        )
        with self.assertRefused(UserError, "revoked and cannot be applied"):
            self._apply(other)


@tagged("post_install", "-at_install")
class TestPhone(SoftwareKeyMixin, HttpCase):
    """The technician's tab on a phone."""

    browser_size = "390x844"
    touch_enabled = True

    def test_apply_and_remove(self):
        """A1, A7: a technician applies a key and removes another on a phone."""
        new, old = self._enter("OFFICE-NEW", "OFFICE-OLD")
        self._apply(old)
        self.start_tour(
            f"/odoo/client-equipment/{self.laptop.id}",
            "guide_phone",
            login="sk_technician",
        )
        self.assertEqual(self.laptop.equipment_feature_ids.software_key_id, new)
        self.assertEqual(old.status, "available")
        self.assertEqual(self._steps(old), ["created", "applied", "revoked"])
        self.assertRecordValues(
            self.laptop.equipment_feature_ids,
            [{"applied_by_id": self.technician.id, "remarks": "By phone"}],
        )
