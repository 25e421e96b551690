from copy import copy

from odoo import fields, models

from odoo.addons.client_equipment_software_key.models import (
    client_equipment_software_key as product,
)
from odoo.addons.client_equipment_software_key.models import (
    client_equipment_software_key_entry as entry,
)
from odoo.addons.client_equipment_software_key.models import (
    client_equipment_software_key_expiry as expiry,
)
from odoo.addons.client_equipment_software_key.models import (
    client_equipment_software_key_seats as several_seats,
)


def constraints_and_indexes(*modules):
    """Return ``{attribute: copy}`` of what these files declare for the key's table."""
    return {
        f"_{declared.name}": copy(declared)
        for module in modules
        for declared in module.ClientEquipmentSoftwareKey._table_object_definitions
    }


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
        ondelete="restrict",
    )
    key_type = fields.Selection(product.KEY_TYPES, required=True, default="permanent")
    validity_start = fields.Date()
    validity_end = fields.Date()
    status = fields.Selection(product.STATUSES, required=True, default="available")
    seats = fields.Integer(required=True, default=1)
    seats_used = fields.Integer(required=True, default=0)
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

    vars().update(constraints_and_indexes(product, entry, expiry, several_seats))


class BenchPlainFeature(models.Model):
    """The assignment, the same way."""

    _name = "bench.plain.feature"
    _description = "Plain Assignment"
    _order = "applied_date desc, id desc"

    software_key_id = fields.Many2one(
        "bench.plain.key", required=True, ondelete="restrict"
    )
    equipment_id = fields.Many2one(
        "client.equipment", required=True, ondelete="restrict"
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
    seat = fields.Integer(required=True, default=1)
    key_seats = fields.Integer(required=True, default=1)

    _software_key_unique = models.Constraint("UNIQUE(software_key_id, seat)")
    _equipment_unique = models.UniqueIndex("(equipment_id, software_key_id)")
    _check_seat = models.Constraint("CHECK(seat BETWEEN 1 AND key_seats)")
    _key_seats = models.Constraint(
        "FOREIGN KEY (key_seats, software_key_id)"
        " REFERENCES bench_plain_key (seats, id) ON UPDATE CASCADE"
    )
