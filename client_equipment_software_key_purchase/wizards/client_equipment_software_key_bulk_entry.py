from odoo import api, fields, models

from ..models.client_equipment_software_key import BUYERS


class ClientEquipmentSoftwareKeyBulkEntry(models.TransientModel):
    """Enter the keys that an order line has bought."""

    _inherit = "client.equipment.software.key.bulk.entry"

    purchase_line_id = fields.Many2one(
        "purchase.order.line",
        "Order Line",
        check_company=True,
        domain=[("order_id.state", "=", "purchase")],
        ondelete="cascade",
        groups=BUYERS,
    )
    missing_count = fields.Integer(
        "Still to Be Entered",
        compute="_compute_missing",
        help="How many seats of the order line have no key yet.",
    )
    exceeds_order = fields.Boolean(compute="_compute_missing")

    @api.depends("purchase_line_id", "new_count", "seats")
    def _compute_missing(self):
        for entry in self:
            # Whoever has chosen the line may read it; the others have none.
            line = entry.sudo().purchase_line_id._origin
            missing = line and line._get_missing_seats()[line]
            entry.missing_count = missing or 0
            entry.exceeds_order = line and entry.new_count * entry.seats > missing

    def _get_entry_values(self):
        values = super()._get_entry_values()
        if line := self.sudo().purchase_line_id:
            values["purchase_line_id"] = line.id
        return values
