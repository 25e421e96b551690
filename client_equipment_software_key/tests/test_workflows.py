from odoo.tests import HttpCase, tagged
from odoo.tools import format_date

from .common import SoftwareKeyMixin

LICENSE_KEYS = [f"AVENT-{1001 + i}" for i in range(3)]


@tagged("post_install", "-at_install")
class TestWorkflows(SoftwareKeyMixin, HttpCase):
    """The four workflows of the user guide (§9) in the web client."""

    def _keys(self):
        return self.env["client.equipment.software.key"].search(
            [("license_key", "in", LICENSE_KEYS)], order="license_key"
        )

    def test_new_licenses(self):
        """Workflow 1 (K1, K4): antivirus keys, all but the first by Duplicate."""
        self.antivirus.default_key_type = "permanent"
        self.start_tour("/odoo/software-keys", "guide_new_licenses", login="sk_manager")
        keys = self._keys()
        self.assertRecordValues(
            keys,
            [
                {
                    "license_key": license_key,
                    "software_id": self.antivirus.id,
                    "key_type": "subscription",
                    "validity_start": self._in_days(-1),
                    "validity_end": self._in_days(364),
                    "status": "available",
                    "purchase_reference": "PO-77",
                    "company_id": self.company.id,
                }
                for license_key in LICENSE_KEYS
            ],
        )
        for key in keys:
            self.assertRecordValues(
                key.audit_log_ids,
                [{"action": "created", "user_id": self.manager.id}],
            )

    def test_installation(self):
        """Workflow 2 (A1, A2, A3): a technician installs Office on a laptop."""
        key, _other, applied, expired, revoked = self._enter(
            "OFFICE-1", "OFFICE-2", "OFFICE-APPLIED", "OFFICE-EXPIRED", "OFFICE-REVOKED"
        )
        self._apply(applied, self.spare_laptop)
        expired.write({"key_type": "trial", "validity_end": self._in_days(-1)})
        revoked.revoke()
        self.start_tour(
            "/odoo/client-equipment", "guide_installation", login="sk_technician"
        )
        self.assertRecordValues(
            self.laptop.equipment_feature_ids,
            [
                {
                    "software_key_id": key.id,
                    "applied_date": self.today,
                    "applied_by_id": self.technician.id,
                    "remarks": "Installed with standard configuration",
                }
            ],
        )
        self.assertEqual(key.status, "applied")
        self.assertRecordValues(
            key.audit_log_ids[:1],
            [
                {
                    "action": "applied",
                    "equipment_id": self.laptop.id,
                    "user_id": self.technician.id,
                    "description": "Applied to Equipment LAPTOP-12345 by "
                    "Technician Tester",
                }
            ],
        )

    def test_return_and_recovery(self):
        """Workflow 3 (A7): the key of a returned laptop goes onto its replacement."""
        key = self._enter("OFFICE-1")
        self._apply(key, applied_date="2025-01-15")
        self.start_tour(
            "/odoo/client-equipment", "guide_recovery", login="sk_technician"
        )
        self.assertFalse(self.laptop.equipment_feature_ids)
        self.assertEqual(self.spare_laptop.equipment_feature_ids.software_key_id, key)
        self.assertEqual(key.status, "applied")
        self.assertEqual(
            key.audit_log_ids.sorted("number").mapped("description"),
            [
                "Created by Manager Tester",
                "Applied to Equipment LAPTOP-12345 by Technician Tester",
                "Revoked from Equipment LAPTOP-12345 by Technician Tester",
                "Applied to Equipment LAPTOP-67890 by Technician Tester",
            ],
        )

    def test_subscription_renewal(self):
        """Workflow 4 (S3): subscriptions are renewed while they are in use."""
        keys = self._enter_subscriptions(*LICENSE_KEYS, end=30)
        equipment = self.env["client.equipment"].create(
            [
                {"name": f"Desk {i}", "company_id": self.company.id}
                for i in range(len(keys))
            ]
        )
        for key, unit in zip(keys, equipment, strict=True):
            self._apply(key, unit)
        self.start_tour("/odoo/software-keys", "guide_renewal", login="sk_manager")
        self.assertRecordValues(
            keys,
            [
                {
                    "status": "applied",
                    "equipment_id": unit.id,
                    "validity_end": self._in_days(395),
                    "remarks": "Renewed subscription - Reference: PO-78",
                }
                for unit in equipment
            ],
        )
        for key in keys:
            self.assertEqual(self._steps(key), ["created", "applied", "renewed"])
            self.assertIn(
                format_date(self.env, self._in_days(395)),
                key.audit_log_ids[0].description,
            )
