from collections.abc import Iterable
from datetime import date
from itertools import islice
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..lifecycle import AVAILABLE, FREE, Facts
from .client_equipment_software_key_seats import _default_to

# Of the keys that the condition lets through: each seat that its software's rule keeps
# for a unit, and until when. That is the last one that the trail says it was on (with
# fewer seats, a key comes back from another seat than it was applied with); the day is
# the one on which it was recorded that it was applied there, which nobody can choose.
KEPT = """
    SELECT key.id AS software_key_id, last.seat, last.equipment_ref,
           last.equipment_name,
           CASE software.reassignment WHEN 'days'
                THEN last.action_date::date + software.reassignment_days
           END AS free_from,
           feature.id AS feature_id, feature.equipment_id AS taken_by
      FROM client_equipment_software_key key
      JOIN client_equipment_software software
        ON software.id = key.software_id AND software.reassignment <> 'free'
     CROSS JOIN LATERAL (
            SELECT DISTINCT ON (seat) seat, equipment_ref, equipment_name, action_date
              FROM (
                SELECT COALESCE(log.seat, 1) AS seat, log.equipment_ref,
                       log.equipment_name, log.number,
                       CASE log.action WHEN 'applied' THEN log.action_date
                       ELSE lag(CASE log.action WHEN 'applied' THEN log.action_date END)
                            OVER (PARTITION BY log.equipment_ref ORDER BY log.number)
                       END AS action_date
                  FROM client_equipment_audit_log log
                 WHERE log.software_key_id = key.id
                   AND log.action IN ('applied', 'revoked')
                   AND log.equipment_ref IS NOT NULL
              ) stay
             WHERE action_date IS NOT NULL
             ORDER BY seat, number DESC
     ) last
      LEFT JOIN client_equipment_feature feature
        ON feature.software_key_id = key.id AND feature.seat = last.seat
     WHERE last.seat <= key.seats
       AND (software.reassignment = 'bound'
            OR last.action_date::date + software.reassignment_days > %(today)s)
       AND %(condition)s
"""
# The assignments that the trail does not know of, where a seat is kept for another.
INTRUDES = """
    feature.equipment_id <> last.equipment_ref AND 'applied' IS DISTINCT FROM (
        SELECT log.action
          FROM client_equipment_audit_log log
         WHERE log.software_key_id = key.id
           AND log.equipment_ref = feature.equipment_id
           AND log.action IN ('applied', 'revoked')
         ORDER BY log.number DESC
         LIMIT 1
    )
"""
# How many seats of a key are kept, and when the first of them is free, against what the
# key remembers.
COUNTED = """
    SELECT key.id, count(kept.seat) AS seats, min(kept.free_from) AS free_from
      FROM client_equipment_software_key key
      LEFT JOIN (%(kept)s) kept ON kept.software_key_id = key.id
     WHERE %(condition)s
     GROUP BY key.id
    HAVING (key.seats_kept, key.movable_from)
           IS DISTINCT FROM (count(kept.seat), min(kept.free_from))
"""


class KeptSeat(NamedTuple):
    """A free seat of a key, kept for the unit that it was on."""

    seat: int
    equipment_id: int
    equipment_name: str
    free_from: date | None


class ClientEquipmentSoftware(models.Model):
    """What a software says of moving its keys (A14)."""

    _inherit = "client.equipment.software"

    reassignment = fields.Selection(
        [
            ("free", "Free"),
            ("days", "Not Again Within a Number of Days"),
            ("bound", "Stays with Its Equipment"),
        ],
        "Moving Keys",
        required=True,
        default="free",
        tracking=True,
        help="Whether a key that comes back from a unit may go to another one: at any "
        "time; not before so many days after it was applied; or never (OEM). Back "
        "onto the same unit it may go at any time.",
    )
    reassignment_days = fields.Integer(
        "Days Between Moves",
        default=90,
        tracking=True,
        aggregator=None,
        help="So many days after a key was applied it may go to another unit.",
    )

    _check_reassignment_days = models.Constraint(
        "CHECK(reassignment <> 'days' OR reassignment_days BETWEEN 1 AND 3650)",
        "Keys can rest between 1 and 3650 days before they go to another unit. For "
        "keys that never do, choose Stays with Its Equipment.",
    )

    def init(self) -> None:
        """Let the database itself say Free of what does not say another rule."""
        result = super().init()
        _default_to(self, reassignment="free")
        return result

    def write(self, vals: dict) -> bool:
        result = super().write(vals)
        if {"reassignment", "reassignment_days"} & vals.keys():
            self.env["client.equipment.software.key"].sudo()._follow_rules_of(self)
        return result


class ClientEquipmentSoftwareKey(models.Model):
    """Which units the free seats of a key are for, as its software's rule says (A14).

    What a key may do follows from its trail and the rule, and is looked up there. The
    key remembers only how many of its free seats are kept, so that offers need to look
    at those alone that may go anywhere.
    """

    _inherit = "client.equipment.software.key"

    seats_kept = fields.Integer(
        required=True,
        readonly=True,
        fixed=True,
        default=0,
        copy=False,
        help="Free seats that the software's rule keeps for the units they were on.",
    )
    movable_from = fields.Date(
        "Can Move From",
        readonly=True,
        fixed=True,
        copy=False,
        help="The first day on which a kept seat may go to another unit.",
    )
    moving_note = fields.Char(compute="_compute_moving_note")

    _check_seats_kept = models.Constraint(
        "CHECK(seats_kept >= 0)",
        "The number of seats that are kept for a unit cannot be negative.",
    )
    # What has rested, until the job has counted it.
    _movable_from = models.Index("(movable_from) WHERE movable_from IS NOT NULL")

    def init(self) -> None:
        """Let the database itself keep no seat of a key that does not say so."""
        result = super().init()
        _default_to(self, seats_kept=0)
        return result

    @api.depends("status", "seats_kept", "movable_from", "software_id.reassignment")
    @api.depends_context("lang", "uid", "allowed_company_ids")
    def _compute_moving_note(self):
        """Tell for which units the free seats are, where they are for no other."""
        kept = self.filtered("seats_kept")._get_kept_seats()
        for key in self:
            seats = kept.get(key.id)
            key.moving_note = seats and key._tell_kept(seats)

    def _tell_kept(self, kept):
        """Return in the reader's language for which units seats are kept, and until
        when.

        :param kept: the ``KeptSeat`` of each
        """
        facts = {
            "software": self.software_id.name,
            "equipment": self._kept_names(kept),
            "date": self._say_date(self._free_again(kept)),
            "count": len(kept),
            "free": max(self.seats - self.seats_used - len(kept), 0),
        }
        if self.seats > 1 and facts["date"]:
            return self.env._(
                "Free seats that can only go back to %(equipment)s: %(count)s, the "
                "first of them until %(date)s; that can go onto any unit: %(free)s.",
                **facts,
            )
        if self.seats > 1:
            return self.env._(
                "Free seats that stay with %(equipment)s: %(count)s; that can go onto "
                "any unit: %(free)s.",
                **facts,
            )
        if facts["date"]:
            return self.env._(
                "Can only go back to %(equipment)s; from %(date)s onto any unit.",
                **facts,
            )
        return self.env._(
            "Stays with %(equipment)s and goes to no other unit.", **facts
        )

    def _free_again(self, kept):
        """Return the first day on which one of the seats is free, or None."""
        return min(filter(None, (seat.free_from for seat in kept)), default=None)

    def _kept_names(self, kept):
        """Return the names of the units that seats are kept for, for the reader."""
        units = self.env["client.equipment"].browse(
            dict.fromkeys(seat.equipment_id for seat in kept)
        )
        there = units.sudo().exists()
        gone = {
            seat.equipment_name for seat in kept if seat.equipment_id not in there.ids
        }
        names = [self._visible_name(there)] if there else []
        names += [self.env._("%s (deleted)", name or "") for name in sorted(gone)]
        return ", ".join(names)

    # ------------------------------------------------------------------
    # For whom free seats are
    # ------------------------------------------------------------------

    @api.model
    def _kept_sql(self, condition, **names):
        return SQL(KEPT, today=fields.Date.today(), condition=SQL(condition, **names))

    def _filtered_ruled(self):
        """Return those of the keys whose software says something of moving."""
        ruled = self.sudo().software_id.filtered(lambda each: each.reassignment != FREE)
        if not ruled:
            return self.browse()
        return self.filtered(lambda key: key.software_id in ruled)

    def _filtered_counted(self):
        """Return those of the keys that may keep a seat, or remember that they do."""
        # Of many keys not all their columns, as the ORM would.
        self.fetch(["software_id", "seats_kept"])
        return self._filtered_ruled() | self.filtered("seats_kept")

    def _get_kept_seats(self, leaving: Iterable[int] = ()) -> dict[int, list[KeptSeat]]:
        """Return ``{key id: its free seats that are kept for a unit}``.

        :param leaving: ids of assignments that are looked at as if they were gone
        """
        kept = {}
        if keys := self._filtered_ruled():
            keys.env.flush_all()
            for key_id, *seat in self.env.execute_query(
                SQL(
                    "SELECT software_key_id, seat, equipment_ref, equipment_name,"
                    " free_from FROM (%s) kept"
                    " ORDER BY free_from, software_key_id, seat",
                    self._kept_sql(
                        "key.id = ANY(%(key_ids)s)"
                        " AND (feature.id IS NULL OR feature.id = ANY(%(leaving)s))",
                        key_ids=list(keys.ids),
                        leaving=list(leaving),
                    ),
                )
            ):
                kept.setdefault(key_id, []).append(KeptSeat(*seat))
        return kept

    def _get_intruders(self):
        """Return the assignments of the keys that the trail does not know of, and that
        stand where the rule keeps them from."""
        features = self.env["client.equipment.feature"].sudo()
        keys = self._filtered_ruled()
        if not keys:
            return features
        return features.browse(
            feature_id
            for (feature_id,) in self.env.execute_query(
                SQL(
                    "SELECT feature_id FROM (%s) kept",
                    self._kept_sql(
                        f"key.id = ANY(%(key_ids)s) AND {INTRUDES}",
                        key_ids=list(keys.ids),
                    ),
                )
            )
        )

    def _with_moving_facts(self, facts, kept, places):
        """Return how the key stands for those who want its seats, for ``lifecycle``.

        :param facts: how it stands otherwise
        :param kept: its ``KeptSeat``
        :param places: ``[(equipment id, whether the rule is overridden)]`` of each seat
        """
        if not kept:
            return facts
        here = {equipment_id for equipment_id, _overridden in places}
        others = sum(seat.equipment_id not in here for seat in kept)
        overridden = sum(overridden for _equipment_id, overridden in places)
        return facts._replace(
            moving=self.software_id.sudo().reassignment,
            kept=max(others - overridden, 0),
        )

    def _is_kept_from(self, equipment, leaving):
        """Tell whether the rule keeps the key from going from one unit to another.

        :param equipment: where it shall go
        :param leaving: the assignment that it leaves
        """
        kept = self._get_kept_seats(leaving.ids).get(self.id)
        facts = self._with_moving_facts(
            Facts(AVAILABLE, self.seats_used - 1, self.seats),
            kept,
            [(equipment.id, False)],
        )
        return facts.used + facts.kept >= facts.seats

    # ------------------------------------------------------------------
    # What the key remembers of it
    # ------------------------------------------------------------------

    def _count_kept_seats(self):
        """Have the keys, which are locked, remember how many free seats are kept."""
        keys = self._filtered_counted()
        if not keys:
            return
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                "UPDATE client_equipment_software_key key"
                "   SET seats_kept = counted.seats, movable_from = counted.free_from"
                "  FROM (%s) counted WHERE counted.id = key.id RETURNING key.id",
                self._counted_sql("key.id = ANY(%(key_ids)s)", key_ids=list(keys.ids)),
            )
        )
        if changed := self.browse(key_id for (key_id,) in rows):
            names = ["seats_kept", "movable_from"]
            changed.invalidate_recordset(names, flush=False)
            changed.modified(names)

    @api.model
    def _counted_sql(self, condition, **names):
        """Return the query for the keys that remember another number than there is."""
        condition = SQL(condition, **names)
        return SQL(
            COUNTED,
            kept=self._kept_sql("feature.id IS NULL AND (%(also)s)", also=condition),
            condition=condition,
        )

    @api.model
    def _follow_rules_of(self, software):
        """Have the keys of software remember what another rule says of them.

        Whoever applies or removes one at this moment is waited for (he shares the row
        of the software), and looked for in a fresh view: where he has entered or
        changed a key, all this is done again by Odoo.

        :raises ChangedMeanwhile: where he has
        """
        self.env.flush_all()
        counted = self._counted_sql(
            "key.software_id = ANY(%(software_ids)s)", software_ids=list(software.ids)
        )
        keys = self.browse(row[0] for row in self.env.execute_query(counted))
        with self._another_view() as cr:
            cr.execute(
                SQL(
                    "SELECT id FROM client_equipment_software_key key"
                    " WHERE software_id = ANY(%s) AND (seats_kept > 0"
                    "    OR audit_number > 2 AND seats_used < seats)",
                    list(software.ids),
                )
            )
            keys |= self.browse(row[0] for row in cr.fetchall())
        keys._lock_for_step()
        here = keys.exists()
        # Others still see those that this transaction has deleted.
        deleted = self.env["client.equipment.audit.deletion"].sudo()
        deleted = deleted.search([("software_key_ref", "in", (keys - here).ids)])
        if set((keys - here).ids) - set(deleted.mapped("software_key_ref")):
            raise software._changed_error()
        here._count_kept_seats()

    @api.model
    def _count_rested(self):
        """Have the keys whose rest is over be offered to all (hourly job).

        :return: how many these are
        """
        rested = self.search([("movable_from", "<=", fields.Date.today())], limit=1000)
        rested = rested.try_lock_for_update()
        rested._count_kept_seats()
        return len(rested)

    # ------------------------------------------------------------------
    # Offers
    # ------------------------------------------------------------------

    @api.model
    def _open_domain(self):
        """Return the domain of the keys with a seat that may go onto any unit.

        As the partial index has it (``_available``).
        """
        return Domain.custom(
            to_sql=lambda model, alias, query: SQL(
                "%s + %s < %s",
                SQL.identifier(alias, "seats_used"),
                SQL.identifier(alias, "seats_kept"),
                SQL.identifier(alias, "seats"),
            ),
            predicate=lambda key: key.seats_used + key.seats_kept < key.seats,
        )

    @api.model
    def _rested_domain(self):
        """Return the domain of the keys that have rested, and are not counted yet."""
        return Domain("movable_from", "<=", fields.Date.today())

    @api.model
    def _get_keys_kept_for(self, equipment):
        """Return ``{(key id, equipment id)}`` of the keys with a free seat that is kept
        for one of the units."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT key.id
                  FROM client_equipment_audit_log log
                  JOIN client_equipment_software_key key
                    ON key.id = log.software_key_id
                 WHERE log.equipment_id = ANY(%s)
                   AND log.action = 'applied'
                   AND key.status = 'available'
                   AND key.seats_kept > 0
                """,
                list(equipment.ids),
            )
        )
        keys = self.browse(key_id for (key_id,) in rows)
        return {
            (key_id, seat.equipment_id)
            for key_id, seats in keys.sudo()._get_kept_seats().items()
            for seat in seats
            if seat.equipment_id in equipment._ids
        }

    @api.model
    def _movable_domain(self, equipment):
        """Return the domain of the keys that may go onto the equipment, as their rules
        say; without equipment: onto any."""
        kept = self._get_keys_kept_for(equipment) if equipment else ()
        return (
            self._open_domain()
            | self._rested_domain()
            | Domain("id", "in", [key_id for key_id, _equipment_id in kept])
        )

    # ------------------------------------------------------------------
    # Against the rule
    # ------------------------------------------------------------------

    def action_override_rule(self) -> dict:
        """Open the dialog that applies a key against its software's rule (A14).

        :return: a window action
        """
        self.ensure_one()
        self.check_access("write")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Apply Against the Rule"),
            "res_model": "client.equipment.software.key.override",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_software_key_id": self.id},
        }


class ClientEquipmentFeature(models.Model):
    """A rule for moving that a manager has overridden, and why (A14)."""

    _inherit = "client.equipment.feature"

    override_reason = fields.Char(
        "Reason Against the Rule",
        help="Why a manager has applied the key although its software's rule keeps it "
        "for another unit. Kept in the audit trail.",
    )

    @api.model
    def default_get(self, fields: list[str]) -> dict:
        """A reason is given for one key, never as a default of anybody: it would
        override every rule, unasked."""
        vals = super().default_get(fields)
        vals.pop("override_reason", None)
        return vals

    @api.model
    def _places_wanted(self, vals_list):
        """Return ``{key id: [(equipment id, whether its rule is overridden)]}``, one
        for each seat that new assignments take."""
        places = {}
        for vals in vals_list:
            places.setdefault(vals.get("software_key_id"), []).append(
                (vals.get("equipment_id"), bool(vals.get("override_reason")))
            )
        return places

    @api.model
    def _with_reasons(self, vals_list):
        """Return new assignments' values, with reasons where a rule is overridden.

        :raises UserError: where somebody gives one who is no manager
        """
        given = [vals for vals in vals_list if vals.get("override_reason")]
        if not given:
            return vals_list
        keys = self._keys_of(given).sudo()
        if not self.env.su and not keys.sudo(False).has_access("write"):
            raise UserError(
                self.env._(
                    "Only managers apply a key against its software's rule. Choose "
                    "another key than %s, or ask a manager.",
                    keys.sudo(False)._some_names(),
                )
            )
        kept = keys._get_kept_seats()
        return [
            vals
            if vals.get("override_reason") and kept.get(vals.get("software_key_id"))
            else vals | {"override_reason": False}
            for vals in vals_list
        ]

    @api.model
    def _bound(self, vals_list, pairs):
        """Give each new assignment a seat that is kept for its unit, or for nobody;
        only where the rule is overridden one that is kept for another."""
        vals_list = super()._bound(vals_list, pairs)
        kept = self._keys_of(vals_list).sudo()._get_kept_seats()
        keys = self._keys_of(vals_list).sudo().browse(kept)
        keys = keys.filtered(lambda key: key.seats > 1)
        if not keys:
            return vals_list
        unused = keys._free_seats()
        free = {
            # Of very many seats only so many as can be taken here.
            key.id: {seat.seat for seat in kept[key.id]}.union(
                islice(
                    unused[key.id],
                    min(key.seats - key.seats_used, len(pairs) + len(kept[key.id])),
                )
            )
            for key in keys
        }
        return [
            vals | {"seat": self._take_seat(free[key.id], kept[key.id], equipment.id)}
            if key.id in free
            else vals
            for vals, (key, equipment) in zip(vals_list, pairs, strict=True)
        ]

    @api.model
    def _take_seat(self, free, kept, equipment_id):
        """Take the seat that fits a unit best out of those that are free."""
        kept_for = {seat.seat: seat.equipment_id for seat in kept}
        seat = min(
            free,
            key=lambda seat: (
                kept_for.get(seat) != equipment_id,
                seat in kept_for,
                seat,
            ),
        )
        free.remove(seat)
        return seat
