# Other connections see only what is committed.
# pylint: disable=invalid-commit
from itertools import count

from odoo import api
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.client_equipment.exceptions import ChangedMeanwhile

from .common import CommittedHttpCase

ROUNDS = 20
EQUIPMENT = "client.equipment"
FEATURE = "client.equipment.feature"
SOFTWARE = "client.equipment.software"
QUIET = ("odoo.http", "odoo.sql_db", "odoo.service.model")


@tagged("post_install", "-at_install")
class TestMovingOverHttp(CommittedHttpCase):
    """A14, A13, E5: the rules for moving hold when two people act at once."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.numbers = count(1)

    def _applying(self, key, unit):
        vals = {"software_key_id": key.id, "equipment_id": unit.id}
        return self.technician, FEATURE, "create", {"vals_list": [vals]}

    def _set_rule(self, rule):
        """Return the call of a manager who changes the rule of the software."""
        arguments = {"ids": self.office.ids, "vals": {"reassignment": rule}}
        return self.manager, SOFTWARE, "write", arguments

    def _used(self, unit, seats=1):
        """Commit a key that has been on the unit, and came back."""
        key = self._enter(f"MOVING-{next(self.numbers):04}", seats=seats)
        self._apply(key, unit).unlink()
        self.cr.commit()
        return key

    def _free(self, key):
        self.cr.rollback()
        self.env.invalidate_all()
        key.equipment_feature_ids.unlink()
        key.unlink()
        self.office.reassignment = "free"
        self.cr.commit()

    def _assert_in_order(self, key, outcomes):
        for status, answer in outcomes:
            self.assertLess(status, 500, answer)
        self.assertEqual(self.delays, [])
        self.assertFalse(key.needs_attention, key.attention_note)
        self.assertEqual(key.verify_audit_trail(), [])

    @mute_logger(*QUIET)
    def test_rule_against_applying(self):
        """A14: the rule is made while somebody applies a key to another unit: he was
        first, or he is told; no key ends where a rule that was there kept it from."""
        for _round in range(ROUNDS):
            key = self._used(self.equipment[0])
            outcomes = self._call_at_once(
                self._set_rule("bound"), self._applying(key, self.equipment[1])
            )
            self._assert_in_order(key, outcomes)
            applied = key.equipment_feature_ids.equipment_id
            if outcomes[1][0] == 200:
                self.assertEqual((applied, key.seats_kept), (self.equipment[1], 0))
            else:
                self.assertIn("stays with", outcomes[1][1]["message"])
                self.assertEqual((len(applied), key.seats_kept), (0, 1))
            self._free(key)

    @mute_logger(*QUIET)
    def test_rule_against_removing(self):
        """A14: the rule is made while a key comes back: it is kept, whoever was
        first."""
        for _round in range(ROUNDS):
            key = self._enter(f"MOVING-{next(self.numbers):04}")
            feature = self._apply(key, self.equipment[0])
            self.cr.commit()
            outcomes = self._call_at_once(
                self._set_rule("bound"),
                (self.technician, FEATURE, "unlink", {"ids": feature.ids}),
            )
            self.assertEqual(
                [status for status, _answer in outcomes], [200, 200], outcomes
            )
            self._assert_in_order(key, outcomes)
            self.assertEqual(key.seats_kept, 1)
            self._free(key)

    @mute_logger(*QUIET)
    def test_rule_by_an_old_view(self):
        """A14, E5: whoever began before a key was entered, applied and taken off makes
        no rule that passes it over; whoever has deleted one himself does."""
        gone = self._used(self.equipment[0])
        with self.registry.cursor() as cr:
            manager = api.Environment(cr, self.manager.id, {})
            office = manager[SOFTWARE].browse(self.office.id)
            manager[gone._name].browse(gone.id).unlink()
            key = self._used(self.equipment[0])
            with self.assertRaises(ChangedMeanwhile), cr.savepoint():
                office.reassignment = "bound"
            cr.rollback()
            manager[gone._name].browse(gone.id).unlink()
            office.reassignment = "bound"
            cr.commit()
        self.cr.rollback()
        self.env.invalidate_all()
        self.assertEqual((gone.exists(), key.seats_kept), (gone.browse(), 1))
        self._free(key)

    @mute_logger(*QUIET)
    def test_last_free_seat(self):
        """A14, K14: of three people on two free seats, one of which is kept for the
        unit of one of them, he and one other get one."""
        self.office.reassignment = "bound"
        self.cr.commit()
        for _round in range(ROUNDS):
            self.office.reassignment = "bound"
            key = self._used(self.equipment[0], seats=2)
            outcomes = self._call_at_once(
                *(self._applying(key, unit) for unit in self.equipment[:3])
            )
            self._assert_in_order(key, outcomes)
            self.assertEqual(outcomes[0][0], 200, outcomes)
            self.assertEqual(sorted(each[0] for each in outcomes[1:])[0], 200)
            self.assertEqual(key.seats_used, 2)
            seats = {
                feature.equipment_id: feature.seat
                for feature in key.equipment_feature_ids
            }
            self.assertEqual(seats[self.equipment[0]], 1)
            self._free(key)

    @mute_logger(*QUIET)
    def test_many_units_at_once(self):
        """A13: two people apply software to four units each, with keys for seven: one
        of them gets all of his, the other nothing, and is told."""
        units = self.equipment
        for _round in range(ROUNDS):
            keys = self._enter(
                *(f"MANY-{next(self.numbers):04}" for _number in range(7))
            )
            self.cr.commit()
            arguments = {"software_ids": self.office.ids}
            outcomes = self._call_at_once(
                *(
                    (
                        self.technician,
                        EQUIPMENT,
                        "apply_next_available",
                        {"ids": four.ids, **arguments},
                    )
                    for four in (units[:4], units[4:])
                )
            )
            told = [answer for status, answer in outcomes if status != 200]
            self.assertEqual(len(told), 1, outcomes)
            self.assertIn("1 missing (1 of Concurrent Office)", told[0]["message"])
            self.assertEqual(len(keys.filtered("equipment_id")), 4)
            keys.equipment_feature_ids.unlink()
            keys.unlink()
            self.cr.commit()

    @mute_logger(*QUIET)
    def test_many_units_with_enough(self):
        """A13: two people apply software to four units each, with keys for eight: both
        get all of theirs."""
        units = self.equipment
        for _round in range(5):
            keys = self._enter(
                *(f"MANY-{next(self.numbers):04}" for _number in range(8))
            )
            self.cr.commit()
            outcomes = self._call_at_once(
                *(
                    (
                        self.technician,
                        EQUIPMENT,
                        "apply_next_available",
                        {"ids": four.ids, "software_ids": self.office.ids},
                    )
                    for four in (units[:4], units[4:])
                )
            )
            self.assertEqual(
                [status for status, _answer in outcomes], [200, 200], outcomes
            )
            self.assertEqual(len(keys.equipment_id), 8)
            keys.equipment_feature_ids.unlink()
            keys.unlink()
            self.cr.commit()
