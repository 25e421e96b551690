from odoo import api, fields, models
from odoo.exceptions import ValidationError

from odoo.addons.client_equipment_software_key.models.client_equipment import ROLES


class ProductTemplate(models.Model):
    _inherit = "product.template"

    @api.constrains("company_id")
    def _check_software_company(self):
        """The catalogue of software is common to all companies, and so are the products
        that it names."""
        own = self.sudo().filtered("company_id")
        software = own.product_variant_ids.software_ids
        if software:
            raise ValidationError(
                self.env._(
                    "%(product)s is the product of %(software)s, which is common to "
                    "all companies, so it cannot belong to one. Clear its company, or "
                    "choose another product.",
                    product=software.product_id[:1].display_name,
                    software=software[:1].name,
                )
            )


class ProductProduct(models.Model):
    _inherit = "product.product"

    software_ids = fields.One2many(
        "client.equipment.software",
        "product_id",
        context={"active_test": False},
        groups=ROLES,
        help="The software whose keys are bought and sold as this product.",
    )
