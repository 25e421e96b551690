from odoo import fields, models

from odoo.addons.client_equipment_software_key.models import (
    client_equipment_software_key as product,
)


class BenchPlainKey(models.Model):
    """The software key with the same fields and constraints, and no trail.

    What is left of its life is what any addon would do: a recordset ``write`` of
    the status. The trail comes from the rules of OCA's auditlog.
    """

    _name = "bench.plain.key"
    _description = "Plain Key"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "id desc"

    license_key = fields.Char(required=True, copy=False, index="trigram")
    software_id = fields.Many2one("client.equipment.software", required=True)
    key_type = fields.Selection(product.KEY_TYPES, required=True, index=True)
    validity_start = fields.Date()
    validity_end = fields.Date()
    status = fields.Selection(product.STATUSES, required=True, default="available")
    remarks = fields.Text()
    company_id = fields.Many2one("res.company", index=True)
    equipment_id = fields.Many2one("client.equipment", index="btree_not_null")

    _license_key_unique = models.Constraint("UNIQUE(license_key)")
    _status_validity = models.Index("(status, validity_end)")
    _software_status = models.Index("(software_id, status)")


class BenchPlainFeature(models.Model):
    _name = "bench.plain.feature"
    _description = "Plain Assignment"

    software_key_id = fields.Many2one("bench.plain.key", required=True)
    equipment_id = fields.Many2one("client.equipment", required=True, index=True)
    applied_date = fields.Date(default=fields.Date.context_today, index=True)
    applied_by_id = fields.Many2one(
        "res.users", default=lambda self: self.env.user, index=True
    )
    remarks = fields.Char()

    _software_key_unique = models.Constraint("UNIQUE(software_key_id)")
