from unittest.mock import patch

from freezegun import freeze_time

from odoo import Command
from odoo.exceptions import UserError
from odoo.sql_db import Cursor

from odoo.addons.client_equipment_software_key.tests.common import SoftwareKeyCommon

from .common import AUDIT_LOG, KEY, RuleMixin

WATCHED = ("status", "validity_end", "equipment_id")


class TestRules(RuleMixin, SoftwareKeyCommon):
    """H2: automation rules hear every step, by every route."""

    def setUp(self):
        super().setUp()
        self.Key = self.env[KEY].with_user(self.manager)
        self.free = self._enter("RULE-FREE-1")
        self.applied = self._enter_subscriptions("RULE-APPLIED-1", end=30)
        self.feature = self._apply(self.applied)

    # ------------------------------------------------------------------
    # Every route, each as those people take it
    # ------------------------------------------------------------------

    def _as_technician(self, record):
        return record.with_user(self.technician)

    def _expire(self):
        with freeze_time(self._in_days(40)), self.enter_registry_test_mode():
            self.env.ref(
                "client_equipment_software_key.ir_cron_expire"
            ).method_direct_trigger()

    def _expired(self):
        key = self._enter_subscriptions("RULE-EXPIRED-1", end=-5)
        self.assertEqual(key.status, "expired")
        return key

    def _broken(self):
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE client_equipment_software_key SET status = 'applied' WHERE id = %s",
            self.free.ids,
        )
        self.env.invalidate_all()
        return self.free

    def _routes(self):
        """Yield each route: its name, what prepares it, what takes it."""
        technician = self._as_technician
        nothing = bool
        yield "entry", nothing, lambda _: self._enter("RULE-NEW-1")
        yield (
            "entry of a revoked key",
            nothing,
            lambda _: self._enter("RULE-NEW-2", status="revoked"),
        )
        yield (
            "entry of a key that has ended",
            nothing,
            lambda _: self._enter_subscriptions("RULE-NEW-3", end=-3),
        )
        yield (
            "entry together with its equipment",
            nothing,
            lambda _: self._enter(
                "RULE-NEW-7",
                equipment_feature_ids=[
                    Command.create({"equipment_id": self.laptop.id})
                ],
            ),
        )
        yield (
            "bulk entry",
            nothing,
            lambda _: self.Key.bulk_enter(
                ["RULE-NEW-4", "RULE-NEW-5"],
                {"software_id": self.office.id, "company_id": self.company.id},
            ),
        )
        yield (
            "import",
            nothing,
            lambda _: self.assertTrue(
                self.Key.load(
                    ["license_key", "software_id", "status"],
                    [["RULE-NEW-6", self.office.name, "Revoked"]],
                )["ids"]
            ),
        )
        yield "apply", nothing, lambda _: self._apply(self.free)
        yield (
            "apply on the equipment's form",
            nothing,
            lambda _: technician(self.laptop).write(
                {
                    "equipment_feature_ids": [
                        Command.create({"software_key_id": self.free.id})
                    ]
                }
            ),
        )
        yield (
            "apply from the key",
            nothing,
            lambda _: self.free.write(
                {
                    "equipment_feature_ids": [
                        Command.create({"equipment_id": self.laptop.id})
                    ]
                }
            ),
        )
        yield (
            "apply next available",
            nothing,
            lambda _: technician(self.office).apply_next_available(self.laptop.id),
        )
        yield "remove", nothing, lambda _: technician(self.feature).unlink()
        yield (
            "recover",
            nothing,
            lambda _: technician(self.laptop).recover_software_keys(),
        )
        yield (
            "replace the equipment",
            nothing,
            lambda _: technician(self.laptop).return_or_replace(
                {"move": self.applied.ids}, self.spare_laptop.id, "returned"
            ),
        )
        yield (
            "return, and revoke",
            nothing,
            lambda _: self.laptop.with_user(self.manager).return_or_replace(
                {"revoke": self.applied.ids}
            ),
        )
        yield (
            "renew",
            self._expired,
            lambda key: (key | self.applied).renew(self._in_days(99), "PO1"),
        )
        yield (
            "renew in time by write",
            nothing,
            lambda _: self.applied.write({"validity_end": self._in_days(77)}),
        )
        yield (
            "renew by write what had expired",
            self._expired,
            lambda key: key.write({"validity_end": self._in_days(77), "remarks": "R"}),
        )
        yield (
            "renew by write, with the status",
            self._expired,
            lambda key: key.write(
                {"validity_end": self._in_days(77), "status": "available"}
            ),
        )
        yield (
            "end moved into the past",
            nothing,
            lambda _: self.applied.write({"validity_end": self._in_days(-2)}),
        )
        yield "revoke by the button", nothing, lambda _: self.free.action_revoke()
        yield (
            "revoke by the status",
            nothing,
            lambda _: self.free.write({"status": "revoked"}),
        )
        yield (
            "reinstate",
            lambda: self.free.revoke() and self.free,
            lambda key: key.write({"status": "available"}),
        )
        yield "replace", nothing, lambda _: self.applied.replace("RULE-NEW-8")
        yield "the job", nothing, lambda _: self._expire()
        yield "repair", self._broken, lambda key: key.repair()

    def _take_each(self, rules):
        """Take each route alone; yield its name and the new entries, after it."""
        AuditLog = self.env[AUDIT_LOG]
        for name, prepare, take in self._routes():
            with self.subTest(name), self.cr.savepoint() as savepoint:
                prepared = prepare()
                for rule in rules:
                    self._noted(rule)
                last = AuditLog.search([], order="id desc", limit=1).id
                take(prepared)
                self.env.invalidate_all()
                entries = AuditLog.search([("id", ">", last)], order="id")
                self.assertTrue(entries)
                yield name, entries
                self.env.invalidate_all()
                savepoint.rollback()

    def test_audit_log(self):
        """H2: a rule on the creation of audit logs runs once for each new entry, by
        every route."""
        rules = [
            self._rule(AUDIT_LOG, "on_create"),
            self._rule(AUDIT_LOG, "on_create_or_write"),
        ]
        for name, entries in self._take_each(rules):
            for rule in rules:
                self.assertEqual(
                    sorted(self._noted(rule)),
                    sorted(f"{entry.id} {entry.action}" for entry in entries),
                    f"{name}: {rule.trigger}",
                )

    def test_update(self):
        """H2: a rule on the update of keys runs once for each step, by every route,
        also where Odoo hears the write around it."""
        every = self._rule(KEY, "on_write")
        watching = self._rule(KEY, "on_write", *WATCHED)
        for name, entries in self._take_each([every, watching]):
            steps = [entry for entry in entries if entry.action != "created"]
            expected = sorted(
                f"{entry.software_key_id.id} {entry.status_after}" for entry in steps
            )
            for rule in (every, watching):
                self.assertEqual(sorted(self._noted(rule)), expected, name)

    def test_create_or_update(self):
        """H2: a rule on creation and update runs at the end of an entry, once, and for
        each step after it; one that waits for a status, where it was reached."""
        rule = self._rule(KEY, "on_create_or_write", *WATCHED)
        state = self._rule(
            KEY,
            "on_state_set",
            trg_selection_field_id=self.env["ir.model.fields"]
            ._get(KEY, "status")
            .selection_ids.filtered(lambda value: value.value == "expired")
            .id,
        )
        self.assertEqual(state.trigger_field_ids.name, "status")
        self.assertEqual(state.filter_domain, "[('status', '=', 'expired')]")
        for name, entries in self._take_each([rule, state]):
            new = entries.filtered(lambda entry: entry.action == "created")
            told = [
                entry.software_key_id.id
                for entry in entries
                # what an entry leads to at once is told at its end
                if entry.software_key_id not in new.software_key_id
                or entry.action in ("created", "applied")
            ]
            noted = self._noted(rule)
            self.assertEqual(
                sorted(int(n.split()[0]) for n in noted), sorted(told), name
            )
            for key in entries.software_key_id:
                self.assertIn(f"{key.id} {key.status}", noted, name)
            expired = {
                f"{entry.software_key_id.id} expired"
                for entry in entries
                if entry.status_after == "expired" != entry.status_before
            }
            self.assertEqual(set(self._noted(state)), expired, name)

    # ------------------------------------------------------------------
    # What a rule is told
    # ------------------------------------------------------------------

    def test_before_filters(self):
        """H2: the domain before the update is asked of the key as it was before the
        step; the other one, of the key as it is after it."""
        for before, after, take in (
            (
                [("status", "=", "available")],
                [("status", "=", "applied")],
                lambda: self._apply(self.free),
            ),
            (
                [("equipment_id", "=", False)],
                [("equipment_id.serial_no", "=", "LAPTOP-12345")],
                lambda: self._apply(self.free),
            ),
            (
                [("equipment_id.serial_no", "=", "LAPTOP-12345")],
                [("equipment_id", "=", False)],
                lambda: self.feature.with_user(self.technician).unlink(),
            ),
            (
                [("partner_id", "=", self.customer.id), ("id", "=", self.applied.id)],
                [("partner_id", "=", False), ("software_id.name", "ilike", "tour")],
                lambda: self.feature.with_user(self.technician).unlink(),
            ),
            (
                [("can_be_applied", "=", True)],
                [("can_be_applied", "=", False)],
                lambda: self.free.revoke(),
            ),
            (
                [("validity_end", "=", str(self._in_days(30)))],
                [("validity_end", "=", str(self._in_days(60)))],
                lambda: self.applied.renew(self._in_days(60)),
            ),
            (
                [("validity_end", "=", str(self._in_days(30)))],
                [("validity_end", "=", str(self._in_days(60)))],
                lambda: self.applied.write({"validity_end": self._in_days(60)}),
            ),
            (
                [("validity_end", "=", str(self._in_days(30)))],
                [("status", "=", "expired")],
                lambda: self.applied.write({"validity_end": self._in_days(-1)}),
            ),
            (
                [("status", "=", "applied")],
                [("status", "=", "expired"), ("equipment_id", "!=", False)],
                self._expire,
            ),
        ):
            values = {"filter_pre_domain": str(before), "filter_domain": str(after)}
            right = self._rule(KEY, "on_write", *WATCHED, **values)
            wrong = self._rule(
                KEY,
                "on_write",
                *WATCHED,
                filter_pre_domain=values["filter_domain"],
                filter_domain=values["filter_domain"],
            )
            with (
                self.subTest(before=before, after=after),
                self.cr.savepoint() as savepoint,
            ):
                take()
                self.assertEqual(len(self._noted(right)), 1)
                self.assertFalse(self._noted(wrong))
                self.env.invalidate_all()
                savepoint.rollback()
            (right | wrong).unlink()

    def test_trigger_fields(self):
        """H2: a rule that watches one field runs where a step changes it."""
        status, end, place = (self._rule(KEY, "on_write", name) for name in WATCHED)

        def told():
            return [len(self._noted(rule)) for rule in (status, end, place)]

        feature = self._apply(self.free)
        self.assertEqual(told(), [1, 0, 1])
        self.applied.renew(self._in_days(60))
        self.assertEqual(told(), [0, 1, 0])
        self.applied.write({"validity_end": self._in_days(-1)})
        self.assertEqual(told(), [1, 1, 0])
        renewed = {"key_type": "trial", "validity_end": self._in_days(60)}
        self.applied.write(renewed)
        self.assertEqual(told(), [1, 1, 0])
        feature.unlink()
        self.assertEqual(told(), [1, 0, 1])
        self.free.write({"status": "revoked", "remarks": "Bought twice"})
        self.assertEqual(told(), [1, 0, 0])
        self.free.write({"remarks": "No step"})
        self.assertEqual(told(), [0, 0, 0])

    def test_many_keys(self):
        """H2: one step of many keys is told once for each key."""
        rule = self._rule(KEY, "on_write", "status")
        log = self._rule(AUDIT_LOG, "on_create")
        keys = self._enter(*(f"RULE-MANY-{number}" for number in range(20)))
        self._noted(log)
        self._apply(keys)
        expected = sorted(f"{key.id} applied" for key in keys)
        self.assertEqual(sorted(self._noted(rule)), expected)
        self.assertEqual(len(self._noted(log)), 20)

    # ------------------------------------------------------------------
    # What a rule does
    # ------------------------------------------------------------------

    def test_rule_takes_a_step(self):
        """H2: what a rule does with the key is a step that other rules hear, and it
        does not hear itself."""
        self._rule(
            KEY,
            "on_write",
            "status",
            action={
                "state": "code",
                "code": "if record.status == 'available':\n"
                "    record.revoke('Not again')\n"
                "elif record.status == 'revoked':\n"
                "    record.write({'status': 'available'})",
            },
        )
        log = self._rule(AUDIT_LOG, "on_create")
        self.feature.with_user(self.technician).unlink()
        self.assertEqual(self.applied.status, "revoked")
        self.assertEqual(self._steps(self.applied)[-2:], ["revoked", "revoked"])
        self.assertEqual(len(self._noted(log)), 2)

    def test_two_steps_of_a_rule(self):
        """H2: a rule hears each of two steps that another rule takes."""
        self._rule(
            "client.equipment.software",
            "on_write",
            "publisher",
            action={
                "state": "code",
                "code": "key = env['client.equipment.software.key'].search("
                "[('license_key', '=', 'RULE-FREE-1')])\n"
                "feature = env['client.equipment.feature'].create({"
                f"'software_key_id': key.id, 'equipment_id': {self.laptop.id}}})\n"
                "feature.unlink()",
            },
        )
        rule = self._rule(KEY, "on_write", "status")
        self.office.with_user(self.manager).write({"publisher": "Tour Publisher"})
        self.assertEqual(
            self._noted(rule), [f"{self.free.id} applied", f"{self.free.id} available"]
        )

    def test_step_within_a_write(self):
        """H2: a step that a rule takes while a write goes on is told, too, also to a
        rule that hears the write itself."""
        self._rule(
            KEY,
            "on_write",
            "status",
            filter_domain="[('status', '=', 'expired')]",
            action={"state": "code", "code": "record.revoke('Over')"},
        )
        every = self._rule(KEY, "on_write")
        key = self._enter_subscriptions("RULE-ENDING-1", end=5)
        key.write({"validity_end": self._in_days(-1)})
        self.assertEqual(self._steps(key), ["created", "expired", "revoked"])
        self.assertEqual(len(self._noted(every)), 2)

    def test_rule_refuses(self):
        """H2: where the action of a rule fails, the step has not been."""
        self._rule(
            AUDIT_LOG,
            "on_create",
            filter_domain="[('action', '=', 'applied')]",
            action={"state": "code", "code": "raise UserError('Not on Fridays')"},
        )
        with self.assertRefused(UserError, "Not on Fridays"), self.cr.savepoint():
            self._apply(self.free)
        self.env.invalidate_all()
        self.assertEqual(self.free.status, "available")
        self.assertEqual(self._steps(self.free), ["created"])

    def test_context_from_outside(self):
        """H2: nobody silences a rule by what a request says in its context."""
        rule = self._rule(KEY, "on_write", "status")
        log = self._rule(AUDIT_LOG, "on_create")
        told = [["on_write"], {str(self.free.id): {"status": "revoked"}}]
        key = self.free.with_context(software_key_heard=told, software_key_places={})
        key.revoke()
        self.assertEqual(len(self._noted(rule)), 1)
        self.assertEqual(len(self._noted(log)), 1)

    # ------------------------------------------------------------------
    # No rule, no cost
    # ------------------------------------------------------------------

    def test_no_rule_no_cost(self):
        """H2: where no rule is for keys or entries, no step asks for one."""
        rules = self._rule(KEY, "on_write") | self._rule(AUDIT_LOG, "on_create")
        asked = self._asked_in_routes()
        self.assertTrue(asked)
        rules.unlink()
        self.assertFalse(self._asked_in_routes())

    def _asked_in_routes(self):
        """Return the queries of all routes that look for rules."""
        asked = []
        execute = Cursor.execute

        def note(cursor, query, *args, **kwargs):
            code = getattr(query, "code", query)
            if 'FROM "base_automation"' in code:
                asked.append(code)
            return execute(cursor, query, *args, **kwargs)

        with patch.object(Cursor, "execute", note):
            for _name, _entries in self._take_each([]):
                pass
        return asked
