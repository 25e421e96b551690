from odoo import api, fields, models

from ..models.client_equipment_software_key import BUYERS


class ClientEquipmentSoftwareKeyOrderedMixin(models.AbstractModel):
    """A dialog that enters or renews keys by an order line, and asks first where they
    are more than were ordered."""

    _name = "client.equipment.software.key.ordered.mixin"
    _description = "Software Keys by an Order Line"

    purchase_line_id = fields.Many2one(
        "purchase.order.line",
        "Purchase Order Line",
        domain=[("order_id.state", "=", "purchase")],
        ondelete="cascade",
        groups=BUYERS,
    )
    missing_count = fields.Integer(
        "Seats Still to Come",
        compute="_compute_missing",
        help="How many seats of the order line have no key yet.",
    )
    exceeds_order = fields.Boolean(compute="_compute_missing")

    @api.depends("purchase_line_id")
    def _compute_missing(self):
        for dialog in self:
            # Whoever has chosen the line may read it; the others have none.
            line = dialog.sudo().purchase_line_id._origin
            missing = line and line._get_missing_seats()[line]
            dialog.missing_count = missing or 0
            dialog.exceeds_order = line and dialog._count_seats() > missing

    def _count_seats(self):
        """Return how many seats the dialog is about to enter or renew."""
        raise NotImplementedError

    def _by_order_line(self, arguments):
        """Return these arguments of a public method with the order line, if any."""
        line = self.sudo().purchase_line_id
        return arguments | ({"purchase_line_id": line.id} if line else {})
