from lxml import etree
from psycopg2 import IntegrityError

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tests import Form, tagged
from odoo.tools import mute_logger
from odoo.tools.safe_eval import safe_eval

from .common import SoftwareKeyCommon


@tagged("post_install", "-at_install")
class TestSoftwareKey(SoftwareKeyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Key = cls.env["client.equipment.software.key"].with_user(cls.manager)

    def _new_form(self, **context):
        """Return the form of a new key, as the manager sees it."""
        return Form(self.Key.with_context(**context))

    # K1

    def test_new_key_is_available_and_on_record(self):
        """K1: a key entered in the form is Available; date, time, user on record."""
        before = fields.Datetime.now()
        form = self._new_form()
        form.license_key = "NEW-0001"
        form.software_id = self.office
        key = form.save()
        self.assertEqual(key.status, "available")
        (entry,) = key.audit_log_ids
        self.assertEqual(entry.action, "created")
        self.assertEqual(entry.user_id, self.manager)
        self.assertGreaterEqual(entry.action_date, before)
        self.assertFalse(entry.status_before)
        self.assertEqual(entry.status_after, "available")
        self.assertEqual(entry.description, "Created by Manager Tester")

    # K2

    def test_pasted_license_keys_are_tidied(self):
        """K2: what comes along with pasting is no part of the license key."""
        for number, (before, after) in enumerate(
            [
                ("  {}-A\t", ""),
                ("\xa0{}-A\xa0", ""),
                ("\u200b{}-A\ufeff", ""),
                ("\u3000\u200b \u2060{}-A\u200d\u3000", ""),
                ("{}-\r\n  A\n", ""),
                ("\n{}\u2028-A", ""),
                ("{}\u200b-A", ""),
                ("{} -A", "inner"),
            ]
        ):
            pasted = before.format(f"K{number}")
            with self.subTest(pasted=pasted):
                key = self._enter(pasted)
                stored = f"K{number} -A" if after else f"K{number}-A"
                self.assertEqual(key.license_key, stored)

    def test_blank_license_key_is_refused(self):
        """K2: a license key of nothing but blanks is refused, in form and API."""
        for blank in ("", "   ", "\n\t", "\xa0", "\u200b\ufeff", False):
            with (
                self.subTest(blank=blank),
                self.assertRefused(ValidationError, "license key is empty"),
            ):
                self._enter(blank)
        form = self._new_form()
        form.software_id = self.office
        form.license_key = " "
        with self.assertRefused(ValidationError, "license key is empty"):
            form.save()

    def test_overlong_license_key_is_refused(self):
        """K2: a whole text that was pasted by mistake is refused in words."""
        with self.assertRefused(ValidationError, "longer than 1000 characters"):
            self._enter("X" * 1001)

    @mute_logger("odoo.sql_db")
    def test_license_key_is_unique(self):
        """K2: a second entry is refused, blanks ignored, in all companies."""
        self._enter("UNIQUE-1")
        for again in ("UNIQUE-1", " UNIQUE-1\n", "UNIQUE\r\n-1"):
            with (
                self.subTest(again=again),
                self.assertRefused(IntegrityError, "license_key_unique"),
            ):
                self._enter(again)
        with self.assertRaises(IntegrityError):
            self._enter("UNIQUE-1", user=self.env.user, company_id=False)
        with self.assertRaises(IntegrityError):
            self._enter("TWIN-1", "TWIN-1")

    @mute_logger("odoo.sql_db", "odoo.models")
    def test_import_names_bad_rows_and_enters_nothing(self):
        """K2: an import with a repeated or blank key names the row, enters nothing."""
        self._enter("OLD-1")
        columns = ["license_key", "software_id", "key_type"]
        good = [
            [license_key, self.office.name.upper(), "Permanent"]
            for license_key in ("IMP-1", "IMP-2")
        ]
        for bad, problem in (
            ("OLD-1", "The license key must be unique!\nOLD-1 is in the inventory"),
            ("IMP-1 ", "The license key must be unique!\nIMP-1 stands in the file"),
            (" ", "The license key is empty"),
        ):
            rows = [*good, [bad, *good[0][1:]]]
            with self.subTest(bad=bad):
                result = self.Key.load(columns, rows)
                self.assertFalse(result["ids"])
                problems = [
                    message["message"]
                    for message in result["messages"]
                    if message["record"] == 2
                ]
                self.assertRegex("".join(problems), problem)
                self.assertFalse(self.Key.search([("license_key", "like", "IMP-")]))
        result = self.Key.load(columns, good)
        keys = self.Key.browse(result["ids"])
        self.assertEqual(keys.mapped("license_key"), ["IMP-1", "IMP-2"])
        self.assertEqual(keys.software_id, self.office)
        self.assertEqual([self._steps(key) for key in keys], [["created"]] * 2)

    # K3

    def test_license_key_never_changes(self):
        """K3: neither form, list, import nor API changes a license key."""
        key = self._enter("FIXED-1")
        with self.assertRefused(UserError, "FIXED-1.*Delete this key and enter"):
            key.write({"license_key": "FIXED-2"})
        with self.assertRefused(UserError, "cannot be changed"):
            key.web_save({"license_key": "FIXED-2"}, {})
        with self.assertRefused(UserError, "cannot be changed"):
            key.sudo().license_key = "FIXED-2"
        with self.assertRefused(UserError, "cannot be changed"):
            self.office.with_user(self.manager).write(
                {"software_key_ids": [Command.update(key.id, {"license_key": "F-2"})]}
            )
        with (
            self.assertRaisesRegex(AssertionError, "readonly"),
            Form(key) as form,
        ):
            form.license_key = "FIXED-2"
        (external_id,) = key.export_data(["id"])["datas"][0]
        result = self.Key.load(["id", "license_key"], [[external_id, "FIXED-2"]])
        self.assertFalse(result["ids"])
        self.assertIn("cannot be changed", result["messages"][0]["message"])
        self.assertEqual(key.license_key, "FIXED-1")
        self.assertEqual(self._steps(key), ["created"])

    def test_unchanged_license_key_may_come_along(self):
        """K3: an import that repeats the license key of a key updates the rest."""
        key = self._enter("FIXED-3")
        (external_id,) = key.export_data(["id"])["datas"][0]
        result = self.Key.load(
            ["id", "license_key", "remarks"], [[external_id, "FIXED-3 ", "Box 7"]]
        )
        self.assertEqual(result["ids"], key.ids)
        self.assertEqual(key.remarks, "Box 7")

    def test_corrected_feature_is_noted(self):
        """K3, K12: a corrected Feature is told on the key's chatter, also
        where the validity is corrected with it; nothing else of a key is."""
        key = self._enter("NOTED-1")
        key.remarks = "Box 7"
        self.cr.precommit.run()
        self.assertFalse(key.message_ids.sudo().tracking_value_ids)
        key.write(
            {
                "software_id": self.antivirus.id,
                "key_type": "subscription",
                "validity_end": self._in_days(30),
            }
        )
        self.env.flush_all()
        self.cr.precommit.run()
        (value,) = key.message_ids.sudo().tracking_value_ids
        self.assertEqual(value.field_id.name, "software_id")
        self.assertEqual(value.old_value_char, self.office.name)
        self.assertEqual(value.new_value_char, self.antivirus.name)
        self.assertEqual(value.mail_message_id.author_id, self.manager.partner_id)

    # K4

    def test_duplicate_opens_an_unsaved_key(self):
        """K4: Duplicate copies all but the license key, dates included, saves none."""
        key = self._enter_subscriptions(
            "DUP-1", owner_id=self.customer.id, purchase_reference="PO-7", end=77
        )
        key.key_type = "time_limited"
        count = self.Key.search_count([])
        action = key.action_duplicate()
        self.assertEqual(self.Key.search_count([]), count)
        self.assertEqual(action["views"], [(False, "form")])
        self.assertFalse(action.get("res_id"))
        form = self._new_form(**action["context"])
        self.assertFalse(form.license_key)
        form.license_key = "DUP-2"
        copy = form.save()
        for name in (
            "software_id",
            "key_type",
            "validity_start",
            "validity_end",
            "owner_id",
            "purchase_reference",
            "company_id",
        ):
            self.assertEqual(copy[name], key[name], name)
        self.assertEqual(copy.status, "available")
        self.assertEqual(self._steps(copy), ["created"])

    def test_duplicate_of_an_applied_key(self):
        """K4: the copy of an applied key is Available and on no equipment."""
        key = self._enter("DUP-3")
        self._apply(key)
        form = self._new_form(**key.action_duplicate()["context"])
        form.license_key = "DUP-4"
        copy = form.save()
        self.assertEqual(copy.status, "available")
        self.assertFalse(copy.equipment_feature_ids)

    def test_copy_through_the_api(self):
        """K4: copy() works with a license key given and is refused without."""
        key = self._enter_subscriptions("COPY-1")
        with self.assertRefused(UserError, "needs a license key of its own"):
            key.copy()
        copy = key.copy({"license_key": "COPY-2"})
        self.assertEqual(copy.license_key, "COPY-2")
        self.assertEqual(copy.validity_end, key.validity_end)
        self.assertEqual(self._steps(copy), ["created"])
        with self.assertRaises(AccessError):
            key.with_user(self.technician).copy({"license_key": "COPY-3"})
        with self.assertRaises(AccessError):
            key.with_user(self.technician).action_duplicate()

    # K5

    def test_filled_in_end(self):
        """K5: an end that the catalogue fills in is looked at as one that is given, by
        every route."""
        self.antivirus.default_validity_months = 600
        keys = self.env["client.equipment.software.key"].with_user(self.manager)
        values = {"software_id": self.antivirus.id, "validity_start": "2190-01-01"}
        words = "choose the key type Permanent"
        with self.assertRefused(ValidationError, words):
            keys.create(values | {"license_key": "FAR-1"})
        with self.assertRefused(ValidationError, words):
            keys.bulk_enter(["FAR-1", "FAR-2"], values)
        found = keys.load(
            ["license_key", "software_id", "validity_start"],
            [["FAR-1", self.antivirus.name, "2190-01-01"]],
        )
        self.assertIn(words, found["messages"][0]["message"])
        self.assertFalse(found["ids"])

    def test_validity_rules(self):
        """K5: each wrong validity is refused with the key's name and the reason."""
        today, later, earlier = self.today, self._in_days(30), self._in_days(-30)
        for key_type, start, end, problem in (
            ("permanent", False, later, "is permanent and cannot have a validity end"),
            ("subscription", False, False, "needs a validity end"),
            ("trial", today, False, "needs a validity end"),
            ("time_limited", today, False, "needs a validity end"),
            ("time_limited", False, later, "needs a validity start"),
            ("subscription", later, today, "before it starts"),
            ("trial", today, earlier, "before it starts"),
            ("forever", False, False, "no key type forever"),
        ):
            values = {"validity_start": start, "validity_end": end}
            with self.subTest(key_type=key_type, **values):
                with self.assertRefused(ValidationError, f"RULE-1.*{problem}"):
                    self._enter("RULE-1", key_type=key_type, **values)
                key = self._enter(f"RULE-{key_type}-{start}-{end}")
                with self.assertRefused(ValidationError, f"RULE-.*{problem}"):
                    key.write({"key_type": key_type, **values})
        for key_type, start, end in (
            ("permanent", today, False),
            ("subscription", False, today),
            ("trial", today, today),
            ("time_limited", today, later),
        ):
            key = self._enter(
                f"GOOD-{key_type}",
                key_type=key_type,
                validity_start=start,
                validity_end=end,
            )
            self.assertEqual((key.validity_start, key.validity_end), (start, end))

    @mute_logger("odoo.sql_db")
    def test_database_guards_the_rules(self):
        """K2, K5: straight SQL cannot store what the form refuses either."""
        key = self._enter_subscriptions("SQL-1")
        self._enter("SQL-2")
        self.env.flush_all()
        for change, constraint in (
            ("license_key = 'SQL-2'", "license_key_unique"),
            ("license_key = ''", "check_license_key"),
            ("license_key = ' SQL-3'", "check_license_key"),
            ("license_key = NULL", "license_key"),
            ("validity_end = NULL", "check_validity_end_required"),
            ("key_type = 'permanent'", "check_permanent"),
            (
                "key_type = 'time_limited', validity_start = NULL",
                "check_validity_start_required",
            ),
            ("validity_end = validity_start - 1", "check_validity_order"),
        ):
            with (
                self.subTest(change=change),
                self.assertRefused(IntegrityError, constraint),
            ):
                self.env.cr.execute(
                    f"UPDATE client_equipment_software_key SET {change} WHERE id = %s",
                    [key.id],
                )
        with self.assertRefused(IntegrityError, "check_validity_end_required"):
            self.env.cr.execute(
                """
                INSERT INTO client_equipment_software_key
                       (license_key, software_id, key_type, status)
                VALUES ('SQL-9', %s, 'trial', 'available')
                """,
                [self.office.id],
            )

    def test_form_follows_the_key_type(self):
        """K5, K12: the form proposes an end, requires it, and clears it again."""
        form = self._new_form()
        form.license_key = "FORM-1"
        form.software_id = self.antivirus
        self.assertEqual(form.key_type, "subscription")
        self.assertEqual(form.validity_start, self.today)
        self.assertEqual(form.validity_end, fields.Date.add(self.today, months=12))
        form.validity_end = False
        with self.assertRaisesRegex(AssertionError, "validity_end is a required field"):
            form.save()
        form.key_type = "permanent"
        self.assertFalse(form.validity_end)
        key = form.save()
        self.assertEqual((key.key_type, key.validity_end), ("permanent", False))
        with Form(key) as form:
            form.key_type = "trial"
            form.validity_end = self._in_days(5)
        self.assertEqual(key.validity_end, self._in_days(5))
        with Form(key) as form:
            form.key_type = "permanent"
        self.assertFalse(key.validity_end)

    # K6, K8

    def test_name_and_search(self):
        """K6: a key is named "Feature - KEY" and found by a part of either."""
        key = self._enter("ABCDE-12345")
        self._enter("ZZZZZ-99999", software=self.antivirus, validity_end=self.today)
        self.assertEqual(key.display_name, "Tour Office Professional - ABCDE-12345")
        for text in (
            "bcde",
            "12345",
            "office prof",
            "Tour Office Professional - ABCDE-12345",
            "Office Professional - ABCDE",
        ):
            with self.subTest(text=text):
                found = self.Key.with_user(self.technician).name_search(text)
                self.assertEqual(found, [(key.id, key.display_name)])
        self.assertEqual(
            self.Key.search([("display_name", "=", key.display_name)]), key
        )
        others = self.Key.search([("display_name", "not ilike", "ABCDE")])
        self.assertNotIn(key, others)
        self.assertTrue(others)

    def test_name_in_the_drop_down(self):
        """K6, A3: where keys are offered, each tells its last day in the reader's
        language; elsewhere its name is the name alone."""
        self.env["res.lang"]._activate_lang("de_DE")
        key, permanent = self._enter_subscriptions("ENDS-1"), self._enter("STAYS-1")
        key.validity_end = "2099-12-24"
        Key = self.Key.with_user(self.technician).with_context(
            lang="de_DE", software_key_owned_first=True
        )
        ask = {"domain": [("id", "in", (key + permanent).ids)]}
        offered = Key.web_name_search("", {"display_name": {}}, **ask)
        self.assertEqual(
            [
                (found["display_name"], found["__formatted_display_name"])
                for found in offered
            ],
            [
                (key.display_name, f"{key.display_name}\t--bis 24.12.2099--"),
                (permanent.display_name, permanent.display_name),
            ],
        )

    def test_filters_of_the_list(self):
        """K8: each filter of the search view finds its keys and no others."""
        self.Key.search([]).equipment_feature_ids.unlink()
        self.Key.search([]).unlink()
        permanent = self._enter("F-1")
        soon, later, trial = (
            self._enter_subscriptions("F-2", end=30),
            self._enter_subscriptions("F-3", end=60),
            self._enter_subscriptions("F-4", end=200, key_type="trial"),
        )
        installed = self._enter_subscriptions("F-5", end=5)
        self._apply(installed)
        installed.validity_end = self._in_days(-1)
        revoked = self._enter(
            "F-6",
            key_type="time_limited",
            validity_start=self.today,
            validity_end=self._in_days(99),
        )
        revoked.status = "revoked"
        applied = self._enter("F-7")
        self._apply(applied)
        expected = {
            "available": permanent + soon + later + trial,
            "applied": applied,
            "expired": installed,
            "revoked": revoked,
            "permanent": permanent + applied,
            "subscription": soon + later + installed,
            "trial": trial,
            "time_limited": revoked,
            "expiring_30": soon,
            "expiring_60": soon + later,
            "expired_installed": installed,
            "needs_attention": self.Key,
        }
        view = self.Key.get_view(view_type="search")
        arch = etree.fromstring(view["arch"])
        for name, keys in expected.items():
            (node,) = arch.xpath(f"//filter[@name='{name}']")
            domain = Domain(safe_eval(node.get("domain")))
            with self.subTest(filter=name):
                self.assertEqual(
                    self.Key.search(domain), keys.sorted("id", reverse=True)
                )

    # K10

    def test_deleting_an_applied_key_is_refused(self):
        """K10: an applied key cannot be deleted; the error names the equipment."""
        free, applied = self._enter("DEL-1", "DEL-2")
        self._apply(applied)
        with self.assertRefused(UserError, "DEL-2 is applied to Reception Laptop"):
            (free + applied).unlink()
        self.assertEqual((free + applied).exists(), free + applied)

    def test_deleting_takes_the_trail_along(self):
        """K10: a free key goes with its trail; the software's chatter keeps a trace."""
        key = self._enter("DEL-SECRET-98765")
        self._apply(key)
        key.sudo().equipment_feature_ids.with_user(self.technician).unlink()
        entries, last_hash = key.audit_log_ids, key.audit_hash
        self.assertEqual(len(entries), 3)
        with self.assertRaises(AccessError):
            key.with_user(self.technician).unlink()
        with self.assertRaises(AccessError):
            key.with_user(self.auditor).unlink()
        before = self.office.message_ids
        key.unlink()
        self.assertFalse(key.exists())
        self.assertFalse(entries.sudo().exists())
        trace = self.office.message_ids - before
        self.assertEqual(len(trace), 1)
        self.assertEqual(trace.author_id, self.manager.partner_id)
        for text in ("98765", "Manager Tester", "Audit logs: 3", last_hash):
            self.assertIn(text, trace.body)
        self.assertNotIn("SECRET", trace.body)

    def test_deleting_many_leaves_one_message_per_software(self):
        """K10: deleted in bulk, each key has its line on its software's chatter."""
        keys = self._enter("DELETED-00001", "DELETED-00002")
        keys += self._enter_subscriptions("DELETED-00003")
        before = self.office.message_ids, self.antivirus.message_ids
        keys.unlink()
        (office,) = self.office.message_ids - before[0]
        (antivirus,) = self.antivirus.message_ids - before[1]
        self.assertIn("00001", office.body)
        self.assertIn("00002", office.body)
        self.assertIn("00003", antivirus.body)

    # K12

    def test_software_is_created_by_typing_its_name(self):
        """K12: a typed name becomes a catalogue entry, once, whatever its case."""
        Software = self.env["client.equipment.software"].with_user(self.manager)
        software_id, name = Software.name_create("  Drawing   Suite ")
        self.assertEqual(name, "Drawing Suite")
        self.assertEqual(
            Software.name_search("drawing suite", operator="=")[0][0], software_id
        )
        with (
            mute_logger("odoo.sql_db"),
            self.assertRefused(IntegrityError, "name_unique"),
        ):
            Software.name_create("DRAWING SUITE")
        with self.assertRaises(AccessError):
            Software.with_user(self.technician).name_create("Other Suite")

    def test_catalogue_fills_in_new_keys(self):
        """K12: through the API, too, type and end come from the catalogue."""
        key = self._enter("CAT-1", software=self.antivirus)
        self.assertEqual(key.key_type, "subscription")
        self.assertEqual(key.validity_end, fields.Date.add(self.today, months=12))

    def test_counts_of_the_catalogue(self):
        """K12: the catalogue counts keys per status and stays current."""
        software = self.office.with_user(self.manager)
        first, second = self._enter("CNT-1", "CNT-2")
        self.assertEqual(
            (software.software_key_count, software.available_count), (2, 2)
        )
        feature = self._apply(first)
        self.assertEqual((software.available_count, software.applied_count), (1, 1))
        second.revoke()
        self.assertEqual((software.available_count, software.revoked_count), (0, 1))
        feature.unlink()
        self.assertEqual((software.available_count, software.applied_count), (1, 0))
        first.write({"key_type": "trial", "validity_end": self._in_days(3)})
        self.assertEqual(software.next_validity_end, self._in_days(3))

    # K13

    def test_customers_own_key(self):
        """K13: a key bought for a customer goes onto that customer's equipment only."""
        branch = self.env["res.partner"].create(
            {"name": "Branch", "parent_id": self.customer.id}
        )
        branch_laptop = self.env["client.equipment"].create(
            {
                "name": "Branch Laptop",
                "partner_id": branch.id,
                "company_id": self.company.id,
            }
        )
        stranger = self.laptop.copy({"partner_id": self.other_customer.id})
        own, other = self._enter("OWN-1", "OWN-2", owner_id=self.customer.id)
        with self.assertRefused(UserError, "was bought for Tour Dental Practice"):
            self._apply(own, stranger)
        self._apply(own, branch_laptop)
        self._apply(other)
        with self.assertRefused(UserError, "was bought for"):
            self.laptop.with_user(self.technician).partner_id = self.other_customer
        with self.assertRefused(UserError, "was bought for"):
            own.owner_id = self.other_customer

    # Bad input

    def test_system_fields_cannot_be_given(self):
        """E2: where a key is applied and what its trail says is not for writing."""
        key = self._enter("SYS-1")
        for values in (
            {"equipment_id": self.laptop.id},
            {"audit_number": 7},
            {"audit_hash": "0"},
        ):
            with self.subTest(**values):
                with self.assertRefused(UserError, "set by the system alone"):
                    key.write(values)
                with self.assertRefused(UserError, "set by the system alone"):
                    self._enter("SYS-2", **values)
