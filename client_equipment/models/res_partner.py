from odoo import api, fields, models
from odoo.exceptions import UserError


class ResPartner(models.Model):
    _inherit = "res.partner"

    client_equipment_count = fields.Integer(
        "Equipment Count",
        compute="_compute_client_equipment_count",
        groups="client_equipment.group_client_equipment_user",
        help="Equipment of this customer and of its companies and contacts.",
    )

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

    @api.ondelete(at_uninstall=False)
    def _unlink_except_with_client_equipment(self):
        # Sees the equipment of every company: the database would refuse, too.
        customers = (
            self.env["client.equipment"]
            .sudo()
            .with_context(active_test=False)
            .search([("partner_id", "in", self.ids)])
            .partner_id
        )
        if customers:
            raise UserError(
                self.env._(
                    "Equipment is registered for %(names)s (it may be archived). "
                    "Give it to another customer first, or archive the contact.",
                    names=", ".join(customers.mapped("display_name")),
                )
            )
