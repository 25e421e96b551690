from odoo import fields, models


class ProductTemplate(models.Model):
    _inherit = "product.template"

    is_client_equipment = fields.Boolean(
        "Client Equipment",
        help="Each unit enters the register of equipment when it is delivered to a "
        "customer: one for each serial number.",
    )
    client_equipment_manufacturer = fields.Char("Manufacturer")
    client_equipment_model = fields.Char(
        "Manufacturer's Model",
        help="Empty: the internal reference of the product.",
    )
    client_equipment_warranty_months = fields.Integer(
        "Warranty (Months)",
        help="From the day of the delivery. 0: the end of the warranty is not known.",
    )

    _check_client_equipment_warranty_months = models.Constraint(
        "CHECK(client_equipment_warranty_months BETWEEN 0 AND 600)",
        "The warranty of a product lasts from 0 to 600 months. "
        "Correct it under Inventory.",
    )
