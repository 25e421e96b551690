import csv
import io
import json
from collections import Counter

from openpyxl import load_workbook

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.http import Request
from odoo.service.model import call_kw
from odoo.tests import Form, HttpCase, tagged

from .common import SoftwareKeyCommon, SoftwareKeyMixin

WRITTEN_BY_SYSTEM = "audit trail is written by the system alone"
NEVER_CHANGED = "can never be changed"
NEVER_DELETED = "can never be deleted"


@tagged("post_install", "-at_install")
class TestAuditLog(SoftwareKeyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.administrator = cls._new_user("administrator", "base.group_system")
        cls.key = cls._enter_subscriptions("TRAIL-1")
        cls._apply(cls.key)
        cls.entries = cls.key.audit_log_ids.sorted("number")
        cls.people = (
            cls.technician,
            cls.auditor,
            cls.manager,
            cls.administrator,
            cls.internal,
            cls.portal,
        )

    def setUp(self):
        super().setUp()
        self.before = self._facts()

    def _facts(self):
        """Return all that the trail says, straight from the table."""
        self.env.flush_all()
        self.env.cr.execute("SELECT * FROM client_equipment_audit_log ORDER BY id")
        return self.env.cr.fetchall()

    def tearDown(self):
        self.assertEqual(self._facts(), self.before, "the trail must stand as it was")
        super().tearDown()

    def _values(self):
        """Return the values of an entry that looks right."""
        return {
            "software_key_id": self.key.id,
            "number": 3,
            "action": "revoked",
            "action_date": "2026-01-01 12:00:00",
            "user_id": self.manager.id,
            "status_after": "available",
            "hash": "0" * 64,
        }

    # L1: one test for each door that must stay shut

    def test_door_create(self):
        """L1: nobody creates an entry, the administrator and superuser mode neither."""
        for user in self.people:
            with self.subTest(user=user.login), self.assertRaises(UserError):
                self.entries.with_user(user).create(self._values())
        with self.assertRefused(UserError, WRITTEN_BY_SYSTEM):
            self.entries.with_user(self.administrator).sudo().create(self._values())
        with self.assertRefused(UserError, WRITTEN_BY_SYSTEM):
            self.env["client.equipment.audit.log"].create([self._values()] * 2)

    def test_door_rpc(self):
        """L1: create, write, unlink and copy are refused to every RPC caller."""
        calls = {
            "create": ([self._values()],),
            "write": (self.entries.ids, {"action": "renewed"}),
            "unlink": (self.entries.ids,),
            "copy": (self.entries[0].ids,),
            "web_save": (self.entries[0].ids, {"reason": "Changed"}, {}),
            "name_create": ("Applied to nothing",),
        }
        for method, args in calls.items():
            for user in self.people:
                with (
                    self.subTest(method=method, user=user.login),
                    self.assertRaises(UserError),
                ):
                    call_kw(self.entries.browse().with_user(user), method, args, {})

    def test_door_write(self):
        """L1: no entry is changed, in superuser mode neither, not a single field."""
        for name in ("action", "user_id", "description", "reason", "hash", "number"):
            with self.subTest(field=name):
                with self.assertRefused(UserError, NEVER_CHANGED):
                    self.entries[0].sudo().write({name: self.entries[1][name]})
                with self.assertRefused(UserError, NEVER_CHANGED):
                    self.entries[0].sudo()[name] = self.entries[1][name]

    def test_door_unlink(self):
        """L1: no entry is deleted, in superuser mode neither."""
        for user in self.people:
            with self.subTest(user=user.login):
                with self.assertRaises(UserError):
                    self.entries.with_user(user).unlink()
                with self.assertRefused(UserError, NEVER_DELETED):
                    self.entries[-1].with_user(user).sudo().unlink()

    def test_door_server_action(self):
        """L1: nor does a server action through the methods of Odoo's models, the inner
        ones among them."""
        entry = self.entries[0].sudo()
        action = self.env["ir.actions.server"].create(
            {
                "name": "Forge",
                "model_id": self.env["ir.model"]._get_id(entry._name),
                "state": "code",
            }
        )
        count = entry.search_count([])
        for code in (
            "record.write({'user_name': 'X'})",
            "record.update({'user_name': 'X'})",
            "record._write({'user_name': 'X'})",
            "record._write_multi([{'user_name': 'X'}])",
            "record._write_fixed({'user_name': 'X'})",
            "record._load_records_write({'user_name': 'X'})",
            "record.with_context(_force_unlink=True).unlink()",
            "record.copy()",
            "record._create([{'stored': {'user_name': 'X'}}])",
            "record._load_records([{'xml_id': 'x.y', 'values': {'number': 99}}])",
        ):
            with self.subTest(code=code):
                action.code = code
                with self.assertRefused(
                    UserError, f"{NEVER_CHANGED}|{NEVER_DELETED}|{WRITTEN_BY_SYSTEM}"
                ):
                    action.with_context(
                        active_model=entry._name, active_id=entry.id
                    ).run()
                    self.env.flush_all()
                self.assertEqual(entry.search_count([("user_name", "=", "X")]), 0)
                self.assertEqual(entry.search_count([]), count)

    def test_door_form(self):
        """L1: the form has no field to change, and offers neither New nor Delete."""
        for view_type in ("form", "list"):
            arch = self.entries.with_user(self.manager).get_view(view_type=view_type)
            for attribute in ("create", "edit", "delete", "duplicate"):
                with self.subTest(view=view_type, attribute=attribute):
                    self.assertRegex(arch["arch"], rf'{attribute}="(0|false|False)"')
        form = Form(self.entries[0].with_user(self.manager))
        with self.assertRaisesRegex(AssertionError, "readonly"):
            form.action = "renewed"

    def test_door_import(self):
        """L1: an import neither adds an entry nor changes one."""
        (external_id,) = self.entries[0].export_data(["id"])["datas"][0]
        columns = ["software_key_id/.id", "action", "action_date", "user_id/.id"]
        row = [str(self.key.id), "Revoked", "2026-01-01 12:00:00", str(self.manager.id)]
        for user in (self.manager, self.administrator):
            Entries = self.entries.with_user(user)
            with self.subTest(user=user.login):
                self.assertFalse(Entries.load(columns, [row])["ids"])
                result = Entries.load(["id", "reason"], [[external_id, "Changed"]])
                self.assertFalse(result["ids"])
                self.assertTrue(result["messages"])

    def test_door_one2many_of_the_key(self):
        """L1: no command on the key's Audit Logs tab gets through."""
        for command in (
            Command.create(self._values()),
            Command.update(self.entries[0].id, {"action": "renewed"}),
            Command.delete(self.entries[0].id),
            Command.unlink(self.entries[0].id),
            Command.link(self.entries[0].id),
            Command.clear(),
            Command.set([]),
        ):
            for user in (self.manager, self.administrator, self.env.user):
                with (
                    self.subTest(command=command, user=user.login),
                    self.assertRefused(UserError, "set by the system alone"),
                ):
                    self.key.with_user(user).write({"audit_log_ids": [command]})
        with self.assertRefused(UserError, "set by the system alone"):
            self._enter("TRAIL-2", audit_log_ids=[Command.create(self._values())])
        with self.assertRefused(UserError, "set by the system alone"):
            self._enter("TRAIL-2", audit_log_ids=[Command.link(self.entries[0].id)])

    def test_door_one2many_further_away(self):
        """L1: nor through the keys of a software or of an equipment's assignment."""
        nested = {"audit_log_ids": [Command.delete(self.entries[0].id)]}
        with self.assertRefused(UserError, "set by the system alone"):
            self.antivirus.with_user(self.administrator).write(
                {"software_key_ids": [Command.update(self.key.id, nested)]}
            )

    def test_door_user(self):
        """L1: a user who stands in the trail cannot be deleted out of it."""
        with self.assertRefused(ValidationError, "Technician Tester cannot be deleted"):
            self.technician.sudo().unlink()

    def test_door_appending_from_outside(self):
        """L1: the one writer of the trail cannot be called from outside."""
        for method in ("_append_sql", "create"):
            with (
                self.subTest(method=method),
                self.assertRaises(AccessError),
            ):
                call_kw(
                    self.entries.browse().with_user(self.administrator),
                    method,
                    (self.key.ids, "revoked", "available"),
                    {},
                )

    # L2

    def test_filters_and_groups(self):
        """L2: entries are found by key, equipment, action, user and date, grouped."""
        Entries = self.entries.with_user(self.auditor)
        mine = [("id", "in", self.entries.ids)]
        for domain, count in (
            ([("software_key_id", "ilike", "trail-1")], 2),
            ([("equipment_id", "ilike", "laptop-12345")], 1),
            ([("action", "=", "applied")], 1),
            ([("user_id", "ilike", "technician tester")], 1),
            (
                [
                    ("action_date", ">=", "2020-01-01"),
                    ("action_date", "<", "2999-01-01"),
                ],
                2,
            ),
            ([("action_date", "<", "2020-01-01")], 0),
        ):
            with self.subTest(domain=domain):
                self.assertEqual(Entries.search_count(mine + domain), count)
        for group_by in (
            "action",
            "user_id",
            "equipment_id",
            "software_key_id",
            "action_date:day",
            "action_date:week",
            "action_date:month",
        ):
            with self.subTest(group_by=group_by):
                groups = Entries.formatted_read_group(mine, [group_by], ["__count"])
                self.assertEqual(sum(group["__count"] for group in groups), 2)

    def test_descriptions_name_the_equipment_without_serial(self):
        """L2: where there is no serial number the description names the equipment."""
        entry = self.entries[1]
        self.assertEqual(
            entry.description, "Applied to Equipment LAPTOP-12345 by Technician Tester"
        )
        self.before = None
        printer = self.laptop.copy({"name": "Printer", "serial_no": False})
        key = self._enter("TRAIL-3")
        self._apply(key, printer).unlink()
        self.assertEqual(
            key.audit_log_ids.sorted("number").mapped("description"),
            [
                "Created by Manager Tester",
                "Applied to Equipment Printer by Technician Tester",
                "Revoked from Equipment Printer by Technician Tester",
            ],
        )
        self.before = self._facts()

    def test_every_description(self):
        """L2: the words of each step, as the users search for them."""
        key = self._enter_subscriptions("TRAIL-4")
        end, later, passed = key.validity_end, self._in_days(90), self._in_days(-1)
        key.validity_end = later
        key.validity_end = passed
        key.validity_end = later
        key.revoke()
        key.status = "available"
        self.assertEqual(
            key.audit_log_ids.sorted("number").mapped("description"),
            [
                "Created by Manager Tester",
                f"Renewed until {later:%m/%d/%Y} by Manager Tester "
                f"(was {end:%m/%d/%Y})",
                f"Expired: validity end moved from {later:%m/%d/%Y} to "
                f"{passed:%m/%d/%Y} by Manager Tester",
                f"Renewed until {later:%m/%d/%Y} by Manager Tester "
                f"(was {passed:%m/%d/%Y})",
                "Revoked by Manager Tester",
                "Reinstated by Manager Tester",
            ],
        )
        self.before = self._facts()

    # L4

    def test_failed_operations_leave_no_entry(self):
        """L4: whatever fails, also half-way through many, has written nothing."""
        free = self._enter("TRAIL-5")
        self.before = self._facts()
        for operation in (
            lambda: self._apply(self.key),
            lambda: self._apply(free + self.key),
            lambda: self._apply(free, applied_date=self._in_days(9)),
            lambda: (free + self.key).revoke(),
            lambda: (free + self.key).unlink(),
            lambda: (free + self.key).write({"status": "expired"}),
            lambda: self._enter("TRAIL-6", "  "),
            lambda: self._enter("TRAIL-6", status="applied"),
        ):
            with self.assertRaises(UserError):
                operation()
            self.assertEqual(self._facts(), self.before)

    def test_one_entry_for_each_key_and_step(self):
        """L4: in bulk, too, exactly one entry for each key and step."""
        keys = self._enter_subscriptions(*[f"BULK-{number}" for number in range(30)])
        self._apply(keys).unlink()
        keys.write({"validity_end": self._in_days(-1)})
        keys.write({"validity_end": self._in_days(60)})
        keys.revoke()
        keys.write({"status": "available"})
        steps = ["created", "applied", "revoked", "expired", "renewed", "revoked"]
        for key in keys:
            self.assertEqual(self._steps(key), [*steps, "reinstated"])
            self.assertEqual(
                key.audit_log_ids.sorted("number").mapped("number"), list(range(1, 8))
            )
        self.before = self._facts()


@tagged("post_install", "-at_install")
class TestAuditLogExport(SoftwareKeyMixin, HttpCase):
    def setUp(self):
        super().setUp()
        keys = self._enter("EXPORT-1", "EXPORT-2", "EXPORT-3")
        self._apply(keys[:2])
        self.entries = keys.audit_log_ids

    def _export(self, login, file_type, groupby):
        """Return the answer to Export All of the list, grouped as it stands."""
        self.authenticate(login, login)
        fields = {
            "action": "Action",
            "user_id": "User",
            "software_key_id": "Software Key",
            "description": "Description",
        }
        types = self.entries.fields_get(fields, ["type", "store"])
        data = {
            "model": "client.equipment.audit.log",
            "fields": [
                {"name": name, "label": label} | types[name]
                for name, label in fields.items()
            ],
            "ids": False,
            "domain": [["id", "in", self.entries.ids]],
            "groupby": groupby,
            "context": {"lang": "en_US"},
            "import_compat": False,
        }
        return self.url_open(
            f"/web/export/{file_type}",
            data={"data": json.dumps(data), "csrf_token": Request.csrf_token(self)},
        )

    def test_grouped_xlsx(self):
        """L3: the grouped list comes out as it stands, with groups and counts."""
        for groupby in (["action"], ["action", "software_key_id"]):
            with self.subTest(groupby=groupby):
                response = self._export("sk_auditor", "xlsx", groupby)
                self.assertEqual(response.status_code, 200)
                sheet = load_workbook(io.BytesIO(response.content)).active
                rows = [[cell or "" for cell in row] for row in sheet.values]
                self.assertEqual(
                    rows[0], ["Action", "User", "Software Key", "Description"]
                )
                titles = Counter(row[0].strip() for row in rows[1:] if not row[3])
                self.assertEqual(titles["Created (3)"], 1)
                self.assertEqual(titles["Applied (2)"], 1)
                if "software_key_id" in groupby:
                    name = "Tour Office Professional - EXPORT-1 (1)"
                    self.assertEqual(titles[name], 2)
                details = [row for row in rows[1:] if row[3]]
                self.assertEqual(len(details), 5)
                self.assertIn(
                    [
                        "Applied",
                        "Technician Tester",
                        "Tour Office Professional - EXPORT-2",
                        "Applied to Equipment LAPTOP-12345 by Technician Tester",
                    ],
                    details,
                )

    def test_csv(self):
        """L3: the same entries as CSV; a grouped list comes as the rows."""
        response = self._export("sk_manager", "csv", [])
        self.assertEqual(response.status_code, 200)
        rows = list(csv.reader(io.StringIO(response.text)))
        self.assertEqual(rows[0], ["Action", "User", "Software Key", "Description"])
        self.assertEqual(
            Counter(row[0] for row in rows[1:]), {"Created": 3, "Applied": 2}
        )

    def test_technicians_do_not_export(self):
        """E1, L3: a technician may read the trail, but not carry it away."""
        for file_type, groupby in (("xlsx", ["action"]), ("csv", [])):
            with self.assertLogs("odoo.addons.web.controllers.export", "ERROR"):
                response = self._export("sk_technician", file_type, groupby)
            self.assertNotEqual(response.status_code, 200)
            self.assertIn("have the rights to export data", response.text)
        for user, allowed in (
            (self.auditor, True),
            (self.manager, True),
            (self.technician, False),
        ):
            self.assertEqual(user.has_group("base.group_allow_export"), allowed)


class TestReasons(SoftwareKeyCommon):
    def test_a_persons_words_are_his(self):
        """L2: what a person gave as reason is told word for word in any language, also
        where it sounds like the system's."""
        self.env["res.lang"]._activate_lang("de_DE")
        for words in ("Replaced by nothing", "Reference: PO-1", "Consistency repaired"):
            key = self._enter(words)
            key.revoke(words)
            entry = key.audit_log_ids.sorted("number")[-1]
            self.assertFalse(entry.reason_code)
            for lang in ("en_US", "de_DE"):
                told = entry.with_context(lang=lang).description
                self.assertTrue(told.endswith(f": {words}"), told)
