from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.client_equipment.models.client_equipment_mixin_dependence import (
    HANGING_MAX,
    READER,
)


class ResPartner(models.Model):
    _inherit = "res.partner"

    software_key_count = fields.Integer(
        compute="_compute_software_key_count",
        groups="client_equipment_software_key.group_software_key_user,"
        "client_equipment_software_key.group_software_key_auditor",
        help="Software keys on equipment of this customer and of its companies and "
        "contacts.",
    )

    @api.depends_context(*READER)
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

    def write(self, vals):
        result = super().write(vals)
        if "parent_id" in vals:
            self._check_software_keys_fit()
        return result

    def unlink(self):
        children = self.with_context(active_test=False).child_ids - self
        result = super().unlink()
        children._check_software_keys_fit()
        return result

    def _check_software_keys_fit(self):
        """Check that the keys on equipment of these contacts, and of those below them,
        may stay there (K13).

        :raises UserError: where a key was bought for a customer that they do not
            belong to any more; it names keys that the user may read only
        """
        features = (
            self.env["client.equipment.feature"].sudo().with_context(active_test=False)
        )
        misfits = features.search(
            [
                ("equipment_id.partner_id", "child_of", self.ids),
                ("software_key_id.owner_id", "!=", False),
            ]
        ).filtered(
            lambda feature: (
                feature.software_key_id._get_misfit(feature.equipment_id)
                == "other_owner"
            )
        )
        if not misfits:
            return
        visible = misfits.with_env(self.env)
        if visible.has_access("read"):
            raise UserError(
                self.env._(
                    "%(contact)s cannot leave %(owner)s: keys that were bought for "
                    "this customer are on its equipment (%(features)s). Take them back "
                    "to the inventory first.",
                    contact=", ".join(self.mapped("display_name")),
                    owner=misfits.software_key_id.owner_id[:1].display_name,
                    features=", ".join(
                        f"{feature.equipment_id.display_name}: "
                        f"{feature.software_key_id.display_name}"
                        for feature in visible[:HANGING_MAX]
                    ),
                )
            )
        raise UserError(
            self.env._(
                "%s cannot move to another company, because something that you may not "
                "see depends on the present one. Ask somebody who manages software "
                "keys.",
                ", ".join(self.mapped("display_name")),
            )
        )

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
