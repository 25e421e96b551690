# Other connections see only what is committed.
# pylint: disable=invalid-commit
from odoo.exceptions import UserError
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
