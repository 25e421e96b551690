from psycopg2.errors import UniqueViolation

from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ClientEquipmentCommon


@tagged("post_install", "-at_install")
class TestCategory(ClientEquipmentCommon):
    def test_name_is_unique_whatever_the_case(self):
        """The same category cannot be entered twice, in capitals or not."""
        with mute_logger("odoo.sql_db"), self.assertRaises(UniqueViolation):
            self.laptops.with_user(self.manager).create({"name": "NOTEBOOK"})

    def test_category_without_equipment_can_be_deleted(self):
        """A category that nothing belongs to can be deleted."""
        self.laptop.category_id = False
        self.laptops.with_user(self.manager).unlink()
        self.assertFalse(self.laptops.exists())

    def test_equipment_count_takes_one_query(self):
        """Categories count their equipment in use, all in one query."""
        printers = self.laptops.create({"name": "Printing Press"})
        self.laptop.copy({"active": False})
        self.laptop.copy()
        categories = (self.laptops + printers).with_user(self.user)
        categories.mapped("equipment_count")  # rights are cached from now on
        categories.invalidate_recordset(["equipment_count"])
        with self.assertQueryCount(1):
            self.assertEqual(categories.mapped("equipment_count"), [2, 0])
