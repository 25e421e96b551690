from odoo import fields, models

from odoo.addons.client_equipment_software_key.models import (
    client_equipment_software_key as product,
)


class BenchPlainKey(models.Model):
    """The software key: its fields, constraints and indexes, and no trail.

    What is left of its life is what any addon would do: a recordset ``write`` of
    the status. The trail comes from the rules of OCA's auditlog. The indexes serve
    the same screens as ours, so they cost the same upkeep.
    """

    _name = "bench.plain.key"
    _description = "Plain Key"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "id desc"

    license_key = fields.Char(required=True, copy=False, index="trigram")
    software_id = fields.Many2one(
        "client.equipment.software",
        required=True,
        index=True,
        ondelete="restrict",
    )
    key_type = fields.Selection(product.KEY_TYPES, required=True, default="permanent")
    validity_start = fields.Date()
    validity_end = fields.Date()
    status = fields.Selection(product.STATUSES, required=True, default="available")
    remarks = fields.Text()
    owner_id = fields.Many2one(
        "res.partner", index="btree_not_null", ondelete="restrict"
    )
    supplier_id = fields.Many2one(
        "res.partner", index="btree_not_null", ondelete="restrict"
    )
    purchase_reference = fields.Char()
    company_id = fields.Many2one("res.company", index=True)
    equipment_feature_ids = fields.One2many("bench.plain.feature", "software_key_id")
    equipment_id = fields.Many2one(
        "client.equipment", index="btree_not_null", ondelete="restrict"
    )
    replaced_by_id = fields.Many2one("bench.plain.key", index="btree_not_null")
    replaces_id = fields.Many2one("bench.plain.key", index="btree_not_null")

    _license_key_unique = models.Constraint("UNIQUE(license_key)")
    _check_license_key = models.Constraint(
        "CHECK(license_key <> '' AND license_key = btrim(license_key, E' \\t\\r\\n'))"
    )
    _check_validity_end_required = models.Constraint(
        "CHECK(key_type = 'permanent' OR validity_end IS NOT NULL)"
    )
    _check_validity_start_required = models.Constraint(
        "CHECK(key_type <> 'time_limited' OR validity_start IS NOT NULL)"
    )
    _check_permanent = models.Constraint(
        "CHECK(key_type <> 'permanent' OR validity_end IS NULL)"
    )
    _check_validity_order = models.Constraint("CHECK(validity_end >= validity_start)")
    _validity_end = models.Index("(validity_end)")
    _status_validity = models.Index("(status, validity_end)")
    _key_type_validity = models.Index("(key_type, validity_end)")
    _expired_installed = models.Index(
        "(validity_end, id) INCLUDE (company_id)"
        " WHERE status = 'expired' AND equipment_id IS NOT NULL"
    )
    _available = models.Index(
        "(software_id, validity_end, id) WHERE status = 'available'"
    )
    _due = models.Index(
        "(validity_end, id) INCLUDE (company_id)"
        " WHERE status IN ('available', 'applied')"
    )
    _license_key_folded = models.Index(
        "USING hash ((translate(lower(license_key), E'- _\\u2013\\u00a0', '')))"
    )


class BenchPlainFeature(models.Model):
    """The assignment, the same way."""

    _name = "bench.plain.feature"
    _description = "Plain Assignment"
    _order = "applied_date desc, id desc"

    software_key_id = fields.Many2one(
        "bench.plain.key", required=True, index=True, ondelete="restrict"
    )
    equipment_id = fields.Many2one(
        "client.equipment", required=True, index=True, ondelete="restrict"
    )
    applied_date = fields.Date(
        required=True, default=fields.Date.context_today, index=True
    )
    applied_by_id = fields.Many2one(
        "res.users",
        required=True,
        default=lambda self: self.env.user,
        index=True,
        ondelete="restrict",
    )
    remarks = fields.Char()

    _software_key_unique = models.Constraint("UNIQUE(software_key_id)")
