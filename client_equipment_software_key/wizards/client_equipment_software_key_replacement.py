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
            license_key = (replacement.license_key or "").strip()
            replacement.problem = key and key._replacement_problem(license_key or None)
            replacement.warning = replacement._get_warning(license_key)

    def _get_warning(self, license_key):
        """Return in words which other key the new one looks like, if any."""
        for found in self.software_key_id._inspect_license_keys([license_key]):
            # It may well differ from the one that it replaces in case only.
            if (
                found["verdict"] == "similar"
                and found["other"] != self.software_key_id.license_key
            ):
                return self.env._(
                    "Check the new license key: it looks like %(other)s, which is in "
                    "the system already (%(status)s).",
                    other=found["other"],
                    status=self.software_key_id._selection_label(
                        "status", found["status"]
                    ),
                )
        return False

    def action_replace(self):
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
