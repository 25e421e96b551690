import json
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import fields as facts
from datetime import datetime, timedelta
from functools import cached_property
from typing import Self

from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import SQL, split_every

from .evidence_json import Leaves

BATCH = 2000


@dataclass
class KeyState:
    """A software key as it was at the end of the period."""

    key: object
    software: object
    status: str
    validity_end: object
    key_type: str
    validity_start: object
    owner: object
    # SHA-256 of its license file, if it had one.
    license_file_sha256: str
    # How many installations it allowed.
    seats: int
    # Everything that it was on, and what of that the pack may tell.
    used: int
    lines: object
    # Whether the pack is about chosen equipment or customers, and not about this key's
    # place.
    only_here: bool

    @property
    def installed(self) -> int:
        """How many installations it had, as far as the pack tells."""
        return len(self.lines) if self.only_here else self.used

    @property
    def is_elsewhere(self) -> bool:
        """Whether it is on equipment that the pack may not name, and may say so."""
        return not self.only_here and self.used > len(self.lines)


@dataclass
class Position:
    """The licenses of one product at the end of the period, counted in seats.

    What was owned was applied, free, expired or revoked, or has been deleted since:
    what such a key was then, nothing tells any more.
    """

    owned: int = 0
    applied: int = 0
    free: int = 0
    expired: int = 0
    expired_installed: int = 0
    revoked: int = 0
    deleted: int = 0

    def add_up(self, other: Self) -> None:
        """Add what was counted of other keys."""
        for fact in facts(self):
            count = getattr(self, fact.name) + getattr(other, fact.name)
            setattr(self, fact.name, count)

    def add(self, state: str, seats: int, used: int) -> None:
        """Count one key.

        :param state: its status
        :param seats: how many of its seats are counted
        :param used: how many of these are installed
        """
        self.owned += seats
        if state == "revoked":
            self.revoked += seats
        elif state == "expired":
            self.expired += seats
            self.expired_installed += used
        else:
            self.applied += used
            self.free += seats - used


class Evidence:
    """What an evidence pack tells, read with the rights of its maker (L7).

    Where customers or equipment are chosen, nothing is told of other customers or
    other equipment that the same keys were on. Which records these are, and what is
    told of them, the pack's methods say, which other addons extend.
    """

    def __init__(self, pack, trees=None):
        """
        :param dict trees: ``{checkpoint id: its Leaves}``, kept from step to step
        """
        self.pack = pack
        self.env = pack.env
        self.trees = {} if trees is None else trees

    # ------------------------------------------------------------------
    # What belongs into the pack
    # ------------------------------------------------------------------

    @cached_property
    def end(self) -> datetime:
        """The moment before which everything is told: the end of the period, or that
        of the second in which the pack was asked for."""
        history = self.env["client.equipment.usage.history"]
        asked = (
            self.pack.asked_on or self.env["client.equipment.audit.log"]._get_moment()
        )
        end = asked + timedelta(seconds=1)
        if self.pack.date_to:
            end = min(end, history._end_of(self.pack.date_to))
        return end

    @cached_property
    def customers(self) -> models.BaseModel:
        """The chosen customers: a company and its contacts and branches are one."""
        return (
            self.env["res.partner"]
            .with_context(active_test=False)
            .search(
                [("id", "child_of", self.pack.partner_ids.commercial_partner_id.ids)]
            )
        )

    @cached_property
    def installations(self) -> models.BaseModel:
        """The lines of the usage history that belong into the pack."""
        return self.env["client.equipment.usage.history"].search(
            self.history_domain,
            order="software_id, date_from, id",
        )

    @cached_property
    def keys(self) -> models.BaseModel:
        """The keys that belong into the pack, by product."""
        return self.env["client.equipment.software.key"].search(
            self.pack._get_keys_domain(self), order="software_id, id"
        )

    @cached_property
    def deletions(self) -> models.BaseModel:
        """What is kept of the keys that were there in the period and are deleted."""
        return self.env["client.equipment.audit.deletion"].search(
            self.pack._get_deletions_domain(self), order="software_name, date, id"
        )

    @property
    def has_keys(self) -> bool:
        """Whether there is anything to tell."""
        SoftwareKey = self.env["client.equipment.software.key"]
        keys = SoftwareKey.search(self.pack._get_keys_domain(self), limit=1)
        return bool(keys or self.deletions)

    @cached_property
    def entries(self) -> models.BaseModel:
        """The entries of the keys' audit trails that belong into the pack, by product
        and time."""
        AuditLog = self.env["client.equipment.audit.log"]
        domain = self.pack._get_trail_domain(self)
        ids = []
        for _software_id, key_ids in self._by_software(self.keys):
            ids += AuditLog._search(
                domain & Domain("software_key_id", "in", key_ids),
                order="action_date, id",
            ).get_result_ids()
        return AuditLog.browse(ids)

    @property
    def has_place(self) -> bool:
        """Whether the pack is about chosen equipment or customers alone."""
        return bool(self.pack.equipment_ids or self.pack.partner_ids)

    @cached_property
    def history_domain(self) -> Domain:
        """The domain of the installations that belong into the pack."""
        return self.pack._get_history_domain(self)

    def place_domain(self, model: str) -> Domain:
        """Return the domain of what ``model`` tells of chosen equipment and customers.

        :param model: usage history or audit log
        """
        if model not in self._place_domains:
            self._place_domains[model] = self.pack._get_place_domain(self, model)
        return self._place_domains[model]

    @cached_property
    def _place_domains(self):
        return {}

    def entered_then(self) -> Domain:
        """Return the domain of the keys that had been entered by the end."""
        return self._where_exists(
            SQL(
                "SELECT software_key_id FROM client_equipment_audit_log"
                " WHERE number = 1 AND action_date < %s",
                self.end,
            ),
        )

    def installed(self) -> Domain:
        """Return the domain of the keys of the installations in the pack."""
        history = self.env["client.equipment.usage.history"]
        lines = history._search(self.history_domain)
        key_id = history._field_to_sql(lines.table, "software_key_id", lines)
        return self._where_exists(lines.select(SQL("%s AS software_key_id", key_id)))

    def _where_exists(self, lines):
        """Return the domain of the keys of which there are lines.

        PostgreSQL looks up each key, or all lines at once, whichever is less work; with
        IN it may go through all lines for each key.

        :param SQL lines: query for ``software_key_id``
        """
        return Domain.custom(
            to_sql=lambda model, alias, query: SQL(
                "EXISTS (SELECT FROM (%s) line WHERE line.software_key_id = %s)",
                lines,
                SQL.identifier(alias, "id"),
            )
        )

    def _by_software(self, keys):
        """Yield ``(id of the software, ids of its keys)`` in the order of the keys."""
        by_software = {}
        for portion in self.batches(keys):
            for key in portion:
                by_software.setdefault(key.software_id.id, []).append(key.id)
        yield from by_software.items()

    def batches(self, records: models.BaseModel) -> Iterator[models.BaseModel]:
        """Yield ``records`` in portions; what was read of one is forgotten after it."""
        for ids in split_every(BATCH, records._ids, list):
            yield records.browse(ids)
            self.env.invalidate_all()

    # ------------------------------------------------------------------
    # As of the end of the period
    # ------------------------------------------------------------------

    def states(self, keys: models.BaseModel) -> Iterator[KeyState]:
        """Yield the :class:`KeyState` of each of ``keys``, one portion of all."""
        last, used = self._last_entries(keys), self._used(keys)
        lines, later = self._lines_then(keys), self._changed_since(keys)
        Software = self.env["client.equipment.software"]
        Partner = self.env["res.partner"]
        owners = {told[-1] for told in last.values()}
        owners |= {changed.get("owner_id") for changed in later.values()}
        owners = Partner.browse(owners - {None}).exists()
        for key in keys:
            # (a key may have been installed before it was entered here)
            software_id, status, validity_end, license_file_sha256, version, *then = (
                last.get(
                    key.id,
                    (None, "applied", key.validity_end, key.license_file_sha256, 0),
                )
            )
            changed = later.get(key.id, {})
            if version < 3:  # entries did not tell it: as it is, but for later changes
                then = (
                    changed.get("key_type", key.key_type),
                    fields.Date.to_date(
                        changed.get("validity_start", key.validity_start)
                    ),
                    changed.get("owner_id", key.owner_id.id),
                )
            key_type, validity_start, owner_id = then
            count = used.get(key.id, 0)
            allowed = changed.get("seats", key.seats)
            if status == "available" and count >= allowed:
                status = "applied"  # dated back
            yield KeyState(
                key=key,
                software=Software.browse(software_id) or key.software_id,
                status=status,
                validity_end=validity_end,
                key_type=key_type,
                validity_start=validity_start,
                owner=(owners | key.owner_id) & Partner.browse(owner_id or ()),
                license_file_sha256=license_file_sha256,
                seats=allowed,
                used=count,
                lines=lines.get(key.id, lines[None]),
                only_here=self.has_place,
            )

    def _last_entries(self, keys):
        """Return ``{key id: (software id, status, validity end, SHA-256 of its license
        file, the entry's version, key type, validity start, owner's id)}`` as the trail
        had them then.

        Who may read a key learns its status, also where the entry that led to it is
        another company's.
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT ON (software_key_id)
                       software_key_id, software_id, status_after,
                       validity_end_after, license_file_sha256, version, key_type,
                       validity_start, owner_ref
                  FROM client_equipment_audit_log
                 WHERE software_key_id = ANY(%s) AND action_date < %s
                 ORDER BY software_key_id, number DESC
                """,
                keys.ids,
                self.end,
            )
        )
        return {key_id: facts for key_id, *facts in rows}

    def _changed_since(self, keys):
        """Return ``{key id: {field: what it was then}}`` of what was changed since; of
        a record its id."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT ON (software_key_id, change ->> 0)
                       software_key_id, change ->> 0, change -> 1
                  FROM client_equipment_audit_log,
                       jsonb_array_elements(changes) change
                 WHERE software_key_id = ANY(%s) AND action_date >= %s
                   AND action = 'changed'
                 ORDER BY software_key_id, change ->> 0, number
                """,
                keys.ids,
                self.end,
            )
        )
        changed = {}
        for key_id, name, value in rows:
            value = value[0] if isinstance(value, list) else value
            changed.setdefault(key_id, {})[name] = value
        return changed

    def _installed_then(self):
        """Return the domain of what was installed at the end of the period."""
        history = self.env["client.equipment.usage.history"]
        return Domain("date_from", "<", self.end) & history._not_ended_before(self.end)

    def _used(self, keys):
        """Return ``{key id: how many installations it had then}``, those of other
        companies too: only how many, hence sudo()."""
        history = self.env["client.equipment.usage.history"].sudo()
        counts = history._read_group(
            self._installed_then() & Domain("software_key_id", "in", keys.ids),
            ["software_key_id"],
            ["__count"],
        )
        return {key.id: count for key, count in counts}

    def _lines_then(self, keys):
        """Return ``{key id: its installations then that the pack may tell}``; under
        None there are none."""
        history = self.env["client.equipment.usage.history"]
        found = {None: history}
        lines = history.search(
            self._installed_then()
            & self.place_domain(history._name)
            & Domain("software_key_id", "in", keys.ids),
            order="software_key_id, date_from, id",
        )
        for line in lines:
            key_id = line.software_key_id.id
            found[key_id] = found.get(key_id, history) | line
        return found

    def count_positions(self, keys: models.BaseModel) -> dict[int, Position]:
        """Return ``{software id: Position}`` of a portion of the keys.

        Of keys that are for everybody, a pack about chosen customers or equipment
        counts the seats that are installed there.
        """
        positions = {}
        for state in self.states(keys):
            seats, used = state.seats, state.used
            if self.has_place and not self._is_theirs(state.key):
                seats = used = len(state.lines)
            if seats:
                position = positions.setdefault(state.software.id, Position())
                position.add(state.status, seats, used)
        return positions

    @cached_property
    def positions(self) -> dict[models.BaseModel, Position]:
        """``{software: its Position}``, by product: what was counted in portions."""
        positions = {}
        for piece in self.pack._pieces("counts"):
            for software_id, counts in json.loads(piece._read_content()).items():
                position = positions.setdefault(int(software_id), Position())
                position.add_up(Position(**counts))
        for deletion in self.deletions.filtered(lambda line: line.date >= self.end):
            position = positions.setdefault(deletion.software_ref, Position())
            seats = deletion.seats or 1
            position.add_up(Position(owned=seats, deleted=seats))
        return {
            software: positions[software.id]
            for software in self._in_order(positions.keys())
        }

    @cached_property
    def software(self) -> models.BaseModel:
        """The software that the keys were for, by name."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT software_id FROM client_equipment_software_key
                 WHERE id = ANY(%(key_ids)s)
                UNION
                SELECT software_id FROM client_equipment_audit_log
                 WHERE software_key_id = ANY(%(key_ids)s) AND software_id IS NOT NULL
                """,
                key_ids=self.keys.ids,
            )
        )
        gone = self.deletions.mapped("software_ref")
        return self._in_order([id_ for (id_,) in rows] + gone)

    def _in_order(self, software_ids):
        """Return software as the catalogue orders it."""
        Software = self.env["client.equipment.software"].with_context(active_test=False)
        return Software.search([("id", "in", list(software_ids))])

    def _is_theirs(self, key):
        """Tell whether a key was bought for the chosen customers."""
        return not self.pack.equipment_ids and key.owner_id in self.customers

    def findings(self, keys: models.BaseModel) -> list[tuple[models.BaseModel, str]]:
        """Return what verifying the audit trails of ``keys`` finds."""
        return [
            (keys.browse(finding["software_key_id"]), finding["problem"])
            for finding in keys.verify_audit_trail()
        ]

    # ------------------------------------------------------------------
    # In words
    # ------------------------------------------------------------------

    def name(self, record: models.BaseModel) -> str | bool:
        """Return the name of a record, or nothing where the maker may not read it."""
        return record._filtered_access("read").display_name

    def software_name(self, line: models.BaseModel) -> str:
        """Return the name of the software that an entry, or a line of the usage
        history, tells of: as it was then, where that is known."""
        return line.software_name or line.software_key_id.software_id.display_name

    def list_of(self, records: models.BaseModel) -> str:
        """Return the names of records in one text."""
        return ", ".join(records.mapped("display_name"))

    def description(self, entry: models.BaseModel) -> str:
        """Return what an entry tells, its license keys shown as chosen."""
        key = entry.software_key_id
        named = key | key.replaces_id | key.replaced_by_id
        return self.hide(entry.description, named)

    @property
    def checkpoint(self) -> models.BaseModel:
        """The checkpoint that covers what the pack tells, if there is one."""
        return self.pack.checkpoint_id

    @property
    def leaves(self) -> Leaves:
        """The :class:`Leaves` of this checkpoint: looked up once by a job."""
        if self.checkpoint.id not in self.trees:
            self.trees[self.checkpoint.id] = Leaves(self.checkpoint)
        return self.trees[self.checkpoint.id]

    @property
    def verdict(self) -> str:
        """What verifying the audit trails has found, in words."""
        count, findings = self.pack._count("keys"), self.pack._count("integrity")
        if findings:
            return self.env._(
                "Not intact: %(findings)s of %(count)s audit trails were changed "
                "behind the system's back.",
                findings=findings,
                count=count,
            )
        return self.env._(
            "Intact: audit trails verified: %(count)s; no entry was altered, removed "
            "or inserted.",
            count=count,
        )

    def place(self, state: KeyState) -> str:
        """Return the names of the equipment that a key was on then, as told."""
        names = [
            f"{line.equipment_name} ({line.equipment_serial_no})"
            if line.equipment_serial_no
            else line.equipment_name
            for line in state.lines
        ]
        if state.is_elsewhere:
            names.append(self.env._("Equipment of another company"))
        return ", ".join(names)

    def shown(self, key: models.BaseModel) -> str:
        """Return the license key whole or by its last characters, as chosen."""
        if self.pack._shows_whole_keys():
            return key.license_key
        return key.license_key_hint

    def hide(self, text: str, keys: models.BaseModel) -> str:
        """Return ``text`` with the license keys of ``keys`` shown as chosen."""
        # Also those of a replaced key that is another company's now: to hide them.
        for key in keys.sudo():
            text = text.replace(key._get_license_key(), self.shown(key))
        return text

    def local(self, moment: datetime | bool) -> datetime | bool:
        """Return a moment as the maker's clock shows it."""
        return moment and fields.Datetime.context_timestamp(self.pack, moment).replace(
            tzinfo=None
        )

    @property
    def as_of(self) -> datetime:
        """The last second that is told of, as the maker's clock shows it."""
        return self.local(self.end - timedelta(seconds=1))

    def label(
        self, record: models.BaseModel, field_name: str, value: str | None = None
    ) -> str:
        """Return the label of a selection's value in the maker's language.

        :param value: another value than the record's
        """
        if value is None:
            value = record[field_name]
        labels = self._labels.get((record._name, field_name))
        if labels is None:
            field = record._fields[field_name]
            labels = dict(field._description_selection(self.env))
            self._labels[record._name, field_name] = labels
        return labels.get(value, value) or ""

    @cached_property
    def _labels(self):
        return {}
