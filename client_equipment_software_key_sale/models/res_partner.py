from odoo import models


class ResPartner(models.Model):
    _inherit = "res.partner"

    def write(self, vals: dict) -> bool:
        """Count what was delivered anew where a branch goes to another customer."""
        if not {"parent_id", "is_company"} & vals.keys():
            return super().write(vals)
        customers = self.commercial_partner_id
        result = super().write(vals)
        self.env["sale.order.line"]._recount_software(
            customers | self.commercial_partner_id
        )
        return result
