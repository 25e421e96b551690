from odoo.exceptions import AccessError, RedirectWarning, UserError
from odoo.tests import Form

from .common import SoftwareKeyCommon


class TestReturn(SoftwareKeyCommon):
    """A9: no key is left behind on equipment that goes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.keys = cls._enter("RETURN-1", "RETURN-2", "RETURN-3")
        cls._apply(cls.keys, remarks="First floor")
        cls.first, cls.second, cls.third = cls.keys

    def _wizard(self, user=None, **defaults):
        """Return the dialog as it opens from the button of the equipment form."""
        laptop = self.laptop.with_user(user or self.technician)
        action = laptop.action_return_or_replace()
        return Form(
            self.env[action["res_model"]]
            .with_user(user or self.technician)
            .with_context(**action["context"], **defaults)
        )

    def _decide(self, wizard, **decisions):
        for index, line in enumerate(wizard.line_ids._records):
            key = self.keys.browse(line["software_key_id"])
            for decision, keys in decisions.items():
                if key in keys:
                    with wizard.line_ids.edit(index) as form:
                        form.decision = decision

    def test_all_back(self):
        """A9: pre-filled: all keys back to the inventory, the unit is returned."""
        wizard = self._wizard()
        self.assertEqual(
            [line["outcome"] for line in wizard.line_ids._records],
            ["Available again"] * 3,
        )
        wizard.save().action_confirm()
        self.assertEqual(self.keys.mapped("status"), ["available"] * 3)
        self.assertEqual(self.laptop.state, "returned")
        self.assertFalse(self.laptop.equipment_feature_ids)
        for key in self.keys:
            self.assertEqual(self._steps(key), ["created", "applied", "revoked"])

    def test_others_are_told_of_it(self):
        """A9: whoever takes equipment back learns that something holds it and who has
        to decide, and nothing of keys: the responsible, else who applied one."""
        both = (self.laptop + self.spare_laptop).with_user(self.internal).sudo()
        self.assertEqual(both._held_by(), {self.laptop: self.technician})
        self.laptop.user_id = self.technician_2
        self.assertEqual(both._held_by(), {self.laptop: self.technician_2})
        self.technician_2.active = False
        self.assertEqual(both._held_by(), {self.laptop: self.technician})
        self.laptop.recover_software_keys()
        self.assertFalse(both._held_by())

    def test_each_its_own_way(self):
        """A9: back, moved and revoked in one go; each step is in the trail once."""
        wizard = self._wizard(self.manager)
        wizard.replacement_id = self.spare_laptop
        self.assertEqual(
            [line["decision"] for line in wizard.line_ids._records], ["move"] * 3
        )
        self._decide(wizard, recover=self.first, revoke=self.third)
        wizard.state_after = "retired"
        wizard.save().action_confirm()
        self.assertRecordValues(
            self.keys,
            [
                {"status": "available", "equipment_id": False},
                {"status": "applied", "equipment_id": self.spare_laptop.id},
                {"status": "revoked", "equipment_id": False},
            ],
        )
        self.assertEqual(self.laptop.state, "retired")
        self.assertEqual(
            self._steps(self.second), ["created", "applied", "revoked", "applied"]
        )
        self.assertEqual(
            self._steps(self.third), ["created", "applied", "revoked", "revoked"]
        )
        self.assertRecordValues(
            self.spare_laptop.equipment_feature_ids,
            [{"remarks": "First floor", "applied_by_id": self.manager.id}],
        )

    def test_technician(self):
        """A9: technicians recover and move; revoking is left to managers, in words."""
        wizard = self._wizard()
        self.assertNotIn(
            "revoke",
            dict(
                self.env["client.equipment.return.line"]
                .with_user(self.technician)
                .fields_get(["decision"])["decision"]["selection"]
            ),
        )
        wizard.replacement_id = self.spare_laptop
        wizard.save().action_confirm()
        self.assertEqual(self.keys.equipment_id, self.spare_laptop)
        with self.assertRefused(UserError, "Only managers revoke software keys. Take"):
            self.spare_laptop.with_user(self.technician).return_or_replace(
                {"revoke": self.keys.ids}
            )
        self.assertEqual(self.keys.mapped("status"), ["applied"] * 3)
        with self.assertRaises(AccessError):
            self.laptop.with_user(self.auditor).return_or_replace({})

    def test_never_silently(self):
        """A9: whoever sets the equipment to Returned or Retired or archives it is led
        to the dialog, with the keys named."""
        laptop = self.laptop.with_user(self.technician)
        action = self.env.ref(
            "client_equipment_software_key.client_equipment_return_action"
        )
        for vals, after in (
            ({"state": "returned"}, "returned"),
            ({"state": "retired"}, "retired"),
            ({"active": False}, "archived"),
        ):
            with self.subTest(vals=vals):
                with self.assertRefused(
                    RedirectWarning, "Reception Laptop .*RETURN-3, .*RETURN-1"
                ) as caught:
                    laptop.write(vals)
                _message, action_id, button, context = caught.exception.args
                self.assertEqual((action_id, button), (action.id, "Return / Replace"))
                wizard = Form(
                    self.env["client.equipment.return"]
                    .with_user(self.technician)
                    .with_context(**context)
                )
                self.assertEqual(wizard.equipment_id, self.laptop)
                self.assertEqual(wizard.state_after, after)
        self.assertEqual((laptop.state, laptop.active), ("in_service", True))
        wizard.save().action_confirm()
        self.assertFalse(self.laptop.active)
        self.assertEqual(self.keys.mapped("status"), ["available"] * 3)

    def test_left_out(self):
        """A9: a key that was applied meanwhile is not left behind; one that was taken
        off meanwhile is named; nothing happens by half."""
        wizard = self._wizard().save()
        late = self._enter("RETURN-LATE")
        feature = self._apply(late)
        with self.assertRefused(UserError, "RETURN-LATE would be left behind on"):
            wizard.action_confirm()
        feature.unlink()
        self.first.equipment_feature_ids.with_user(self.technician).unlink()
        with self.assertRefused(UserError, "RETURN-1 is not on Reception Laptop"):
            wizard.action_confirm()
        self.assertEqual(
            (self.second | self.third).mapped("status"), ["applied", "applied"]
        )
        self.assertEqual(self.laptop.state, "in_service")

    def test_refused_moves(self):
        """A9: no replacement, the unit itself, one that is retired, a key twice: each
        is refused in words, and nothing has happened."""
        ids = self.keys.ids
        laptop = self.laptop.with_user(self.technician)
        for replacement in (self.env["client.equipment"], self.laptop):
            with self.assertRefused(UserError, "Choose the replacement equipment"):
                laptop.return_or_replace({"move": ids}, replacement.id)
        self.spare_laptop.state = "retired"
        with self.assertRefused(UserError, "Spare Laptop .*is not in service"):
            laptop.return_or_replace({"move": ids}, self.spare_laptop.id)
        with self.assertRefused(UserError, "can go one way only"):
            laptop.return_or_replace({"move": ids, "recover": ids[:1]})
        self.assertEqual(self.keys.equipment_id, self.laptop)
        self.assertEqual(self._steps(self.first), ["created", "applied"])

    def test_expired_and_owned(self):
        """A9, K13: an expired key is proposed for the inventory; a customer's own key
        does not move to another customer's unit, and then nothing moves."""
        self.first.with_user(self.manager).write(
            {"key_type": "subscription", "validity_end": self._in_days(-1)}
        )
        self.assertEqual(self.first.status, "expired")
        wizard = self._wizard()
        wizard.replacement_id = self.spare_laptop
        self.assertEqual(
            {
                self.keys.browse(line["software_key_id"]): line["outcome"]
                for line in wizard.line_ids._records
            },
            {
                self.first: "Expired, in the inventory",
                self.second: "Applied to Spare Laptop [LAPTOP-67890]",
                self.third: "Applied to Spare Laptop [LAPTOP-67890]",
            },
        )
        self.spare_laptop.partner_id = self.other_customer
        self.third.with_user(self.manager).owner_id = self.customer
        with self.assertRefused(UserError, "RETURN-3 was bought for Tour Dental"):
            wizard.save().action_confirm()
        self.assertEqual(self.keys.equipment_id, self.laptop)
        self.assertEqual(self.laptop.state, "in_service")

    def test_queries(self):
        """A9: queries do not grow with the number of keys."""
        counts = []
        for number in (3, 60):
            keys = self._enter(*[f"BULK-{number}-{each}" for each in range(number)])
            self._apply(keys, self.spare_laptop)
            self.env.flush_all()
            self.env.invalidate_all()
            spare = self.spare_laptop.with_user(self.technician)
            before = self.env.cr.sql_log_count
            spare.return_or_replace({"move": keys.ids}, self.laptop.id)
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0] + 3)
