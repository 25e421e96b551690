from freezegun import freeze_time

from odoo import Command
from odoo.exceptions import ValidationError
from odoo.tests import tagged

from odoo.addons.client_equipment_software_key.tests.common import SoftwareKeyCommon

from ..models.listening import CALLED, FORBIDDEN

KEY = "client.equipment.software.key"


@tagged("post_install", "-at_install")
class TestListening(SoftwareKeyCommon):
    """H1: what the ORM promises another addon holds on every step."""

    def _assert_forbidden(self, what, step):
        with self.assertRefused(ValidationError, f"{FORBIDDEN}: {what}"):
            step()
            self.env.flush_all()
        self.env.invalidate_all()

    def test_constraints(self):
        """H1: constraints of another addon on status, end and place are run on every
        step, by every route."""
        key = self._enter_subscriptions("RULES-1", end=5)
        manager = key.with_user(self.manager)
        technician = self.antivirus.with_user(self.technician)
        key.seams_status = "revoked"
        self._assert_forbidden("status", manager.revoke)
        self._assert_forbidden("status", lambda: manager.write({"status": "revoked"}))
        key.seams_status = "applied"
        self._assert_forbidden("status", lambda: self._apply(key))
        self._assert_forbidden(
            "status", lambda: technician.apply_next_available(self.laptop.id)
        )
        key.write({"seams_status": False, "seams_elsewhere": self.laptop.name})
        self._assert_forbidden("place", lambda: self._apply(key))
        key.seams_elsewhere = False
        feature = self._apply(key)
        key.seams_status = "available"
        self._assert_forbidden("status", feature.unlink)
        laptop = self.laptop.with_user(self.technician)
        self._assert_forbidden("status", laptop.recover_software_keys)
        key.write({"seams_status": False, "seams_last_day": self._in_days(10)})
        self._assert_forbidden("end", lambda: manager.renew(self._in_days(20)))
        self._assert_forbidden(
            "end", lambda: manager.write({"validity_end": self._in_days(20)})
        )
        key.seams_status = "expired"
        with freeze_time(self._in_days(8)):
            self._assert_forbidden(
                "status", lambda: manager.write({"status": "expired"})
            )

    def test_stored_sum(self):
        """H1: a sum that another addon keeps of the keys on a unit follows each step,
        on the unit that they leave, too; so does a list of them that was read."""
        keys = self._enter("SUM-1", "SUM-2")
        units = self.laptop + self.spare_laptop

        def assert_totals(*totals):
            self.assertEqual(units.mapped("seams_total"), list(totals))
            self.assertEqual([len(unit.seams_key_ids) for unit in units], list(totals))
            self.env.flush_all()
            self.env.invalidate_all()
            self.assertEqual(units.mapped("seams_total"), list(totals))
            units.mapped("seams_key_ids")

        assert_totals(0, 0)
        features = self._apply(keys)
        assert_totals(2, 0)
        features[0].unlink()
        assert_totals(1, 0)
        self.laptop.with_user(self.technician).return_or_replace(
            {"move": keys[1].ids}, self.spare_laptop.id
        )
        assert_totals(0, 1)
        keys[1].with_user(self.manager).replace("SUM-3")
        assert_totals(0, 1)

    def test_tracked(self):
        """H1: a tracked field of another addon is tracked, also where it is written
        together with what a step changes, or by another step."""
        key = self._enter_subscriptions("TRACK-1", end=5)
        self._told(key)
        for number, vals in enumerate(
            ({}, {"validity_end": self._in_days(9)}, {"status": "revoked"}), 1
        ):
            key.with_user(self.manager).write({"seams_tracked": f"No. {number}"} | vals)
            self.assertEqual(
                self._told(key), [f"No. {n}" for n in range(1, number + 1)]
            )

    def _told(self, key):
        self.env.flush_all()
        self.cr.precommit.run()
        return (
            key.message_ids.sudo()
            .tracking_value_ids.filtered(lambda v: v.field_id.name == "seams_tracked")
            .sorted("id")
            .mapped("new_value_char")
        )

    def test_dialogs_call_public_methods(self):
        """H1: what another addon adds to a public method is there in its dialog."""
        keys = self._enter_subscriptions("DIALOG-1", "DIALOG-2", "DIALOG-3", end=5)
        one = {"software_key_id": keys[0].id}
        software = {"software_ids": [Command.set(self.antivirus.ids)]}
        unit = {"equipment_id": self.laptop.id}
        units = {"equipment_ids": [Command.set(self.spare_laptop.ids)]}
        many = {"software_key_ids": [Command.set(keys[2].ids)]}
        for dialog, values, button, method in (
            ("software.key.bulk.entry", {"software_id": self.office.id}
             | {"license_keys": "DIALOG-9"}, "action_enter", "bulk_enter"),
            ("software.key.renewal", {}, "action_renew", "renew"),
            ("software.key.replacement", one | {"license_key": "DIALOG-8"},
             "action_replace", "replace"),
            ("software.key.deletion", many | {"reason": "twice"}, "action_delete",
             "delete"),
            ("apply.next", unit | software, "action_apply",
             "apply_next_available of software"),
            ("apply.software", units | software, "action_apply",
             "apply_next_available"),
            ("return", unit, "action_confirm", "return_or_replace"),
        ):  # fmt: skip
            with self.subTest(dialog):
                CALLED.clear()
                context = {"active_model": KEY, "active_ids": keys.exists().ids}
                opened = self.env[f"client.equipment.{dialog}"].with_user(self.manager)
                opened = opened.with_context(**context).create(values)
                getattr(opened, button)()
                self.assertIn(method, CALLED)
        CALLED.clear()
        keys[1].with_user(self.manager).action_revoke()
        self.assertIn("revoke", CALLED)
