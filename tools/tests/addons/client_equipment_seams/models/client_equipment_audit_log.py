from odoo import api, fields, models
from odoo.tools import SQL


class ClientEquipmentAuditLog(models.Model):
    _inherit = "client.equipment.audit.log"

    action = fields.Selection(
        selection_add=[("quarantined", "Quarantined"), ("released", "Released")],
        ondelete={"quarantined": "cascade", "released": "cascade"},
    )
    cost_centre = fields.Char(readonly=True)

    @api.model
    def _get_facts(self):
        return super()._get_facts() | {"cost_centre": SQL("key.cost_centre")}

    def _tell_step(self):
        step = super()._tell_step()
        return f"{step} for {self.cost_centre}" if self.cost_centre else step
