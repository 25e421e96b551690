from odoo import api, fields, models

from .stock_lot import READERS


class StockPicking(models.Model):
    _inherit = "stock.picking"

    client_equipment_count = fields.Integer(
        "Number of Equipment", compute="_compute_client_equipment_count", groups=READERS
    )

    @api.depends("move_line_ids.lot_id")
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_client_equipment_count(self):
        for picking in self:
            picking.client_equipment_count = len(picking._get_client_equipment())

    def _get_client_equipment(self):
        """Return the equipment, archived too, whose units these transfers move."""
        return self.move_line_ids.lot_id.client_equipment_ids

    @api.readonly
    def action_view_client_equipment(self) -> dict:
        """Open the equipment whose units these transfers move.

        :return: a window action
        """
        return self._get_client_equipment()._list_action()
