from odoo import api, fields, models


class ClientEquipmentSoftware(models.Model):
    """Software that is bought and sold: as which product."""

    _inherit = "client.equipment.software"

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
