# Other connections see only what is committed.
# pylint: disable=invalid-commit
from odoo import api
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import CommittedCase, CommittedHttpCase

ROUNDS = 20
FEATURE = "client.equipment.feature"
KEY = "client.equipment.software.key"


@tagged("post_install", "-at_install")
class TestSeatsAtOnce(CommittedCase):
    def test_next_available_waits_for_a_seat(self):
        """K14, A12: a colleague who holds a volume key for a moment does not use it up:
        nobody is told that no key is left."""
        key = self._enter("HELD-1", seats=25)
        self.cr.commit()
        with self.registry.cursor() as cr, self._held_until_somebody_waits(key):
            software = self.office.with_env(api.Environment(cr, self.technician.id, {}))
            feature = software.apply_next_available(self.laptop.id)
            self.assertEqual(feature.software_key_id.id, key.id)


@tagged("post_install", "-at_install")
class TestSeatsOverHttp(CommittedHttpCase):
    def _applying(self, key, unit):
        """Return the call of a technician who applies the key to the unit."""
        vals = {"software_key_id": key.id, "equipment_id": unit.id}
        return self.technician, FEATURE, "create", {"vals_list": [vals]}

    @mute_logger("odoo.sql_db", "odoo.http", "odoo.service.model")
    def test_seats_and_number_at_once(self):
        """K14, E5: the number of seats is lowered while seats are taken: never more are
        in use than there are."""
        for number in range(5):
            key = self._enter(f"LOWERED-{number}", seats=3)
            self.cr.commit()
            lowering = {"ids": key.ids, "vals": {"seats": 1}}
            with self.subTest(round=number):
                self._call_at_once(
                    *(self._applying(key, unit) for unit in self.equipment[:2]),
                    (self.manager, KEY, "write", lowering),
                )
                used = len(key.equipment_feature_ids)
                self.assertEqual(key.seats_used, used)
                self.assertLessEqual(used, key.seats)
                rest = "applied" if used == key.seats else "available"
                self.assertEqual(key.status, rest)
                self.assertEqual(key.verify_audit_trail(), [])

    @mute_logger("odoo.sql_db", "odoo.http", "odoo.service.model")
    def test_eight_on_three_seats(self):
        """A4, K14: of eight people at once on three free seats exactly three get one,
        the others are told; in each of twenty rounds."""
        key = self._enter("VOLUME-1", seats=3)
        self.cr.commit()
        for number in range(ROUNDS):
            with self.subTest(round=number):
                outcomes = self._call_at_once(
                    *(self._applying(key, unit) for unit in self.equipment)
                )
                refused = [answer for status, answer in outcomes if status != 200]
                self.assertEqual(len(refused), 5, outcomes)
                for answer in refused:
                    self.assertIn("VOLUME-1 has 3 seats, 3 of them", str(answer))
                features = key.equipment_feature_ids
                self.assertEqual(sorted(features.mapped("seat")), [1, 2, 3])
                self.assertEqual((key.status, key.seats_used), ("applied", 3))
                features.with_user(self.technician).unlink()
                self.cr.commit()
        self.assertEqual(key.audit_number, 1 + 6 * ROUNDS)
        self.assertEqual(key.verify_audit_trail(), [])

    @mute_logger("odoo.sql_db", "odoo.http", "odoo.service.model")
    def test_eight_on_many_seats(self):
        """A12, K14: eight people at once who take the next key share one of many
        seats."""
        key = self._enter("VOLUME-2", seats=25)
        self.cr.commit()
        outcomes = self._call_at_once(
            *[
                (
                    self.technician,
                    "client.equipment.software",
                    "apply_next_available",
                    {"ids": self.office.ids, "equipment_id": unit.id},
                )
                for unit in self.equipment
            ]
        )
        self.assertEqual([status for status, _answer in outcomes], [200] * 8, outcomes)
        self.assertEqual((key.status, key.seats_used), ("available", 8))
