from odoo.tests import TransactionCase, tagged


@tagged("post_install", "-at_install")
class DeliveryCommon(TransactionCase):
    """A laptop that is tracked by serial number and becomes equipment."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.laptop = cls.env["product.product"].create(
            {
                "name": "Aurora Laptop 14",
                "default_code": "AL-14",
                "is_storable": True,
                "tracking": "serial",
                "is_client_equipment": True,
                "client_equipment_manufacturer": "Aurora",
                "client_equipment_warranty_months": 24,
            }
        )
