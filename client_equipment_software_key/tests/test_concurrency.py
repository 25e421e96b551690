# Other connections see only what is committed.
# pylint: disable=invalid-commit
from contextlib import contextmanager

import psycopg2
from werkzeug.test import EnvironBuilder

from odoo import api
from odoo.exceptions import UserError
from odoo.http import HTTPRequest, Request, _request_stack
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import CommittedCase

ROUNDS = 20
FEATURE = "client.equipment.feature"
KEY = "client.equipment.software.key"


@tagged("post_install", "-at_install")
class TestConcurrency(CommittedCase):
    def _applying(self, key, equipment):
        """Return the call of a technician who applies the key to the equipment."""
        vals = {"software_key_id": key.id, "equipment_id": equipment.id}
        return self.technician, FEATURE, "create", [vals]

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_eight_apply_one_key(self):
        """A4: of eight people at once one succeeds; the others learn who has it."""
        key = self._enter("RACE-1")
        self.cr.commit()
        for number in range(ROUNDS):
            with self.subTest(round=number):
                outcomes = self._at_once(
                    [self._applying(key, laptop) for laptop in self.equipment]
                )
                winners = [
                    laptop
                    for laptop, outcome in zip(self.equipment, outcomes, strict=True)
                    if not isinstance(outcome, UserError)
                ]
                self.assertEqual(len(winners), 1, outcomes)
                (laptop,) = winners
                for outcome in outcomes:
                    if isinstance(outcome, UserError):
                        self.assertIn(
                            f"RACE-1 is applied to {laptop.name} already.", str(outcome)
                        )
                self.assertEqual(key.equipment_feature_ids.equipment_id, laptop)
                self.assertEqual((key.status, key.equipment_id), ("applied", laptop))
                key.equipment_feature_ids.with_user(self.technician).unlink()
                self.cr.commit()
        self.assertEqual(
            self._steps(key), ["created"] + ["applied", "revoked"] * ROUNDS
        )
        self.assertEqual(key.verify_audit_trail(), [])

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_apply_against_revoke(self):
        """A4, table 4: a key that is revoked while it is applied is never both."""
        for number in range(ROUNDS):
            key = self._enter(f"DUEL-{number}")
            self.cr.commit()
            revoking = (self.manager, KEY, "revoke", [key.ids])
            with self.subTest(round=number):
                self._at_once(
                    [
                        call
                        for laptop in self.equipment[:4]
                        for call in (self._applying(key, laptop), revoking)
                    ]
                )
                assigned = key.equipment_feature_ids.equipment_id
                if key.status == "applied":
                    self.assertEqual(len(assigned), 1)
                    self.assertEqual(self._steps(key), ["created", "applied"])
                else:
                    self.assertEqual(key.status, "revoked")
                    self.assertFalse(assigned)
                    self.assertEqual(self._steps(key), ["created", "revoked"])
                self.assertEqual(key.equipment_id, assigned)

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_apply_against_expiring_and_deleting(self):
        """E5: somebody moves the end, somebody deletes, somebody applies: one order."""
        for number in range(5):
            key = self._enter_subscriptions(f"MIX-{number}")
            self.cr.commit()
            past = {"validity_end": str(self._in_days(-1))}
            with self.subTest(round=number):
                self._at_once(
                    [
                        self._applying(key, self.equipment[0]),
                        self._applying(key, self.equipment[1]),
                        (self.manager, KEY, "write", [key.ids, past]),
                        (self.manager, KEY, "write", [key.ids, {"remarks": "Seen"}]),
                    ]
                )
                self.assertEqual(key.status, "expired")
                self.assertEqual(key.remarks, "Seen")
                steps = ["created", "expired"]
                if key.equipment_feature_ids:
                    steps.insert(1, "applied")
                self.assertEqual(self._steps(key), steps)
                self.assertEqual(key.verify_audit_trail(), [])

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_eight_keys_on_one_equipment(self):
        """A6, E5: people who apply different keys do not get in each other's way."""
        keys = self._enter(*[f"SIDE-{number}" for number in range(8)])
        self.cr.commit()
        outcomes = self._at_once([self._applying(key, self.laptop) for key in keys])
        self.assertFalse([o for o in outcomes if isinstance(o, UserError)])
        self.assertEqual(set(keys.mapped("status")), {"applied"})
        self.assertEqual(keys.equipment_id, self.laptop)

    @contextmanager
    def _manager_who_looked_before(self, key):
        """Give the key as a request of the manager's sees it who looked at it before
        somebody else changed it."""
        _request_stack.push(Request(HTTPRequest(EnvironBuilder().get_environ())))
        try:
            with self.registry.cursor() as cr:
                seen = key.with_env(api.Environment(cr, self.manager.id, {}))
                self.assertEqual(seen.status, key.status)
                key.write({"remarks": "Changed meanwhile"})
                self.cr.commit()
                yield seen
        finally:
            _request_stack.pop()

    @mute_logger("odoo.sql_db")
    def test_fresh_view(self):
        """E5: whoever comes second does his step at once, on the key as the first one
        left it, instead of being told to try again."""
        key = self._enter_subscriptions("SECOND-1")
        self.cr.commit()
        end = self._in_days(400)
        with self._manager_who_looked_before(key) as seen:
            seen.renew(end)
            seen.env.cr.commit()
        self.cr.rollback()
        self.env.invalidate_all()
        self.assertEqual(key.validity_end, end)
        self.assertIn("Changed meanwhile", key.remarks)
        self.assertIn("Renewed subscription", key.remarks)
        self.assertEqual(key.verify_audit_trail(), [])

    @mute_logger("odoo.sql_db")
    def test_no_fresh_view_of_half_the_work(self):
        """E5: a request that has written already is run again as a whole by Odoo: what
        it did so far cannot be lost halfway."""
        key = self._enter("SECOND-2")
        self.cr.commit()
        with self._manager_who_looked_before(key) as seen:
            seen.env["client.equipment"].browse(self.laptop.id).name = "Half the Work"
            with self.assertRaises(psycopg2.errors.SerializationFailure):
                seen.revoke()
        self.cr.rollback()
        self.env.invalidate_all()
        self.assertEqual(self.laptop.name, "Concurrent Laptop 1")
        self.assertEqual(key.status, "available")

    @mute_logger("odoo.sql_db")
    def test_import_meets_somebody(self):
        """E2: an import that changes a key which somebody else has just changed says
        so of its row, in plain words, and imports nothing."""
        key = self._enter("SECOND-3")
        self.cr.commit()
        columns = [".id", "key_type", "validity_end"]
        row = [str(key.id), "Subscription", str(self._in_days(9))]
        with self._manager_who_looked_before(key) as seen:
            result = seen.browse().load(columns, [row])
            self.assertFalse(result["ids"])
            (message,) = result["messages"]
            self.assertIn("Somebody else is working on", message["message"])
            self.assertIn("SECOND-3", message["message"])
            seen.env.cr.commit()
        self.cr.rollback()
        self.env.invalidate_all()
        self.assertRecordValues(key, [{"status": "available", "validity_end": False}])
