from odoo import api, models

from .client_equipment_audit_log import ClientEquipmentAuditLog


class IrModelData(models.Model):
    _inherit = "ir.model.data"

    @api.model
    def _process_end_unlink_record(self, record):
        """Leave entries of the audit trail alone, whatever XML id somebody gave them:
        an update deletes what has one of this addon and is not in its files (L1)."""
        if record._name == ClientEquipmentAuditLog._name:
            return
        super()._process_end_unlink_record(record)
