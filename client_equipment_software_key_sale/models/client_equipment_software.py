from odoo import api, fields, models


class ClientEquipmentSoftware(models.Model):
    """Software that is sold: as which product."""

    _inherit = "client.equipment.software"

    # As in client_equipment_software_key_purchase: the same fields where both are
    # installed.
    product_id = fields.Many2one(
        "product.product",
        domain=[("company_id", "=", False)],
        index="btree_not_null",
        ondelete="restrict",
        help="As which product keys of this software are bought and sold.",
    )
    purchase_seats = fields.Integer(
        "Seats per Unit",
        required=True,
        default=1,
        help="On how many units of equipment one unit of the product may be installed: "
        "25 where one is ordered and comes as a key with 25 seats.",
    )

    _product_unique = models.UniqueIndex(
        "(product_id) WHERE product_id IS NOT NULL",
        "This product is another software already (it may be archived). Choose another "
        "product, so that keys are told apart when they are bought.",
    )
    _check_purchase_seats = models.Constraint(
        "CHECK(purchase_seats >= 1)",
        "One unit of a product has at least one seat. Correct Seats per Unit.",
    )

    @api.constrains("product_id")
    def _check_product(self):
        self.product_id.product_tmpl_id._check_software_company()

    @api.model
    def _get_view(self, view_id=None, view_type="form", **options):
        """Show product and seats once, where another addon shows them, too."""
        arch, view = super()._get_view(view_id, view_type, **options)
        for name in ("product_id", "purchase_seats"):
            for field in arch.xpath(f"(//field[@name='{name}'])[position() > 1]"):
                field.getparent().remove(field)
        return arch, view
