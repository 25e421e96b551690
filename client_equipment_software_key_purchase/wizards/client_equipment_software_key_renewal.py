from odoo import api, models


class ClientEquipmentSoftwareKeyRenewal(models.TransientModel):
    """Renew keys by an order line."""

    _name = "client.equipment.software.key.renewal"
    _inherit = [
        "client.equipment.software.key.renewal",
        "client.equipment.software.key.ordered.mixin",
    ]

    @api.depends("software_key_ids")
    def _compute_missing(self):
        return super()._compute_missing()

    @api.onchange("purchase_line_id")
    def _onchange_purchase_line_id(self):
        if self.purchase_line_id:
            self.reference = self.purchase_line_id.order_id.name

    def _count_seats(self):
        return sum(self.software_key_ids._origin.mapped("seats"))

    def _get_renewal_arguments(self):
        return self._by_order_line(super()._get_renewal_arguments())
