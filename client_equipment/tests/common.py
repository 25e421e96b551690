from odoo.tests import new_test_user, tagged

from odoo.addons.base.tests.common import BaseCommon


@tagged("post_install", "-at_install")
class ClientEquipmentCommon(BaseCommon):
    """Two customers, a contact, one equipment, and a user for each role."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user = new_test_user(
            cls.env, "ce_user", "client_equipment.group_client_equipment_user"
        )
        cls.manager = new_test_user(
            cls.env, "ce_manager", "client_equipment.group_client_equipment_manager"
        )
        cls.dental, cls.engineering = cls.env["res.partner"].create(
            [
                {"name": "Bright Smile Dental", "is_company": True},
                {"name": "Harbour Engineering", "is_company": True},
            ]
        )
        cls.dentist = cls.env["res.partner"].create(
            {"name": "Mia Keller", "parent_id": cls.dental.id}
        )
        cls.laptops = cls.env["client.equipment.category"].create({"name": "Notebook"})
        cls.laptop = cls.env["client.equipment"].create(
            {
                "name": "Reception Laptop",
                "serial_no": "LT-12345",
                "asset_tag": "Tag-1",
                "partner_id": cls.dentist.id,
                "category_id": cls.laptops.id,
            }
        )
        cls.Equipment = cls.env["client.equipment"].with_user(cls.user)
