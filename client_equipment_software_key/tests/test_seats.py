from psycopg2 import IntegrityError

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import SoftwareKeyCommon


class SeatsMixin:
    """A volume key, and units enough to use it up."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.units = cls.env["client.equipment"].create(
            [
                {
                    "name": f"Unit {number}",
                    "serial_no": f"UNIT-{number}",
                    "partner_id": cls.customer.id,
                    "company_id": cls.company.id,
                }
                for number in range(1, 6)
            ]
        )

    def _apply_to(self, key, units, user=None):
        """Apply the key to all these units in one call; return the assignments."""
        return (
            self.env["client.equipment.feature"]
            .with_user(user or self.technician)
            .create(
                [
                    {"software_key_id": key.id, "equipment_id": unit.id}
                    for unit in units
                ]
            )
        )


@tagged("post_install", "-at_install")
class TestSeats(SeatsMixin, SoftwareKeyCommon):
    """K14: one license key for several installations."""

    def test_available_while_a_seat_is_free(self):
        """K14: Available while a seat is free, Applied when none is; each seat that is
        applied or removed is an entry with its equipment."""
        key = self._enter("VOLUME-1", seats=3)
        self.assertRecordValues(
            key, [{"seats": 3, "seats_used": 0, "seats_free": 3, "status": "available"}]
        )
        first = self._apply_to(key, self.units[0])
        self.assertEqual((key.status, key.seats_used), ("available", 1))
        self.assertEqual(key.equipment_id, self.units[0])
        self.assertEqual(key.seats_usage, "1 of 3 used")
        self._apply_to(key, self.units[1:3])
        self.assertEqual((key.status, key.seats_free), ("applied", 0))
        self.assertFalse(key.equipment_id)
        first.unlink()
        self.assertEqual((key.status, key.seats_used), ("available", 2))
        again = self._apply_to(key, self.units[3])
        self.assertEqual(again.seat, 1)
        entries = key.audit_log_ids.sorted("number")
        self.assertEqual(
            [(e.action, e.equipment_id.name, e.status_after) for e in entries],
            [
                ("created", False, "available"),
                ("applied", "Unit 1", "available"),
                ("applied", "Unit 2", "available"),
                ("applied", "Unit 3", "applied"),
                ("revoked", "Unit 1", "available"),
                ("applied", "Unit 4", "applied"),
            ],
        )
        self.assertEqual(key.verify_audit_trail(), [])

    def test_refused(self):
        """K14, E2: a seat too many, a second seat on one unit, no seat at all."""
        key = self._enter("VOLUME-1", seats=2)
        with self.assertRefused(UserError, "VOLUME-1 has 2 seats, 0 of them in use"):
            self._apply_to(key, self.units[:3])
        self._apply_to(key, self.units[0])
        with self.assertRefused(UserError, "VOLUME-1 is on Unit 1 .*already"):
            self._apply_to(key, self.units[0])
        self._apply_to(key, self.units[1])
        large = self._enter("VOLUME-3", seats=9)
        with self.assertRefused(UserError, "VOLUME-3 is on Unit 2 .*already"):
            self._apply_to(large, [self.units[1]] * 2)
        with self.assertRefused(UserError, "VOLUME-1 has 2 seats, 2 of them in use"):
            self._apply_to(key, self.units[2])
        for seats in (0, -1, False):
            with self.assertRefused(ValidationError, "VOLUME-2 needs at least one"):
                self._enter("VOLUME-2", seats=seats)

    def test_number_of_seats_changes(self):
        """K14: raising seats makes an Applied key Available; lowering below those in
        use is refused, naming the equipment; an expired or revoked key stays so. Each
        change is an entry."""
        key = self._enter("VOLUME-1").with_user(self.manager)
        first = self._apply_to(key, self.units[0])
        key.seats = 3
        self.assertEqual((key.status, first.key_seats), ("available", 3))
        second, third = self._apply_to(key, self.units[1:3])
        self.assertEqual(key.status, "applied")
        key.seats = 5
        with self.assertRefused(UserError, "Unit 1.*fewer than 3 seats"):
            key.seats = 2
        second.unlink()
        key.seats = 2
        self.assertEqual((third.seat, key.status), (2, "applied"))
        with self.assertRefused(UserError, "at least one seat"):
            key.seats = 0
        self.assertEqual(
            self._steps(key),
            ["created", "applied", "changed", "applied", "applied", "changed"]
            + ["revoked", "changed"],
        )
        (first | third).unlink()
        key.revoke()
        key.seats = 10
        self.assertEqual((key.status, key.seats_free), ("revoked", 10))
        expired = self._enter_subscriptions("VOLUME-2", end=-1, seats=2)
        expired.seats = 4
        self.assertEqual(expired.status, "expired")
        self.assertEqual((key | expired).verify_audit_trail(), [])

    def test_database(self):
        """K14: straight SQL cannot take a seat twice, nor one beyond the last, nor two
        on one unit; nor can it leave a key fewer seats than are in use."""
        key = self._enter("VOLUME-1", seats=2)
        self._apply_to(key, self.units[0])
        self.env.flush_all()
        insert = (
            "INSERT INTO client_equipment_feature (software_key_id, equipment_id, seat,"
            " key_seats, applied_date, applied_by_id) VALUES (%s, %s, %s, %s, now(), %s)"
        )
        for unit, seat, seats, refused in (
            (1, 1, 2, "software_key_unique"),
            (1, 3, 2, "check_seat"),
            (1, 0, 2, "check_seat"),
            (1, 3, 3, "key_seats"),
            (0, 2, 2, "equipment_unique"),
        ):
            with (
                self.subTest(refused=refused),
                mute_logger("odoo.sql_db"),
                self.assertRefused(IntegrityError, refused),
            ):
                values = [key.id, self.units[unit].id, seat, seats, self.manager.id]
                self.env.cr.execute(insert, values)
        self._apply_to(key, self.units[1])
        self.env.flush_all()
        for seats in (1, 0):
            with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
                self.env.cr.execute(
                    "UPDATE client_equipment_software_key SET seats = %s WHERE id = %s",
                    [seats, key.id],
                )
