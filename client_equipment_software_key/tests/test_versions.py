import json
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from odoo.tools import SQL

from ..trail import VERSION
from .common import SoftwareKeyCommon

DATA = Path(__file__).parent / "data" / "trail_version_1.json"


class TestVersions(SoftwareKeyCommon):
    """L10: entries verify for ever, whatever version wrote them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        told = json.loads(DATA.read_text())
        units = {key["equipment_ref"] for key in told}
        later = []
        for key in told:
            entries, unit = key.pop("entries"), key.pop("equipment_ref")
            if unit:
                cls._insert(
                    "client_equipment",
                    id=unit,
                    name="Shared Unit",
                    state="in_service",
                    active=True,
                    in_service=True,
                )
            cls._insert(
                "client_equipment_software_key",
                **key,
                software_id=cls.office.id,
                equipment_id=unit or None,
                seats_used=1 if unit else 0,
            )
            for entry in entries:
                if entry.get("equipment_ref") in units:  # the others are gone
                    entry["equipment_id"] = entry["equipment_ref"]
                later.append(entry | {"version": 1})
            if unit:
                cls._insert(
                    "client_equipment_feature",
                    software_key_id=key["id"],
                    equipment_id=unit,
                    in_service=True,
                    applied_date=cls.today,
                    applied_by_id=cls.env.uid,
                )
        for entry in later:
            cls._insert("client_equipment_audit_log", **entry)
        cls.keys = cls.env["client.equipment.software.key"].browse(
            key["id"] for key in told
        )
        cls.entries = cls.keys.audit_log_ids.sorted("id")

    @classmethod
    def _insert(cls, table, **values):
        cls.env.flush_all()
        cls.env.cr.execute(
            SQL(
                "INSERT INTO %s (%s) VALUES %s",
                SQL.identifier(table),
                SQL(", ").join(map(SQL.identifier, values)),
                tuple(values.values()),
            )
        )
        cls.env.invalidate_all()

    def test_version_1(self):
        """L10: what version 1 wrote is intact, tells what it told, in its own words,
        and goes on with the version of today."""
        self.assertEqual(set(self.entries.mapped("version")), {1})
        self.assertEqual(self.keys.verify_audit_trail(), [])
        renewed = self.entries.filtered(lambda entry: entry.action == "renewed")[0]
        self.assertIn("Reference: PO-1 - by phone\nline 2", renewed.description)
        self.keys[0].revoke("no longer")
        self.assertEqual(
            self.keys[0].audit_log_ids.sorted("number")[-1:].version, VERSION
        )
        self.assertEqual(self.keys.verify_audit_trail(), [])

    def test_version_1_altered(self):
        """L10, L5: an entry of version 1 that was altered is found: what it told, what
        it cannot have told, and a version that is not its own."""
        entry = self.entries.filtered("equipment_ref")[0]
        no_facts = {"software_id", "equipment_id", "customer_id"}  # links
        facts = self.env["client.equipment.audit.log"]._get_facts().keys() - no_facts
        for name in sorted(facts - {"id", "software_key_id", "number"}):
            value = self._other_value(name, entry)
            with self.subTest(name=name), self.cr.savepoint() as savepoint:
                self.env.cr.execute(
                    SQL(
                        "UPDATE client_equipment_audit_log SET %s = %s WHERE id = %s",
                        SQL.identifier(name),
                        value,
                        entry.id,
                    )
                )
                self.env.invalidate_all()
                (finding,) = self.keys.verify_audit_trail()
                self.assertEqual(finding["audit_log_id"], entry.id)
                savepoint.rollback()
                self.env.invalidate_all()

    def _other_value(self, name, entry):
        match entry._fields[name].type:
            case "integer":
                return entry[name] + 1 if name != "user_id" else self.manager.id
            case "many2one":
                return self.manager.id
            case "datetime" | "date":
                return "2020-02-02"
            case "json":
                return "[]"
        return "X"

    def test_upgrade(self):
        """L10, L6: an upgrade links old entries to their software, and to the customer
        whose name they keep: who has the equipment, or the only one of that name."""
        path = Path(__file__).parents[1] / "migrations/19.0.2.0.0/post-migration.py"
        spec = spec_from_file_location("post_migration", path)
        migration = module_from_spec(spec)
        spec.loader.exec_module(migration)
        self.assertFalse(self.entries.software_id)
        self.assertFalse(self.entries.customer_id)
        migration.link_entries(self.env.cr)
        self.env.invalidate_all()
        self.assertEqual(self.entries.software_id, self.office)
        for entry in self.entries:
            # Both customers of the file are there by that name.
            self.assertEqual(entry.customer_id.complete_name, entry.customer_name)
        self.assertEqual(self.entries.customer_id, self.customer | self.other_customer)
        self.assertEqual(self.keys.verify_audit_trail(), [])
