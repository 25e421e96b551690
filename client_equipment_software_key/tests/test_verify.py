import json
import re
from pathlib import Path

import psycopg2

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import HttpCase, tagged
from odoo.tools import SQL, mute_logger

from .common import SoftwareKeyCommon, SoftwareKeyMixin

EVIDENCE = Path(__file__).parents[2] / "docs" / "evidence.md"


class TestVerify(SoftwareKeyCommon):
    """L5: what is done behind the system's back is found, and nothing else."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.key = cls._enter_subscriptions("VERIFY-1")
        cls.bystander = cls._enter("VERIFY-2")
        feature = cls._apply(cls.key)
        cls.key.validity_end = cls._in_days(60)
        feature.unlink()
        cls.key.revoke("lost")
        cls._apply(cls.bystander, cls.spare_laptop)
        cls.keys = cls.key | cls.bystander
        cls.entries = cls.key.audit_log_ids.sorted("number")

    def _sql(self, query, *args):
        self.env.flush_all()
        self.env.cr.execute(SQL(query, *args))
        self.env.invalidate_all()

    def _findings(self, keys=None):
        return (
            (self.keys if keys is None else keys)
            .with_user(self.auditor)
            .verify_audit_trail()
        )

    def _assert_found(self, problem, entry=None, key=None):
        (finding,) = self._findings()
        self.assertEqual(finding["software_key_id"], (key or self.key).id)
        self.assertEqual(finding["audit_log_id"], entry.id if entry else False)
        self.assertRegex(finding["problem"], problem)
        self.assertIn((key or self.key).display_name, finding["problem"])

    def test_intact(self):
        """L5: trails that the system wrote are intact, after any kind of step."""
        self.assertEqual(
            self.entries.mapped("action"),
            ["created", "applied", "renewed", "revoked", "revoked"],
        )
        self.assertEqual(self._findings(), [])
        self.assertEqual(self._findings(self.keys.browse()), [])

    def test_every_column(self):
        """L5: whichever column of an entry is changed by SQL, the entry is named."""
        entry = self.entries[1]
        other = self._enter("VERIFY-3")
        # Where it is not enough that the value is another one of its type.
        values = {
            "software_key_id": SQL("%s", other.id),
            "user_id": SQL("%s", self.manager.id),
            "software_id": SQL("%s", self.office.id),
            "equipment_id": SQL("%s", self.spare_laptop.id),
            "customer_id": SQL("%s", self.other_customer.id),
        }
        columns = self._columns()
        facts = self.env["client.equipment.audit.log"]._get_facts()
        self.assertEqual(
            columns - facts.keys(), {"equipment_id", "customer_id", "hash"}
        )
        for column in columns:
            for value in (values.get(column) or self._other_value(column), SQL("NULL")):
                with self.subTest(column=column), self.cr.savepoint() as savepoint:
                    if not self._set(entry, column, value):
                        continue
                    findings = self._findings(self.keys | other)
                    self.assertIn(
                        self.key.id,
                        [finding["software_key_id"] for finding in findings],
                    )
                    self.assertIn("No. 2 ", findings[0]["problem"])
                    savepoint.rollback()
                    self.env.invalidate_all()
        self.assertEqual(self._findings(), [])

    def _other_value(self, column):
        """Return SQL of another value of the column's type."""
        field = self.env["client.equipment.audit.log"]._fields.get(column)
        name = SQL.identifier(column)
        match field.type if column != "id" else "integer":
            case "integer":
                return SQL("COALESCE(%s, 0) + 1000", name)
            case "datetime" | "date":
                return SQL("COALESCE(%s, '2026-01-01') + interval '1 day'", name)
            case "json":
                return SQL('\'[["key_type", "trial", "permanent"]]\'')
            case "selection" if column.startswith("status"):
                return SQL(
                    "CASE %s WHEN 'expired' THEN 'revoked' ELSE 'expired' END", name
                )
        return SQL("COALESCE(%s, '') || ' '", name)

    def _set(self, entry, column, value):
        """Set a column by SQL; tell whether that changed anything."""
        before = self._value(entry, column)
        try:
            with mute_logger("odoo.sql_db"), self.cr.savepoint():
                self._sql(
                    "UPDATE client_equipment_audit_log SET %s = %s WHERE id = %s",
                    SQL.identifier(column),
                    value,
                    entry.id,
                )
        except psycopg2.errors.NotNullViolation:
            return False
        return self._value(entry, column) != before

    def _value(self, entry, column):
        self.env.cr.execute(
            SQL(
                "SELECT %s FROM client_equipment_audit_log WHERE id = %s",
                SQL.identifier(column),
                entry.id,
            )
        )
        return self.env.cr.fetchone()

    def test_every_entry(self):
        """L5: an altered entry is found wherever it stands in the chain."""
        for entry in self.entries:
            with self.subTest(number=entry.number), self.cr.savepoint() as savepoint:
                self._sql(
                    "UPDATE client_equipment_audit_log SET user_name = 'X'"
                    " WHERE id = %s",
                    entry.id,
                )
                self._assert_found(f"No. {entry.number} was altered", entry)
                savepoint.rollback()
                self.env.invalidate_all()

    def test_link_cleared(self):
        """L5: a link that was cleared although the equipment is there is found."""
        self._sql(
            "UPDATE client_equipment_audit_log SET equipment_id = NULL WHERE id = %s",
            self.entries[1].id,
        )
        self._assert_found("No. 2 links to another equipment", self.entries[1])

    def test_removed(self):
        """L5: the first, a middle or the last entry deleted, or all of them."""
        for entries, number in (
            (self.entries[0], 1),
            (self.entries[2], 3),
            (self.entries[4], 5),
            (self.entries[3:], 4),
            (self.entries, 1),
        ):
            with self.subTest(number=number), self.cr.savepoint() as savepoint:
                self._sql(
                    "DELETE FROM client_equipment_audit_log WHERE id = ANY(%s)",
                    list(entries.ids),
                )
                self._assert_found(f"No. {number} was removed")
                savepoint.rollback()
                self.env.invalidate_all()

    def _columns(self):
        self.env.cr.execute(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_name = 'client_equipment_audit_log'"
        )
        return {name for (name,) in self.env.cr.fetchall()}

    def _forge(self, number, **facts):
        """Insert a copy of the last entry as ``number``, with a hash that fits."""
        AuditLog = self.env["client.equipment.audit.log"]
        facts = {"id": 2000000000, "number": number} | facts
        columns = SQL(", ").join(
            SQL("entry.%s", SQL.identifier(name))
            for name in sorted(self._columns() - {"hash"})
        )
        self._sql(
            """
            INSERT INTO client_equipment_audit_log (%s, hash)
            SELECT %s, %s
              FROM (
                SELECT (jsonb_populate_record(log, %s)).*, key.license_key,
                       log.hash AS previous_hash
                  FROM client_equipment_audit_log log
                  JOIN client_equipment_software_key key ON key.id = software_key_id
                   AND number = audit_number
                 WHERE software_key_id = %s
              ) entry
            """,
            SQL(columns.code.replace("entry.", "")),
            columns,
            AuditLog._hash_of_any_version_sql(),
            json.dumps(facts),
            self.key.id,
        )
        return AuditLog.browse(2000000000)

    def test_inserted(self):
        """L5: a forged entry is found at the end, before the first and in between."""
        with self.cr.savepoint() as savepoint:
            self._assert_found("No. 6 was inserted", self._forge(6))
            savepoint.rollback()
        with self.cr.savepoint() as savepoint:
            self._assert_found("No. 0 was inserted", self._forge(0))
            savepoint.rollback()
        self.env.invalidate_all()
        self._sql(
            "UPDATE client_equipment_audit_log SET number = number + 1"
            " WHERE software_key_id = %s AND number = 5",
            self.key.id,
        )
        # The head's entry is No. 6 now, so take the forged one from there.
        self._sql(
            "UPDATE client_equipment_software_key SET audit_number = 6 WHERE id = %s",
            self.key.id,
        )
        self._assert_found("No. 5 was altered", self._forge(5))

    def test_numbers_are_unique(self):
        """L5: the database refuses two entries with one number."""
        with (
            self.assertRaises(psycopg2.errors.UniqueViolation),
            mute_logger("odoo.sql_db"),
            self.cr.savepoint(),
        ):
            self._forge(5)

    def test_rewritten(self):
        """L5: a last entry written anew, its hash included, betrays itself by the
        head that the key keeps."""
        self._sql(
            """
            UPDATE client_equipment_audit_log log SET reason = 'found again', hash = (
                SELECT %s
                  FROM (SELECT (jsonb_populate_record(log, '{"reason": "found again"}')
                               ).*, %s AS license_key, %s AS previous_hash) entry
            )
             WHERE log.id = %s
            """,
            self.env["client.equipment.audit.log"]._hash_of_any_version_sql(),
            self.key.license_key,
            self.entries[3].hash,
            self.entries[4].id,
        )
        self._assert_found("No. 5 is not the one", self.entries[4])

    def test_key(self):
        """L5: license key, status, validity end, head or equipment of the key
        changed by SQL."""
        for column, value, problem, entry in (
            ("license_key", SQL("'VERIFY-X'"), "No. 1 was altered", self.entries[0]),
            ("status", SQL("'available'"), "says Revoked", self.entries[4]),
            ("audit_hash", SQL("NULL"), "No. 5 is not the one", self.entries[4]),
            ("audit_number", SQL("6"), "No. 6 was removed", None),
            ("audit_number", SQL("4"), "No. 5 was inserted", self.entries[4]),
            ("audit_number", SQL("NULL"), "No. 1 was inserted", self.entries[0]),
            (
                "equipment_id",
                SQL("%s", self.laptop.id),
                "not where its last entry, No. 5, says",
                self.entries[4],
            ),
        ):
            with self.subTest(column=column), self.cr.savepoint() as savepoint:
                self._sql(
                    "UPDATE client_equipment_software_key SET %s = %s WHERE id = %s",
                    SQL.identifier(column),
                    value,
                    self.key.id,
                )
                self._assert_found(problem, entry)
                savepoint.rollback()
                self.env.invalidate_all()

    def test_each_fact_of_the_key(self):
        """L5, K17: whichever fact of a key is changed by SQL, *Verify* says which one,
        also where a step has been recorded since; *Repair* gives it back."""
        key = self._enter_subscriptions(
            "VERIFY-FACTS", validity_start=self._in_days(-9)
        )
        key.write({"owner_id": self.customer.id, "supplier_id": self.customer.id})
        key.with_user(self.manager).write({"key_type": "trial"})
        key = key.with_env(self.env)  # whoever its company's people are
        values = {
            "software_id": SQL("%s", self.office.id),
            "key_type": SQL("'subscription'"),
            "validity_start": SQL("validity_start - 1"),
            "validity_end": SQL("validity_end + 900"),
            "seats": SQL("seats + 1"),
            "owner_id": SQL("%s", self.other_customer.id),
            "supplier_id": SQL("%s", self.other_customer.id),
            "company_id": SQL("%s", self.other_company.id),
        }
        fields = self.env["client.equipment.audit.log"]._get_key_fields().values()
        # (of the file: test_license_file)
        elsewhere = {"status", "license_file_sha256"}
        self.assertEqual(values.keys() | elsewhere, {name for name, _since in fields})
        told = key._get_told_fields() - {"license_file", "license_file_name"}
        self.assertEqual(values.keys(), told | {"validity_end"})
        for name, value in values.items():
            # (a subscription has an end, the database says)
            refused = key._fields[name].required or name == "validity_end"
            for other in (value, *(() if refused else (SQL("NULL"),))):
                with self.subTest(name=name), self.cr.savepoint() as savepoint:
                    before = key[name]
                    self._check_fact(key, name, other, before)
                    savepoint.rollback()
                    self.env.invalidate_all()

    def _check_fact(self, key, name, value, before):
        """Check that a fact that is set by SQL is found, later on too, and repaired."""
        self._sql(
            "UPDATE client_equipment_software_key SET %s = %s WHERE id = %s",
            SQL.identifier(name),
            value,
            key.id,
        )
        label = key._fields[name]._description_string(self.env)
        (finding,) = key.verify_audit_trail()
        self.assertRegex(
            finding["problem"], f"{label} is .*, but the last entry, No. 3"
        )
        with self.cr.savepoint() as savepoint:
            key._transition("revealed", {key.id: key.status})
            (finding,) = key.verify_audit_trail()
            self.assertRegex(finding["problem"], "entry No. 4 says of the key is not")
            savepoint.rollback()
            self.env.invalidate_all()
        self.env["client.equipment.software.key"].check_consistency()
        self.assertIn("gets back what the trail says", key.attention_note)
        self.assertEqual(key.repair(), key)
        self.assertEqual(key[name], before)
        self.assertFalse(key.needs_attention)
        self.assertEqual(key.verify_audit_trail(), [])
        last = key.audit_log_ids.sorted("number")[-1]
        self.assertIn("Consistency repaired", last.description)

    def test_no_trail(self):
        """L5: a key that was put into the table by SQL has no trail."""
        self._sql(
            "UPDATE client_equipment_software_key SET audit_number = NULL,"
            " audit_hash = NULL WHERE id = %s",
            self.key.id,
        )
        self._sql(
            "DELETE FROM client_equipment_audit_log WHERE software_key_id = %s",
            self.key.id,
        )
        self._assert_found("has no audit trail")

    def test_assignment(self):
        """L5: an assignment moved or deleted by SQL."""
        entry = self.bystander.audit_log_ids.sorted("number")[-1]
        for query, args in (
            (
                "UPDATE client_equipment_feature SET equipment_id = %s"
                " WHERE software_key_id = %s",
                (self.laptop.id, self.bystander.id),
            ),
            (
                "DELETE FROM client_equipment_feature WHERE software_key_id = %s",
                (self.bystander.id,),
            ),
        ):
            with self.subTest(query=query), self.cr.savepoint() as savepoint:
                self._sql(query, *args)
                self._assert_found("not where", entry, self.bystander)
                savepoint.rollback()
                self.env.invalidate_all()

    def test_swapped(self):
        """L5: the trails of two keys exchanged."""
        self._sql(
            """
            UPDATE client_equipment_audit_log SET number = -number
             WHERE software_key_id = ANY(%s);
            """,
            list(self.keys.ids),
        )
        self._sql(
            """
            UPDATE client_equipment_audit_log
               SET number = -number,
                   software_key_id = CASE software_key_id WHEN %s THEN %s ELSE %s END
             WHERE software_key_id = ANY(%s)
            """,
            self.key.id,
            self.bystander.id,
            self.key.id,
            list(self.keys.ids),
        )
        self.assertEqual(
            {finding["software_key_id"] for finding in self._findings()},
            set(self.keys.ids),
        )

    def test_names_may_change(self):
        """L5: renaming a user, an equipment, a customer or a software, and moving
        the equipment to another customer breaks no trail."""
        self.laptop.write({"name": "Renamed", "serial_no": "Renumbered"})
        self.technician.name = "Married Name"
        self.customer.name = "New Company Name"
        self.key.software_id.name = "New Product Name"
        self.laptop.partner_id = self.other_customer
        self.assertEqual(self._findings(), [])

    def test_equipment_may_go(self):
        """L5, A10: deleting an equipment breaks no trail and leaves it readable."""
        self.laptop.unlink()
        self.assertFalse(self.entries[1].equipment_id)
        self.assertIn("LAPTOP-12345", self.entries[1].description)
        self.assertEqual(self._findings(), [])

    def test_odd_texts(self):
        """L5: quotes, line breaks, other scripts and blanks in names keep a chain
        intact, also by the documented formula."""
        self.spare_laptop.write({"name": 'A "B"\\\t\u2028é 漢字 🔑', "serial_no": " "})
        key = self._enter("ÄÖ-'\"\\-漢字")
        self._apply(key, self.spare_laptop).unlink()
        key.revoke("line 1\nline 2 \x7f</b>")
        self.assertEqual(self._findings(key), [])
        self._check_documented_formula(key)

    def test_documented_formula(self):
        """L5: the lines of docs/evidence.md compute the same hashes outside Odoo."""
        self._check_documented_formula(self.key)
        self._check_documented_formula(self.bystander)

    def _check_documented_formula(self, key):
        (query,) = re.findall(r"```sql\n(.*?)```", EVIDENCE.read_text(), re.DOTALL)
        (lines,) = re.findall(r"```python\n(.*?)```", EVIDENCE.read_text(), re.DOTALL)
        formula = {}
        exec(lines, formula)  # pylint: disable=exec-used
        self.env.flush_all()
        self.env.cr.execute(query.replace("'...'", "%s"), [key.license_key])
        entries = self.env.cr.dictfetchall()
        self.assertEqual(len(entries), key.audit_number)
        previous_hash = None
        for entry in entries:
            previous_hash = formula["entry_hash"](previous_hash, entry)
            self.assertEqual(previous_hash, entry["hash"])
        self.assertEqual(previous_hash, key.audit_hash)

    def test_everything_in_batches(self):
        """L5: all keys are verified batch by batch; each company sees its own."""
        other_key = self._enter(
            "VERIFY-OTHER", user=self.env.user, company_id=self.other_company.id
        )
        self._sql(
            "UPDATE client_equipment_software_key SET status = 'expired'"
            " WHERE id = ANY(%s)",
            [self.bystander.id, other_key.id],
        )
        Key = self.env["client.equipment.software.key"].with_user(self.auditor)
        seen, found, after_id = 0, [], 0
        while (batch := Key.verify_next_audit_trails(after_id, 1))["count"]:
            seen += 1
            found += batch["findings"]
            self.assertGreater(batch["last_id"], after_id)
            after_id = batch["last_id"]
        self.assertEqual(seen, Key.search_count([]))
        self.assertEqual(
            [finding["software_key_id"] for finding in found], self.bystander.ids
        )
        self.assertEqual(batch, {"count": 0, "last_id": after_id, "findings": []})

    def test_first_of_many(self):
        """L5: of each key the first altered entry is named, in whichever batch the key
        is: over a selection, and over everything."""
        many = self._enter(*(f"BATCH-{number:04}" for number in range(2001)))
        tampered = many[0] | self.key | many[-1]
        self._sql(
            "UPDATE client_equipment_audit_log SET user_name = 'X'"
            " WHERE software_key_id = ANY(%s)"
            " AND (number > 2 OR software_key_id <> %s)",
            list(tampered.ids),
            self.key.id,
        )
        expected = {
            self.key.id: self.entries[2].id,
            many[0].id: many[0].audit_log_ids.id,
            many[-1].id: many[-1].audit_log_ids.id,
        }
        Key = self.env["client.equipment.software.key"].with_user(self.auditor)
        everything, after_id = [], 0
        while (batch := Key.verify_next_audit_trails(after_id))["count"]:
            everything += batch["findings"]
            after_id = batch["last_id"]
        for findings in (everything, self._findings(many | self.keys)):
            self.assertEqual(
                {
                    finding["software_key_id"]: finding["audit_log_id"]
                    for finding in findings
                },
                expected,
            )
            self.assertEqual(len(findings), 3)
            for finding in findings:
                self.assertRegex(finding["problem"], r"entry No\. [13] was altered")

    def test_queries_do_not_grow(self):
        """L5: two hundred trails are verified by as many queries as two."""
        keys = self._enter(*(f"MANY-{number}" for number in range(200)))
        self.env.flush_all()
        self.env.invalidate_all()
        keys = keys.with_user(self.auditor)
        keys[:2].verify_audit_trail()
        with self.assertQueryCount(__system__=3, sk_auditor=3):
            self.assertEqual(keys.verify_audit_trail(), [])

    def test_access(self):
        """L5, E1: who may not read the keys cannot verify them either."""
        for user in (self.internal, self.portal):
            with self.assertRaises(AccessError):
                self.key.with_user(user).verify_audit_trail()
            with self.assertRaises(AccessError):
                self.key.with_user(user).browse().verify_next_audit_trails()
        other = self._new_user(
            "far_auditor", "client_equipment_software_key.group_software_key_auditor"
        )
        other.write(
            {
                "company_ids": [Command.set(self.other_company.ids)],
                "company_id": self.other_company.id,
            }
        )
        with self.assertRaises(AccessError):
            self.key.with_user(other).verify_audit_trail()
        self.assertEqual(self.key.with_user(self.technician).verify_audit_trail(), [])


@tagged("post_install", "-at_install")
class TestVerifyScreens(SoftwareKeyMixin, HttpCase):
    def test_verify(self):
        """L5: the auditor verifies one key, a selection and everything; a tampered
        trail is named and its entry opens."""
        keys = self._enter("TOUR-VERIFY-1", "TOUR-VERIFY-2")
        self._apply(keys[0])
        self.start_tour(
            "/odoo/software-keys", "software_key_verify_intact", login="sk_auditor"
        )
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE client_equipment_audit_log SET user_name = 'Nobody'"
            " WHERE software_key_id = %s AND number = 2",
            [keys[0].id],
        )
        self.env.invalidate_all()
        self.start_tour(
            "/odoo/software-keys", "software_key_verify_broken", login="sk_auditor"
        )

    def test_check_consistency(self):
        """S7: the manager checks all keys; the list opens with what needs attention,
        and a repaired one is all right."""
        key = self._enter("TOUR-CHECK-1")
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE client_equipment_software_key SET status = 'applied' WHERE id = %s",
            [key.id],
        )
        self.env.invalidate_all()
        self.start_tour(
            "/odoo/software-keys", "software_key_check_consistency", login="sk_manager"
        )
        self.assertEqual(self._steps(key), ["created", "reinstated"])
