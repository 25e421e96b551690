from odoo import models


class ClientEquipment(models.Model):
    _inherit = "client.equipment"

    def write(self, vals: dict) -> bool:
        """Count what was delivered anew where equipment goes to another customer."""
        if not {"partner_id", "company_id"} & vals.keys():
            return super().write(vals)
        customers = self.sudo().partner_id
        result = super().write(vals)
        self.env["sale.order.line"]._recount_software(
            customers | self.sudo().partner_id
        )
        return result
