from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

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
                [{"software_key_id": key.id, "equipment_id": unit.id} for unit in units]
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
        with self.assertRefused(UserError, "VOLUME-1 is on Unit 1 .* already"):
            self._apply_to(key, self.units[0])
        with self.assertRefused(UserError, "VOLUME-1 is on Unit 2 .* already"):
            self._apply_to(key, [self.units[1]] * 2)
        self._apply_to(key, self.units[1])
        with self.assertRefused(UserError, "VOLUME-1 has 2 seats, 2 of them in use"):
            self._apply_to(key, self.units[2])
        for seats in (0, -1, False):
            with self.assertRefused(ValidationError, "VOLUME-2 needs at least one"):
                self._enter("VOLUME-2", seats=seats)
