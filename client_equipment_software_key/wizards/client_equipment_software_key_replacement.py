from odoo import api, fields, models


class ClientEquipmentSoftwareKeyReplacement(models.TransientModel):
    """Dialog: replace a key by a new one, where it stands (S4)."""

    _name = "client.equipment.software.key.replacement"
    _description = "Replace Software Key"
    _inherit = ["client.equipment.mixin"]

    software_key_id = fields.Many2one(
        "client.equipment.software.key",
        required=True,
        ondelete="cascade",
        default=lambda self: self._default_software_key_id(),
    )
    equipment_id = fields.Many2one(related="software_key_id.equipment_id")
    seats_used = fields.Integer(related="software_key_id.seats_used")
    license_key = fields.Char("New License Key")
    note = fields.Char(help="Kept in the audit trail of the old key.")
    problem = fields.Char(compute="_compute_problem")
    warning = fields.Char(compute="_compute_problem")

    @api.model
    def _default_software_key_id(self):
        context = self.env.context
        if context.get("active_model") != "client.equipment.software.key":
            return False
        return context.get("active_id")

    @api.depends("software_key_id", "license_key")
    def _compute_problem(self):
        for replacement in self:
            key = replacement.software_key_id
            replacement.warning = False
            text, problem = key._tidy_license_key(replacement.license_key)
            if not problem:
                problem = key and key._replacement_problem(text or None)
                replacement.warning = key._look_alike_problem([text])
            replacement.problem = problem

    def action_replace(self) -> dict:
        """Button *Replace*.

        :return: an action that opens the new key
        """
        self.ensure_one()
        replacement = self.software_key_id.replace(self.license_key, self.note)
        return {
            "type": "ir.actions.act_window",
            "res_model": replacement._name,
            "res_id": replacement.id,
            "views": [(False, "form")],
        }
