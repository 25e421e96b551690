# Other connections see only what is committed.
# pylint: disable=invalid-commit
import logging
from datetime import timedelta
from itertools import count, product
from types import SimpleNamespace
from unittest.mock import patch

from freezegun import freeze_time

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger
from odoo.tools.safe_eval import safe_eval

from odoo.addons.base.models import ir_cron

from .. import lifecycle
from ..models import client_equipment_job as job
from ..models import client_equipment_software_key_consistency as consistency
from .common import ADDON, CommittedCase, SoftwareKeyCommon


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
        """Change the database behind the system's back, its foreign keys switched off:
        a row may also have been there before they came."""
        self.env.flush_all()
        self.env.cr.execute("SET LOCAL session_replication_role = replica")
        self.env.cr.execute(SQL(query, *args))
        self.env.cr.execute("SET LOCAL session_replication_role = DEFAULT")
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

    def test_listed_as_told(self):
        """K8, S7: whatever state a key is put into, the list has it exactly where its
        own form tells of a finding, and the form tells it in words."""
        ends = {"past": self._in_days(-5), "open": self._in_days(5), "none": None}
        statuses = [*lifecycle.STATUSES, "quarantine"]
        for key in (self.free, self.applied):
            for status, end, place in product(
                statuses, ends, (self.laptop, self.spare_laptop, None)
            ):
                with self.subTest(key=key, status=status, end=end, place=place):
                    self._sql(
                        "UPDATE client_equipment_software_key"
                        " SET status = %s, key_type = %s, validity_start = NULL,"
                        " validity_end = %s, equipment_id = %s WHERE id = %s",
                        status,
                        "permanent" if end == "none" else "subscription",
                        ends[end],
                        place and place.id,
                        key.id,
                    )
                    self.assertEqual(key.needs_attention, key in self._listed())
                    self.assertEqual(key.needs_attention, bool(key.attention_note))
                    self.assertEqual(key.needs_attention, key.can_be_repaired)

    def test_every_finding_has_its_words(self):
        """S7: each finding of the table is told in words of its own."""
        codes = {repair.code for repair in lifecycle.REPAIRS} - {lifecycle.MISFIT}
        codes |= {"out_of_service", "other_company", "other_owner", "trail", "facts"}
        step = lifecycle.Step("renewed", "available")
        texts = {
            code: self.applied._finding_text(lifecycle.Finding(code, step))
            for code in codes
        }
        self.assertEqual(len(set(texts.values())), len(codes), texts)
        other = self.applied._finding_text(lifecycle.Finding("another's", step))
        self.assertNotIn(other, texts.values())
        self.assertIn("becomes Available", other)

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
        self.patch(consistency, "COMPARED_LIVE", -2)
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

    def test_clock_ahead(self):
        """S7: keys that the job expired while the clock was ahead are found once it
        goes right again; the repair renews them, each to where it is."""
        stock = self._enter_subscriptions("AHEAD-1", end=30)
        cron = self.env.ref(f"{ADDON}.ir_cron_expire")
        with (
            freeze_time(fields.Datetime.now() + timedelta(days=365)),
            self.enter_registry_test_mode(),
        ):
            cron.method_direct_trigger()
        self.env.invalidate_all()
        keys = stock | self.applied
        self.assertEqual(set(keys.mapped("status")), {"expired"})
        self.assertEqual(self._listed(), keys)
        self.assertEqual(self.Keys.check_consistency(), keys)
        for key in keys:
            self.assertIn("a clock may have been ahead", key.attention_note)
        self.assertEqual(keys.with_user(self.manager).repair(), keys)
        self.assertEqual(stock.status, "available")
        self.assertRecordValues(
            self.applied, [{"status": "applied", "equipment_id": self.laptop.id}]
        )
        for key in keys:
            self.assertEqual(self._steps(key)[-2:], ["expired", "renewed"])
        self.assertEqual(keys.verify_audit_trail(), [])
        self.assertFalse(self._listed())

    def test_expired_without_end(self):
        """S7: a permanent key that says Expired is found, too."""
        self._set(self.free, status="expired")
        self._check(
            self.free, "(no end)", "available", self.env["client.equipment"], "renewed"
        )

    def _misplaced(self):
        """Yield for each way in which a key comes to stand where it may not: what is
        said of it, after it was brought about behind the system's back."""
        branch = self.env["res.partner"].create(
            {"name": "Branch", "parent_id": self.customer.id}
        )
        unit = self.laptop.copy({"partner_id": branch.id})
        owned = self._enter("OWNED-1", owner_id=self.customer.id)
        self._apply(owned | self._enter("OWNED-2"), unit)
        self.assertFalse(self.Keys.check_consistency())
        for table, record, change, words in (
            ("client_equipment", unit, "active = FALSE", "is not in service"),
            ("client_equipment", unit, "state = 'retired'", "is not in service"),
            ("client_equipment", unit, "company_id = NULL", "belongs to the company"),
            ("client_equipment", unit, "partner_id = NULL", "bought for Tour Dental"),
            ("res_partner", branch, "parent_id = NULL", "bought for Tour Dental"),
        ):
            with self.subTest(change):
                self._sql("SAVEPOINT misplaced")
                self._sql(
                    "UPDATE %s SET %s WHERE id = %s",
                    SQL.identifier(table),
                    SQL(change),
                    record.id,
                )
                yield owned, words
                self._sql("ROLLBACK TO SAVEPOINT misplaced")

    def test_where_it_may_not_be(self):
        """S7, K13: a key on equipment that is not in service, of another company or of
        another customer than it was bought for is found; the repair takes it off."""
        for key, words in self._misplaced():
            self.assertIn(key, self._listed())
            self.assertIn(words, key.attention_note)
            listed = self._listed()
            self.assertEqual(listed.repair(), listed)
            self.assertEqual(key.status, "available")
            self.assertFalse(key.equipment_feature_ids)
            self.assertEqual(self._steps(key), ["created", "applied", "revoked"])
            self.assertFalse(self.Keys.check_consistency())

    def test_where_it_may_not_be_among_very_many(self):
        """K8, K13: among very many keys the check finds them."""
        self.patch(consistency, "COMPARED_LIVE", -2)
        for key, _words in self._misplaced():
            self.assertFalse(self._listed())
            self.assertIn(key, self.Keys.check_consistency())
            self.assertIn(key, self._listed())

    def test_equipment_of_another_company(self):
        """E1, S7: the finding does not name equipment that only another company sees;
        the manager of the key takes it off nevertheless."""
        self.applied.company_id = False
        self._sql(
            "UPDATE client_equipment SET company_id = %s, state = 'retired'"
            " WHERE id = %s",
            self.other_company.id,
            self.laptop.id,
        )
        key = self.applied.with_user(self.manager)
        self.assertIn("on equipment of another company", key.attention_note)
        self.assertNotIn("LAPTOP", key.attention_note)
        self.assertEqual(key.repair(), key)
        self.assertEqual(key.status, "available")

    def test_only_what_one_may_see(self):
        """E1: a manager's check counts the keys of his own companies only."""
        outsider = self._new_user("outsider", f"{ADDON}.group_software_key_manager")
        outsider.write(
            {
                "company_id": self.other_company.id,
                "company_ids": [Command.set(self.other_company.ids)],
            }
        )
        Keys = self.Keys.with_user(outsider)
        before = Keys.check_next_consistency()["count"]
        self._enter("FOREIGN-1", "FOREIGN-2")
        self.assertEqual(Keys.check_next_consistency()["count"], before)

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
        self.assertEqual(self.Keys.search(safe_eval(action["domain"])), self.free)
        self._sql(
            "UPDATE client_equipment_audit_log SET user_name = %s WHERE id = %s",
            self.manager.name,
            entry.id,
        )
        self.assertFalse(self.Keys.check_consistency())

    def test_broken_trail_behind_another_finding(self):
        """S7, L5: a broken trail that another finding seemed to explain is listed as
        soon as that is repaired."""
        self._set(self.free, status="applied", equipment_id=self.laptop.id)
        self._sql(
            "UPDATE client_equipment_audit_log SET user_name = 'X'"
            " WHERE software_key_id = %s",
            self.free.id,
        )
        self.assertEqual(self.Keys.check_consistency(), self.free)
        self.assertTrue(self.free.can_be_repaired)
        self.assertTrue(self.free.with_user(self.manager).repair())
        self.assertEqual(self.free.status, "available")
        self.assertEqual(self._listed(), self.free)
        self.assertIn("trail was changed behind", self.free.attention_note)
        self.assertFalse(self.free.can_be_repaired)

    def test_batches(self):
        """S7: the check goes through the keys of all companies, a few at a time."""
        self._sql("DELETE FROM client_equipment_feature WHERE id = %s", self.feature.id)
        looked_at, batch = 0, {"last_id": self.intact.id - 1}
        while (batch := self.Keys.check_next_consistency(batch["last_id"], 2))["count"]:
            self.assertLessEqual(batch["count"], 2)
            looked_at += batch["count"]
        self.assertGreaterEqual(looked_at, 4)
        self.assertEqual(self._listed(), self.applied)

    def test_limit(self):
        """E2: no call looks at more keys than one batch holds."""
        self.patch(consistency, "VERIFY_BATCH", 2)
        for check in (
            self.Keys.check_next_consistency,
            self.Keys.verify_next_audit_trails,
        ):
            self.assertEqual(check(limit=1_000_000)["count"], 2)
            self.assertEqual(check(limit=0)["count"], 2)
            self.assertEqual(check(2**31 - 1)["count"], 0)
            for garbage in (None, "x", -1, True, [1], 1.5, 10**30):
                with self.subTest(check=check.__name__, garbage=garbage):
                    with self.assertRefused(UserError, "whole number|is needed"):
                        check(garbage)
                    with self.assertRefused(UserError, "whole number|is needed"):
                        check(limit=garbage)

    def _run_for(self, seconds):
        """Run the nightly check as the scheduler does, with so much time for it, where
        a portion takes a second; return its record of progress."""
        cron = self.env.ref(f"{ADDON}.ir_cron_check_consistency")
        progress = self.env["ir.cron.progress"].create({"cron_id": cron.id})
        self.env.flush_all()
        clock = SimpleNamespace(monotonic=count().__next__)
        with self.env.registry.cursor() as cr, patch.object(ir_cron, "time", clock):
            env = self.env(
                cr=cr,
                context={
                    "ir_cron_progress_id": progress.id,
                    "cron_id": cron.id,
                    "cron_end_time": seconds,
                },
            )
            env["client.equipment.software.key"]._cron_check_consistency()
        self.env.invalidate_all()
        return progress

    def test_time_runs_out(self):
        """S7: a nightly check whose time is up stops between two portions; the next
        run goes on from there up to the end. Managers see how far it is."""
        self.patch(consistency, "VERIFY_BATCH", 1)
        last = self._enter(*[f"LAST-{number}" for number in range(20)])[-1]
        self._sql(
            "UPDATE client_equipment_audit_log SET user_name = 'X'"
            " WHERE software_key_id = %s",
            last.id,
        )
        check = self.env["client.equipment.software.key.check"]._get()
        verified = self.env["client.equipment.verification"].search_count([])
        places, health = [], []
        with self.enter_registry_test_mode():
            progress = self._run_for(0)
            self.assertEqual((check.checked_id, check.completed), (0, False))
            self.assertEqual(progress.remaining, self.Keys.sudo().search_count([]))
            for _run in range(100):
                progress = self._run_for(3)
                places.append(check.checked_id)
                health.append(self.Keys.get_job_health())
                if check.completed:
                    break
        self.assertGreater(len(places), 1, "in one run")
        # Only the run that reached the end says that all trails were verified.
        self.assertEqual(
            self.env["client.equipment.verification"].search_count([]), verified + 1
        )
        self.assertEqual(places.pop(), 0)
        self.assertEqual(places, sorted(places))
        self.assertEqual(progress.remaining, 0)
        self.assertEqual(self._listed(), last)
        self.assertEqual(health[-1]["last_check"], check.completed)
        self.assertEqual(health[-1]["check_progress"], 100)
        progresses = [each["check_progress"] for each in health[:-1]]
        self.assertEqual(progresses, sorted(progresses))
        self.assertFalse(health[0]["last_check"])
        self.assertTrue(any(0 < each < 100 for each in progresses))

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


@tagged("post_install", "-at_install")
class TestCheckBesidePeople(CommittedCase):
    @mute_logger("odoo.sql_db")
    def test_people_work_beside_the_check(self):
        """S7, E5: a key that somebody changes while it is checked does not end the
        nightly check: its portion is taken anew. Whoever has called the job from his
        own transaction finds that as it was, neither committed nor rolled back."""
        key = self._enter("BESIDE-1")
        self.cr.commit()
        self.addCleanup(self.cr.rollback)
        check = self.env["client.equipment.software.key.check"]._get()
        check._write_fixed({"checked_id": key.id - 1, "completed": False})
        self.cr.execute(
            "UPDATE client_equipment_audit_log SET user_name = 'X'"
            " WHERE software_key_id = %s",
            [key.id],
        )
        self.cr.commit()
        self.laptop.name = "Not committed"
        self.env.flush_all()
        check_trails, steps = type(key)._check_trails, []

        def interrupted(keys):
            if not steps:
                steps.append("Changed")
                with self.registry.cursor() as cr:
                    cr.execute(
                        "UPDATE client_equipment_software_key"
                        " SET remarks = %s WHERE id = %s",
                        [*steps, key.id],
                    )
            return check_trails(keys)

        with (
            patch.object(type(key), "_check_trails", interrupted),
            self.assertLogs(job.__name__, logging.INFO) as logs,
        ):
            self.assertTrue(key._cron_check_consistency())
        self.assertIn("changed meanwhile", str(logs.output))
        self._assert_uncommitted("Not committed")
        self.cr.rollback()
        self.assertTrue(check.completed)
        self.assertTrue(key.audit_broken)

    def test_expiring_in_a_transaction_of_others(self):
        """S1, E5: whoever calls the job that expires keys from his own transaction
        finds that as it was; the keys are expired nevertheless."""
        key = self._enter_subscriptions("BESIDE-2", end=30)
        self.cr.execute(
            "UPDATE client_equipment_software_key SET validity_end = %s WHERE id = %s",
            [self._in_days(-1), key.id],
        )
        self.cr.commit()
        self.env.invalidate_all()
        self.addCleanup(self.cr.rollback)
        self.laptop.name = "Not committed"
        self.env.flush_all()
        key._cron_expire()
        self._assert_uncommitted("Not committed")
        self.cr.rollback()
        self.assertEqual(key.status, "expired")

    def _assert_uncommitted(self, name):
        """The name of the laptop is there for us, and for nobody else."""
        query = "SELECT FROM client_equipment WHERE id = %s AND name = %s"
        self.cr.execute(query, [self.laptop.id, name])
        self.assertTrue(self.cr.rowcount)
        with self.registry.cursor() as cr:
            cr.execute(query, [self.laptop.id, name])
            self.assertFalse(cr.rowcount)
