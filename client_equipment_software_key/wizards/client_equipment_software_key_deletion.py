from odoo import api, fields, models


class ClientEquipmentSoftwareKeyDeletion(models.TransientModel):
    """Dialog: delete keys, and say why (K10)."""

    _name = "client.equipment.software.key.deletion"
    _description = "Delete Software Keys"
    _inherit = ["client.equipment.mixin"]

    software_key_ids = fields.Many2many(
        "client.equipment.software.key",
        "client_equipment_software_key_deletion_rel",
        default=lambda self: self._default_software_key_ids(),
    )
    key_count = fields.Integer("Number of Keys", compute="_compute_key_count")
    reason = fields.Char(
        help="Kept for ever under Deleted Keys, with your name and the time."
    )

    @api.model
    def _default_software_key_ids(self):
        context = self.env.context
        if context.get("active_model") != "client.equipment.software.key":
            return False
        return self.env["client.equipment.software.key"].browse(
            context.get("active_ids") or ()
        )

    @api.depends("software_key_ids")
    def _compute_key_count(self):
        for deletion in self:
            deletion.key_count = len(deletion.software_key_ids)

    def action_delete(self) -> dict:
        """Button *Delete*.

        :return: an action that closes the dialog and tells the screen behind it
        """
        self.ensure_one()
        self._get_chosen("software_key_ids").delete(self.reason)
        return {"type": "ir.actions.act_window_close", "infos": {"deleted": True}}
