from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from odoo.addons.client_equipment_software_key.tests.common import SoftwareKeyCommon


@tagged("post_install", "-at_install")
class TestProduct(SoftwareKeyCommon):
    """G2, G3: software says once as which product it is bought and sold."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.product, cls.other_product = cls.env["product.product"].create(
            [{"name": name, "type": "service"} for name in ("Office", "Chair Repair")]
        )
        cls.office.product_id = cls.product

    def test_chosen_in_the_catalogue(self):
        """G2, G3: whoever manages keys chooses product and seats, and has one field for
        each, whatever buys and sells; seats are asked for with a product alone."""
        form = Form(self.antivirus.with_user(self.manager))
        self.assertTrue(form._get_modifier("purchase_seats", "invisible"))
        form.product_id = self.other_product
        form.purchase_seats = 25
        form.save()
        self.assertEqual(self.other_product.software_ids, self.antivirus)
        self.assertEqual(self.antivirus.purchase_seats, 25)
        arch = self.antivirus.get_view(view_type="form")["arch"]
        for name in ("product_id", "purchase_seats"):
            self.assertEqual(arch.count(f'name="{name}"'), 1)

    def test_common_to_all_companies(self):
        """E1: a product of software is common to all companies, as that is."""
        with self.assertRefused(ValidationError, "common to all companies"):
            self.product.company_id = self.company
        self.other_product.company_id = self.company
        with self.assertRefused(ValidationError, "cannot belong to one"):
            self.office.with_user(self.manager).product_id = self.other_product

    @mute_logger("odoo.sql_db")
    def test_one_software_each(self):
        """G2: a product is one software, be that archived, so that keys are told apart
        when they are bought."""
        self.office.active = False
        with self.assertRefused(IntegrityError, "product_unique"):
            self.antivirus.product_id = self.product
            self.env.flush_all()

    @mute_logger("odoo.sql_db")
    def test_at_least_one_seat(self):
        """K14: one unit of a product has at least one seat."""
        for seats in (0, -1):
            with self.assertRefused(IntegrityError, "check_purchase_seats"):
                self.office.purchase_seats = seats
                self.env.flush_all()

    def test_only_who_reads_keys(self):
        """E1: who has no role for keys learns from no product which software it is."""
        employee = self._new_user("employee", "base.group_user")
        self.assertTrue(self.product.with_user(self.technician).software_ids)
        with self.assertRaises(AccessError):
            self.product.with_user(employee).read(["software_ids"])
