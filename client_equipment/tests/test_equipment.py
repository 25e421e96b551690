import contextlib
from datetime import date
from itertools import count
from unittest.mock import patch

from psycopg2.errors import CheckViolation, NotNullViolation, UniqueViolation

from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from odoo.addons.base.tests.common import DISABLED_MAIL_CONTEXT

from .common import ClientEquipmentCommon


@tagged("post_install", "-at_install")
class TestEquipment(ClientEquipmentCommon):
    def test_user_registers_equipment_in_the_form(self):
        """A user enters equipment with nothing but a name; the rest has sensible
        defaults."""
        with Form(self.Equipment) as form:
            form.name = "Practice Server"
        self.assertRecordValues(
            form.record,
            [
                {
                    "state": "in_service",
                    "active": True,
                    "company_id": self.env.company.id,
                    "serial_no": False,
                    "partner_id": False,
                }
            ],
        )

    def test_defaults_of_many(self):
        """Many units entered at once get their defaults: ours, those that somebody
        gives, and of another addon's field, where it numbers them, each its own."""
        serial_no, numbers = self.Equipment._fields["serial_no"], count(1)
        rows = [{"name": f"Rack {number}"} for number in range(3)]
        given = {"default_location": "Cellar", "default_state": "retired"}
        for of_other_addon in (False, True):
            with contextlib.ExitStack() as stack:
                if of_other_addon:
                    number = lambda _equipment: f"N-{next(numbers)}"  # noqa: E731
                    for name, value in (("default", number), ("_modules", ("other",))):
                        stack.enter_context(patch.object(serial_no, name, value))
                    stack.callback(self.env.registry.clear_cache)
                    self.env.registry.clear_cache()
                for context in ({}, given):
                    units = self.Equipment.with_context(**context).create(rows)
                    serials = units.mapped("serial_no")
                    self.assertEqual(len(set(serials)), 3 if of_other_addon else 1)
                    self.assertEqual(
                        set(units.mapped("state")),
                        {context.get("default_state", "in_service")},
                    )
                    self.assertEqual(units.company_id, self.env.company)
                    self.assertEqual(
                        set(units.mapped("location")),
                        {context.get("default_location", False)},
                    )

    def test_blanks_around_numbers_are_ignored(self):
        """Blanks from pasting are cut off names, serial numbers and asset tags."""
        equipment = self.Equipment.create(
            {"name": " Server ", "serial_no": "\tS-1\n", "asset_tag": "  "}
        )
        equipment.asset_tag = " Tag-2 "
        self.assertRecordValues(
            equipment, [{"name": "Server", "serial_no": "S-1", "asset_tag": "Tag-2"}]
        )

    def test_name_is_required(self):
        """A name that is empty or blank is refused."""
        for name in False, "", "  ":
            with (
                self.subTest(name=name),
                mute_logger("odoo.sql_db"),
                self.assertRaises(NotNullViolation),
            ):
                self.Equipment.create({"name": name})

    def test_display_name_tells_the_serial_number(self):
        """Equipment is named with its serial number, unless that is its name; in
        drop-downs the serial number stands in grey."""
        self.assertEqual(self.laptop.display_name, "Reception Laptop [LT-12345]")
        formatted = self.laptop.with_context(formatted_display_name=True)
        self.assertEqual(formatted.display_name, "Reception Laptop\t--LT-12345--")
        self.laptop.serial_no = "Reception Laptop"
        self.assertEqual(self.laptop.display_name, "Reception Laptop")
        self.laptop.serial_no = False
        self.assertEqual(self.laptop.display_name, "Reception Laptop")

    def test_search_by_any_name_it_goes_by(self):
        """A part of name, serial number, asset tag or customer finds the equipment,
        a contact's equipment under the company's name, too."""
        for text in "ption lap", "12345", "TAG-1", "mia kel", "bright smile", "lt":
            with self.subTest(text=text):
                found = self.Equipment.name_search(text)
                self.assertIn(self.laptop.id, [found_id for found_id, _name in found])
        self.assertFalse(self.Equipment.name_search("no such thing"))

    def test_display_name_finds_the_equipment_again(self):
        """What an export calls the equipment, an import finds."""
        self.laptop.copy({"name": "Reception Laptop", "serial_no": "LT-2"})
        found = self.Equipment.name_search(self.laptop.display_name, operator="=")
        self.assertEqual([found_id for found_id, _name in found], self.laptop.ids)
        for name, serial in (("A [b]", "C [d]"), ("A [b", "[c]"), ("[a] b", "c")):
            with self.subTest(name=name, serial=serial):
                unit = self.Equipment.create({"name": name, "serial_no": serial})
                for operator in ("=", "ilike"):
                    found = self.Equipment.name_search(
                        unit.display_name, operator=operator
                    )
                    self.assertEqual([each for each, _name in found], unit.ids)

    def test_archived_equipment_is_out_of_the_way(self):
        """Archived equipment is found only when asked for."""
        self.laptop.with_user(self.user).action_archive()
        self.assertFalse(self.Equipment.search([("serial_no", "=", "LT-12345")]))
        self.assertTrue(
            self.Equipment.search(
                [("serial_no", "=", "LT-12345"), ("active", "=", False)]
            )
        )

    def test_asset_tag_is_unique_in_its_company(self):
        """An asset tag cannot be given twice in a company, in capitals or not, also
        when the first equipment is archived or both are shared."""
        self.laptop.active = False
        for company in self.env.company, self.env["res.company"]:
            self.laptop.company_id = company
            with (
                self.subTest(company=company.name),
                mute_logger("odoo.sql_db"),
                self.assertRaises(UniqueViolation),
            ):
                self.env["client.equipment"].create(
                    {"name": "Two", "asset_tag": "TAG-1", "company_id": company.id}
                )

    def test_asset_tag_may_repeat_in_another_company_or_be_empty(self):
        """Other companies number their equipment as they like, and nobody has to."""
        company = self.env["res.company"].create({"name": "Other Company"})
        self.env["client.equipment"].create(
            [
                {"name": "Two", "asset_tag": "Tag-1", "company_id": company.id},
                {"name": "Three"},
                {"name": "Four", "asset_tag": ""},
            ]
        )

    def test_repeated_asset_tag_is_named_in_the_import(self):
        """An import with a tag that is taken enters nothing and names the tag."""
        with mute_logger("odoo.sql_db"):
            result = self.Equipment.load(
                ["name", "asset_tag"], [["Good", "Tag-7"], ["Bad", "tag-1"]]
            )
        self.assertFalse(result["ids"])
        self.assertIn("TAG-1", result["messages"][0]["message"])
        self.assertEqual(result["messages"][0]["record"], 1)
        self.assertFalse(self.Equipment.search([("asset_tag", "=", "Tag-7")]))

    def test_repeated_serial_number_warns(self):
        """A serial number that is registered already shows the other equipment while
        it is typed, and can be saved."""
        self.laptop.active = False
        with Form(self.Equipment) as form:
            form.name = "Second"
            form.serial_no = "LT-1"
            self.assertFalse(form.same_serial_id)
            form.serial_no = "LT-12345"
            self.assertEqual(form.same_serial_id, self.laptop)
        self.assertEqual(self.laptop.same_serial_id, form.record)
        self.assertFalse(self.Equipment.create({"name": "Third"}).same_serial_id)

    def test_warranty_cannot_end_before_delivery(self):
        """A warranty that ends before the delivery is refused by the database."""
        with mute_logger("odoo.sql_db"), self.assertRaises(CheckViolation):
            self.Equipment.create(
                {
                    "name": "Server",
                    "delivery_date": date(2026, 3, 2),
                    "warranty_end": date(2026, 3, 1),
                }
            )

    def test_warranty_may_end_on_the_delivery_or_be_unknown(self):
        """Both dates on one day, or only one of them, is fine."""
        day = date(2026, 3, 1)
        self.Equipment.create(
            [
                {"name": "One", "delivery_date": day, "warranty_end": day},
                {"name": "Two", "warranty_end": day},
                {"name": "Three", "delivery_date": day},
            ]
        )

    def test_duplicate_is_another_unit(self):
        """A duplicate keeps make and customer, not the unit's own numbers."""
        self.laptop.state = "returned"
        self.assertRecordValues(
            self.laptop.with_user(self.user).copy(),
            [
                {
                    "name": "Reception Laptop (copy)",
                    "serial_no": False,
                    "asset_tag": False,
                    "state": "in_service",
                    "partner_id": self.dentist.id,
                    "category_id": self.laptops.id,
                }
            ],
        )

    def test_customer_of_another_company_is_refused(self):
        """Equipment cannot stand at a customer that its company does not know."""
        company = self.env["res.company"].create({"name": "Other Company"})
        self.engineering.company_id = company
        with self.assertRaises(UserError):
            self.laptop.partner_id = self.engineering

    def test_unknown_state_is_refused(self):
        """Only the states in the list can be set."""
        with self.assertRaisesRegex(ValidationError, "one of In Service, Returned"):
            self.laptop.with_user(self.user).state = "lost"

    def test_notes_that_are_no_text_are_refused(self):
        """E2: what is stored is what was sent, or nothing."""
        laptop = self.laptop.with_user(self.user)
        laptop.note = "<p>Spare</p>"
        for value in (5, -1, 1.5, ["x"]):
            with (
                self.subTest(value=value),
                self.assertRaisesRegex(ValidationError, "has to be a text"),
            ):
                laptop.write({"note": value})
        self.assertEqual(laptop.note, "<p>Spare</p>")

    def test_state_is_told_in_the_chatter(self):
        """Who returned an equipment can be read in its chatter."""
        laptop = self.laptop.with_user(self.user).with_context(
            **dict.fromkeys(DISABLED_MAIL_CONTEXT, False)
        )
        self.cr.flush()
        laptop.state = "returned"
        self.cr.flush()
        message = laptop.message_ids[:1]
        self.assertEqual(message.author_id, self.user.partner_id)
        self.assertEqual(
            message.sudo().tracking_value_ids.mapped("new_value_char"), ["Returned"]
        )
