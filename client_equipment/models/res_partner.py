from odoo import api, fields, models

from .client_equipment_mixin_dependence import READER


class ResPartner(models.Model):
    _inherit = "res.partner"

    client_equipment_count = fields.Integer(
        "Equipment Count",
        compute="_compute_client_equipment_count",
        groups="client_equipment.group_client_equipment_user",
        help="Equipment of this customer and of its companies and contacts.",
    )

    @api.depends_context(*READER)
    def _compute_client_equipment_count(self):
        family = self.with_context(active_test=False).search_fetch(
            [("id", "child_of", self.ids)], ["parent_id"]
        )
        self.client_equipment_count = 0
        for partner, count in self.env["client.equipment"]._read_group(
            [("partner_id", "in", family.ids)], ["partner_id"], ["__count"]
        ):
            while partner in family:
                if partner in self:
                    partner.client_equipment_count += count
                partner = partner.parent_id

    def write(self, vals: dict) -> bool:
        if not vals.get("company_id"):
            return super().write(vals)
        with self.env["client.equipment.mixin"]._company_still_fits(self):
            return super().write(vals)
