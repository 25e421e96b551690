from odoo import api, fields, models
from odoo.exceptions import UserError


class ClientEquipment(models.Model):
    _inherit = "client.equipment"

    equipment_feature_ids = fields.One2many(
        "client.equipment.feature", "equipment_id", "Applied Features"
    )
    software_key_count = fields.Integer(
        "Software Keys", compute="_compute_software_key_count"
    )

    @api.depends("equipment_feature_ids")
    def _compute_software_key_count(self):
        counts = dict(
            self.env["client.equipment.feature"]._read_group(
                [("equipment_id", "in", self.ids)], ["equipment_id"], ["__count"]
            )
        )
        for equipment in self:
            equipment.software_key_count = counts.get(equipment._origin, 0)

    def write(self, vals):
        if vals.get("state", "in_service") != "in_service" or (
            "active" in vals and not vals["active"]
        ):
            self._check_no_software_keys()
        result = super().write(vals)
        if {"partner_id", "company_id"} & vals.keys():
            self.sudo().equipment_feature_ids._check_fits()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_software_keys(self):
        self._check_no_software_keys()

    def _check_no_software_keys(self):
        """Refuse to let equipment go while software keys are on it (A9, A10)."""
        features = self.sudo().equipment_feature_ids
        if equipment := features.equipment_id[:1]:
            raise UserError(
                self.env._(
                    "%(equipment)s still carries software keys: %(keys)s. Take them "
                    "back to the inventory or move them to another equipment first.",
                    equipment=equipment.display_name,
                    keys=", ".join(
                        equipment.equipment_feature_ids.software_key_id.mapped(
                            "display_name"
                        )
                    ),
                )
            )

    def _check_in_service(self):
        """Refuse to put software keys onto equipment that is not in service."""
        for equipment in self:
            if not equipment.active or equipment.state != "in_service":
                raise UserError(
                    self.env._(
                        "%(equipment)s is not in service, so no software key can be "
                        "applied to it. Put the equipment back into service first.",
                        equipment=equipment.display_name,
                    )
                )

    def recover_software_keys(self):
        """Take every key on these equipment back to the inventory (A9).

        Each key becomes Available again, or Expired where its validity has ended.

        :return: the recovered software keys
        """
        keys = self.equipment_feature_ids.software_key_id
        self.equipment_feature_ids.unlink()
        return keys

    def action_apply_next_available(self):
        """Open the dialog that applies the next available keys (A12).

        :return: a window action
        """
        self.ensure_one()
        self._check_in_service()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Apply Next Available"),
            "res_model": "client.equipment.apply.next",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_equipment_id": self.id},
        }

    def action_view_software_keys(self):
        """Open the software keys that are applied to these equipment.

        :return: a window action
        """
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "client_equipment_software_key.client_equipment_software_key_action"
        )
        action["domain"] = [("equipment_id", "in", self.ids)]
        action["context"] = {}
        return action
