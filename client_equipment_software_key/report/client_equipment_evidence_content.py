from dataclasses import fields as facts
from operator import attrgetter, itemgetter
from typing import NamedTuple

from odoo import models
from odoo.fields import Domain
from odoo.tools import SQL

from .evidence import Position

# What is told of a key beside its gap.
GAP_COLUMNS = {
    *("software", "key_number", "license_key", "status"),
    *("validity_end", "equipment", "customer"),
}


class Column(NamedTuple):
    """A column of a sheet."""

    name: str
    label: str
    # Gives the cell of a row.
    value: object


class Sheet(NamedTuple):
    """A table of the pack."""

    name: str
    title: str
    columns: list
    # Gives the records that it is made of, in the order of the sheet; asked once.
    records: object
    # Gives the rows of a portion of these records.
    rows: object


class ClientEquipmentEvidencePack(models.Model):
    """What is in a pack. Other addons extend these methods: each returns data."""

    _inherit = "client.equipment.evidence.pack"

    # ------------------------------------------------------------------
    # Which records
    # ------------------------------------------------------------------

    def _get_history_domain(self, evidence):
        """Return the domain of the installations that belong into the pack.

        :param evidence: the :class:`Evidence` that the pack tells
        """
        domain = evidence.place_domain("client.equipment.usage.history")
        domain &= Domain("date_from", "<", evidence.end)
        if self.software_ids:
            domain &= Domain("software_id", "in", self.software_ids.ids)
        if self.date_from:
            domain &= Domain("installed_on", ">=", self.date_from)
        return domain

    def _get_keys_domain(self, evidence):
        """Return the domain of the keys that belong into the pack.

        Those of the installations; where no place is chosen all keys of the software;
        where customers are chosen also what was bought for them.
        """
        of_software = (
            Domain("software_id", "in", self.software_ids.ids)
            if self.software_ids
            else Domain.TRUE
        )
        if self.partner_ids and not self.equipment_ids:
            more = Domain("owner_id", "in", evidence.customers.ids)
        else:
            more = Domain(not evidence.has_place)
        return evidence.installed() | (of_software & more & evidence.entered_then())

    def _get_trail_domain(self, evidence):
        """Return the domain of the entries that belong into the pack, of its keys."""
        nowhere = Domain("equipment_ref", "=", False)
        domain = nowhere | evidence.place_domain("client.equipment.audit.log")
        domain &= Domain("action_date", "<", evidence.end)
        if self.date_from:
            history = self.env["client.equipment.usage.history"]
            start = history._start_of(self.date_from)
            domain &= Domain("action_date", ">=", start)
        return domain

    def _get_deletions_domain(self, evidence):
        """Return the domain of the deleted keys that belong into the pack: those that
        were there in the period. Where such a key was, nothing tells any more."""
        if evidence.has_place:
            return Domain.FALSE
        domain = Domain(
            "id",
            "in",
            SQL(
                "(SELECT deletion_id FROM client_equipment_audit_deletion_entry"
                " WHERE action_date < %s)",
                evidence.end,
            ),
        )
        if self.software_ids:
            domain &= Domain("software_ref", "in", self.software_ids.ids)
        if self.date_from:
            history = self.env["client.equipment.usage.history"]
            domain &= Domain("date", ">=", history._start_of(self.date_from))
        return domain

    def _get_place_domain(self, evidence, model):
        """Return the domain of what ``model`` tells of chosen equipment and customers.

        Who the customer was at that time counts, under whatever name, and whom he was
        merged into since.

        :param model: usage history or audit log, whose fields have the same names
        """
        domain = Domain.TRUE
        if self.equipment_ids:
            domain &= Domain("equipment_ref", "in", self.equipment_ids.ids)
        if self.partner_ids:
            domain &= Domain("customer_id", "in", evidence.customers.ids)
        return domain

    # ------------------------------------------------------------------
    # The sheets
    # ------------------------------------------------------------------

    def _get_sheets(self, evidence):
        """Return the :class:`Sheet` of each table, in their order.

        :param evidence: the :class:`Evidence` that the pack tells
        """
        return [
            Sheet(
                "position",
                self.env._("License Position"),
                self._get_position_columns(evidence),
                lambda: evidence.software,
                lambda software: [
                    (each, evidence.positions[each])
                    for each in software
                    if each in evidence.positions
                ],
            ),
            Sheet(
                "installations",
                self.env._("Installations"),
                self._get_installation_columns(evidence),
                lambda: evidence.installations,
                lambda lines: lines,
            ),
            Sheet(
                "keys",
                self.env._("Keys"),
                self._get_key_columns(evidence),
                lambda: evidence.keys,
                evidence.states,
            ),
            Sheet(
                "trail",
                self.env._("Trail"),
                self._get_trail_columns(evidence),
                lambda: evidence.entries,
                lambda entries: entries,
            ),
            Sheet(
                "deleted",
                self.env._("Deleted Keys"),
                self._get_deletion_columns(evidence),
                lambda: evidence.deletions,
                lambda deletions: deletions,
            ),
            Sheet(
                "gaps",
                self.env._("Gaps"),
                self._get_gap_columns(evidence),
                lambda: evidence.keys,
                lambda keys: [
                    (gap, state)
                    for state in evidence.states(keys)
                    if (gap := self._get_gap(state))
                ],
            ),
            Sheet(
                "integrity",
                self.env._("Integrity"),
                self._get_integrity_columns(evidence),
                lambda: evidence.keys,
                evidence.findings,
            ),
        ]

    def _get_own_columns(self, evidence, key_of, software_of):
        """Return the columns that tell which key a row is about.

        :param key_of: gives the key of a row
        :param software_of: gives the name of its software
        """
        return [
            Column("software", self.env._("Feature"), software_of),
            Column("key_number", self.env._("Key No."), lambda row: key_of(row).id),
            Column(
                "license_key",
                self.env._("License Key"),
                lambda row: evidence.shown(key_of(row)),
            ),
        ]

    def _get_position_columns(self, evidence):
        """Return the columns of the license position; a row is ``(software,
        position)``."""
        labels = {
            "owned": self.env._("Owned"),
            "applied": self.env._("Applied"),
            "free": self.env._("Free"),
            "expired": self.env._("Expired"),
            "expired_installed": self.env._("Expired but Installed"),
            "revoked": self.env._("Revoked"),
            "deleted": self.env._("Deleted Since"),
        }
        return [
            Column("software", self.env._("Feature"), lambda row: row[0].display_name),
            *(
                Column(
                    fact.name,
                    labels[fact.name],
                    lambda row, name=fact.name: getattr(row[1], name),
                )
                for fact in facts(Position)
            ),
        ]

    def _get_installation_columns(self, evidence):
        """Return the columns of the installations; a row is a line of the usage
        history."""
        return [
            *self._get_own_columns(
                evidence, attrgetter("software_key_id"), evidence.software_name
            ),
            Column("customer", self.env._("Customer"), attrgetter("customer_name")),
            Column("equipment", self.env._("Equipment"), attrgetter("equipment_name")),
            Column(
                "serial_no",
                self.env._("Serial Number"),
                attrgetter("equipment_serial_no"),
            ),
            Column(
                "installed",
                self.env._("Installed"),
                lambda line: evidence.local(line.date_from).date(),
            ),
            Column(
                "recorded",
                self.env._("Recorded"),
                lambda line: evidence.local(line.date_recorded),
            ),
            Column(
                "removed",
                self.env._("Removed"),
                lambda line: evidence.local(line.date_to),
            ),
            Column("days", self.env._("Days"), lambda line: round(line.duration, 1)),
            Column(
                "applied_by",
                self.env._("Applied By"),
                attrgetter("applied_by_id.name"),
            ),
            Column(
                "removed_by",
                self.env._("Removed By"),
                attrgetter("removed_by_id.name"),
            ),
        ]

    def _get_key_columns(self, evidence):
        """Return the columns of the keys; a row is a :class:`KeyState`."""
        return [
            *self._get_own_columns(
                evidence,
                attrgetter("key"),
                attrgetter("software.display_name"),
            ),
            Column(
                "key_type",
                self.env._("Key Type"),
                lambda state: evidence.label(state.key, "key_type", state.key_type),
            ),
            Column(
                "status",
                self.env._("Status"),
                lambda state: evidence.label(state.key, "status", state.status),
            ),
            Column("seats", self.env._("Seats"), attrgetter("seats")),
            Column("used", self.env._("Installed"), attrgetter("installed")),
            Column(
                "validity_start",
                self.env._("Validity Start"),
                attrgetter("validity_start"),
            ),
            Column(
                "validity_end",
                self.env._("Validity End"),
                attrgetter("validity_end"),
            ),
            Column("equipment", self.env._("Equipment"), evidence.place),
            Column(
                "customer",
                self.env._("Customer"),
                lambda state: ", ".join(
                    dict.fromkeys(filter(None, state.lines.mapped("customer_name")))
                ),
            ),
            Column(
                "owner",
                self.env._("Bought for Customer"),
                lambda state: evidence.name(state.owner),
            ),
            Column(
                "purchase_reference",
                self.env._("Purchase Reference"),
                attrgetter("key.purchase_reference"),
            ),
            Column(
                "license_file",
                self.env._("License File"),
                lambda state: (
                    state.license_file_sha256 == state.key.license_file_sha256
                    and state.key.license_file_name
                ),
            ),
            Column(
                "license_file_sha256",
                self.env._("License File's SHA-256"),
                lambda state: state.license_file_sha256,
            ),
            Column(
                "audit_number",
                self.env._("Number of Audit Logs"),
                attrgetter("key.audit_number"),
            ),
            Column(
                "audit_hash",
                self.env._("Last Audit Hash"),
                attrgetter("key.audit_hash"),
            ),
        ]

    def _get_trail_columns(self, evidence):
        """Return the columns of the trail; a row is an entry."""
        return [
            *self._get_own_columns(
                evidence, attrgetter("software_key_id"), evidence.software_name
            ),
            Column("number", self.env._("No."), attrgetter("number")),
            Column(
                "action",
                self.env._("Action"),
                lambda entry: evidence.label(entry, "action"),
            ),
            Column(
                "action_date",
                self.env._("Date and Time"),
                lambda entry: evidence.local(entry.action_date),
            ),
            Column("user", self.env._("User"), attrgetter("user_name")),
            Column("equipment", self.env._("Equipment"), attrgetter("equipment_name")),
            Column(
                "serial_no",
                self.env._("Serial Number"),
                attrgetter("equipment_serial_no"),
            ),
            Column("customer", self.env._("Customer"), attrgetter("customer_name")),
            *(
                Column(
                    name,
                    label,
                    lambda entry, name=name: evidence.label(entry, name),
                )
                for name, label in (
                    ("status_before", self.env._("Status Before")),
                    ("status_after", self.env._("Status After")),
                )
            ),
            Column(
                "validity_end_before",
                self.env._("Validity End Before"),
                attrgetter("validity_end_before"),
            ),
            Column(
                "validity_end_after",
                self.env._("Validity End After"),
                attrgetter("validity_end_after"),
            ),
            Column(
                "description",
                self.env._("Description"),
                evidence.description,
            ),
            Column("hash", self.env._("SHA-256"), attrgetter("hash")),
        ]

    def _get_deletion_columns(self, evidence):
        """Return the columns of the deleted keys; a row is what is kept of one."""
        return [
            Column("software", self.env._("Feature"), attrgetter("software_name")),
            Column("key_number", self.env._("Key No."), attrgetter("software_key_ref")),
            Column(
                "license_key",
                self.env._("License Key"),
                lambda line: line.license_key_ending and f"…{line.license_key_ending}",
            ),
            Column("seats", self.env._("Seats"), lambda line: line.seats or None),
            Column(
                "deleted",
                self.env._("Deleted"),
                lambda line: evidence.local(line.date),
            ),
            Column("deleted_by", self.env._("Deleted By"), attrgetter("user_name")),
            Column("reason", self.env._("Reason"), attrgetter("reason")),
            Column(
                "audit_number",
                self.env._("Number of Audit Logs"),
                attrgetter("entry_count"),
            ),
            Column(
                "audit_hash",
                self.env._("Last Audit Hash"),
                attrgetter("last_hash"),
            ),
        ]

    def _get_gap_columns(self, evidence):
        """Return the columns of the gaps, most of them the keys' own; a row is ``(gap,
        KeyState)``."""
        return [
            Column("gap", self.env._("Gap"), itemgetter(0)),
            *(
                column._replace(value=lambda row, value=column.value: value(row[1]))
                for column in self._get_key_columns(evidence)
                if column.name in GAP_COLUMNS
            ),
        ]

    def _get_integrity_columns(self, evidence):
        """Return the columns of what verifying found; a row is ``(key, problem)``."""
        return [
            *self._get_own_columns(
                evidence,
                itemgetter(0),
                lambda row: row[0].software_id.display_name,
            ),
            Column(
                "finding",
                self.env._("Finding"),
                lambda row: evidence.hide(row[1], row[0]),
            ),
        ]

    def _get_gap(self, state):
        """Return in words what is wrong with a key, if anything."""
        if state.key.needs_attention:
            return self.env._("Status and assignment disagree")
        if state.status == "expired" and (state.lines or state.is_elsewhere):
            return self.env._("Expired, but still installed")
        return None

    def _get_summary(self, evidence):
        """Return ``[(label, value)]``: who, when, over what, and what was found.

        :param evidence: the :class:`Evidence` that the pack tells
        """
        everything = self.env._("All")
        rows = [
            (self.env._("Result"), evidence.verdict),
            (self.env._("Made on"), evidence.local(self.asked_on)),
            (self.env._("Made by"), self.env.user.name),
            (self.env._("Companies"), ", ".join(self.company_ids.mapped("name"))),
            (self.env._("From"), self.date_from or everything),
            (self.env._("To"), self.date_to or everything),
            (self.env._("License position as of"), evidence.as_of),
            (self.env._("Time zone"), self.tz),
            (self.env._("Software"), evidence.list_of(self.software_ids) or everything),
            (self.env._("Customers"), evidence.list_of(self.partner_ids) or everything),
            (
                self.env._("Equipment"),
                evidence.list_of(self.equipment_ids) or everything,
            ),
            (
                self.env._("License keys"),
                evidence.label(
                    self,
                    "license_keys",
                    "whole" if self._shows_whole_keys() else "ending",
                ),
            ),
        ]
        checkpoint = evidence.checkpoint
        return [
            *rows,
            (
                self.env._("Newest checkpoint"),
                checkpoint.text if checkpoint else self.env._("None"),
            ),
            (
                self.env._("To verify"),
                f"python3 -I verify_evidence.py {self._get_verified_name()}",
            ),
        ]

    def _get_verified_name(self):
        """Return the name of the JSON, which may be packed."""
        return self.file_ids.filtered(lambda file: ".json" in file.name).name
