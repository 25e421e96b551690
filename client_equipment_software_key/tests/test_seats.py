from psycopg2 import IntegrityError

from odoo.exceptions import UserError, ValidationError
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .common import SoftwareKeyCommon, SoftwareKeyMixin


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

    def test_without_equipment(self):
        """K14, E2: a seat without an equipment: what is needed is named, as for a key
        of one seat."""
        for seats in (1, 3):
            key = self._enter(f"VOLUME-NOWHERE-{seats}", seats=seats)
            with self.subTest(seats=seats), mute_logger("odoo.sql_db"):
                result = (
                    self.env["client.equipment.feature"]
                    .with_user(self.technician)
                    .load(
                        ["software_key_id", "equipment_id"],
                        [[key.display_name, ""]] * 2,
                    )
                )
                self.assertEqual(
                    [message["message"][:19] for message in result["messages"]],
                    ["Equipment is needed"] * 2,
                )
            self.assertFalse(key.equipment_feature_ids)

    def test_more_than_there_are(self):
        """A5, E2: more units at once than there are free seats is refused in words, of
        one seat, too; nothing is applied then."""
        for seats, words in ((1, "has one seat"), (2, "2 seats, 0 of them in use")):
            key = self._enter(f"TOO-FEW-{seats}", seats=seats)
            with self.assertRefused(UserError, f"TOO-FEW-{seats} (has )?{words}"):
                self._apply_to(key, self.units[: seats + 1])
            self.assertEqual((key.status, key.seats_used), ("available", 0))

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
        changed = key.audit_log_ids.filtered(lambda each: each.action == "changed")
        self.assertEqual(changed[-1].sudo().changes, [["seats", 1, 3]])
        self.assertIn("Seats", changed[-1].description)
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
            " key_seats, applied_date, applied_by_id)"
            " VALUES (%s, %s, %s, %s, now(), %s)"
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

    def test_many_seats_in_one_call(self):
        """K14, L4, L5: 25 seats of each of several keys, in one call, are 25 entries of
        one chain each, and few queries."""
        units = self.units.create(
            [{"name": f"Rack {n}", "company_id": self.company.id} for n in range(25)]
        )
        keys = self._enter("VOLUME-1", "VOLUME-2", seats=25) | self._enter(
            "VOLUME-3", seats=30
        )
        features = (
            self.env["client.equipment.feature"]
            .with_user(self.technician)
            .create(
                [
                    {"software_key_id": key.id, "equipment_id": unit.id}
                    for unit in units
                    for key in keys
                ]
            )
        )
        self.assertEqual(keys.mapped("status"), ["applied", "applied", "available"])
        for key in keys:
            self.assertEqual(
                key.audit_log_ids.sorted("number").mapped("number")[-1], 26
            )
            self.assertEqual(
                sorted(key.equipment_feature_ids.mapped("seat")), [*range(1, 26)]
            )
        self.assertEqual(keys.verify_audit_trail(), [])
        features.unlink()
        self.assertEqual(set(keys.mapped("status")), {"available"})
        self.assertEqual(keys.mapped("audit_number"), [51] * 3)
        self.assertEqual(keys.verify_audit_trail(), [])

    def test_life(self):
        """K14, section 4: renewal and expiry are one entry of the key and leave its
        seats; it is revoked once the last seat is given back; a replacement goes to all
        units."""
        key = self._enter_subscriptions("VOLUME-1", end=10, seats=3)
        self._apply_to(key, self.units[:3])
        key.write({"validity_end": self._in_days(-1)})
        self.assertRecordValues(key, [{"status": "expired", "seats_used": 3}])
        key.equipment_feature_ids[0].unlink()
        self.assertEqual(key.status, "expired")
        key.with_user(self.manager).renew(self._in_days(30))
        self.assertEqual(key.status, "available")
        with self.assertRefused(UserError, "VOLUME-1 is applied to Unit .*Unit "):
            key.revoke()
        new = key.replace("VOLUME-2")
        self.assertEqual((key.status, key.seats_used), ("revoked", 0))
        self.assertRecordValues(
            new, [{"status": "available", "seats": 3, "seats_used": 2}]
        )
        self.assertEqual(
            self._steps(key),
            ["created", *["applied"] * 3, "expired", "revoked", "renewed"]
            + ["revoked", "revoked", "revoked"],
        )
        with self.assertRefused(UserError, "VOLUME-2 is applied to Unit"):
            new.with_user(self.manager).unlink()
        self.assertEqual((key | new).verify_audit_trail(), [])

    def test_usage_history(self):
        """K14, L6: each seat has its own line, which ends with its own removal."""
        key = self._enter("VOLUME-1", seats=3)
        first, _second = self._apply_to(key, self.units[:2])
        self._apply_to(key, self.units[2])
        first.unlink()
        key.with_user(self.manager).seats = 9
        lines = self.env["client.equipment.usage.history"].search(
            [("software_key_id", "=", key.id)]
        )
        open_lines = lines.filtered(lambda line: not line.date_to)
        self.assertEqual(len(lines), 3)
        self.assertEqual(set(open_lines.mapped("equipment_name")), {"Unit 2", "Unit 3"})

    def test_next_available(self):
        """K14, A12: among keys that end on one day the one with the fewest free seats
        is taken first; never one that is on the unit already."""
        wide = self._enter("VOLUME-1", seats=25)
        narrow = self._enter("VOLUME-2", seats=2)
        technician = self.office.with_user(self.technician)
        taken = [
            technician.apply_next_available(unit.id).software_key_id
            for unit in (self.units[0], self.units[0], self.units[1], self.units[2])
        ]
        self.assertEqual(taken, [narrow, wide, narrow, wide])
        with self.assertRefused(UserError, "No key is left for Unit 1"):
            technician.apply_next_available(self.units[0].id)

    def test_told(self):
        """K14: drop-down, catalogue and pivot tell of seats; the drop-down leaves out
        what is on the unit already."""
        key = self._enter("VOLUME-1", seats=25)
        single = self._enter("SINGLE-1")
        self._apply_to(key, self.units[:3])
        Key = self.env["client.equipment.software.key"].with_user(self.technician)
        offered = Key.with_context(
            formatted_display_name=True, software_key_owned_first=True
        )
        domain = [("can_be_applied", "=", True)]
        self.assertIn(
            "--3 of 25 used--", dict(offered.name_search("VOL", domain))[key.id]
        )
        self.assertNotIn("--", dict(offered.name_search("SIN", domain))[single.id])
        here = offered.with_context(software_key_not_on=self.units[0].id)
        self.assertEqual(here.name_search("VOLUME", domain), [])
        self.assertIn("On this equipment already", here.tell_why_not_offered("VOLUME"))
        self.assertRecordValues(
            self.office, [{"seats": 26, "seats_used": 3, "seats_free": 23}]
        )
        self.assertEqual(
            Key._read_group(
                [("software_id", "=", self.office.id)],
                [],
                ["seats:sum", "seats_used:sum", "seats_free:sum"],
            ),
            [(26, 3, 23)],
        )
        fields = Key.fields_get(["seats", "seats_used", "seats_free"], ["aggregator"])
        self.assertEqual({each["aggregator"] for each in fields.values()}, {"sum"})
        for filter_domain, found in (
            ([("seats", ">", 1), ("seats_free", ">", 0)], key),
            ([("seats", ">", 1), ("seats_free", "=", 0)], Key),
            ([("seats_free", "!=", 22)], single),
        ):
            ours = [("software_id", "=", self.office.id), *filter_domain]
            self.assertEqual(Key.search(ours), found)
        self.assertIn("3 of 25", key.with_user(self.technician).seats_usage)

    def test_minimum(self):
        """K14, S5: the minimum of a software counts free seats."""
        self._enter("VOLUME-1", seats=25)
        self.office.minimum_available = 5
        self.assertFalse(self.office.below_minimum)
        self.office.minimum_available = 26
        self.assertTrue(self.office.below_minimum)

    def test_return(self):
        """K14, A9: a returned unit gives back or moves its own seat alone."""
        key = self._enter("VOLUME-1", seats=3)
        self._apply_to(key, self.units[:2])
        unit = self.units[0].with_user(self.technician)
        unit.return_or_replace({"move": key.ids}, self.units[2].id, "returned")
        self.assertEqual(
            key.equipment_feature_ids.equipment_id, self.units[1] | self.units[2]
        )
        self.units[1].with_user(self.technician).recover_software_keys()
        self.assertEqual((key.seats_used, key.equipment_id), (1, self.units[2]))
        self.assertEqual(key.verify_audit_trail(), [])

    def test_company_and_owner(self):
        """K14, K13: each seat of a customer's key stays with that customer."""
        foreign = self.laptop.copy({"partner_id": self.other_customer.id})
        key = self._enter("VOLUME-1", seats=3, owner_id=self.customer.id)
        with self.assertRefused(UserError, "bought for Tour Dental"):
            self._apply_to(key, self.units[0] | foreign)
        self._apply_to(key, self.units[:2])
        with self.assertRefused(UserError, "bought for Tour Dental"):
            self.units[1].partner_id = self.other_customer
        with self.assertRefused(UserError, "bought for Tour Harbour"):
            key.with_user(self.manager).owner_id = self.other_customer

    def test_consistency(self):
        """K14, S7: seats that were changed behind the system's back are found, told and
        repaired, each as an entry."""
        key = self._enter("VOLUME-1", seats=3).with_user(self.manager)
        features = self._apply_to(key, self.units[:3])
        self.env.flush_all()
        for change, status, used, steps in (
            ("DELETE FROM client_equipment_feature WHERE id = %s", "available", 2, 1),
            (
                "UPDATE client_equipment_software_key SET seats_used = 1,"
                " status = 'applied' WHERE id = %s",
                *("available", 2, 1),
            ),
            (
                "UPDATE client_equipment_software_key SET status = 'applied'"
                " WHERE id = %s",
                *("available", 2, 1),
            ),
        ):
            with self.subTest(change=change):
                before = key.audit_number
                which = features[0] if "DELETE" in change else key
                self.env.cr.execute(change, [which.id])
                self.env.invalidate_all()
                self.assertIn(key, key.check_consistency())
                self.assertTrue(key.attention_note)
                key.repair()
                self.assertRecordValues(key, [{"status": status, "seats_used": used}])
                self.assertEqual(key.audit_number, before + steps)
                self.assertEqual(key.verify_audit_trail(), [])
                self.assertNotIn(key, key.check_consistency())


@tagged("post_install", "-at_install")
class TestSeatsTour(SeatsMixin, SoftwareKeyMixin, HttpCase):
    browser_size = "1280x900"

    def test_volume_key(self):
        """K14: a technician applies a seat of a volume key, sees what is left, and
        removes it again."""
        key = self._enter("VOLUME-TOUR-1", seats=3)
        self._apply_to(key, self.units[0])
        self.start_tour(
            f"/odoo/client-equipment/{self.laptop.id}",
            "volume_key",
            login="sk_technician",
        )
        self.assertEqual((key.status, key.seats_used), ("available", 1))
        self.assertEqual(self._steps(key), ["created", "applied", "applied", "revoked"])
        self.assertEqual(key.verify_audit_trail(), [])
