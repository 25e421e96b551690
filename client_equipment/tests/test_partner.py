from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged

from .common import ClientEquipmentCommon


@tagged("post_install", "-at_install")
class TestPartner(ClientEquipmentCommon):
    def test_customer_counts_the_equipment_of_its_contacts(self):
        """A company counts its own equipment and that of its contacts, a contact
        its own only; archived equipment is left out."""
        self.laptop.copy({"partner_id": self.dental.id})
        self.laptop.copy({"partner_id": self.dental.id, "active": False})
        partners = (self.dental + self.dentist + self.engineering).with_user(self.user)
        self.assertEqual(partners.mapped("client_equipment_count"), [2, 1, 0])

    def test_count_does_not_need_a_query_per_customer(self):
        """Fifty customers are counted with as many queries as one."""
        partners = self.env["res.partner"].create(
            [{"name": f"Customer {number}"} for number in range(50)]
        )
        self.Equipment.create(
            [
                {"name": f"Unit {number}", "partner_id": partner.id}
                for number, partner in enumerate(partners)
            ]
        )
        partners = partners.with_user(self.user)
        partners.mapped("client_equipment_count")  # rights are cached from now on
        partners.invalidate_recordset(["client_equipment_count"])
        with self.assertQueryCount(3):
            self.assertEqual(set(partners.mapped("client_equipment_count")), {1})

    def test_count_is_for_equipment_users(self):
        """People without the role get no number and no button."""
        internal = new_test_user(self.env, "ce_internal", "base.group_user")
        dental = self.dental.with_user(internal)
        with self.assertRaises(AccessError):
            dental.read(["client_equipment_count"])
        self.assertNotIn("client_equipment_count", Form(dental)._view["fields"])
        form = Form(self.dental.with_user(self.user))
        self.assertEqual(form.client_equipment_count, 1)

    def test_customer_stays_with_the_company_of_its_equipment(self):
        """E1, K13: a contact does not go to a company whose people alone may see it
        while equipment of another company, archived or not, stands there."""
        other = self.env["res.company"].create({"name": "Other Company"})
        self.laptop.active = False
        with self.assertRaisesRegex(UserError, "Reception Laptop"):
            self.dentist.company_id = other
        self.dentist.company_id = self.laptop.company_id
        self.engineering.company_id = other
