from odoo import fields, models

from odoo.addons.client_equipment_software_key.lifecycle import (
    AVAILABLE,
    Refusal,
    Rule,
    extend,
)

ADDON = "client_equipment_software_key"
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

    def _get_tasks(self):
        quarantined = {
            "name": "quarantined",
            "count": self.search_count([("status", "=", QUARANTINE)]),
            "label": "Keys in Quarantine",
            "advice": "Release them.",
            "action": f"{ADDON}.client_equipment_software_key_action",
            "filter": False,
        }
        return [*super()._get_tasks(), quarantined]


class ClientEquipmentSoftware(models.Model):
    _inherit = "client.equipment.software"

    def _reminder_vals(self, kind, company, user, deadline, summary):
        values = super()._reminder_vals(kind, company, user, deadline, summary)
        return values | {"note": f"{self.get_needs()['missing']} missing"}
