import functools
import itertools
from collections import Counter
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from ..lifecycle import take


class SeatStep(NamedTuple):
    """One seat of a key that was taken or given back, and the key's status after it."""

    key_id: int
    equipment_id: int
    seat: int
    status: str


def _default_to(model, **defaults):
    """Give columns of the model's table a default in the database."""
    model.env.cr.execute(
        SQL(
            "ALTER TABLE %s %s",
            SQL.identifier(model._table),
            SQL(", ").join(
                SQL("ALTER %s SET DEFAULT %s", SQL.identifier(name), value)
                for name, value in defaults.items()
            ),
        )
    )


class ClientEquipmentSoftwareKey(models.Model):
    """The seats of a key: on how many units it may be, and is, installed (K14)."""

    _inherit = "client.equipment.software.key"

    seats = fields.Integer(
        required=True,
        default=1,
        help="On how many units the license key may be installed.",
    )
    seats_used = fields.Integer(
        required=True,
        readonly=True,
        fixed=True,
        default=0,
        copy=False,
        help="On how many units the license key is installed now.",
    )
    seats_free = fields.Integer(
        compute="_compute_seats_free", search="_search_seats_free"
    )
    seats_usage = fields.Char("Seats in Use", compute="_compute_seats_usage")

    _check_seats = models.Constraint(
        "CHECK(seats >= 1 AND seats_used BETWEEN 0 AND seats)",
        "A license key has at least one seat, and not fewer than are in use.",
    )
    # What the assignments point to: each repeats how many seats its key has.
    _seats = models.UniqueIndex("(id, seats)")
    # The filters Seats Free and All Seats Used, among many keys of one seat: counted,
    # and sorted by validity end.
    _several_seats = models.Index("(id, seats, seats_used, company_id) WHERE seats > 1")
    _several_seats_validity = models.Index("(validity_end) WHERE seats > 1")
    _all_seats_used = models.Index(
        "(id, validity_end, company_id) WHERE seats > 1 AND seats - seats_used = 0"
    )

    def init(self) -> None:
        """Let the database itself give one seat to what does not say more."""
        result = super().init()
        _default_to(self, seats=1, seats_used=0)
        return result

    @api.depends("seats", "seats_used")
    def _compute_seats_free(self):
        for key in self:
            key.seats_free = key.seats - key.seats_used

    @api.model
    def _search_seats_free(self, operator, value):
        if operator == "in":
            condition = SQL("= ANY(%s)", [number or 0 for number in value])
        elif operator in ("<", "<=", ">", ">="):
            condition = SQL("%s %s", SQL(operator), value)
        else:
            return NotImplemented
        return Domain.custom(
            to_sql=lambda model, alias, query: SQL(
                "%s %s", model._field_to_sql(alias, "seats_free", query), condition
            )
        )

    def _field_to_sql(self, alias, field_expr, query=None):
        """Add up and sort by the seats that are free."""
        if field_expr != "seats_free":
            return super()._field_to_sql(alias, field_expr, query)
        return SQL(
            "(%s - %s)",
            SQL.identifier(alias, "seats"),
            SQL.identifier(alias, "seats_used"),
        )

    @api.depends("seats", "seats_used")
    def _compute_seats_usage(self):
        """Tell how many seats of a key of several are in use."""
        for key in self:
            key.seats_usage = key.seats > 1 and self.env._(
                "%(used)s of %(seats)s used", used=key.seats_used, seats=key.seats
            )

    def _step_seats(self, cause, seats, **told):
        """Take the step of seats that were taken or given back already (A2, A7).

        :param str cause: ``"apply"`` or ``"remove"``
        :param seats: rows of key, equipment and seat, in the order of the steps
        :param told: what else the entries tell (``_append_sql`` of the audit log)
        """
        facts = self._get_facts(ended=True)
        change = 1 if cause == "apply" else -1
        moved = functools.cache(
            lambda stands, number, status: stands._replace(
                used=stands.used + number, status=status
            )
        )
        for key_id, number in Counter(key_id for key_id, *_ in seats).items():
            now = facts[key_id]
            facts[key_id] = moved(now, -change * number, now.status)
        steps = []
        for key_id, equipment_id, seat in seats:
            before = facts[key_id]
            step = take(before, cause)
            facts[key_id] = moved(before, change, step.status)
            steps.append(SeatStep(key_id, equipment_id, seat, step.status))
        if steps:
            statuses = {key_id: stands.status for key_id, stands in facts.items()}
            self._transition(step.entry, statuses, seats=steps, **told)

    def _repair_seats(self):
        """Tell the trails of keys of several seats where their seats really are.

        A seat that the trail does not know of becomes one that was applied; one that is
        not there any more becomes one that was given back.

        :return: the keys whose trail knew otherwise
        """
        features = self.sudo().equipment_feature_ids
        there = features._get_seats()
        history = self.env["client.equipment.usage.history"].sudo()
        lines = history.search(
            [("software_key_id", "in", self.ids), ("date_to", "=", False)]
        )
        # A line is named after the entry that it begins with.
        entries = self.env["client.equipment.audit.log"].sudo().browse(lines.ids)
        told = {
            (entry.software_key_id.id, entry.equipment_ref): entry.seat or 1
            for entry in entries
        }
        new = [seat for seat in there if seat[:2] not in told]
        places = {seat[:2] for seat in there}
        lost = [(*place, seat) for place, seat in told.items() if place not in places]
        repaired = self.browse()
        for cause, seats in (("apply", new), ("remove", lost)):
            keys = self.browse(dict.fromkeys(key_id for key_id, *_ in seats))
            keys._step_seats(cause, seats, reason_code="repaired")
            repaired |= keys
        return repaired

    @api.model
    def _check_seats_value(self, license_key, seats):
        """Say in words, and of which key, what the database would refuse."""
        if not seats or int(seats) < 1:
            raise ValidationError(
                self.env._(
                    "%s needs at least one seat: on so many units it may be installed.",
                    license_key,
                )
            )

    def write(self, vals: dict) -> bool:
        result = super().write(vals)
        if "seats" in vals:
            # The database lets the assignments follow.
            self.env["client.equipment.feature"].invalidate_model(["key_seats"])
        return result

    def _prepare_seats(self, vals):
        """Make ready that the keys, which are locked, get another number of seats.

        :param dict vals: what is going to be written
        :return: ``{key id: status after it}`` of the keys that change
        :raises UserError: where more seats are in use, naming the equipment
        """
        if "seats" not in vals:
            return {}
        seats = int(vals["seats"] or 0)
        changed = self.filtered(lambda key: key.seats != seats)
        facts = changed._get_facts()
        statuses = {
            key.id: key._take(facts[key.id]._replace(seats=seats), "seats").status
            for key in changed
        }
        changed._move_seats_within(seats)
        return statuses

    def _move_seats_within(self, seats):
        """Give the assignments whose seat lies beyond that number one that is free."""
        Feature = self.env["client.equipment.feature"].sudo()
        beyond = Feature.search(
            [("software_key_id", "in", self.ids), ("seat", ">", seats)], order="id"
        )
        free = beyond.software_key_id._free_seats()
        for feature in beyond:
            feature._write_fixed({"seat": next(free[feature.software_key_id.id])})
        beyond.flush_recordset(["seat"])

    def _free_seats(self):
        """Return ``{key id: an iterator of its free seats}``, the first one first."""
        rows = self.env.execute_query(
            SQL(
                "SELECT software_key_id, array_agg(seat) FROM client_equipment_feature"
                " WHERE software_key_id = ANY(%s) GROUP BY software_key_id",
                list(self.ids),
            )
        )
        taken = dict.fromkeys(self.ids, ()) | dict(rows)
        return {
            key_id: itertools.filterfalse(set(seats).__contains__, itertools.count(1))
            for key_id, seats in taken.items()
        }


class ClientEquipmentFeature(models.Model):
    """The seat of an assignment, and what the database guarantees of it.

    A seat of a key is taken once, and one equipment takes one seat of a key. Each row
    repeats how many seats its key has: the foreign key compares that with the key's
    own row, and lets it follow when it changes, so that no seat lies beyond.
    """

    _inherit = "client.equipment.feature"

    seat = fields.Integer(
        required=True,
        default=1,
        readonly=True,
        fixed=True,
        aggregator=None,
        help="Its number among the seats of the key.",
    )
    key_seats = fields.Integer(
        "Seats of the Key",
        required=True,
        default=1,
        readonly=True,
        fixed=True,
        aggregator=None,
        export_string_translation=False,
        help="Within which the number of the seat lies.",
    )

    _software_key_unique = models.Constraint(
        "UNIQUE(software_key_id, seat)",
        "This seat of the software key has just been taken. Try again, or choose "
        "another key.",
    )
    _equipment_unique = models.UniqueIndex(
        "(equipment_id, software_key_id)",
        "A software key takes one seat on an equipment, and is there already.",
    )
    _check_seat = models.Constraint(
        "CHECK(seat BETWEEN 1 AND key_seats)",
        "The software key has no such seat. Remove it from an equipment first, or "
        "raise its number of seats.",
    )
    _key_seats = models.Constraint(
        "FOREIGN KEY (key_seats, software_key_id)"
        " REFERENCES client_equipment_software_key (seats, id)"
        " ON UPDATE CASCADE",
        "The number of seats of the software key has just been changed. Try again.",
    )

    def init(self) -> None:
        """Let the database itself give seat 1 to what does not say another."""
        result = super().init()
        _default_to(self, seat=1, key_seats=1)
        return result

    def _tell_corrected_days(self, before):
        """Write an entry for each of these assignments whose day was corrected (K17).

        :param dict before: ``{assignment id: the day before}``
        """
        installed = self._get_installed()
        seats, days = {row[:2]: row[2] for row in installed}, self._get_days(installed)
        by_key = list(self.grouped("software_key_id").values())
        # One step for any number of keys; as many as one key has assignments.
        for features in itertools.zip_longest(*by_key, fillvalue=self.browse()):
            features = self.browse().union(*features)
            keys = features.sudo().software_key_id
            keys._transition(
                "changed",
                {key.id: key.status for key in keys},
                seats=[
                    SeatStep(*place, seats[place], feature.software_key_id.status)
                    for feature in features.sudo()
                    for place in [(feature.software_key_id.id, feature.equipment_id.id)]
                ],
                days=days,
                changes={
                    feature.software_key_id.id: [
                        [
                            "applied_date",
                            str(before[feature.id]),
                            str(feature.applied_date),
                        ]
                    ]
                    for feature in features
                },
            )

    def _get_installed(self):
        """Return a row of key, equipment, seat and day of installation of each
        assignment, in order."""
        self.flush_model(["software_key_id", "equipment_id", "seat", "applied_date"])
        return self.env.execute_query(
            SQL(
                "SELECT software_key_id, equipment_id, seat, applied_date"
                "  FROM client_equipment_feature WHERE id = ANY(%s) ORDER BY id",
                list(self.ids),
            )
        )

    def _get_seats(self):
        """Return a row of key, equipment and seat of each assignment, in order."""
        return [row[:3] for row in self._get_installed()]

    @api.model
    def _bound(self, vals_list, pairs):
        """Give each new assignment the first seat of its key that is free.

        :param pairs: the key and the equipment of each, in sudo()
        """
        keys = self._keys_of(vals_list).sudo()
        if max(keys.mapped("seats"), default=1) == 1:
            return vals_list
        keys = keys.filtered(lambda key: key.seats > 1)
        self.flush_model(["software_key_id", "equipment_id", "seat"])
        self._check_not_there(keys, pairs)
        free = keys._free_seats()
        return [
            vals | {"seat": next(free[key.id]), "key_seats": key.seats}
            if key.id in free
            else vals
            for vals, (key, _equipment) in zip(vals_list, pairs, strict=True)
        ]

    @api.model
    def _check_not_there(self, keys, pairs):
        """Check that no key of several seats takes two of them on one equipment.

        :raises UserError: naming key and equipment
        """
        pairs = [pair for pair in pairs if all(pair)]
        there = set(
            self.env.execute_query(
                SQL(
                    "SELECT software_key_id, equipment_id FROM client_equipment_feature"
                    " WHERE software_key_id = ANY(%s) AND equipment_id = ANY(%s)",
                    list(keys.ids),
                    [equipment.id for _key, equipment in pairs],
                )
            )
        )
        for key, equipment in pairs:
            if key in keys and (key.id, equipment.id) in there:
                raise UserError(
                    self.env._(
                        "%(key)s is on %(equipment)s already, where it takes one of "
                        "its seats. Choose another key or another equipment.",
                        key=key.display_name,
                        equipment=equipment.display_name,
                    )
                )
            there.add((key.id, equipment.id))
