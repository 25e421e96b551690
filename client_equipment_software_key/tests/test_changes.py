import base64
import io

from odoo import Command, fields
from odoo.exceptions import AccessError

from ..report.evidence_json import EvidenceJson
from .common import SoftwareKeyCommon


class TestChanges(SoftwareKeyCommon):
    """K17: whatever an auditor would ask about is a step."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.key, cls.other_key = cls._enter_subscriptions("CHANGE-1", "CHANGE-2")
        cls.Key = cls.env["client.equipment.software.key"].with_user(cls.manager)

    def _last(self, key=None):
        return (key or self.key).sudo().audit_log_ids.sorted("number")[-1]

    def test_each_field(self):
        """K17: a change of any of the fields that are told writes one entry with what
        it was and what it became; the rest of the key is no evidence."""
        start = fields.Date.to_string(self._in_days(-1))
        values = {
            "software_id": (self.office.id, "Tour Office Professional"),
            "key_type": "trial",
            "validity_start": start,
            "seats": 3,
            "owner_id": (self.customer.id, "Tour Dental Practice"),
            "supplier_id": (self.other_customer.id, "Tour Harbour Works"),
            "company_id": None,
        }
        of_file = {"license_file", "license_file_name"}  # (test_license_file)
        self.assertEqual(values.keys() | of_file, self.key._get_told_fields())
        for name, value in values.items():
            with self.subTest(name=name):
                count = self.key.audit_number
                before = self.key._get_told_value(name)
                raw = value[0] if isinstance(value, tuple) else value
                self.key.write({name: raw or False})
                self.assertEqual(self.key.audit_number, count + 1)
                entry = self._last()
                self.assertEqual(entry.action, "changed")
                after = list(value) if isinstance(value, tuple) else value
                self.assertEqual(entry.changes, [[name, before, after]])
                self.assertEqual(entry.status_after, entry.status_before)
                self.assertEqual(entry.user_id, self.manager)
                label = self.key._fields[name]._description_string(self.env)
                self.assertIn(
                    f"Changed by Manager Tester: {label} from ", entry.description
                )
                # Once more is no change.
                self.key.write({name: raw or False})
                self.assertEqual(self.key.audit_number, count + 1)
        count = self.key.audit_number
        self.key.write({"remarks": "Any", "purchase_reference": "PO-1"})
        self.assertEqual(self.key.audit_number, count)
        self.assertEqual(self.key.verify_audit_trail(), [])

    def test_with_assignments(self):
        """K17, L4, L5: what one write changes of a key, and where it puts it, are steps
        of their own: each entry tells of the key as it was, and the trail is intact."""
        changes = {
            "software_id": self.office.id,
            "key_type": "trial",
            "validity_start": self._in_days(-1),
            "validity_end": self._in_days(99),
            "seats": 3,
            "owner_id": self.customer.id,
            "supplier_id": self.other_customer.id,
            "status": "revoked",
            "remarks": "Any",
            "license_file": base64.b64encode(b"license"),
        }
        told = self.key._get_told_fields() - {"company_id", "license_file_name"}
        self.assertLessEqual(told, changes.keys())
        add = Command.create({"equipment_id": self.spare_laptop.id})
        for number, (name, value) in enumerate(changes.items()):
            for way in ("removed", "applied", "moved"):
                key = self._enter_subscriptions(f"WITH-{number}-{way}")
                commands = [add]
                if way != "applied":
                    commands.insert(0, Command.delete(self._apply(key).id))
                if way == "removed":
                    del commands[1]
                if name == "status" and way != "removed":
                    continue  # a revoked key is not applied
                with self.subTest(change=name, way=way):
                    count = key.audit_number
                    key.write({"equipment_feature_ids": commands, name: value})
                    self.env.invalidate_all()
                    self.assertEqual(key.verify_audit_trail(), [])
                    steps = len(commands) + (name != "remarks")
                    self.assertEqual(key.audit_number, count + steps)
                    self.assertEqual(key.seats_used, way != "removed")

    def test_entries_tell_the_past(self):
        """K17, F13: each entry keeps the software that the key had then."""
        self._apply(self.key)
        self.key.software_id = self.office
        entries = self.key.audit_log_ids.sorted("number")
        self.assertEqual(
            entries.mapped("software_name"),
            ["Tour Antivirus Enterprise"] * 2 + ["Tour Office Professional"],
        )
        self.office.name = "Renamed"
        self.assertEqual(entries[-1].software_name, "Tour Office Professional")
        self.assertEqual(entries[-1].software_id, self.office)
        self.assertEqual(entries[-1].equipment_id, self.laptop)

    def test_every_route(self):
        """K17: by import, one2many commands, a write on many, and along with what is
        not told."""
        keys = (self.key | self.other_key).with_user(self.manager)
        keys.write({"owner_id": self.customer.id, "remarks": "Both"})
        self.assertEqual(self._steps(self.key), ["created", "changed"])
        self.assertEqual(self._steps(self.other_key), ["created", "changed"])
        self.antivirus.with_user(self.manager).write(
            {"software_key_ids": [Command.update(self.key.id, {"key_type": "trial"})]}
        )
        self.assertEqual(self._last().changes, [["key_type", "subscription", "trial"]])
        result = self.Key.load(
            [".id", "owner_id/.id"],
            [[str(key.id), str(self.other_customer.id)] for key in keys],
        )
        self.assertTrue(result["ids"], result)
        for key in keys:
            self.assertEqual(self._last(key).changes[0][2][0], self.other_customer.id)
        self.assertEqual(keys.verify_audit_trail(), [])

    def test_another_companys_names(self):
        """E1, K17: whom another company's key was bought for, before it was shared, is
        named by no route to who may not read him."""
        company_2 = self.other_company
        owner = self.env["res.partner"].create(
            {"name": "Hidden Harbour", "company_id": company_2.id}
        )
        key = self._enter("CHANGE-HIDDEN", company_id=company_2.id, user=self.env.user)
        key.sudo().owner_id = owner
        key.sudo().write({"owner_id": False, "company_id": False})
        for reader in (self.manager, self.auditor):
            entries = key.audit_log_ids.with_user(reader).sorted("number")
            self.assertEqual(len(entries), 3)
            names = entries.get_views([(False, "list"), (False, "form")])
            names = names["models"][entries._name]["fields"]
            told = [entries.read(), entries.mapped("description")]
            told.append(entries.export_data(["description"]))
            told.append(entries.search_read([("id", "in", entries.ids)], list(names)))
            self.assertIn("another company's", str(told))
            self.assertNotIn("Hidden Harbour", str(told))
            self.assertNotIn("Granite Services", str(told))
            for forbidden in (
                lambda entries: entries.read(["changes"]),
                lambda entries: entries.export_data(["changes"]),
                lambda entries: entries.search([("changes", "!=", False)]),
                lambda entries: entries.formatted_read_group([], ["changes"]),
            ):
                with self.assertRaises(AccessError):
                    forbidden(entries)
        self.env["client.equipment.audit.checkpoint"].make()
        file = io.StringIO()
        EvidenceJson(key.with_user(self.auditor), whole=True).write(file)
        self.assertIn('"created"', file.getvalue())
        self.assertNotIn("Hidden Harbour", file.getvalue())
        self.assertNotIn("Granite Services", file.getvalue())

    def test_deleted_contacts_of_another_company(self):
        """E1, K17: nor once he is deleted; a contact of the reader's own company stays
        named, whether the key is shared by now or not."""
        for company, told in ((self.other_company, False), (self.company, True)):
            owner = self.env["res.partner"].create(
                {"name": "Gone Harbour", "company_id": company.id}
            )
            key = self._enter(
                f"CHANGE-GONE-{company.id}", company_id=company.id, user=self.env.user
            )
            key.sudo().owner_id = owner
            key.sudo().write({"owner_id": False, "company_id": False})
            owner.unlink()
            entries = key.audit_log_ids.with_user(self.auditor)
            with self.subTest(told=told):
                self.assertEqual("Gone Harbour" in str(entries.read()), told)
                self.env["client.equipment.audit.checkpoint"].make()
                file = io.StringIO()
                EvidenceJson(key.with_user(self.auditor), whole=True).write(file)
                self.assertEqual("Gone Harbour" in file.getvalue(), told)

    def test_with_a_moved_end(self):
        """K17, L4: what a key is and its end, changed together, are two steps, each of
        which tells its own."""
        end, later = self.key.validity_end, self._in_days(90)
        self.key.write({"key_type": "trial", "validity_end": later})
        changed, renewed = self.key.audit_log_ids.sorted("number")[-2:]
        self.assertEqual((changed.action, renewed.action), ("changed", "renewed"))
        self.assertEqual(
            (changed.validity_end_before, changed.validity_end_after), (end, end)
        )
        self.assertEqual(
            (renewed.validity_end_before, renewed.validity_end_after), (end, later)
        )
        self.assertEqual(self.key.verify_audit_trail(), [])

    def test_merged_contacts(self):
        """K17: contacts that are merged, by SQL, leave a step, too."""
        self.key.owner_id = self.customer
        heir = self.env["res.partner"].create({"name": "Heir", "is_company": True})
        merging = self.env["base.partner.merge.automatic.wizard"].create({})
        merging._merge((self.customer | heir).ids, heir)
        self.assertEqual(self.key.owner_id, heir)
        self.assertEqual(
            self._last().changes,
            [
                [
                    "owner_id",
                    [self.customer.id, "Tour Dental Practice"],
                    [heir.id, "Heir"],
                ]
            ],
        )
        self.assertEqual(self.key.verify_audit_trail(), [])

    def test_corrected_day(self):
        """K17, L6: a corrected day of installation is a step with what it was and what
        it became, and the usage history tells the day as it was corrected."""
        keys = self.key | self._enter("CHANGE-SEATS", seats=2)
        first, *others = (
            self._apply(key, place)
            for key, place in (
                (keys[0], self.laptop),
                (keys[1], self.laptop),
                (keys[1], self.spare_laptop),
            )
        )
        features = first.union(*others)
        day, later = self._in_days(-20), self._in_days(-3)
        features.write({"applied_date": day, "remarks": "By the delivery note"})
        self.assertEqual(self._steps(keys[0]), ["created", "applied", "changed"])
        self.assertEqual(
            self._steps(keys[1]), ["created", *["applied"] * 2, *["changed"] * 2]
        )
        entry = self._last(keys[0])
        self.assertEqual(entry.changes, [["applied_date", str(self.today), str(day)]])
        self.assertEqual(
            (entry.equipment_ref, entry.installed_on, entry.user_id),
            (self.laptop.id, day, self.technician),
        )
        told = [self.key._say_date(each) for each in (self.today, day)]
        self.assertIn("Applied Date from {} to {}".format(*told), entry.description)
        features.write({"applied_date": day, "remarks": "Once more"})
        self.assertEqual(self._last(keys[0]), entry)
        first.applied_date = later
        History = self.env["client.equipment.usage.history"].with_user(self.auditor)
        lines = History.search([("software_key_id", "in", keys.ids)])
        self.assertEqual(len(lines), 3)
        line = lines.filtered(lambda line: line.software_key_id == keys[0])
        self.assertEqual(line.date_from, History._start_of(later))
        self.assertEqual((line.applied_by_id, line.date_to), (self.technician, False))
        self.assertEqual(keys.verify_audit_trail(), [])
        features.unlink()
        self.env.invalidate_all()
        lines = History.search([("software_key_id", "in", keys.ids)])
        self.assertEqual(len(lines.filtered("date_to")), 3)
        self.assertEqual(keys.verify_audit_trail(), [])

    def test_behind_the_back(self):
        """L5, K17: another feature given to a key by SQL is found."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE client_equipment_software_key SET software_id = %s WHERE id = %s",
            [self.office.id, self.key.id],
        )
        self.env.invalidate_all()
        (finding,) = self.key.verify_audit_trail()
        self.assertIn("Feature is Tour Office Professional, but", finding["problem"])
