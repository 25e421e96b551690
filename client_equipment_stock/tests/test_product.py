from psycopg2.errors import CheckViolation

from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import DeliveryCommon


@tagged("post_install", "-at_install")
class TestProduct(DeliveryCommon):
    """G1: what a product says of its units."""

    @mute_logger("odoo.sql_db")
    def test_warranty(self):
        """A warranty does not end before it begins, nor does it last for ever."""
        for months in (-1, 601):
            with self.assertRaises(CheckViolation), self.env.cr.savepoint():
                self.laptop.client_equipment_warranty_months = months
                self.env.flush_all()
