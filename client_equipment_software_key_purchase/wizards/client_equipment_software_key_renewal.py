from odoo import api, fields, models

from ..models.client_equipment_software_key import BUYERS


class ClientEquipmentSoftwareKeyRenewal(models.TransientModel):
    """Renew keys by an order line."""

    _inherit = "client.equipment.software.key.renewal"

    purchase_line_id = fields.Many2one(
        "purchase.order.line",
        "Order Line",
        domain=[("order_id.state", "=", "purchase")],
        ondelete="cascade",
        groups=BUYERS,
    )
    missing_count = fields.Integer(
        "Still to Be Renewed",
        compute="_compute_missing",
        help="How many seats of the order line have no key yet.",
    )
    exceeds_order = fields.Boolean(compute="_compute_missing")

    @api.depends("purchase_line_id", "software_key_ids")
    def _compute_missing(self):
        for renewal in self:
            # Whoever has chosen the line may read it; the others have none.
            line = renewal.sudo().purchase_line_id._origin
            missing = line and line._get_missing_seats()[line]
            seats = sum(renewal.software_key_ids._origin.mapped("seats"))
            renewal.missing_count = missing or 0
            renewal.exceeds_order = line and seats > missing

    @api.onchange("purchase_line_id")
    def _onchange_purchase_line_id(self):
        if self.purchase_line_id:
            self.reference = self.purchase_line_id.order_id.name

    def _get_renewal_arguments(self):
        arguments = super()._get_renewal_arguments()
        if line := self.sudo().purchase_line_id:
            arguments["purchase_line_id"] = line.id
        return arguments
