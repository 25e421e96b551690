from odoo import fields, models


class ClientEquipmentSoftwareKeyOverride(models.TransientModel):
    """Asks where a key goes against its software's rule, and why (A14)."""

    _name = "client.equipment.software.key.override"
    _description = "Apply Software Key Against Its Rule"
    _inherit = ["client.equipment.mixin"]

    software_key_id = fields.Many2one(
        "client.equipment.software.key",
        required=True,
        readonly=True,
        ondelete="cascade",
    )
    moving_note = fields.Char("Its Rule", related="software_key_id.moving_note")
    equipment_id = fields.Many2one(
        "client.equipment", "Apply to", required=True, ondelete="cascade"
    )
    reason = fields.Char(
        required=True, help="Kept in the audit trail, with your name and the time."
    )
    remarks = fields.Char()

    def action_apply(self) -> dict:
        """Apply the key, and have the trail say why.

        :return: an action that tells it, and closes the dialog
        """
        self.ensure_one()
        feature = self.env["client.equipment.feature"].create(
            {
                "software_key_id": self.software_key_id.id,
                "equipment_id": self.equipment_id.id,
                "override_reason": self.reason,
                "remarks": self.remarks,
            }
        )
        return feature._told_applied()
