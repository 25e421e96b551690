from functools import cached_property

from odoo import fields
from odoo.fields import Domain
from odoo.tools import split_every

BATCH = 2000


class Evidence:
    """What an evidence pack tells, read with the rights of its user (L7).

    Where customers or equipment are chosen, nothing is told of other customers or
    other equipment that the same keys were on.
    """

    def __init__(self, pack):
        self.pack = pack
        self.env = pack.env

    # ------------------------------------------------------------------
    # What belongs into the pack
    # ------------------------------------------------------------------

    @cached_property
    def customers(self):
        """The chosen customers with their contacts and branches."""
        return (
            self.env["res.partner"]
            .with_context(active_test=False)
            .search([("id", "child_of", self.pack.partner_ids.ids)])
        )

    @cached_property
    def installations(self):
        """The lines of the usage history that belong into the pack."""
        return self.env["client.equipment.usage.history"].search(
            self._history_domain, order="customer_name, equipment_name, date_from, id"
        )

    @cached_property
    def keys(self):
        """The keys that belong into the pack.

        Those of the installations; where no place is chosen all keys of the software;
        where customers are chosen also what was bought for them.
        """
        pack = self.pack
        of_software = (
            Domain("software_id", "in", pack.software_ids.ids)
            if pack.software_ids
            else Domain.TRUE
        )
        if pack.partner_ids and not pack.equipment_ids:
            more = Domain("owner_id", "in", self.customers.ids)
        else:
            more = Domain(not self.has_place)
        history = self.env["client.equipment.usage.history"]
        lines = history._search(self._history_domain)
        installed = lines.subselect(
            history._field_to_sql(lines.table, "software_key_id", lines)
        )
        return self.env["client.equipment.software.key"].search(
            Domain("id", "in", installed) | (of_software & more),
            order="software_id, id",
        )

    def entries(self):
        """Yield the entries of the keys' audit trails that belong into the pack."""
        for keys in self.batches(self.keys):
            entries = self.env["client.equipment.audit.log"].search(
                self._trail_domain & Domain("software_key_id", "in", keys.ids),
                order="software_key_id, number",
            )
            for portion in self.batches(entries):
                yield from portion

    @cached_property
    def findings(self):
        """What verifying the keys' audit trails has found: ``[(key, problem)]``."""
        return [
            (self.keys.browse(finding["software_key_id"]), finding["problem"])
            for portion in self.batches(self.keys)
            for finding in portion.verify_audit_trail()
        ]

    @property
    def has_place(self):
        """Whether the pack is about chosen equipment or customers alone."""
        return bool(self.pack.equipment_ids or self.pack.partner_ids)

    def places(self, equipment):
        """Return ``{equipment: (its name, its customer's)}`` of those of ``equipment``
        that the pack may tell keys to be on now.

        Of another company's, which it only tells where no place is chosen, it tells no
        more than that (E1).
        """
        told = readable = equipment._filtered_access("read")
        if self.pack.equipment_ids:
            told &= self.pack.equipment_ids
        if self.pack.partner_ids:
            told = told.filtered(lambda one: one.partner_id in self.customers)
        customers = self.names(told.partner_id)
        places = {
            one: (one.display_name, customers.get(one.partner_id)) for one in told
        }
        if not self.has_place:
            foreign = equipment - readable
            places |= {one: (one.display_name, None) for one in foreign}
        return places

    def names(self, records):
        """Return ``{record: its name}``, without those that the user may not read."""
        return {
            record: record.display_name for record in records._filtered_access("read")
        }

    def batches(self, records):
        """Yield ``records`` in portions; what was read of one is forgotten after it."""
        for ids in split_every(BATCH, records._ids, list):
            yield records.browse(ids)
            self.env.invalidate_all()

    @cached_property
    def _history_domain(self):
        pack = self.pack
        domain = self._place_domain("client.equipment.usage.history")
        if pack.software_ids:
            domain &= Domain("software_id", "in", pack.software_ids.ids)
        if pack.date_from:
            domain &= Domain("installed_on", ">=", pack.date_from)
        if pack.date_to:
            domain &= Domain("installed_on", "<=", pack.date_to)
        return domain

    @cached_property
    def _trail_domain(self):
        nowhere = Domain("equipment_ref", "=", False)
        domain = nowhere | self._place_domain("client.equipment.audit.log")
        history = self.env["client.equipment.usage.history"]
        if self.pack.date_from:
            start = history._start_of(self.pack.date_from)
            domain &= Domain("action_date", ">=", start)
        if self.pack.date_to:
            domain &= Domain("action_date", "<", history._end_of(self.pack.date_to))
        return domain

    def _place_domain(self, model):
        """Return the domain of what ``model`` tells of chosen equipment and customers.

        The trail keeps the customer's name at that time. Where it is the name of a
        chosen customer, or one that nobody bears any more on equipment that is the
        customer's now, it counts; what happened at somebody else's does not.

        :param model: usage history or audit log, whose fields have the same names
        """
        domain = Domain.TRUE
        if self.pack.equipment_ids:
            domain &= Domain("equipment_ref", "in", self.pack.equipment_ids.ids)
        if not self.pack.partner_ids:
            return domain
        names = set(self.customers.mapped("complete_name"))
        here = Domain("equipment_id.partner_id", "in", self.customers.ids)
        former = {
            name
            for (name,) in self.env[model]._read_group(here, ["customer_name"])
            if name
        }
        # Customers of other companies count as somebody else, too: hence sudo().
        # Only whether a name is borne is learned from them.
        others = {
            partner.complete_name
            for partner in self.env["res.partner"]
            .sudo()
            .with_context(active_test=False)
            .search_fetch(
                [
                    ("complete_name", "in", list(names | former)),
                    ("id", "not in", self.customers.ids),
                ],
                ["complete_name"],
            )
        }
        return domain & (
            Domain("customer_name", "in", list(names - others))
            | here
            & Domain("customer_name", "in", list(names & others | former - others))
        )

    # ------------------------------------------------------------------
    # How it is told
    # ------------------------------------------------------------------

    def shown(self, key):
        """Return the license key whole or by its last characters, as chosen."""
        if self.pack.license_keys == "whole":
            return key.license_key
        return "…" + key.license_key[-min(5, len(key.license_key) // 2 or 1) :]

    def hide(self, text, keys):
        """Return ``text`` with the license keys of ``keys`` shown as chosen."""
        # Also those of a replaced key that is another company's now: to hide them.
        for key in keys.sudo():
            text = text.replace(key.license_key, self.shown(key))
        return text

    def local(self, moment):
        """Return a moment as the user's clock shows it."""
        return moment and fields.Datetime.context_timestamp(self.pack, moment).replace(
            tzinfo=None
        )

    @property
    def verdict(self):
        """What verifying the audit trails has found, in words."""
        if self.findings:
            return self.env._(
                "Not intact: %(findings)s of %(count)s audit trails were changed "
                "behind the system's back.",
                findings=len(self.findings),
                count=len(self.keys),
            )
        return self.env._(
            "Intact: %(count)s audit trails verified, no entry was altered, removed "
            "or inserted.",
            count=len(self.keys),
        )
