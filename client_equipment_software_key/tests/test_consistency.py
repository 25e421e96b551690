from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import SQL

from ..models import client_equipment_software_key_consistency
from .common import ADDON, SoftwareKeyCommon


@tagged("post_install", "-at_install")
class TestConsistency(SoftwareKeyCommon):
    """S7: what was changed behind the system's back is found and repaired."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.intact = cls._enter("INTACT-1")
        cls._apply(cls._enter("INTACT-2"))
        cls.free = cls._enter("FREE-1")
        cls.applied = cls._enter_subscriptions("APPLIED-1", end=30)
        cls.feature = cls._apply(cls.applied)
        cls.Keys = cls.env["client.equipment.software.key"].with_user(cls.manager)

    def _sql(self, query, *args):
        """Change the database behind the system's back."""
        self.env.flush_all()
        self.env.cr.execute(SQL(query, *args))
        self.env.invalidate_all()

    def _set(self, key, **values):
        for name, value in values.items():
            self._sql(
                "UPDATE client_equipment_software_key SET %s = %s WHERE id = %s",
                SQL.identifier(name),
                value,
                key.id,
            )

    def _listed(self):
        return self.Keys.search([("needs_attention", "=", True)])

    def _check(self, key, words, status, equipment, action):
        """The key alone is found, told in words, repaired by a manager, and the repair
        is one step in a trail that is intact."""
        self.assertEqual(self.Keys.check_consistency(), key)
        self.assertEqual(self._listed(), key)
        self.assertNotIn(key, self.Keys.search([("needs_attention", "=", False)]))
        self.assertTrue(key.needs_attention and key.can_be_repaired)
        self.assertIn(words, key.attention_note)
        steps = self._steps(key)
        self.assertEqual((self.intact | key).with_user(self.manager).repair(), key)
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertRecordValues(key, [{"status": status, "equipment_id": equipment.id}])
        self.assertEqual(self._steps(key), [*steps, action])
        entry = key.audit_log_ids.sorted("number")[-1]
        self.assertEqual(entry.user_id, self.manager)
        self.assertIn("Consistency repaired", entry.description)
        self.assertFalse(key.needs_attention or key.attention_note)
        self.assertEqual(key.verify_audit_trail(), [])
        self.assertFalse(self.Keys.check_consistency())

    def test_all_in_order(self):
        """S7: nothing is found where nothing is wrong."""
        self.assertFalse(self.Keys.check_consistency())
        self.assertFalse(self.intact.with_user(self.manager).repair())
        self.assertEqual(self._steps(self.intact), ["created"])

    def test_listed_at_once(self):
        """K8: what disagrees is listed before any check."""
        self._set(self.free, status="applied")
        self.assertEqual(self._listed(), self.free)
        self._set(self.applied, equipment_id=self.spare_laptop.id)
        self.assertEqual(self._listed(), self.free | self.applied)
        self._set(self.free, status="available")
        self._set(self.applied, equipment_id=None)
        self.assertEqual(self._listed(), self.applied)

    def test_listed_among_very_many(self):
        """K8: among very many keys, what a key's own row shows is listed at once; what
        only its assignment shows, from the check on until the key's next step."""
        # As if even these few were more than can be compared in a moment.
        self.patch(client_equipment_software_key_consistency, "COMPARED_LIVE", -2)
        self._set(self.free, status="applied")
        self._set(self.applied, equipment_id=self.spare_laptop.id)
        self.assertEqual(self._listed(), self.free)
        self._set(self.free, status="available")
        self.assertEqual(self.Keys.check_consistency(), self.applied)
        self.assertEqual(self._listed(), self.applied)
        self.feature.with_user(self.technician).unlink()
        self.assertFalse(self._listed())
        self.assertFalse(self.Keys.check_consistency())

    def test_applied_without_assignment(self):
        """S7: Applied, but no equipment carries the key: back to Available."""
        self._set(self.free, status="applied")
        nothing = self.env["client.equipment"]
        self._check(
            self.free, "no equipment carries", "available", nothing, "reinstated"
        )

    def test_assignment_gone(self):
        """S7: the assignment was deleted: the key is taken off, also in the trail."""
        self._sql("DELETE FROM client_equipment_feature WHERE id = %s", self.feature.id)
        nothing = self.env["client.equipment"]
        self._check(
            self.applied, "is not assigned to it", "available", nothing, "revoked"
        )
        entry = self.applied.audit_log_ids.sorted("number")[-1]
        self.assertEqual(entry.equipment_id, self.laptop)

    def test_assigned_but_available(self):
        """S7: assigned, but the status says Available: Applied."""
        self._set(self.applied, status="available")
        self._check(
            self.applied, "but says Available", "applied", self.laptop, "applied"
        )

    def test_equipment_disagrees(self):
        """S7: the equipment that the key names is not the one it is assigned to."""
        self._set(self.applied, equipment_id=self.spare_laptop.id)
        self._check(
            self.applied, "is assigned to Recep", "applied", self.laptop, "applied"
        )
        self._set(self.applied, equipment_id=None)
        self._check(
            self.applied, "is assigned to Recep", "applied", self.laptop, "applied"
        )

    def test_revoked_but_assigned(self):
        """S7: revoked, but still assigned: the assignment goes."""
        self._set(self.applied, status="revoked")
        self.assertEqual(self.Keys.check_consistency(), self.applied)
        self.assertIn("is revoked, but still", self.applied.attention_note)
        self.applied.with_user(self.manager).action_repair()
        self.assertFalse(self.feature.exists())
        self.assertRecordValues(
            self.applied, [{"status": "revoked", "equipment_id": False}]
        )
        self.assertEqual(self._steps(self.applied), ["created", "applied", "revoked"])
        self.assertFalse(self._listed())

    def test_passed_end(self):
        """S7: a passed end that is not expired is found; the repair expires it."""
        key = self._enter_subscriptions("PASSED-1", end=1)
        with freeze_time(self._in_days(5)):
            self.env.invalidate_all()
            self.assertEqual(self._listed(), key)
            self.assertIn("The validity ended on", key.attention_note)
            key.with_user(self.manager).repair()
            self.assertEqual(key.status, "expired")
            self.assertEqual(self._steps(key), ["created", "expired"])
            self.assertFalse(self._listed())

    def test_broken_trail(self):
        """S7: a broken chain is found by the nightly check and listed; it cannot be
        repaired, and is listed no more once it is restored."""
        entry = self.free.audit_log_ids
        self._sql(
            "UPDATE client_equipment_audit_log SET user_name = 'X' WHERE id = %s",
            entry.id,
        )
        self.assertFalse(self._listed())
        cron = self.env.ref(f"{ADDON}.ir_cron_check_consistency")
        with self.enter_registry_test_mode():
            cron.method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual(self._listed(), self.free)
        self.assertIn("behind the system's back", self.free.attention_note)
        self.assertFalse(self.free.can_be_repaired)
        self.assertFalse(self.free.with_user(self.manager).repair())
        action = self.Keys.action_view_needs_attention()
        self.assertTrue(action["context"]["search_default_needs_attention"])
        self._sql(
            "UPDATE client_equipment_audit_log SET user_name = %s WHERE id = %s",
            self.manager.name,
            entry.id,
        )
        self.assertFalse(self.Keys.check_consistency())

    def test_batches(self):
        """S7: the check goes through the keys of all companies, a few at a time."""
        self._sql("DELETE FROM client_equipment_feature WHERE id = %s", self.feature.id)
        looked_at, batch = 0, {"last_id": self.intact.id - 1}
        while (batch := self.Keys.check_next_consistency(batch["last_id"], 2))["count"]:
            self.assertLessEqual(batch["count"], 2)
            looked_at += batch["count"]
        self.assertGreaterEqual(looked_at, 4)
        self.assertEqual(self._listed(), self.applied)

    def test_who(self):
        """S7: technicians and auditors see what was found, but repair nothing; nobody
        sets the finding by hand."""
        self._set(self.free, status="applied")
        for user in (self.technician, self.auditor):
            key = self.free.with_user(user)
            self.assertTrue(key.needs_attention)
            with self.assertRaises(AccessError):
                key.repair()
            for check in (key.check_consistency, key.check_next_consistency):
                with self.assertRaises(AccessError):
                    check()
            with self.assertRaises(AccessError):
                key.action_check_consistency()
        with self.assertRefused(UserError, "set by the system alone"):
            self.free.with_user(self.manager).audit_broken = True
        self.assertEqual(self.free.status, "applied")

    def test_queries(self):
        """S7: queries do not grow with the number of keys."""
        counts = []
        for number in (5, 100):
            keys = self._enter(*[f"Q-{number}-{each}" for each in range(number)])
            self._sql(
                "UPDATE client_equipment_software_key SET status = 'applied'"
                " WHERE id = ANY(%s)",
                list(keys.ids),
            )
            keys = keys.with_user(self.manager)
            keys.invalidate_recordset()
            before = self.env.cr.sql_log_count
            self.Keys.check_consistency()
            self.assertEqual(len(keys.repair()), number)
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0] + 3)
