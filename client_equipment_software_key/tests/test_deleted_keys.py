from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, HttpCase, tagged
from odoo.tools import SQL

from .common import SoftwareKeyCommon, SoftwareKeyMixin

DELETION = "client.equipment.audit.deletion"


class TestDeletedKeys(SoftwareKeyCommon):
    """K10: the deletion of a key is evidence itself."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.key, cls.short = cls._enter("DELETED-KEY-12345", "SHORT-9999")
        cls._apply(cls.key).unlink()
        cls.Deletion = cls.env[DELETION].with_user(cls.auditor)

    def _deletions(self, *keys):
        return self.Deletion.search(
            [("software_key_ref", "in", [key.id for key in keys])],
            order="software_key_ref",
        )

    def test_what_stays(self):
        """K10: who, when, why, of which software, the ending of the key, how many
        entries; and their hashes without a fact."""
        entries = self.key.audit_log_ids.sorted("number")
        hashes = [(entry.id, entry.action_date, entry.hash) for entry in entries]
        last_hash = self.key.audit_hash
        self.key.delete("entered twice")
        deletion = self._deletions(self.key)
        self.assertRecordValues(
            deletion,
            [
                {
                    "user_id": self.manager.id,
                    "user_name": "Manager Tester",
                    "software_name": "Tour Office Professional",
                    "license_key_ending": "12345",
                    "entry_count": 3,
                    "last_hash": last_hash,
                    "reason": "entered twice",
                }
            ],
        )
        self.assertEqual(
            [(each.id, each.action_date, each.hash) for each in deletion.entry_ids],
            hashes,
        )
        self.assertFalse(entries.exists())
        self.assertEqual(deletion.verify(), [])
        self.assertNotIn("DELETED-KEY", str(deletion.read()))

    def test_short_key(self):
        """K10: of a key of ten characters or fewer nothing is kept, nor told on the
        chatter."""
        self.assertEqual(self.short.license_key_hint, "…-9999")
        number = self.short.id
        self.short.unlink()
        note = self.office.message_ids.sorted("id")[-1].body
        self.assertIn(f"Software key No. {number} deleted by", note)
        self.assertNotIn("9999", note)
        self.assertFalse(self._deletions(self.short).license_key_ending)

    def test_every_route(self):
        """K10: each route leaves a line: the dialog for many keys with one reason, an
        unlink with or without one, a command of the software's."""
        keys = self._enter(*(f"ROUTE-{number}" for number in range(4)))
        dialog = Form(
            self.env["client.equipment.software.key.deletion"]
            .with_user(self.manager)
            .with_context(active_model=keys._name, active_ids=keys[:2].ids)
        )
        dialog.reason = "wrong list"
        dialog.save().action_delete()
        keys[2].with_context(software_key_deletion_reason="by program").unlink()
        self.office.with_user(self.manager).write(
            {"software_key_ids": [Command.delete(keys[3].id)]}
        )
        self.assertEqual(
            self._deletions(*keys).mapped("reason"),
            ["wrong list", "wrong list", "by program", False],
        )

    def test_reason_is_a_text(self):
        """E2: a reason that is no text is refused in words, and nothing is deleted."""
        for reason in (True, ["a"], {"a": 1}, "a\x00b", "x" * 1_000_000):
            with self.assertRefused(
                UserError, "reason for the deletion cannot be kept"
            ):
                self.key.with_context(software_key_deletion_reason=reason).unlink()
        self.assertTrue(self.key.exists())
        self.assertFalse(self._deletions(self.key))

    def test_refused_deletion_leaves_no_line(self):
        """K10, L4: a key that is applied stays, and no line says otherwise."""
        self._apply(self.key)
        with self.assertRefused(UserError, "Remove it there before you delete it"):
            self.key.delete("any")
        with self.assertRaises(AccessError):
            self.short.with_user(self.technician).unlink()
        self.assertFalse(self._deletions(self.key, self.short))

    def test_stays_when_its_software_goes(self):
        """K10: deleting the software does not erase what stays of its keys."""
        software = self.env["client.equipment.software"].create({"name": "Passing"})
        key = self._enter("PASSING-1-ABCDE", software=software)
        key.delete("gone")
        software.unlink()
        deletion = self._deletions(key)
        self.assertEqual(deletion.software_name, "Passing")
        self.assertEqual(deletion.verify(), [])

    def test_closed(self):
        """L1: nobody writes, changes or deletes a line or a hash, whatever the context;
        not even with the access rights that an administrator adds."""
        self.key.unlink()
        deletion = self._deletions(self.key)
        self.env["ir.model.access"].search(
            [("model_id.model", "=like", f"{DELETION}%")]
        ).write({"perm_write": True, "perm_create": True, "perm_unlink": True})
        for records in (deletion, deletion.entry_ids):
            for user in (self.manager, self.env.user):
                mine = records.with_user(user).with_context(_force_unlink=True)
                for call in (
                    lambda mine=mine: mine.write({"hash": "x"}),
                    lambda mine=mine: mine._write({"hash": "x"}),
                    lambda mine=mine: mine._write_fixed({"hash": "x"}),
                    lambda mine=mine: mine.create([{"hash": "x"}]),
                    lambda mine=mine: mine.unlink(),
                    lambda mine=mine: mine.copy(),
                ):
                    with self.assertRaises(UserError):  # or AccessError, which is one
                        call()
        self.assertEqual(deletion.verify(), [])

    def test_each_fact(self):
        """L5: whichever fact of a line, or hash under it, is changed by SQL, Verify
        names it."""
        self.key.delete("any reason")
        deletion = self._deletions(self.key)
        columns = set(deletion._fields) - {"id", "entry_ids", "display_name"}
        for name in sorted(columns):
            value = {
                "user_id": self.auditor.id,
                "date": "2020-02-02",
            }.get(name, 77 if deletion._fields[name].type == "integer" else "x")
            self._assert_found(
                deletion,
                SQL(
                    "UPDATE client_equipment_audit_deletion SET %s = %s WHERE id = %s",
                    SQL.identifier(name),
                    value,
                    deletion.id,
                ),
            )
        entry = deletion.entry_ids[0]
        for query in (
            "UPDATE client_equipment_audit_deletion_entry SET hash = 'x' WHERE id = %s",
            "DELETE FROM client_equipment_audit_deletion_entry WHERE id = %s",
        ):
            self._assert_found(deletion, SQL(query, entry.id))

    def _assert_found(self, deletion, query):
        with self.subTest(query=str(query)), self.cr.savepoint() as savepoint:
            self.env.cr.execute(query)
            self.env.invalidate_all()
            self.assertEqual(
                [each["deletion_id"] for each in deletion.sudo().verify()], deletion.ids
            )
            savepoint.rollback()
            self.env.invalidate_all()

    def test_access(self):
        """E1: auditors and managers see the lines of their companies, others none."""
        far = self._enter(
            "FAR-KEY-000001", user=self.env.user, company_id=self.other_company.id
        )
        far.unlink()
        self.key.unlink()
        self.assertTrue(self._deletions(self.key))
        self.assertFalse(self._deletions(far))
        self.assertTrue(self._deletions(self.key).with_user(self.manager).read())
        for user in (self.technician, self.internal, self.portal):
            with self.assertRaises(AccessError):
                self.Deletion.with_user(user).search([])


@tagged("post_install", "-at_install")
class TestDeletedKeysScreens(SoftwareKeyMixin, HttpCase):
    def test_delete(self):
        """K10: a manager deletes two keys from the list and one from its form, and is
        asked why; the auditor finds them under Deleted Keys."""
        keys = self._enter(
            "TOUR-DELETE-11111", "TOUR-DELETE-22222", "TOUR-DELETE-33333"
        )
        self.start_tour(
            "/odoo/software-keys", "software_key_delete", login="sk_manager"
        )
        self.assertFalse(keys.exists())
        self.start_tour(
            "/odoo/software-key-deletions", "software_key_deleted", login="sk_auditor"
        )
