from typing import Any

from odoo import api, fields, models
from odoo.modules.registry import Registry
from odoo.tools import SQL


class _DatabaseId(fields.Integer):
    """An integer that PostgreSQL keeps as NULL, not 0, where there is none."""

    def convert_to_column(
        self,
        value: Any,
        record: models.BaseModel,
        values: dict | None = None,
        validate: bool = True,
    ) -> int | None:
        return value or None


def _unseen_message(env):
    """Return what is told who has no role for software keys: nothing of them."""
    if env["client.equipment.feature"].has_access("read"):
        return None
    return env._(
        "The equipment is still in use, and somebody else has changed that at this "
        "very moment. Look at it again, and ask a colleague who looks after what is "
        "installed on it."
    )


def _left_service_message(env, _diagnostics):
    return _unseen_message(env) or env._(
        "Software keys can only be on equipment that is in service, and somebody else "
        "has changed one of the two at this very moment. Look at the equipment again: "
        "take its keys off before it leaves service, or put it back into service first."
    )


def _other_place_message(env, _diagnostics):
    return _unseen_message(env) or env._(
        "Software keys on this equipment are bound to its company or its customer, and "
        "somebody else has changed one of them at this very moment. Look at the "
        "equipment again, and take its keys off before it goes to somebody else."
    )


class _PlaceKey(models.Constraint):
    """A foreign key to the equipment, in whatever table another addon may keep it."""

    def get_definition(self, registry: Registry) -> str:
        table = registry["client.equipment"]._table if registry else "client_equipment"
        return super().get_definition(registry).format(equipment=table)


class ClientEquipment(models.Model):
    """What the database needs to know of a place, to keep keys off the wrong ones."""

    _inherit = "client.equipment"

    in_service = fields.Boolean(
        compute="_compute_in_service",
        store=True,
        precompute=True,
        fixed=True,
        export_string_translation=False,
        help="Neither archived nor returned nor retired: can carry software keys.",
    )

    # What the foreign keys of the assignments point to.
    _place_in_service = models.UniqueIndex("(id, in_service)")
    _place_company = models.UniqueIndex("(id, company_id)")
    _place_partner = models.UniqueIndex("(id, partner_id)")

    @api.depends("active", "state")
    def _compute_in_service(self):
        for equipment in self:
            equipment.in_service = equipment.active and equipment.state == "in_service"


class ClientEquipmentFeature(models.Model):
    """Rules between a key and its place that hold when two people act at once (E5).

    Each row repeats what its key asks of the equipment, and a foreign key compares it
    with the equipment's own row. So PostgreSQL refuses whoever comes second: the one
    who applies a key, or the one who archives the equipment, returns it, or gives it
    to another company or customer. A lock could not: under REPEATABLE READ who has
    waited for it goes on with an old view.

    Company and customer may change while keys are there (two contacts are merged, a
    branch hands a unit to its mother company): the row follows in the database, which
    refuses that too where it has an old view; whether the key may stay is checked.

    Rows that break a rule already stay (NOT VALID), and are found by *Needs
    Attention*.
    """

    _inherit = "client.equipment.feature"

    in_service = fields.Boolean(
        default=True,
        readonly=True,
        fixed=True,
        export_string_translation=False,
        help="Always: only equipment in service carries keys.",
    )
    bound_company_ref = _DatabaseId(
        "Bound to Company (Database ID)",
        readonly=True,
        fixed=True,
        aggregator=None,
        export_string_translation=False,
        help="The company of the key, which has to be the equipment's.",
    )
    bound_partner_ref = _DatabaseId(
        "Bound to Customer (Database ID)",
        readonly=True,
        fixed=True,
        aggregator=None,
        export_string_translation=False,
        help="The customer of the equipment, where the key was bought for somebody.",
    )

    # equipment_id last: Odoo knows foreign keys by their first column, and would take
    # one of these for that of the field.
    _always_in_service = models.Constraint("CHECK(in_service)")
    _place_in_service = _PlaceKey(
        "FOREIGN KEY (in_service, equipment_id)"
        " REFERENCES {equipment} (in_service, id) NOT VALID",
        _left_service_message,
    )
    _place_company = _PlaceKey(
        "FOREIGN KEY (bound_company_ref, equipment_id)"
        " REFERENCES {equipment} (company_id, id)"
        " ON UPDATE CASCADE NOT VALID",
        _other_place_message,
    )
    _place_partner = _PlaceKey(
        "FOREIGN KEY (bound_partner_ref, equipment_id)"
        " REFERENCES {equipment} (partner_id, id)"
        " ON UPDATE CASCADE NOT VALID",
        _other_place_message,
    )

    @api.model
    def _hold_customers(self, pairs):
        """Keep the contacts where they are through which a key may be on its equipment:
        bought for the mother company, applied at a branch (K13).

        :param pairs: the key and the equipment of each new assignment, in sudo()
        """
        chain = self.env["res.partner"]
        for key, equipment in pairs:
            if key.owner_id and equipment and key.owner_id != equipment.partner_id:
                chain |= equipment._get_key_owners()
        if chain:
            self.env.cr.execute(
                SQL(
                    "SELECT FROM res_partner WHERE id = ANY(%s) ORDER BY id FOR SHARE",
                    list(chain.ids),
                ),
                log_exceptions=False,
            )

    def _bind(self):
        """Bind these assignments anew, after the owner or company of their key has
        changed. (Where the equipment changes, the database itself follows.)"""
        if not self:
            return
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                UPDATE client_equipment_feature feature
                   SET bound_company_ref = key.company_id,
                       bound_partner_ref = CASE WHEN key.owner_id IS NOT NULL
                                                THEN equipment.partner_id END
                  FROM client_equipment_software_key key, %s equipment
                 WHERE key.id = feature.software_key_id
                   AND equipment.id = feature.equipment_id
                   AND feature.id = ANY(%s)
                """,
                SQL.identifier(self.env["client.equipment"]._table),
                list(self.ids),
            )
        )
        self.invalidate_recordset(
            ["bound_company_ref", "bound_partner_ref"], flush=False
        )
