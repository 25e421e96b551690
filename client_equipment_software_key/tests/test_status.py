import json

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, HttpCase, tagged

from .common import SoftwareKeyCommon, SoftwareKeyMixin, api_key

# What the key is before: status, whether it is on an equipment, whether its validity
# end has passed.
AVAILABLE = ("available", False, False)
AVAILABLE_PAST = ("available", False, True)
APPLIED = ("applied", True, False)
APPLIED_PAST = ("applied", True, True)
LOST = ("applied", False, False)
LOST_PAST = ("applied", False, True)
EXPIRED = ("expired", False, True)
EXPIRED_INSTALLED = ("expired", True, True)
REVOKED = ("revoked", False, False)
REVOKED_PAST = ("revoked", False, True)

NOTHING = None  # the status stays, and the trail says nothing

BY_HAND = "cannot be set to Applied by hand. Apply it to an equipment"
NOT_ENDED = "cannot be set to Expired, because its validity has not ended"
REMOVE = "is applied to Reception Laptop .*Remove the key from the equipment first"
RENEW = "validity of .* ended on .*Renew the key"
NO_MORE = "is revoked and cannot expire any more"

# Every cell of the status table: (before, wanted): the step in the trail, or why not.
CELLS = {
    (AVAILABLE, "available"): NOTHING,
    (AVAILABLE, "applied"): BY_HAND,
    (AVAILABLE, "expired"): NOT_ENDED,
    (AVAILABLE, "revoked"): ("revoked", "revoked"),
    (AVAILABLE_PAST, "available"): NOTHING,
    (AVAILABLE_PAST, "applied"): BY_HAND,
    (AVAILABLE_PAST, "expired"): ("expired", "expired"),
    (AVAILABLE_PAST, "revoked"): ("revoked", "revoked"),
    (APPLIED, "available"): REMOVE,
    (APPLIED, "applied"): NOTHING,
    (APPLIED, "expired"): NOT_ENDED,
    (APPLIED, "revoked"): REMOVE,
    (APPLIED_PAST, "available"): REMOVE,
    (APPLIED_PAST, "applied"): NOTHING,
    (APPLIED_PAST, "expired"): ("expired", "expired"),
    (APPLIED_PAST, "revoked"): REMOVE,
    (LOST, "available"): ("reinstated", "available"),
    (LOST, "applied"): NOTHING,
    (LOST, "expired"): NOT_ENDED,
    (LOST, "revoked"): ("revoked", "revoked"),
    (LOST_PAST, "available"): RENEW,
    (LOST_PAST, "applied"): NOTHING,
    (LOST_PAST, "expired"): ("expired", "expired"),
    (LOST_PAST, "revoked"): ("revoked", "revoked"),
    (EXPIRED, "available"): RENEW,
    (EXPIRED, "applied"): BY_HAND,
    (EXPIRED, "expired"): NOTHING,
    (EXPIRED, "revoked"): ("revoked", "revoked"),
    (EXPIRED_INSTALLED, "available"): REMOVE,
    (EXPIRED_INSTALLED, "applied"): RENEW,
    (EXPIRED_INSTALLED, "expired"): NOTHING,
    (EXPIRED_INSTALLED, "revoked"): REMOVE,
    (REVOKED, "available"): ("reinstated", "available"),
    (REVOKED, "applied"): BY_HAND,
    (REVOKED, "expired"): NO_MORE,
    (REVOKED, "revoked"): NOTHING,
    (REVOKED_PAST, "available"): RENEW,
    (REVOKED_PAST, "applied"): BY_HAND,
    (REVOKED_PAST, "expired"): NO_MORE,
    (REVOKED_PAST, "revoked"): NOTHING,
}

# The validity end is moved to a day that is not over, or to one that is.
MOVED_ENDS = {
    (AVAILABLE, "later"): ("renewed", "available"),
    (AVAILABLE, "today"): ("renewed", "available"),
    (AVAILABLE, "past"): ("expired", "expired"),
    (APPLIED, "later"): ("renewed", "applied"),
    (APPLIED, "past"): ("expired", "expired"),
    (EXPIRED, "later"): ("renewed", "available"),
    (EXPIRED, "today"): ("renewed", "available"),
    (EXPIRED, "past"): ("renewed", "expired"),
    (EXPIRED_INSTALLED, "later"): ("renewed", "applied"),
    (EXPIRED_INSTALLED, "past"): ("renewed", "expired"),
    (REVOKED, "later"): ("renewed", "revoked"),
    (REVOKED, "past"): ("renewed", "revoked"),
}


class StatusMixin(SoftwareKeyMixin):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.number = 0

    def _key(self, before):
        """Return a key that stands as ``before`` says, with the manager as user."""
        status, assigned, past = before
        type(self).number += 1
        key = self._enter_subscriptions(f"STATUS-{self.number}")
        if assigned:
            self._apply(key)
        elif status == "revoked":
            key.revoke()
        if status == "expired":
            key.validity_end = self._in_days(-5)
        elif past:
            self._set_behind_the_back(key, "validity_end", self._in_days(-5))
        if status == "applied" and not assigned:
            self._set_behind_the_back(key, "status", "applied")
        self.assertEqual(key.status, status)
        self.assertEqual(bool(key.equipment_feature_ids), assigned)
        return key

    def _set_behind_the_back(self, key, column, value):
        """Bring the key into a state that the system itself does not reach at once:
        the hours before the job runs, or inconsistent data."""
        self.env.flush_all()
        self.env.cr.execute(
            f"UPDATE client_equipment_software_key SET {column} = %s WHERE id = %s",
            [value, key.id],
        )
        key.invalidate_recordset()

    def _check_step(self, key, steps, step, status):
        """Check that since ``steps`` exactly this one step has been recorded."""
        key.invalidate_recordset()
        entries = key.audit_log_ids.sorted("number")
        self.assertEqual(entries.mapped("action")[: len(steps)], steps)
        if step is NOTHING:
            self.assertEqual(len(entries), len(steps))
            self.assertEqual(key.status, status)
            return
        action, after = step
        (entry,) = entries[len(steps) :]
        self.assertEqual(entry.action, action)
        self.assertEqual((entry.status_before, entry.status_after), (status, after))
        self.assertEqual(key.status, after)
        self.assertEqual(entry.user_id, self.manager)
        self.assertEqual(entry.equipment_id, key.equipment_feature_ids.equipment_id)
        self.assertEqual(key.equipment_id, key.equipment_feature_ids.equipment_id)
        self.assertEqual(key.audit_number, entry.number)


@tagged("post_install", "-at_install")
class TestStatus(StatusMixin, SoftwareKeyCommon):
    def _try_all_cells(self, change):
        """Take every cell of the table with ``change(key, status)``."""
        for (before, wanted), outcome in CELLS.items():
            with self.subTest(before=before, wanted=wanted):
                key = self._key(before)
                steps = self._steps(key)
                if isinstance(outcome, str):
                    with self.assertRefused(UserError, f"(?s){outcome}") as caught:
                        change(key, wanted)
                    self.assertIn(key.license_key, str(caught.exception))
                    self._check_step(key, steps, NOTHING, before[0])
                else:
                    change(key, wanted)
                    self._check_step(key, steps, outcome, before[0])

    def test_every_cell_by_write(self):
        """Table 4, L4: each change by write() of a manager, allowed and refused."""
        self._try_all_cells(lambda key, status: key.write({"status": status}))

    def test_every_cell_by_form(self):
        """Table 4, L4: each change in the form, allowed and refused."""

        def change(key, status):
            with Form(key) as form:
                form.status = status

        self._try_all_cells(change)

    def test_others_change_no_status(self):
        """E1: a technician, auditor or other user sets no status, whatever the cell."""
        for before, wanted in CELLS:
            key = self._key(before)
            steps = self._steps(key)
            for user in self.technician, self.auditor, self.internal, self.portal:
                with (
                    self.subTest(before=before, wanted=wanted, user=user.login),
                    self.assertRaises(AccessError),
                ):
                    key.with_user(user).write({"status": wanted})
            self._check_step(key, steps, NOTHING, before[0])

    def test_others_move_no_validity_end_and_revoke_nothing(self):
        """E1: nor do they move a validity end, or revoke a key."""
        key = self._key(AVAILABLE)
        for user in self.technician, self.auditor, self.internal, self.portal:
            with self.subTest(user=user.login):
                with self.assertRaises(AccessError):
                    key.with_user(user).validity_end = self._in_days(-1)
                with self.assertRaises(AccessError):
                    key.with_user(user).revoke()
                with self.assertRaises(AccessError):
                    key.with_user(user).action_revoke()
        self._check_step(key, ["created"], NOTHING, "available")

    def test_unknown_status(self):
        """E2: a status that does not exist is refused in words."""
        key = self._key(AVAILABLE)
        with self.assertRefused(UserError, "cannot go from Available to broken"):
            key.status = "broken"
        with self.assertRefused(UserError, "cannot go from Available to broken"):
            self._enter("BROKEN-1", status="broken")

    def test_revoke_button(self):
        """Table 4: the Revoke button revokes many at once, or none with a reason."""
        free, expired, gone = map(self._key, (AVAILABLE, EXPIRED, REVOKED))
        applied = self._key(APPLIED)
        with self.assertRefused(UserError, REMOVE):
            (free + expired + gone + applied).action_revoke()
        self.assertEqual(free.status, "available")
        (free + expired + gone).action_revoke()
        self.assertEqual({key.status for key in free + expired + gone}, {"revoked"})
        self.assertEqual(self._steps(free), ["created", "revoked"])
        self.assertEqual(self._steps(expired), ["created", "expired", "revoked"])
        self.assertEqual(self._steps(gone), ["created", "revoked"])
        other = self._key(AVAILABLE)
        other.revoke(reason="Leaked on the internet")
        self.assertEqual(
            other.audit_log_ids.sorted("number")[-1].description,
            "Revoked by Manager Tester: Leaked on the internet",
        )

    def test_moved_ends(self):
        """S2, table 4: a moved validity end takes effect at once, in one entry."""
        days = {"later": 400, "today": 0, "past": -2}
        for (before, where), step in MOVED_ENDS.items():
            for route in ("write", "form"):
                with self.subTest(before=before, moved_to=where, route=route):
                    key = self._key(before)
                    old, new = key.validity_end, self._in_days(days[where])
                    steps = self._steps(key)
                    if route == "write":
                        key.write({"validity_end": new})
                    else:
                        with Form(key) as form:
                            form.validity_end = new
                    self._check_step(key, steps, step, before[0])
                    entry = key.audit_log_ids.sorted("number")[-1]
                    self.assertEqual(entry.validity_end_before, old)
                    self.assertEqual(entry.validity_end_after, new)
                    self.assertIn(f"{old:%m/%d/%Y}", entry.description)
                    self.assertIn(f"{new:%m/%d/%Y}", entry.description)

    def test_moved_end_with_status(self):
        """Table 4: renewal may name the status that results, and no other."""
        end = self._in_days(365)
        for before, wanted, outcome in (
            (EXPIRED, "available", ("renewed", "available")),
            (EXPIRED_INSTALLED, "applied", ("renewed", "applied")),
            (EXPIRED, "applied", BY_HAND),
            (EXPIRED_INSTALLED, "available", REMOVE),
            (AVAILABLE, "revoked", ("revoked", "revoked")),
            (REVOKED_PAST, "available", ("reinstated", "available")),
        ):
            with self.subTest(before=before, wanted=wanted):
                key = self._key(before)
                steps = self._steps(key)
                values = {"validity_end": end, "status": wanted}
                if isinstance(outcome, str):
                    with self.assertRefused(UserError, outcome):
                        key.write(values)
                    self._check_step(key, steps, NOTHING, before[0])
                else:
                    key.write(values)
                    self._check_step(key, steps, outcome, before[0])

    def test_expired_key_becomes_permanent(self):
        """S2: a key that has no end any more is no longer expired."""
        key = self._key(EXPIRED)
        key.write({"key_type": "permanent", "validity_end": False})
        self._check_step(
            key, ["created", "expired", "changed"], ("renewed", "available"), "expired"
        )

    def test_unmoved_end_writes_nothing(self):
        """L4: saving the same validity end again is no step."""
        key = self._key(AVAILABLE)
        key.write({"validity_end": key.validity_end, "remarks": "Seen"})
        self._check_step(key, ["created"], NOTHING, "available")

    def test_many_at_once(self):
        """L4: in bulk each key makes its own step, with one entry each."""
        free, applied, expired, installed = map(
            self._key, (AVAILABLE, APPLIED, EXPIRED, EXPIRED_INSTALLED)
        )
        keys = free + applied + expired + installed
        keys.write({"validity_end": self._in_days(99)})
        self.assertEqual(
            keys.mapped("status"), ["available", "applied", "available", "applied"]
        )
        self.assertEqual(
            [self._steps(key)[-1] for key in keys], ["renewed"] * len(keys)
        )
        self.assertEqual(
            keys.mapped("audit_number"),
            [len(self._steps(key)) for key in keys],
        )

    def test_half_a_bulk_is_none(self):
        """L4, E2: where one key of many cannot take the step, none does."""
        free, applied = self._key(AVAILABLE), self._key(APPLIED)
        with self.assertRefused(UserError, REMOVE):
            (free + applied).write({"status": "revoked", "remarks": "Half"})
        self._check_step(free, ["created"], NOTHING, "available")
        self._check_step(applied, ["created", "applied"], NOTHING, "applied")
        self.assertFalse(free.remarks)

    def test_status_at_entry(self):
        """Table 4: an old inventory is entered through the same door."""
        past = {"key_type": "trial", "validity_end": self._in_days(-1)}
        future = {"key_type": "trial", "validity_end": self._in_days(1)}
        for values, steps, status in (
            ({"status": "available"}, ["created"], "available"),
            ({"status": "revoked"}, ["created", "revoked"], "revoked"),
            ({"status": "revoked"} | past, ["created", "revoked"], "revoked"),
            ({"status": "expired"} | past, ["created", "expired"], "expired"),
            ({"status": "available"} | past, ["created", "expired"], "expired"),
            (past, ["created", "expired"], "expired"),
            (future, ["created"], "available"),
        ):
            with self.subTest(**values):
                key = self._enter(f"ENTRY-{len(steps)}-{values}", **values)
                self.assertEqual(self._steps(key), steps)
                self.assertEqual(key.status, status)
        for values, problem in (
            ({"status": "applied"}, BY_HAND),
            ({"status": "applied"} | past, BY_HAND),
            ({"status": "expired"}, NOT_ENDED),
            ({"status": "expired"} | future, NOT_ENDED),
        ):
            with self.subTest(**values), self.assertRefused(UserError, problem):
                self._enter("ENTRY-REFUSED", **values)
        self.assertFalse(
            self.env["client.equipment.software.key"].search(
                [("license_key", "=", "ENTRY-REFUSED")]
            )
        )

    def test_old_inventory_by_import(self):
        """Table 4: an imported old inventory, statuses mixed, and Applied refused."""
        Key = self.env["client.equipment.software.key"].with_user(self.manager)
        columns = ["license_key", "software_id", "key_type", "validity_end", "status"]
        ended = str(self._in_days(-9))
        rows = [
            ["OLD-1", self.office.name, "Permanent", "", "Available"],
            ["OLD-2", self.office.name, "Permanent", "", "Revoked"],
            ["OLD-3", self.office.name, "Trial", ended, "Expired"],
            ["OLD-4", self.office.name, "Trial", ended, ""],
            ["OLD-5", self.office.name, "Trial", ended, "Revoked"],
        ]
        result = Key.load(columns, rows)
        self.assertFalse(result["messages"])
        keys = Key.browse(result["ids"])
        self.assertEqual(
            [self._steps(key) for key in keys],
            [
                ["created"],
                ["created", "revoked"],
                ["created", "expired"],
                ["created", "expired"],
                ["created", "revoked"],
            ],
        )
        result = Key.load(
            columns, [["OLD-6", self.office.name, "Permanent", "", "Applied"]]
        )
        self.assertFalse(result["ids"])
        self.assertRegex(result["messages"][0]["message"], BY_HAND)

    def test_what_depends_on_the_status_follows(self):
        """Counts, names of places and the attention flag are right after each step."""
        key = self._enter_subscriptions("FOLLOW-1")
        self.assertTrue(key.can_be_applied)
        self.assertFalse(key.needs_attention or key.equipment_id)
        feature = self._apply(key)
        self.assertEqual(key.equipment_id, self.laptop)
        self.assertEqual(key.partner_id, self.customer)
        self.assertFalse(key.can_be_applied or key.needs_attention)
        self.assertEqual(self.laptop.software_key_count, 1)
        self.assertEqual(feature.status, "applied")
        key.validity_end = self._in_days(-1)
        self.assertEqual(feature.status, "expired")
        self.assertFalse(key.needs_attention)
        self.assertEqual(self.antivirus.expired_count, 1)
        feature.unlink()
        self.assertFalse(key.equipment_id or key.partner_id or key.needs_attention)
        self.assertEqual(self.laptop.software_key_count, 0)
        lost = self._key(LOST)
        self.assertTrue(lost.needs_attention)
        found = lost.search([("needs_attention", "=", True), ("id", "in", lost.ids)])
        self.assertEqual(found, lost)
        lost.status = "available"
        self.assertFalse(lost.needs_attention)


@tagged("post_install", "-at_install")
class TestStatusOverHttp(StatusMixin, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.headers = {
            user: cls._bearer(user) for user in (cls.manager, cls.technician)
        }

    @classmethod
    def _bearer(cls, user):
        """Return the headers of a program that works in the user's name."""
        return {
            "Authorization": f"Bearer {api_key(user)}",
            "Content-Type": "application/json",
        }

    def _call(self, user, method, **arguments):
        """POST one call to the keys; return the HTTP status and the answer."""
        response = self.url_open(
            f"/json/2/client.equipment.software.key/{method}",
            data=json.dumps(arguments, default=str),
            headers=self.headers[user],
        )
        return response.status_code, response.json()

    def test_every_cell_over_http(self):
        """Table 4, L4: each change over /json/2, allowed and refused."""
        for (before, wanted), outcome in CELLS.items():
            with self.subTest(before=before, wanted=wanted):
                key = self._key(before)
                steps = self._steps(key)
                code, answer = self._call(
                    self.manager, "write", ids=key.ids, vals={"status": wanted}
                )
                if isinstance(outcome, str):
                    self.assertEqual(code, 422)
                    self.assertRegex(answer["message"], f"(?s){outcome}")
                    self.assertIn(key.license_key, answer["message"])
                    self._check_step(key, steps, NOTHING, before[0])
                else:
                    self.assertEqual((code, answer), (200, True))
                    self._check_step(key, steps, outcome, before[0])

    def test_technician_over_http(self):
        """E1: with a technician's API key no status changes, whatever the cell."""
        for before, wanted in CELLS:
            with self.subTest(before=before, wanted=wanted):
                key = self._key(before)
                steps = self._steps(key)
                code, _answer = self._call(
                    self.technician, "write", ids=key.ids, vals={"status": wanted}
                )
                self.assertEqual(code, 403)
                self._check_step(key, steps, NOTHING, before[0])

    def test_moved_ends_over_http(self):
        """S2: a validity end that is moved over /json/2 takes effect at once."""
        days = {"later": 400, "today": 0, "past": -2}
        for (before, where), step in MOVED_ENDS.items():
            with self.subTest(before=before, moved_to=where):
                key = self._key(before)
                steps = self._steps(key)
                code, _answer = self._call(
                    self.manager,
                    "write",
                    ids=key.ids,
                    vals={"validity_end": self._in_days(days[where])},
                )
                self.assertEqual(code, 200)
                self._check_step(key, steps, step, before[0])

    def test_revoke_over_http(self):
        """The contract's revoke(reason) works over /json/2."""
        key = self._key(AVAILABLE)
        code, _answer = self._call(
            self.manager, "revoke", ids=key.ids, reason="Leaked on the internet"
        )
        self.assertEqual(code, 200)
        self._check_step(key, ["created"], ("revoked", "revoked"), "available")

    def test_private_doors_are_shut(self):
        """L1, E1: the methods behind the rules cannot be called from outside."""
        key = self._key(AVAILABLE)
        for method, arguments in (
            ("_transition", {"action": "applied", "status": "applied"}),
            ("_apply_written_status", {"wanted": "revoked"}),
            ("_cron_expire", {}),
        ):
            with self.subTest(method=method):
                code, _answer = self._call(
                    self.manager, method, ids=key.ids, **arguments
                )
                self.assertIn(code, (403, 404))
        self._check_step(key, ["created"], NOTHING, "available")
