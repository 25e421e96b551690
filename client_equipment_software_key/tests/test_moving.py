from psycopg2 import errors

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, freeze_time
from odoo.tools import mute_logger

from .common import SoftwareKeyCommon

KEY = "client.equipment.software.key"
FEATURE = "client.equipment.feature"


class MovingCase(SoftwareKeyCommon):
    """Base: an OEM system and a product whose keys rest for 90 days."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.oem, cls.resting = cls.env["client.equipment.software"].create(
            [
                {"name": "Tour OEM System", "reassignment": "bound"},
                {
                    "name": "Tour Resting Suite",
                    "reassignment": "days",
                    "reassignment_days": 90,
                },
            ]
        )
        cls.third_laptop = cls.spare_laptop.copy(
            {"name": "Third Laptop", "serial_no": "LAPTOP-3"}
        )

    def _used(self, license_key, software=None, **values):
        """Return a key that has been on the laptop and came back."""
        key = self._enter(license_key, software=software or self.oem, **values)
        self._apply(key).unlink()
        return key

    def _offered(self, equipment, user=None):
        """Return the keys that the drop-down on the equipment offers."""
        keys = self.env[KEY].with_user(user or self.technician)
        context = {"software_key_owned_first": True}
        if equipment:
            context["software_key_not_on"] = equipment.id
        found = keys.with_context(**context).name_search(
            "Tour", [("can_be_applied", "=", True)]
        )
        return [key_id for key_id, _name in found]


class TestMoving(MovingCase):
    """A14: each software says whether its keys may go to another unit."""

    def test_free_by_default(self):
        """A14: where nothing is said, a key moves at any time."""
        key = self._used("FREE-1", software=self.office)
        self.assertFalse(key.moving_note)
        self._apply(key, self.spare_laptop)
        self.assertEqual(key.equipment_id, self.spare_laptop)

    def test_stays_with_its_equipment(self):
        """A14: an OEM key goes back onto its unit only; the refusal says what to do."""
        key = self._used("OEM-1")
        self.assertEqual((key.status, key.seats_kept), ("available", 1))
        with self.assertRefused(
            UserError, "OEM-1 stays with Reception Laptop.*ask a manager"
        ):
            self._apply(key, self.spare_laptop)
        with self.assertRefused(UserError, "stays with"):
            key.with_user(self.manager).write(
                {
                    "equipment_feature_ids": [
                        Command.create({"equipment_id": self.spare_laptop.id})
                    ]
                }
            )
        self._apply(key)
        self.assertEqual(key.equipment_id, self.laptop)

    def test_not_again_within_days(self):
        """A14: a key rests for so many days from its application on, to the day, the
        hourly job before or after; its unit may have it at any time."""
        with freeze_time("2031-03-01 12:00:00"):
            key = self._enter("REST-1", software=self.resting)
            feature = self._apply(key)
        with freeze_time("2031-05-29 12:00:00"):
            feature.with_user(self.technician).unlink()
            self.assertEqual(str(key.movable_from), "2031-05-30")
            with self.assertRefused(
                UserError, "cannot go onto another unit before 05/30/2031"
            ):
                self._apply(key, self.spare_laptop)
            self.assertEqual(self._offered(self.laptop), key.ids)
            self.assertEqual(self._offered(self.spare_laptop), [])
        with freeze_time("2031-05-30 00:30:00"):
            self.env.invalidate_all()
            self.assertFalse(key.needs_attention)
            self.assertEqual(self._offered(self.spare_laptop), key.ids)
            self.assertEqual(self._next(self.resting, self.spare_laptop), key)
            self.assertFalse(key.seats_kept)

    def test_job_counts_what_has_rested(self):
        """A14, S1: the hourly job has keys that have rested offered as any other."""
        with freeze_time("2031-03-01 12:00:00"):
            key = self._used("REST-2", software=self.resting)
        with freeze_time("2031-05-30 00:30:00"):
            self.assertEqual(self.env[KEY]._count_rested(), 1)
            self.assertEqual((key.seats_kept, key.movable_from), (0, False))
            self.assertEqual(self.env[KEY]._count_rested(), 0)

    def test_typed_date_does_not_shorten_the_rest(self):
        """A14: the rest counts from the day of the record: a date that somebody types
        does not shorten it."""
        key = self._enter("REST-3", software=self.resting)
        self._apply(key, applied_date=self._in_days(-200)).unlink()
        with self.assertRefused(UserError, "cannot go onto another unit before"):
            self._apply(key, self.spare_laptop)

    def _next(self, software, equipment, user=None):
        return (
            software.with_user(user or self.technician)
            .apply_next_available(equipment.id)
            .software_key_id
        )

    def test_offers(self):
        """A14, A3: drop-down, Search More, counts and Apply Next offer a kept key to
        its unit alone, in front; and the drop-down says where the others are."""
        kept, other = self._used("OEM-1"), self._enter("OEM-2", software=self.oem)
        self.assertEqual(self._offered(self.laptop), [kept.id, other.id])
        self.assertEqual(self._offered(self.spare_laptop), other.ids)
        self.assertEqual(self._offered(None), other.ids)
        keys = (
            self.env[KEY]
            .with_user(self.technician)
            .with_context(
                software_key_owned_first=True, software_key_not_on=self.spare_laptop.id
            )
        )
        for order in (None, "license_key"):
            found = keys.web_search_read(
                [("software_id", "=", self.oem.id)], {"license_key": {}}, order=order
            )
            self.assertEqual([row["id"] for row in found["records"]], other.ids)
            self.assertEqual(found["length"], 1)
        self.assertIn(
            "OEM-1: Stays with Reception Laptop", keys.tell_why_not_offered("OEM-1")
        )
        for unit, count in ((self.laptop, 2), (self.spare_laptop, 1)):
            self.assertEqual(self.oem._count_available_for(unit), {self.oem: count})
        self.assertEqual(self._next(self.oem, self.spare_laptop), other)
        with self.assertRefused(UserError, "1 of Tour OEM System"):
            self._next(self.oem, self.spare_laptop)
        self.assertEqual(self._next(self.oem, self.laptop), kept)

    def test_override(self):
        """A14: a manager applies a key against the rule, and the trail says why; then
        it stays with the new unit."""
        key = self._used("OEM-1")
        with self.assertRefused(UserError, "Only managers apply a key against"):
            self._apply(key, self.spare_laptop, override_reason="I want to")
        feature = self._apply(
            key, self.spare_laptop, self.manager, override_reason="Mainboard replaced"
        )
        entry = key.audit_log_ids.sorted("number")[-1]
        self.assertEqual(
            (entry.action, entry.reason_code, entry.reason),
            ("applied", "overridden", "Mainboard replaced"),
        )
        self.assertIn(
            "Rule for moving overridden - Mainboard replaced", entry.description
        )
        with self.assertRefused(UserError, "is fixed, because it is evidence"):
            feature.override_reason = "Something else"
        feature.unlink()
        self.assertEqual(self._offered(self.spare_laptop), key.ids)
        self.assertEqual(self._offered(self.laptop), [])
        self.assertEqual(key.verify_audit_trail(), [])

    def test_reason_without_need(self):
        """A14: the trail tells of an overridden rule only where one was."""
        key = self._enter("OEM-1", software=self.oem)
        feature = self._apply(key, user=self.manager, override_reason="Just in case")
        self.assertFalse(feature.override_reason)
        self.assertFalse(key.audit_log_ids.filtered("reason_code"))

    @mute_logger("odoo.sql_db")
    def test_reason_that_nobody_reads(self):
        """A14: a reason in which nobody sees anything is none, by whatever route."""
        manager = self.manager
        for number, blank in enumerate((" ", "\t \xa0", "\u200b", "\u2063\u2800 ")):
            key = self._used(f"OEM-BLANK-{number}")
            with self.subTest(ascii(blank)):
                with self.assertRefused(UserError, "stays with"):
                    self._apply(
                        key, self.spare_laptop, user=manager, override_reason=blank
                    )
                with self.assertRaises(errors.NotNullViolation):
                    self.env[f"{KEY}.override"].with_user(manager).create(
                        {
                            "software_key_id": key.id,
                            "equipment_id": self.spare_laptop.id,
                            "reason": blank,
                        }
                    )
                self._apply(key)
                with self.assertRefused(UserError, "stays with"):
                    self.laptop.with_user(manager).return_or_replace(
                        {"move": key.ids},
                        self.spare_laptop.id,
                        override_reason=blank,
                    )
                key.equipment_feature_ids.unlink()

    def test_reason_is_no_default(self):
        """A14: neither a context nor a stored default overrides a rule unasked, or
        keeps technicians from applying."""
        key = self._used("OEM-DEFAULT")
        self.env["ir.default"].set(FEATURE, "override_reason", "as always")
        context = {"default_override_reason": "as always"}
        for user in (self.manager, self.technician):
            features = self.env[FEATURE].with_user(user)
            for each in (features, features.with_context(**context)):
                with self.assertRefused(UserError, "stays with"):
                    each.create(
                        {
                            "software_key_id": key.id,
                            "equipment_id": self.spare_laptop.id,
                        }
                    )
        self.assertFalse(self._apply(key).override_reason)

    def test_override_dialog(self):
        """A14, E1: the dialog of a manager; nobody else opens it."""
        key = self._used("OEM-1")
        with self.assertRaises(AccessError):
            key.with_user(self.technician).action_override_rule()
        action = key.with_user(self.manager).action_override_rule()
        wizard = Form(
            self.env[action["res_model"]]
            .with_user(self.manager)
            .with_context(**action["context"])
        )
        self.assertIn("Stays with Reception Laptop", wizard.moving_note)
        wizard.equipment_id = self.spare_laptop
        wizard.reason = "Mainboard replaced"
        wizard.save().action_apply()
        self.assertEqual(key.equipment_id, self.spare_laptop)

    def test_import(self):
        """A14: an import of assignments respects the rule, row by row."""
        key = self._used("OEM-1")
        result = (
            self.env[FEATURE]
            .with_user(self.technician)
            .load(
                ["software_key_id/.id", "equipment_id/.id"],
                [[str(key.id), str(self.spare_laptop.id)]],
            )
        )
        self.assertIn("stays with Reception Laptop", result["messages"][0]["message"])

    def test_replacement(self):
        """A14, A9: keys whose rule keeps them stay behind when a unit is replaced; the
        dialog says so, and a manager may move them with a reason."""
        oem = self._enter("OEM-1", software=self.oem)
        free = self._enter("FREE-1")
        self._apply(oem | free)
        wizard = self.env["client.equipment.return"].with_context(
            default_equipment_id=self.laptop.id
        )
        form = Form(wizard.with_user(self.technician))
        form.replacement_id = self.spare_laptop
        self.assertIn("OEM-1", form.kept_names)
        self.assertFalse(form.can_override)
        told = {
            line.software_key_id: (line.decision, line.outcome)
            for line in form.save().line_ids
        }
        self.assertEqual(
            told,
            {
                oem: ("recover", "Available again, for this unit only"),
                free: ("move", "Applied to Spare Laptop [LAPTOP-67890]"),
            },
        )
        decisions = {"move": (oem | free).ids}
        with self.assertRefused(UserError, "OEM-1 stays with Reception Laptop"):
            self.laptop.with_user(self.technician).return_or_replace(
                decisions, self.spare_laptop.id
            )
        self.assertEqual(oem.equipment_id, self.laptop)
        form = Form(wizard.with_user(self.manager))
        form.replacement_id = self.spare_laptop
        form.override_reason = "Unit swapped under warranty"
        record = form.save()
        self.assertEqual(
            {line.software_key_id: line.outcome for line in record.line_ids}[oem],
            "Applied to Spare Laptop [LAPTOP-67890], against the rule",
        )
        record.action_confirm()
        self.assertEqual((oem | free).equipment_id, self.spare_laptop)
        (entry,) = oem.audit_log_ids.filtered("reason_code")
        self.assertEqual(entry.reason, "Unit swapped under warranty")
        self.assertFalse(free.audit_log_ids.filtered("reason_code"))

    def test_renewed_and_replaced(self):
        """A14, S3, S4: renewal does not free a kept key; what replaces a key stands
        where that stood, and is held there; what replaces one in the inventory was on
        no unit yet, which the trail of both tells."""
        key = self._used("OEM-1")
        key.with_user(self.manager).write(
            {"key_type": "subscription", "validity_end": self._in_days(5)}
        )
        with freeze_time(fields.Datetime.add(fields.Datetime.now(), days=10)):
            key._filtered_past_end()._apply_written_status("expired")
            key.with_user(self.manager).renew(self._in_days(300))
            self.assertEqual((key.status, key.seats_kept), ("available", 1))
            self.assertEqual(self._offered(self.spare_laptop), [])
        self._apply(key)
        new = key.with_user(self.manager).replace("OEM-2")
        self.assertEqual(new.equipment_id, self.laptop)
        new.equipment_feature_ids.unlink()
        self.assertEqual((new.seats_kept, self._offered(self.spare_laptop)), (1, []))
        fresh = new.with_user(self.manager).replace("OEM-3")
        self.assertEqual(self._offered(self.spare_laptop), fresh.ids)
        self.assertEqual(new.audit_log_ids.sorted("number")[-1].reason_code, "replaced")
        self.assertEqual(fresh.replaces_id, new)

    def test_changed_rule(self):
        """A14: a rule that is changed afterwards holds from then on: what is applied
        stays right, and what came back is kept, or free, at once."""
        key = self._used("WAS-FREE-1", software=self.office)
        there = self._used("WAS-FREE-2", software=self.office)
        self._apply(there, self.spare_laptop)
        office = self.office.with_user(self.manager)
        office.reassignment = "bound"
        self.assertEqual((key.seats_kept, there.seats_kept), (1, 0))
        self.assertFalse((key | there).filtered("needs_attention"))
        self.assertEqual(self._offered(self.spare_laptop), [])
        office.write({"reassignment": "days", "reassignment_days": 30})
        self.assertEqual(key.movable_from, self._in_days(30))
        office.reassignment = "free"
        self.assertEqual((key.seats_kept, key.movable_from), (0, False))
        self.assertEqual(self._offered(self.spare_laptop), key.ids)

    def test_changed_software(self):
        """A14, K17: a key that turns out to be of another software follows its rule."""
        key = self._used("WAS-FREE-1", software=self.office)
        key.with_user(self.manager).software_id = self.oem
        self.assertEqual(key.seats_kept, 1)
        key.with_user(self.manager).software_id = self.office
        self.assertEqual(key.seats_kept, 0)

    def test_deleted_equipment(self):
        """A14: a key stays with a unit that is deleted; its name is known."""
        key = self._used("OEM-1")
        self.laptop.unlink()
        self.assertIn("Reception Laptop (deleted)", key.moving_note)
        with self.assertRefused(UserError, r"stays with Reception Laptop \(deleted\)"):
            self._apply(key, self.spare_laptop)

    def test_other_company(self):
        """A14, E1: where a key is kept for another company's unit, it is not named."""
        key = self._enter("SHARED-1", software=self.oem, company_id=False)
        unit = self.env["client.equipment"].create(
            {"name": "Granite Server", "company_id": self.other_company.id}
        )
        self._apply(key, unit, self.env.user).unlink()
        note = key.with_user(self.technician).moving_note
        self.assertIn("equipment of another company", note)
        with self.assertRaises(UserError) as caught:
            self._apply(key)
        self.assertNotIn("Granite", str(caught.exception) + note)

    def test_minimum(self):
        """A14, S5: keys that are kept for a unit are no stock."""
        self._used("OEM-1")
        self.oem.minimum_available = 1
        self.assertTrue(self.oem.below_minimum)
        self.env["client.equipment.software"]._cron_remind()
        self.assertTrue(self.oem.with_company(self.company).shortage_reminded)


class TestMovingSeats(MovingCase):
    """A14, K14: of several seats each one stays, or rests, for itself."""

    def test_each_seat(self):
        """A14, K14: a seat that comes back is kept for its unit; the others go
        anywhere."""
        key = self._enter("VOLUME-1", software=self.oem, seats=2)
        self._apply(key).unlink()
        self.assertEqual(
            key.moving_note,
            "Free seats that stay with Reception Laptop [LAPTOP-12345]: 1; that can go "
            "onto any unit: 1.",
        )
        feature = self._apply(key, self.spare_laptop)
        self.assertEqual(feature.seat, 2)
        self.assertEqual(key.status, "available")
        self.assertEqual(self._offered(self.third_laptop), [])
        with self.assertRefused(UserError, "stays with Reception Laptop"):
            self._apply(key, self.third_laptop)
        self.assertEqual(self._offered(self.laptop), key.ids)
        self.assertEqual(self._apply(key).seat, 1)
        self.assertEqual(key.verify_audit_trail(), [])

    def test_together(self):
        """A14, K14: seats that are applied together count together; the unit that has
        one kept gets it."""
        key = self._enter("VOLUME-1", software=self.oem, seats=2)
        self._apply(key).unlink()
        units = (self.spare_laptop, self.laptop)
        vals = [{"software_key_id": key.id, "equipment_id": unit.id} for unit in units]
        third = {"software_key_id": key.id, "equipment_id": self.third_laptop.id}
        features = self.env[FEATURE].with_user(self.technician)
        with self.assertRefused(UserError, "stays with"):
            features.create([vals[0], third])
        self.assertEqual(features.create(vals).mapped("seat"), [2, 1])

    def test_move_takes_a_free_seat(self):
        """A14, K14, A9: a unit is replaced: its seat stays behind, and the replacement
        takes one that nobody has had."""
        key = self._enter("VOLUME-1", software=self.oem, seats=2)
        self._apply(key)
        self.laptop.with_user(self.technician).return_or_replace(
            {"move": key.ids}, self.spare_laptop.id, "returned"
        )
        self.assertEqual(key.equipment_feature_ids.seat, 2)
        self.assertEqual(key.seats_kept, 1)

    def test_fewer_seats(self):
        """A14, K14: a kept seat that there is not any more is kept for nobody."""
        key = self._enter("VOLUME-1", software=self.oem, seats=2)
        self._apply(key)
        self._apply(key, self.spare_laptop).unlink()
        self.assertEqual(key.seats_kept, 1)
        key.with_user(self.manager).seats = 1
        self.assertEqual((key.status, key.seats_kept), ("applied", 0))

    def test_seat_that_moved(self):
        """A14, K14: with fewer seats a unit's seat gets another number; the key goes
        back onto this unit, and onto no other, all the same."""
        for number, software in enumerate((self.oem, self.resting)):
            key = self._enter(f"MOVED-{number}", software=software, seats=2)
            first = self._apply(key, self.laptop)
            second = self._apply(key, self.spare_laptop)
            first.unlink()
            key.seats = 1
            second.unlink()
            with self.subTest(software.name):
                self.assertEqual(key.seats_kept, 1)
                self.assertIn("Spare Laptop", key.moving_note)
                with self.assertRefused(UserError, "Spare Laptop"):
                    self._apply(key, self.laptop)
                self._apply(key, self.spare_laptop)
                self.assertEqual(key.verify_audit_trail(), [])

    def test_override_takes_the_seat(self):
        """A14, K14: against the rule, a seat that is kept for another unit is taken."""
        key = self._enter("VOLUME-1", software=self.oem, seats=2)
        self._apply(key)
        self._apply(key, self.spare_laptop).unlink()
        feature = self._apply(
            key, self.third_laptop, self.manager, override_reason="Agreed"
        )
        self.assertEqual((feature.seat, key.seats_kept), (2, 0))


class TestMovingAttention(MovingCase):
    """A14, S7: what came about behind the system's back is found and repaired."""

    def test_applied_by_sql(self):
        """A14: a key that SQL put where its rule keeps it from goes back."""
        key = self._used("OEM-1")
        self.env.cr.execute(
            "INSERT INTO client_equipment_feature (software_key_id, equipment_id,"
            " applied_date, applied_by_id, in_service, bound_company_ref)"
            " VALUES (%s, %s, now(), %s, TRUE, %s)",
            [key.id, self.spare_laptop.id, self.env.uid, self.company.id],
        )
        self.env.invalidate_all()
        self.assertIn("behind the system's back", key.attention_note)
        self.assertIn(key, self.env[KEY].search([("needs_attention", "=", True)]))
        key.with_user(self.manager).repair()
        self.assertFalse(key.equipment_feature_ids)
        self.assertFalse(key.needs_attention, key.attention_note)
        self.assertEqual((key.status, key.seats_kept), ("available", 1))
        self.assertEqual(self._offered(self.laptop), key.ids)

    def test_rule_changed_by_sql(self):
        """A14: keys that do not know of their rule are counted again."""
        key = self._used("WAS-FREE-1", software=self.office)
        self.env.cr.execute(
            "UPDATE client_equipment_software SET reassignment = 'bound' WHERE id = %s",
            self.office.ids,
        )
        self.env.invalidate_all()
        with self.assertRefused(UserError, "stays with"):
            self._apply(key, self.spare_laptop)
        self.assertIn("counted again", key.attention_note)
        self.assertIn(key, self.env[KEY].search([("needs_attention", "=", True)]))
        key.with_user(self.manager).repair()
        self.assertEqual(key.seats_kept, 1)
        self.assertFalse(key.needs_attention)

    def test_forgetting_by_sql(self):
        """A14: what SQL makes a key forget is found by the nightly check."""
        key = self._used("OEM-1")
        self.env.cr.execute(
            "UPDATE client_equipment_software_key SET seats_kept = 0 WHERE id = %s",
            key.ids,
        )
        self.env.invalidate_all()
        key._check_trails()
        self.assertTrue(key.assignment_broken)
        key.with_user(self.manager).repair()
        self.assertEqual((key.seats_kept, key.assignment_broken), (1, False))
