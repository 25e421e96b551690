from datetime import datetime, timedelta
from itertools import count
from unittest import skipUnless
from unittest.mock import MagicMock

from freezegun import freeze_time

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tools import html2plaintext

from .common import SoftwareKeyCommon
from .test_counts import counted

try:
    from hypothesis import HealthCheck, settings
    from hypothesis import strategies as st
    from hypothesis.stateful import (
        RuleBasedStateMachine,
        initialize,
        rule,
        run_state_machine_as_test,
    )
except ImportError:  # an Odoo need not have it
    RuleBasedStateMachine = object
    HealthCheck = settings = st = initialize = rule = MagicMock()
    run_state_machine_as_test = None

LIFE_BEGINS = datetime(2026, 1, 5, 8, 0)
NUMBER = st.integers(0, 50)
DAYS = st.integers(-3, 40)
SEATS = st.sampled_from([1, 1, 2, 3])
MOVING = st.sampled_from(["free", "bound", "bound", "days"])


class Life(RuleBasedStateMachine):
    """Any sequence of steps that users can take, each by one of several people.

    A step that the product refuses has to leave no trace, so it is simply tried.
    """

    case = None
    clock = None

    @initialize(moving=MOVING, days=st.integers(1, 30))
    def begin(self, moving, days):
        self.savepoint = self.case.cr.savepoint()
        self.clock.move_to(LIFE_BEGINS)
        self.numbers = count(1)
        self.places = list(self.case.places)
        self.past = {}
        self.traces = []
        self.been_on = {}
        self.enter(who=0, days=20, shared=True, amount=3, seats=1)
        self.enter(who=0, days=20, shared=True, amount=1, seats=2)
        self.change_rule(moving=moving, days=days)

    def teardown(self):
        self.case.assert_replay(self.past)
        self.case.assert_kept(self.been_on)
        self.case.assert_traces(self.traces)
        self.savepoint.close(rollback=True)
        self.case.env.invalidate_all()

    def _attempt(self, step):
        # Time passes between any two steps.
        self.clock.tick(timedelta(minutes=1))
        try:
            with self.case.env.cr.savepoint():
                step()
        except (UserError, AccessError):
            self.case.env.invalidate_all()
        self.been_on |= dict(self.case.assignments())

    def _one_key(self, number, wanted=lambda key: True, amount=1):
        """Return one of the keys, of those that are wanted if there are any."""
        keys = self.case.existing_keys()
        keys = keys.filtered(wanted) or keys
        start = number % len(keys) if keys else 0
        return keys[start : start + amount]

    @rule(
        who=NUMBER,
        days=DAYS,
        shared=st.booleans(),
        amount=st.integers(1, 3),
        seats=SEATS,
    )
    def enter(self, who, days, shared, amount, seats):
        user = self.case.managers[who % 2]
        today = fields.Date.today()
        values = {
            "software_id": self.case.antivirus.id,
            "key_type": "subscription" if days < 30 else "permanent",
            "validity_end": today + timedelta(days) if days < 30 else False,
            "company_id": False if shared else user.company_id.id,
            "seats": seats,
        }
        self._attempt(
            lambda: self.case.Key.with_user(user).create(
                [
                    values | {"license_key": f"LIFE-KEY-{next(self.numbers):03}"}
                    for _copy in range(amount)
                ]
            )
        )

    @rule(moving=MOVING, days=st.integers(1, 30))
    def change_rule(self, moving, days):
        values = {"reassignment": moving, "reassignment_days": days}
        software = (self.case.antivirus | self.case.office).with_user(self.case.manager)
        self._attempt(lambda: software.write(values))

    @rule(who=NUMBER, which=NUMBER, where=NUMBER)
    def override_rule(self, who, which, where):
        key = self._one_key(which, lambda key: key.seats_kept)
        equipment = self.places[where % len(self.places)]
        user = self.case.people[who % 4]
        self._attempt(
            lambda: self.case._apply(key, equipment, user, override_reason="repaired")
        )

    @rule(who=NUMBER, which=NUMBER, where=NUMBER, amount=st.integers(1, 3))
    def apply(self, who, which, where, amount):
        keys = self._one_key(which, lambda key: key.can_be_applied, amount)
        equipment = self.places[where % len(self.places)]
        self._attempt(
            lambda: self.case._apply(keys, equipment, self.case.people[who % 4])
        )

    @rule(who=NUMBER, which=NUMBER, amount=st.integers(2, 3))
    def apply_to_many(self, who, which, amount):
        key = self._one_key(which, lambda key: key.can_be_applied and key.seats > 1)
        vals_list = [
            {"software_key_id": key.id, "equipment_id": equipment.id}
            # (one seat twice in a call is the database's affair)
            for equipment in self.places[: amount if key.seats > 1 else len(key)]
        ]
        features = self.case.env["client.equipment.feature"]
        features = features.with_user(self.case.people[who % 4])
        self._attempt(lambda: features.create(vals_list))

    @rule(who=NUMBER, which=NUMBER, amount=st.integers(1, 2))
    def remove(self, who, which, amount):
        user = self.case.people[who % 4]
        key = self._one_key(which, lambda key: key.seats_used)
        features = key.equipment_feature_ids[:amount]
        self._attempt(lambda: features.with_user(user).unlink())

    @rule(who=NUMBER, which=NUMBER, seats=SEATS)
    def change_seats(self, who, which, seats):
        key = self._one_key(which).with_user(self.case.managers[who % 2])
        self._attempt(lambda: key.write({"seats": seats}))

    @rule(where=NUMBER)
    def recover(self, where):
        equipment = self.places[where % len(self.places)]
        self._attempt(equipment.recover_software_keys)

    @rule(who=NUMBER, which=NUMBER, days=DAYS)
    def move_end(self, who, which, days):
        key = self._one_key(which).with_user(self.case.managers[who % 2])
        end = fields.Date.today() + timedelta(days)
        self._attempt(lambda: key.write({"validity_end": end}))

    @rule(
        who=NUMBER,
        which=NUMBER,
        status=st.sampled_from(["available", "applied", "expired", "revoked"]),
    )
    def set_status(self, who, which, status):
        key = self._one_key(which).with_user(self.case.managers[who % 2])
        self._attempt(lambda: key.write({"status": status}))

    @rule(who=NUMBER, which=NUMBER, what=NUMBER, amount=st.integers(1, 2))
    def change(self, who, which, what, amount):
        keys = self._one_key(which, amount=amount)
        name, value = self.case.changes[what % len(self.case.changes)]
        self._attempt(
            lambda: keys.with_user(self.case.managers[who % 2]).write({name: value})
        )

    @rule(who=NUMBER, which=NUMBER)
    def revoke(self, who, which):
        key = self._one_key(which).with_user(self.case.managers[who % 2])
        self._attempt(lambda: key.revoke("any reason"))

    @rule(who=NUMBER, which=NUMBER, days=DAYS, amount=st.integers(1, 3))
    def renew(self, who, which, days, amount):
        keys = self._one_key(which, amount=amount)
        end = fields.Date.today() + timedelta(days)
        self._attempt(
            lambda: keys.with_user(self.case.managers[who % 2]).renew(end, "PO-1")
        )

    @rule(who=NUMBER, which=NUMBER)
    def replace(self, who, which):
        key = self._one_key(which, lambda key: key.seats_used)
        key = key.with_user(self.case.managers[who % 2])
        if key:
            self._attempt(lambda: key.replace(f"LIFE-KEY-{next(self.numbers):03}"))

    @rule(who=NUMBER, which=NUMBER, amount=st.integers(1, 2))
    def delete(self, who, which, amount):
        user = self.case.managers[who % 2]
        keys = self._one_key(which, lambda key: not key.seats_used, amount)
        traces = [self._expected_trace(key, user) for key in keys]

        def step():
            keys.with_user(user).unlink()
            self.traces += traces

        self._attempt(step)

    def _expected_trace(self, key, user):
        *_, last = entries = key.audit_log_ids.sorted("number")
        return (
            f"Software key {key.license_key_hint} deleted by {user.name}. "
            f"Audit logs: {len(entries)}, last hash: {last.hash}"
        )

    @rule(where=NUMBER)
    def delete_equipment(self, where):
        where %= len(self.places)
        equipment = self.places[where]
        successor = equipment.copy()
        self._attempt(equipment.unlink)
        if not equipment.exists():
            self.places[where] = successor

    @rule(days=st.integers(1, 20))
    def let_days_pass(self, days):
        self.past[fields.Date.today()] = self.case.assignments()
        self.clock.tick(timedelta(days))
        due = self.case.existing_keys().filtered(
            lambda key: key.status in ("available", "applied")
        )
        due._filtered_past_end().write({"status": "expired"})
        self.case.Key._count_rested()


@skipUnless(run_state_machine_as_test, "hypothesis is not installed")
class TestReplay(SoftwareKeyCommon):
    """L6: the trail alone tells the whole inventory."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Key = cls.env["client.equipment.software.key"]
        # Tests that commit may have changed keys with the triggers switched off.
        cls.env["client.equipment.software.key.count"]._correct()
        both = cls.company | cls.other_company
        cls.other_technician = cls.technician_2
        for user, company in (
            (cls.manager, cls.company),
            (cls.other_technician, cls.other_company),
        ):
            user.write({"company_ids": [Command.set(both.ids)]})
            user.company_id = company
        cls.other_manager = cls._new_user(
            "other_manager", "client_equipment_software_key.group_software_key_manager"
        )
        cls.other_manager.write({"company_ids": [Command.set(both.ids)]})
        cls.other_manager.company_id = cls.other_company
        cls.managers = [cls.manager, cls.other_manager]
        cls.people = [cls.technician, cls.other_technician, *cls.managers]
        far = cls.env["client.equipment"].create(
            {
                "name": "Far Server",
                "partner_id": cls.other_customer.id,
                "company_id": cls.other_company.id,
            }
        )
        cls.places = [cls.laptop, cls.spare_laptop, far]
        cls.changes = [
            ("software_id", cls.office.id),
            ("software_id", cls.antivirus.id),
            ("validity_start", "2026-01-01"),
            ("validity_start", False),
            ("supplier_id", cls.other_customer.id),
            ("owner_id", cls.customer.id),
            ("owner_id", False),
        ]

    def existing_keys(self):
        return self.Key.search([("license_key", "=like", "LIFE-%")], order="id")

    def assignments(self):
        features = self.env["client.equipment.feature"].search(
            [("software_key_id.license_key", "=like", "LIFE-%")]
        )
        return {
            (feature.software_key_id.id, feature.equipment_id.id)
            for feature in features
        }

    def _installed_on(self, day):
        lines = self.env["client.equipment.usage.history"].search(
            [
                ("software_key_id.license_key", "=like", "LIFE-%"),
                ("installed_on", "=", day),
            ]
        )
        return {(line.software_key_id.id, line.equipment_ref) for line in lines}

    def _replay(self, key):
        """Return status and equipment of the key by its trail alone."""
        status = validity_end = False
        places = set()
        for number, entry in enumerate(key.audit_log_ids.sorted("number"), 1):
            self.assertEqual(entry.number, number)
            self.assertEqual(entry.status_before, status)
            if entry.action == "applied":
                self.assertNotIn(entry.equipment_ref, places)
                places.add(entry.equipment_ref)
            elif entry.action == "revoked" and entry.equipment_ref:
                places.remove(entry.equipment_ref)
            elif entry.action in ("revoked", "reinstated"):
                self.assertFalse(places)
            if number > 1:
                self.assertEqual(entry.validity_end_before, validity_end)
            status, validity_end = entry.status_after, entry.validity_end_after
        return status, places, validity_end

    def assert_replay(self, past):
        """Check that the trail tells the present and every past day (L5, L6)."""
        keys = self.existing_keys()
        present = self.assignments()
        for key in keys:
            self.assertEqual(
                self._replay(key),
                (key.status, {where for which, where in present if which == key.id})
                + (key.validity_end,),
                key.license_key,
            )
            self._assert_seats(key)
        self.assertEqual(self._installed_on(fields.Date.today()), present)
        for day, assignments in past.items():
            self.assertEqual(
                self._installed_on(day),
                {(key, where) for key, where in assignments if key in keys._ids},
                day,
            )
        self.assertEqual(keys.verify_audit_trail(), [])
        self.assertEqual(*counted(self.env.cr))
        for key in keys:
            self._assert_changes(key)

    def assert_kept(self, been_on):
        """Check that each key remembers for whom its seats are, and that a key of one
        seat is kept for the unit that it was on last, as people saw it (A14)."""
        keys = self.existing_keys()
        self.assertFalse(keys.filtered("needs_attention").mapped("attention_note"))
        kept = keys._get_kept_seats()
        for key in keys:
            seats = kept.get(key.id, [])
            self.assertEqual(key.seats_kept, len(seats), key.license_key)
            self.assertLessEqual(key.seats_used + key.seats_kept, key.seats)
            self.kept += len(seats)
            counts = set(key.audit_log_ids.mapped("seats")) | {key.seats}
            bound = key.software_id.reassignment == "bound"
            if bound and counts == {1} and not key.seats_used and key.id in been_on:
                self.assertEqual(
                    [each.equipment_id for each in seats], [been_on[key.id]]
                )

    def _assert_changes(self, key):
        """Check that the changes lead, one by one, to what the key is (K17)."""
        told = {}
        for entry in key.audit_log_ids.sorted("number"):
            for name, before, after in entry.changes or ():
                self.assertEqual(told.get(name, before), before)
                told[name] = after
        self.changed += len(told)
        for name, value in told.items():
            self.assertEqual(key._get_told_value(name), value)

    def _assert_seats(self, key):
        """Check that a key's row agrees with its assignments (K14)."""
        features = key.equipment_feature_ids
        self.assertEqual(key.seats_used, len(features))
        self.assertEqual(len(set(features.mapped("seat"))), len(features))
        self.assertTrue(all(1 <= each.seat <= key.seats for each in features))
        place = features.equipment_id if len(features) == 1 else features[:0]
        self.assertEqual(key.equipment_id.id, place.id)
        if key.status in ("available", "applied"):
            rest = "available" if len(features) < key.seats else "applied"
            self.assertEqual(key.status, rest)

    def assert_traces(self, traces):
        """Check that the software's chatter tells of every deleted key (K10), and of
        no other; and *Deleted Keys* too."""
        self.deletions += len(traces)
        deleted = self.env["client.equipment.audit.deletion"].search([])
        self.assertEqual(len(deleted), len(traces))
        self.assertEqual(deleted.verify(), [])
        software = self.antivirus | self.office
        bodies = software.message_ids.sorted("id").mapped("body")
        told = [
            line
            for body in bodies
            if " deleted by " in body
            for line in html2plaintext(body).splitlines()
        ]
        self.assertEqual(sorted(told), sorted(traces))

    def test_any_sequence_of_steps(self):
        """A14, K10, K14, L5, L6, section 4: after any sequence of steps by several
        people in two companies, whatever the rules for moving are meanwhile, replaying
        the trail gives status, equipment and validity of every key; the usage history
        gives every past day; verifying finds nothing; each key remembers for whom it
        is; and of deleted keys the software's chatter keeps ending, user, count and
        last hash."""
        with freeze_time(LIFE_BEGINS) as clock:
            machine = type("Life", (Life,), {"case": self, "clock": clock})
            self.deletions = self.changed = self.kept = 0
            run_state_machine_as_test(
                machine,
                settings=settings(
                    max_examples=35,
                    stateful_step_count=30,
                    deadline=None,
                    database=None,
                    derandomize=True,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        self.assertGreater(self.deletions, 20)
        self.assertGreater(self.changed, 10)
        self.assertGreater(self.kept, 5)
