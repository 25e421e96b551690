from odoo import fields, models

from odoo.addons.client_equipment_software_key.lifecycle import (
    AVAILABLE,
    Refusal,
    Rule,
    extend,
)

QUARANTINE = "quarantine"

extend(
    rules=[
        Rule("set", (AVAILABLE,), "quarantined", QUARANTINE, ("unused",), QUARANTINE),
        Rule("set", (QUARANTINE,), "released", AVAILABLE, ("valid",), AVAILABLE),
    ],
    refusals=[Refusal("apply", "in quarantine", (QUARANTINE,))],
)


class ClientEquipmentSoftwareKey(models.Model):
    _inherit = "client.equipment.software.key"

    status = fields.Selection(
        selection_add=[(QUARANTINE, "In Quarantine")],
        ondelete={QUARANTINE: "set default"},
    )
    cost_centre = fields.Char()
    heard = fields.Integer(readonly=True, copy=False)

    def _refusal_text(self, refused):
        if refused.code == "in quarantine":
            return self.env._(
                "%s is in quarantine. Release it first, or choose another key.",
                self.display_name,
            )
        return super()._refusal_text(refused)

    def _after_transition(self, action, audit_logs):
        result = super()._after_transition(action, audit_logs)
        for key in self:
            key.sudo().heard += 1
        return result
