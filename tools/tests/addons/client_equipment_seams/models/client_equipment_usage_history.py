from odoo import fields, models
from odoo.tools import SQL


class ClientEquipmentUsageHistory(models.Model):
    _inherit = "client.equipment.usage.history"

    cost_centre = fields.Char(readonly=True)

    @property
    def _table_query(self):
        return SQL(
            "SELECT line.*, entry.cost_centre FROM (%s) line"
            " JOIN client_equipment_audit_log entry ON entry.id = line.id",
            super()._table_query,
        )
