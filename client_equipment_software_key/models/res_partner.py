from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from odoo.addons.client_equipment.exceptions import ChangedMeanwhile
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

    def write(self, vals: dict) -> bool:
        result = super().write(vals)
        if "parent_id" in vals:
            self._check_software_keys_fit()
        return result

    def unlink(self) -> bool:
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
        mine = features.search(
            [
                ("equipment_id.partner_id", "child_of", self.ids),
                ("software_key_id.owner_id", "!=", False),
            ]
        )
        misfits = mine.filtered(
            lambda feature: (
                feature.software_key_id._get_misfit(feature.equipment_id)
                == "other_owner"
            )
        )
        if not misfits:
            self._check_software_keys_applied_meanwhile()
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

    def _check_software_keys_applied_meanwhile(self):
        """Look again, at what others have applied since this transaction began (E5).

        They hold the contacts that a key depends on until their end
        (``_hold_customers``), and we hold ours now: nothing comes after this look.
        """
        equipment = self.env["client.equipment"].sudo().with_context(active_test=False)
        units = equipment.search([("partner_id", "child_of", self.ids)])
        if not units:
            return
        self.env.flush_all()
        with equipment._another_view() as cr:
            # Without what this transaction has just removed, which it holds.
            cr.execute(
                SQL(
                    "SELECT software_key_id, equipment_id FROM client_equipment_feature"
                    " WHERE equipment_id = ANY(%s) FOR KEY SHARE SKIP LOCKED",
                    list(units.ids),
                )
            )
            pairs = cr.fetchall()
        keys = self.env["client.equipment.software.key"].sudo()
        for key_id, unit_id in pairs:
            key = keys.browse(key_id).exists()
            if key and key._get_misfit(units.browse(unit_id)) == "other_owner":
                raise self._changed_customers_error()

    def _changed_customers_error(self):
        return ChangedMeanwhile(
            self.env._(
                "Somebody else is working on %s at this moment: look again at what is "
                "installed there, and repeat what you did if it is still right.",
                ", ".join(self.mapped("display_name")),
            )
        )

    @api.readonly
    def action_view_software_keys(self) -> dict:
        """Open the keys on equipment of this customer (its contacts' too).

        :return: a window action
        """
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "client_equipment_software_key.client_equipment_software_key_action"
        )
        place = "equipment_feature_ids.equipment_id.partner_id"
        action["domain"] = [(place, "child_of", self.id)]
        action["context"] = {"default_owner_id": self.id}
        return action
