from odoo import api, fields, models


class ClientEquipmentSoftware(models.Model):
    """Software that is sold: as which product."""

    _inherit = "client.equipment.software"

    # As in client_equipment_software_key_purchase: one field where both are installed.
    product_id = fields.Many2one(
        "product.product",
        domain=[("company_id", "=", False)],
        index="btree_not_null",
        ondelete="restrict",
        help="As which product keys of this software are bought and sold.",
    )

    _product_unique = models.UniqueIndex(
        "(product_id) WHERE product_id IS NOT NULL",
        "This product is another software already (it may be archived). Choose another "
        "product, so that keys are told apart when they are bought.",
    )

    @api.constrains("product_id")
    def _check_product(self):
        self.product_id.product_tmpl_id._check_software_company()

    @api.model
    def _get_view(self, view_id=None, view_type="form", **options):
        """Show the product once, where another addon shows it, too."""
        arch, view = super()._get_view(view_id, view_type, **options)
        for field in arch.xpath("(//field[@name='product_id'])[position() > 1]"):
            field.getparent().remove(field)
        return arch, view
