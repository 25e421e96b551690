from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form

from odoo.addons.client_equipment.values import is_ours

from .common import SoftwareKeyCommon

KEY = "client.equipment.software.key"


class TestApplySoftware(SoftwareKeyCommon):
    """A13: software onto many units at once."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.third_laptop = cls.spare_laptop.copy(
            {"name": "Third Laptop", "serial_no": "LAPTOP-3"}
        )
        cls.units = cls.laptop + cls.spare_laptop + cls.third_laptop

    def _apply_to(self, units, software, user=None, **arguments):
        return units.with_user(user or self.technician).apply_next_available(
            software.ids, **arguments
        )

    def _dialog(self, units=None, user=None):
        action = (
            (units or self.units)
            .with_user(user or self.technician)
            .action_apply_software()
        )
        wizard = self.env[action["res_model"]].with_user(user or self.technician)
        return Form(wizard.with_context(**action["context"]))

    def test_each_unit_gets_its_key(self):
        """A13: each unit gets the next key of each software, in one transaction."""
        office = self._enter(*(f"OFFICE-{number}" for number in range(3)))
        antivirus = self._enter_subscriptions("AV-1", end=3) + (
            self._enter_subscriptions("AV-2", "AV-3", end=30)
        )
        features = self._apply_to(
            self.units, self.office + self.antivirus, remarks="Rolled out"
        )
        self.assertEqual(len(features), 6)
        self.assertEqual(set(features.mapped("remarks")), {"Rolled out"})
        self.assertEqual(features.applied_by_id, self.technician)
        self.assertEqual(set((office + antivirus).mapped("status")), {"applied"})
        for unit in self.units:
            self.assertEqual(
                unit.equipment_feature_ids.software_id, self.office + self.antivirus
            )
        self.assertEqual(antivirus[0].equipment_id, self.laptop)

    def test_what_is_there_stays(self):
        """A13: a unit keeps the key of a software that it carries already, also one
        that has expired or belongs to another company."""
        there = self._enter("THERE-1")
        self._apply(there, self.spare_laptop)
        self._enter("NEW-1", "NEW-2", "NEW-3")
        features = self._apply_to(self.units, self.office)
        self.assertEqual(features.equipment_id, self.laptop + self.third_laptop)
        self.assertFalse(self._apply_to(self.units, self.office))

    def test_named_twice(self):
        """A13: units and software that are named twice get one key."""
        self._enter("TWICE-1", "TWICE-2")
        twice = self.laptop.browse(self.laptop.ids * 2)
        features = twice.with_user(self.technician).apply_next_available(
            self.office.ids * 2
        )
        self.assertEqual(len(features), 1)

    def test_nothing_to_apply(self):
        """A13: where all of it is there already, that is what is said."""
        self._enter("THERE-1", "THERE-2", "THERE-3")
        dialog = self._dialog()
        dialog.software_ids.add(self.office)
        wizard = dialog.save()
        self.assertIn("THERE-1", wizard.action_apply()["params"]["message"])
        told = wizard.action_apply()["params"]
        self.assertRegex(told["message"], "Nothing was applied")
        self.assertFalse(told["undo"])

    def test_all_or_nothing(self):
        """A13: where keys are missing it is said how many of what, and nothing is
        applied."""
        self._enter("OFFICE-1", "OFFICE-2")
        self._enter_subscriptions("AV-1", "AV-2", "AV-3")
        with self.assertRefused(
            UserError,
            r"No key is left for Reception Laptop.*: 1 missing \(1 of Tour Office",
        ):
            self._apply_to(self.units, self.office + self.antivirus)
        with self.assertRefused(
            UserError, r"4 missing \(3 of Unheard, 1 of Tour Office"
        ):
            unheard = self.office.create({"name": "Unheard"})
            self._apply_to(self.units, self.office + unheard)
        self.assertFalse(self.units.equipment_feature_ids)

    def test_each_customer_gets_its_own(self):
        """A13, K13: keys bought for a customer go onto its units first, those of
        another company onto none; shared ones are enough for the rest."""
        stranger = self.laptop.copy(
            {"name": "Stranger", "partner_id": self.other_customer.id}
        )
        owned = self._enter("OWNED-1", owner_id=self.customer.id)
        theirs = self._enter("THEIRS-1", owner_id=self.other_customer.id)
        shared = self._enter("SHARED-1", "SHARED-2", company_id=False)
        self._enter("GRANITE", user=self.env.user, company_id=self.other_company.id)
        self._apply_to(self.units + stranger, self.office)
        self.assertEqual(theirs.equipment_id, stranger)
        self.assertEqual(owned.equipment_id, self.laptop)
        self.assertEqual(shared.equipment_id, self.spare_laptop + self.third_laptop)

    def test_seats(self):
        """A13, K14: of one license key as many units get a seat as it has, each one;
        then the next key is taken."""
        volume = self._enter("VOLUME-1", seats=2)
        last = self._enter("SINGLE-1")
        self._apply_to(self.units, self.office)
        self.assertEqual((volume.seats_used, volume.status), (2, "applied"))
        self.assertTrue(last.equipment_id)
        fourth = self.laptop.copy({"name": "Fourth"})
        volume.with_user(self.manager).seats = 3
        self.assertTrue(self._apply_to(self.units + fourth, self.office))
        self.assertEqual(volume.seats_used, 3)

    def test_rules(self):
        """A13, A14: a key that is kept for one of the units goes onto that one, and
        onto no other."""
        self.office.reassignment = "bound"
        kept = self._enter("OEM-1")
        self._apply(kept, self.third_laptop).unlink()
        self._enter("OEM-2")
        with self.assertRefused(UserError, "1 of Tour Office"):
            self._apply_to(self.units, self.office)
        self._enter("OEM-3")
        self._apply_to(self.units, self.office)
        self.assertEqual(kept.equipment_id, self.third_laptop)

    def test_refusals(self):
        """A13, E1, E2: no role, no software, out of service: told in words."""
        self._enter("OFFICE-1", "OFFICE-2", "OFFICE-3")
        with self.assertRaises(AccessError):
            self._apply_to(self.units, self.office, user=self.auditor)
        with self.assertRefused(UserError, "Choose the software.*nothing"):
            self._apply_to(self.units, self.office.browse())
        with self.assertRefused(UserError, "is not in the catalogue"):
            self.units.with_user(self.technician).apply_next_available([2**31 - 1])
        with self.assertRaises(ValidationError):
            self.units.with_user(self.technician).apply_next_available(["any"])
        self.third_laptop.state = "retired"
        for act in (
            lambda: self._apply_to(self.units, self.office),
            lambda: self.units.with_user(self.technician).action_apply_software(),
        ):
            with self.assertRefused(UserError, "Third Laptop.*not in service"):
                act()

    def test_dialog(self):
        """A13: the dialog shows which key goes where, where one is on already, and what
        is missing of each software; then it applies what it showed."""
        there = self._enter("THERE-1")
        self._apply(there, self.spare_laptop)
        soon = self._enter_subscriptions("AV-1", end=3)
        late = self._enter_subscriptions("AV-2", end=30)
        wizard = self._dialog()
        wizard.software_ids.add(self.antivirus)
        self.assertEqual(
            wizard.missing_text, "Tour Antivirus Enterprise: 1 missing, 3 needed"
        )
        outcomes = [line["outcome"] for line in wizard.line_ids._records]
        self.assertEqual(outcomes, ["waits", "waits", "missing"])
        wizard.software_ids.add(self.office)
        self.assertIn("Professional: 2 missing, 2 needed", wizard.missing_text)
        last = self._enter_subscriptions("AV-3", end=300)
        wizard.software_ids.remove(self.office.id)
        self.assertFalse(wizard.missing_text)
        lines = wizard.save().line_ids
        self.assertEqual(
            [(line.equipment_id, line.software_key_id) for line in lines],
            list(zip(self.units, [soon, late, last], strict=True)),
        )
        told = wizard.record.action_apply()["params"]["message"]
        self.assertIn("Third Laptop [LAPTOP-3]: Tour Antivirus Enterprise - AV-3", told)
        wizard = self._dialog()
        wizard.software_ids.add(self.office)
        (line,) = wizard.save().line_ids.filtered("software_key_id")
        self.assertEqual((line.software_key_id, line.outcome), (there, "there"))

    def test_somebody_was_faster(self):
        """A13: what the dialog shows is looked up anew when it is applied: other keys
        are taken, or nothing where one is missing now."""
        first, *_others = self._enter("OFFICE-1", "OFFICE-2", "OFFICE-3", "OFFICE-4")
        wizard = self._dialog()
        wizard.software_ids.add(self.office)
        record = wizard.save()
        elsewhere = self.laptop.copy({"name": "Elsewhere"})
        self._apply(first, elsewhere, self.technician_2)
        told = record.action_apply()["params"]["message"]
        self.assertNotIn("OFFICE-1", told)
        self.assertIn("OFFICE-4", told)
        wizard = self._dialog(elsewhere + self.laptop.copy({"name": "Fifth"}))
        wizard.software_ids.add(self.antivirus)
        self._enter_subscriptions("AV-1")
        with self.assertRefused(UserError, "1 of Tour Antivirus"):
            wizard.save().action_apply()

    def test_queries(self):
        """A13: queries grow neither with the units nor with the software nor with the
        customers: 50 units of 50 customers and 3 software cost as 3 units and 1."""
        software = self.env["client.equipment.software"].create(
            [{"name": f"Suite {number}"} for number in range(4)]
        )
        customers = self.env["res.partner"].create(
            [{"name": f"Customer {number}"} for number in range(53)]
        )
        units = self.env["client.equipment"].create(
            [
                {
                    "name": f"Unit {number}",
                    "partner_id": customer.id,
                    "company_id": self.company.id,
                }
                for number, customer in enumerate(customers)
            ]
        )
        for product in software:
            self._enter(
                *(f"{product.name}-{number}" for number in range(50)), software=product
            )
        counts = []
        for some, products in ((units[:3], software[0]), (units[3:], software[1:])):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self._apply_to(some, products)
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0] + 6)
        self.assertLessEqual(counts[1], 90)


class TestChosen(SoftwareKeyCommon):
    """What a dialog was opened for."""

    # What each dialog for records of a company does with them.
    ACTS = {
        ("client.equipment.apply.software", "equipment_ids"): "action_apply",
        ("client.equipment.software.key.renewal", "software_key_ids"): "action_renew",
        ("client.equipment.software.key.deletion", "software_key_ids"): "action_delete",
    }

    def test_another_company_now(self):
        """E1, A13: a dialog acts on all that it was opened for, or on nothing: whoever
        looks at one company alone in the meantime is told, whatever the dialog."""
        self.assertEqual(
            self.ACTS.keys(),
            {
                (name, field.name)
                for name, model in self.env.items()
                if model._transient and is_ours(name)
                for field in model._fields.values()
                if field.type == "many2many" and field.store
                if "company_id" in self.env[field.comodel_name]._fields
            },
        )
        both = self.company + self.other_company
        self.manager.company_ids = both
        keys, units = self.env[KEY], self.env["client.equipment"]
        for company in both:
            keys |= self._enter_subscriptions(
                f"CHOSEN-{company.id}", user=self.env.user, company_id=company.id
            )
            units |= self.laptop.copy({"name": "Chosen", "company_id": company.id})
        chosen = {"software_key_ids": keys, "equipment_ids": units}
        for (model, name), method in self.ACTS.items():
            values = {name: [Command.set(chosen[name].ids)]}
            if "software_ids" in self.env[model]._fields:
                values["software_ids"] = [Command.set(self.antivirus.ids)]
            dialog = self.env[model].with_user(self.manager)
            dialog = dialog.with_context(allowed_company_ids=both.ids).create(values)
            self.env.invalidate_all()
            dialog = dialog.with_context(allowed_company_ids=self.company.ids)
            self.assertEqual(dialog[name], chosen[name][:1], "what he sees of it now")
            with self.subTest(dialog=model), self.assertRaises(AccessError):
                getattr(dialog, method)()
        self.assertEqual(set(keys.exists().mapped("audit_number")), {1})
        self.assertEqual(len(keys.exists()), 2)
