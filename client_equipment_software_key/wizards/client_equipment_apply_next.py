from odoo import api, fields, models

from ..wishes import Wish


class ClientEquipmentApplyNext(models.TransientModel):
    """Asks for the software only; the keys are found by the software itself (A12)."""

    _name = "client.equipment.apply.next"
    _description = "Apply Next Available Software Key"
    _inherit = ["client.equipment.mixin"]

    equipment_id = fields.Many2one("client.equipment", required=True, readonly=True)
    software_ids = fields.Many2many("client.equipment.software")
    remarks = fields.Char()
    software_key_ids = fields.Many2many(
        "client.equipment.software.key", compute="_compute_software_key_ids"
    )
    missing_names = fields.Char(compute="_compute_software_key_ids")

    @api.depends("equipment_id", "software_ids")
    def _compute_software_key_ids(self):
        for wizard in self:
            software = wizard.software_ids._origin
            keys = self.env["client.equipment.software.key"]
            if wizard.equipment_id:
                equipment_id = wizard.equipment_id._origin.id
                taken = keys._get_next_available(
                    Wish(equipment_id, each.id) for each in software
                )
                keys = keys.browse(taken.values())
            wizard.software_key_ids = keys
            wizard.missing_names = ", ".join(
                (software - keys.software_id).mapped("name")
            )

    def action_apply(self) -> dict:
        """Apply the next key of each chosen software.

        :return: an action that tells which keys, and closes the dialog
        """
        self.ensure_one()
        features = self.software_ids.apply_next_available(
            self.equipment_id.id, self.remarks
        )
        return features._told_applied()
