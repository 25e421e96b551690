from odoo import api, fields, models


class ClientEquipmentSoftwareKeyBulkEntry(models.TransientModel):
    """Enter the keys that an order line has bought."""

    _name = "client.equipment.software.key.bulk.entry"
    _inherit = [
        "client.equipment.software.key.bulk.entry",
        "client.equipment.software.key.ordered.mixin",
    ]

    purchase_line_id = fields.Many2one(check_company=True)

    @api.depends("new_count", "seats")
    def _compute_missing(self):
        return super()._compute_missing()

    def _count_seats(self):
        return self.new_count * self.seats

    def _get_entry_values(self):
        return self._by_order_line(super()._get_entry_values())
