from odoo.exceptions import AccessError, MissingError
from odoo.tests import new_test_user, tagged

from odoo.addons.client_equipment.models.client_equipment_mixin_search import MANY

from .common import ClientEquipmentCommon

# Who may do what: r(ead), w(rite), c(reate), d(elete).
RIGHTS = {
    ("user", "client.equipment"): "rwc",
    ("user", "client.equipment.category"): "r",
    ("manager", "client.equipment"): "rwcd",
    ("manager", "client.equipment.category"): "rwcd",
    ("internal", "client.equipment"): "",
    ("internal", "client.equipment.category"): "",
    ("portal", "client.equipment"): "",
    ("portal", "client.equipment.category"): "",
    ("public", "client.equipment"): "",
    ("public", "client.equipment.category"): "",
}
OPERATIONS = {
    "r": lambda record, name: record.read(["name"]),
    "w": lambda record, name: record.write({"name": f"{name} changed"}),
    "c": lambda record, name: record.create({"name": f"{name} created"}),
    "d": lambda record, name: record.unlink(),
}


@tagged("post_install", "-at_install")
class TestAccess(ClientEquipmentCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.roles = {
            "user": cls.user,
            "manager": cls.manager,
            "internal": new_test_user(cls.env, "ce_internal", "base.group_user"),
            "portal": new_test_user(cls.env, "ce_portal", "base.group_portal"),
            "public": cls.env.ref("base.public_user"),
        }
        cls.other_company = cls.env["res.company"].create({"name": "Other Company"})
        cls.other_user = new_test_user(
            cls.env,
            "ce_other",
            "client_equipment.group_client_equipment_manager",
            company_id=cls.other_company.id,
        )

    def test_rights_of_each_role(self):
        """Every role can do what the table says with every model, and no more."""
        for (role, model), allowed in RIGHTS.items():
            for letter, operation in OPERATIONS.items():
                with self.subTest(role=role, model=model, operation=letter):
                    name = f"{role} {letter}"
                    record = self.env[model].create({"name": name})
                    record = record.with_user(self.roles[role])
                    if letter in allowed:
                        operation(record, name)
                    else:
                        with self.assertRaises(AccessError):
                            operation(record, name)

    def test_administrators_are_managers(self):
        """Whoever administers the system manages the equipment, too."""
        administrator = new_test_user(self.env, "ce_admin", "base.group_system")
        manager = "client_equipment.group_client_equipment_manager"
        self.assertTrue(administrator.has_group(manager))
        self.assertTrue(self.env.ref("base.user_admin").has_group(manager))

    def test_menus_follow_the_rights(self):
        """A user sees the app, a manager its configuration, others nothing."""
        root = self.env.ref("client_equipment.menu_client_equipment_root")
        configuration = self.env.ref(
            "client_equipment.menu_client_equipment_configuration"
        )
        for role, sees_app, sees_configuration in (
            ("user", True, False),
            ("manager", True, True),
            ("internal", False, False),
        ):
            menus = self.env["ir.ui.menu"].with_user(self.roles[role])
            visible = menus._visible_menu_ids()
            with self.subTest(role=role):
                self.assertEqual(root.id in visible, sees_app)
                self.assertEqual(configuration.id in visible, sees_configuration)

    def test_equipment_of_another_company_is_invisible(self):
        """Equipment of another company can be neither found, read nor changed."""
        laptop = self.laptop.with_user(self.other_user)
        self.assertFalse(laptop.search([("id", "=", laptop.id)]))
        self.assertFalse(laptop.name_search("LT-12345"))
        for letter in "rwd":
            with self.subTest(operation=letter), self.assertRaises(AccessError):
                OPERATIONS[letter](laptop, "Laptop")
        with self.assertRaises(AccessError):
            laptop.create({"name": "New", "company_id": self.company.id})

    def test_many_records(self):
        """Of very many records the same ones are forbidden as of a few, archived ones
        and those that are gone included."""
        companies = self.env.company + self.other_company
        equipment = self.env["client.equipment"].create(
            [
                {"name": f"Unit {number}", "company_id": companies[number % 2].id}
                for number in range(MANY)
            ]
        )
        equipment[:4].active = False
        allowed = equipment.filtered(lambda unit: unit.company_id == self.env.company)
        seen = equipment.with_user(self.user)
        self.assertEqual(seen._filtered_access("write"), allowed)
        with self.assertRaisesRegex(AccessError, "multi-company issue"):
            seen.check_access("write")
        with self.assertRaises(AccessError):
            seen.with_user(self.roles["internal"]).check_access("read")
        self.assertFalse(
            seen.with_user(self.roles["internal"])._filtered_access("read")
        )
        equipment[0].unlink()
        with self.assertRaises(MissingError):
            seen.check_access("read")

    def test_equipment_without_company_is_shared(self):
        """Equipment without a company is seen in every company."""
        self.laptop.company_id = False
        for user in self.user, self.other_user:
            laptop = self.laptop.with_user(user)
            self.assertEqual(laptop.search([("id", "=", laptop.id)]), laptop)
