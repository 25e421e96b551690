import doctest
from itertools import product
from unittest.mock import patch

from odoo import SUPERUSER_ID
from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from .. import lifecycle
from .common import SoftwareKeyCommon

KEY = "client.equipment.software.key"


@tagged("post_install", "-at_install")
class TestLifecycle(SoftwareKeyCommon):
    def test_examples(self):
        """Section 4: the table of steps says itself what it does."""
        # Here the exception's full name is a longer one.
        flags = doctest.IGNORE_EXCEPTION_DETAIL
        self.assertEqual(doctest.testmod(lifecycle, optionflags=flags).failed, 0)

    def test_every_state_is_consistent(self):
        """Section 4, S7: whatever steps a key takes, with one seat or several, nothing
        disagrees afterwards; and what is repaired agrees."""
        causes = {rule.cause for rule in lifecycle.RULES} - {"enter"}
        for seats in (1, 2, 3):
            reached, new = set(), {lifecycle.Facts("available", 0, seats)}
            while new:
                facts = new.pop()
                reached.add(facts)
                for cause in causes:
                    new |= self._after(facts, cause) - reached
            for facts in reached:
                with self.subTest(facts=facts):
                    finding = lifecycle.finding(facts)
                    # The job expires those whose day has passed since.
                    if finding and not (facts.past and finding.code == "late"):
                        self.assertFalse(finding)

    def test_every_state_is_repaired(self):
        """Section 4, S7: whatever state a key is put into behind the system's back,
        with one seat or several, repairs end in one where nothing disagrees."""
        for facts in self._all_facts():
            with self.subTest(facts=facts):
                for _repair in range(4):
                    found = lifecycle.finding(facts)
                    if not found:
                        break
                    facts = self._repaired(facts, found)
                self.assertFalse(facts.used and facts.misfit)
                self.assertFalse(facts.elsewhere)
                if facts.status == "revoked":
                    self.assertEqual(facts.used, 0)
                elif facts.status in lifecycle.STATUSES:
                    rest = lifecycle.resting(facts.used, facts.seats)
                    self.assertEqual(facts.status, "expired" if facts.past else rest)

    def test_status_of_another_addon_is_not_repaired_away(self):
        """H1, S7: a repair leaves a status that is not ours."""
        for facts in self._all_facts():
            found = lifecycle.finding(facts)
            if found and found.step and facts.status == "quarantine":
                self.assertEqual(found.step.status, "quarantine")

    def _all_facts(self):
        return [
            lifecycle.Facts(*facts)
            for facts in product(
                (*lifecycle.STATUSES, "quarantine"),
                range(4),
                (1, 3),
                (False, True),
                (False, True),
                ("", "other_owner"),
            )
            if facts[1] <= facts[2]
        ]

    def _repaired(self, facts, found):
        if found.step:
            return facts._replace(status=found.step.status, elsewhere=False)
        # At the worst all assignments go, one after the other.
        while facts.used:
            status = lifecycle.take(facts, "remove").status
            facts = facts._replace(status=status, used=facts.used - 1)
        return facts._replace(elsewhere=False)

    def _after(self, facts, cause):
        """Return how keys stand to which the step has been done."""
        used = {"apply": 1, "remove": -1}.get(cause, 0)
        after = set()
        # Days pass; only a new end brings them back.
        moves_end = cause in ("move end", "renew", "set")
        for past in {facts.past, True, facts.past and not moves_end}:
            asked = facts._replace(past=past)
            for wanted in lifecycle.STATUSES if cause == "set" else ("",):
                try:
                    step = lifecycle.take(asked, cause, wanted)
                except lifecycle.Refused:
                    continue
                after.add(asked._replace(status=step.status, used=asked.used + used))
        return after

    def _quarantine(self, key):
        """Put a key into a status that another addon may have added."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE client_equipment_software_key SET status = 'quarantine'"
            " WHERE id = %s",
            [key.id],
        )
        self.env.invalidate_all()

    def test_status_of_another_addon(self):
        """H1: a status that is not ours is shown, counted and described, extended and
        removed from; it is never applied."""
        key, applied = self._enter_subscriptions("OTHER-1", "OTHER-2")
        feature = self._apply(applied)
        self._quarantine(key)
        self._quarantine(applied)
        self.assertFalse((key + applied).repair())
        with self.assertRefused(UserError, "OTHER-1 .*cannot be applied"):
            self._apply(key)
        key.write({"validity_end": self._in_days(99)})
        self.assertEqual(key.status, "quarantine")
        feature.unlink()
        self.assertEqual(applied.status, "quarantine")
        self.assertEqual(self._steps(applied), ["created", "applied", "revoked"])
        self.assertEqual(self.antivirus.software_key_count, 2)
        self.assertTrue(all((key + applied).audit_log_ids.mapped("description")))
        (key + applied)._check_trails()
        self.assertFalse((key + applied).filtered("needs_attention"))
        for refused in ("available", "expired"):
            with self.assertRaises(UserError):
                key.write({"status": refused})
        with self.assertRaises(ValidationError):
            key.write({"status": []})

    def test_extended(self):
        """H1: another addon adds to the table of steps."""
        key = self._enter("OTHER-3")
        self._quarantine(key)
        back = lifecycle.Rule(
            "set", ("quarantine",), "reinstated", "available", (), "available"
        )
        lifecycle.extend(rules=[back])
        self.addCleanup(lifecycle.take.cache_clear)
        self.addCleanup(lifecycle.RULES.remove, back)
        key.write({"status": "available"})
        self.assertEqual(self._steps(key), ["created", "reinstated"])


@tagged("post_install", "-at_install")
class TestHook(SoftwareKeyCommon):
    """H1: every step is heard once, by every route, with its entries."""

    def setUp(self):
        super().setUp()
        self.heard = []

        def listen(keys, action, audit_logs):
            self.assertEqual(set(audit_logs.mapped("action")), {action})
            self.assertEqual(audit_logs.software_key_id, keys)
            for entry in audit_logs:
                self.assertEqual(entry.software_key_id.status, entry.status_after)
            self.heard.append((action, len(keys)))

        # What an addon beside this one does by _inherit.
        model = self.env.registry[KEY]
        self.startPatcher(patch.object(model, "_after_transition", listen))

    def _assert_heard(self, *steps):
        self.assertEqual(self.heard, list(steps))
        self.heard.clear()

    def test_every_route(self):
        """H1: entry, applying, removing, renewal, replacement, return, revocation, the
        job, a repair."""
        keys = self._enter_subscriptions("HEARD-1", "HEARD-2", "HEARD-3", end=2)
        self._assert_heard(("created", 3))
        features = self._apply(keys)
        self._assert_heard(("applied", 3))
        features[0].unlink()
        self._assert_heard(("revoked", 1))
        technician = self.laptop.with_user(self.technician)
        self.antivirus.with_user(self.technician).apply_next_available(self.laptop.id)
        self._assert_heard(("applied", 1))
        keys.renew(self._in_days(50))
        self._assert_heard(("renewed", 3))
        keys.write({"validity_end": self._in_days(60)})
        self._assert_heard(("renewed", 3))
        new = keys[2].replace("HEARD-4")
        self._assert_heard(
            ("created", 1), ("revoked", 1), ("revoked", 1), ("applied", 1)
        )
        technician.recover_software_keys()
        self._assert_heard(("revoked", 3))
        new.revoke("lost")
        self._assert_heard(("revoked", 1))
        new.write({"status": "available"})
        self._assert_heard(("reinstated", 1))

    def test_mixed_statuses(self):
        """H1: keys that come to different statuses by one step are heard together."""
        keys = self._enter_subscriptions("MIXED-1", "MIXED-2", "MIXED-3", end=5)
        self._apply(keys[0])
        keys[1].revoke()
        keys[:1].with_user(SUPERUSER_ID).write({"validity_end": self._in_days(-1)})
        self.heard.clear()
        (keys[0] + keys[2]).renew(self._in_days(50))
        self._assert_heard(("renewed", 2))
        self.assertEqual((keys[0] + keys[2]).mapped("status"), ["applied", "available"])

    def test_bulk_entry_dialog_calls_the_public_method(self):
        """H1: an override of bulk_enter is caught by the dialog, too."""
        calls = []
        model = self.env.registry[KEY]
        bulk_enter = model.bulk_enter

        def overridden(keys, license_keys, values):
            calls.append(license_keys)
            return bulk_enter(keys, license_keys, values | {"remarks": "Cost centre 7"})

        self.startPatcher(patch.object(model, "bulk_enter", overridden))
        dialog = (
            self.env[f"{KEY}.bulk.entry"]
            .with_user(self.manager)
            .create({"software_id": self.office.id, "license_keys": "BULK-1\nBULK-2"})
        )
        dialog.action_enter()
        self.assertEqual(calls, [["BULK-1", "BULK-2"]])
        keys = self.env[KEY].search([("license_key", "like", "BULK-")])
        self.assertEqual(set(keys.mapped("remarks")), {"Cost centre 7"})


@tagged("post_install", "-at_install")
class TestReaction(SoftwareKeyCommon):
    """H1: whoever hears a step may take another one with the same key at once."""

    def _react(self, action, reaction):
        """Have the next step of this name be answered by ``reaction``."""
        waiting = [action]

        def listen(keys, action, _audit_logs):
            if action in waiting:
                waiting.clear()
                reaction(keys)

        model = self.env.registry[KEY]
        patcher = patch.object(model, "_after_transition", listen)
        patcher.start()
        return patcher

    def test_each_step(self):
        """H1, L4, L5: each of the two is told once, and the trail stays intact."""
        steps = {
            "created": lambda _key: self._enter_subscriptions("NEW", end=5),
            "applied": self._apply,
            "changed": lambda key: key.write({"seats": 3}),
            "renewed": lambda key: key.write({"validity_end": self._in_days(100)}),
            "revoked": lambda key: key.revoke(),
        }
        reactions = {
            "end": lambda key: key.write({"validity_end": self._in_days(200)}),
            "renewed": lambda key: key.renew(self._in_days(200)),
            "past": lambda key: key.write({"validity_end": self._in_days(-1)}),
            "seats": lambda key: key.write({"seats": 4}),
            "software": lambda key: key.write({"software_id": self.office.id}),
            "shown": lambda key: key.reveal_license_key(),
        }
        for (action, step), (name, reaction) in product(
            steps.items(), reactions.items()
        ):
            if (action, name) == ("revoked", "renewed"):
                continue  # a revoked key is not renewed
            with self.subTest(step=action, reaction=name), self.env.cr.savepoint():
                key = self._enter_subscriptions(f"{action}-{name}", end=5)
                patcher = self._react(action, reaction)
                try:
                    entered = step(key)
                finally:
                    patcher.stop()
                self.env.invalidate_all()
                count = 3
                if action == "created":
                    key, count = entered, 2
                self.assertEqual(key.verify_audit_trail(), [])
                self.assertEqual(len(key.audit_log_ids), count)
                if action == "created":
                    key.unlink()

    def test_several_steps_of_a_write(self):
        """H1, L4, L5: where one write takes two steps, both of them stand in the trail
        before whoever hears one takes another, with whichever of the keys."""
        writes = {
            "later": {"seats": 3, "validity_end": self._in_days(100)},
            "past": {"key_type": "trial", "validity_end": self._in_days(-1)},
            "permanent": {"key_type": "permanent", "validity_end": False},
            "mixed": {"validity_end": self._in_days(-1)},
        }
        reactions = {
            "end": {"key_type": "trial", "validity_end": self._in_days(200)},
            "past": {"key_type": "trial", "validity_end": self._in_days(-2)},
            "seats": {"seats": 4},
            "shown": None,
        }
        heard = ("changed", "renewed", "expired")
        for (way, values), (name, reaction), action in product(
            writes.items(), reactions.items(), heard
        ):
            with (
                self.subTest(write=way, reaction=name, heard=action),
                self.env.cr.savepoint() as savepoint,
            ):
                keys = self._enter_subscriptions("TWICE-1", "TWICE-2", end=5)
                keys[0].revoke()

                def react(_heard, keys=keys, reaction=reaction):
                    for key in keys:
                        if reaction:
                            key.write(reaction)
                        else:
                            key.reveal_license_key()

                patcher = self._react(action, react)
                try:
                    keys.write(values)
                finally:
                    patcher.stop()
                self.env.invalidate_all()
                self.assertEqual(keys.verify_audit_trail(), [])
                savepoint.rollback()
