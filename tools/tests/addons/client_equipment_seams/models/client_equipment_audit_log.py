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
