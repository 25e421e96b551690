from odoo import api, fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    software_key_count = fields.Integer(
        compute="_compute_software_key_count",
        groups="client_equipment_software_key.group_software_key_user,"
        "client_equipment_software_key.group_software_key_auditor",
        help="Software keys on equipment of this customer and of its companies and "
        "contacts.",
    )

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_software_key_count(self):
        family = self.with_context(active_test=False).search_fetch(
            [("id", "child_of", self.ids)], ["parent_id"]
        )
        self.software_key_count = 0
        features = self.env["client.equipment.feature"]._read_group(
            [("equipment_id.partner_id", "in", family.ids)],
            ["equipment_id"],
            ["__count"],
        )
        for equipment, count in features:
            partner = equipment.partner_id
            while partner in family:
                if partner in self:
                    partner.software_key_count += count
                partner = partner.parent_id

    def action_view_software_keys(self):
        """Open the keys on equipment of this customer (its contacts' too).

        :return: a window action
        """
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "client_equipment_software_key.client_equipment_software_key_action"
        )
        action["domain"] = [("equipment_id.partner_id", "child_of", self.id)]
        action["context"] = {"default_owner_id": self.id}
        return action
