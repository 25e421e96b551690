from collections import Counter
from collections.abc import Iterable
from datetime import date

import psycopg2

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..wishes import Candidate, Place, Wish

# Of so many keys that come next it is looked at whether somebody has changed them.
CHANGED_LOOK = 100


class ClientEquipmentSoftwareKey(models.Model):
    """The next available keys of software for equipment (A12, A13)."""

    _inherit = "client.equipment.software.key"

    @api.model
    def _fits_domain(self, equipment):
        """Return the domain of the keys that can be applied to the equipment now.

        The same as the drop-down of an assignment offers: available and valid, of
        the equipment's company or shared, bought for its customer or for nobody, not
        on it yet, and not kept for another unit.
        """
        return (
            Domain("can_be_applied", "=", True)
            & Domain("company_id", "in", [False, *equipment.company_id.ids])
            & Domain("owner_id", "in", [False, *equipment._get_key_owners().ids])
            & self._not_on_domain(equipment)
            & self._movable_domain(equipment)
        )

    @api.model
    def _not_on_domain(self, equipment):
        """Return the domain of the keys that are not on the equipment: of several seats
        it takes one only."""
        if not equipment:
            return Domain.TRUE
        return ~Domain(
            "equipment_feature_ids", "any", [("equipment_id", "in", equipment.ids)]
        )

    # ------------------------------------------------------------------
    # Which key goes where
    # ------------------------------------------------------------------

    @api.model
    def _get_next_available(
        self, wishes: Iterable[Wish], skip_ids: Iterable[int] = ()
    ) -> dict[Wish, int]:
        """Return the id of the key that each wish gets, where there is one.

        A key that is kept for its unit comes first, then keys bought for its customer,
        then the others; of these the one that expires first, and among those that end
        on one day the one with the fewest free seats. Keys whose validity has not begun
        are taken only when nothing else is left. Queries grow neither with the
        equipment nor with the software.

        :param skip_ids: keys that are not to be taken
        """
        wishes = list(dict.fromkeys(wishes))
        places = self._get_places(wishes)
        there = self._get_keys_there(wishes)
        taken, left = {}, {}
        for candidates in self._iterate_candidates(
            wishes, taken, places, there, skip_ids
        ):
            for wish in wishes:
                queue = candidates.get(wish, ()) if wish not in taken else ()
                while queue and left.get(queue[0].key_id) == 0:
                    del queue[0]
                for key_id, free in queue:
                    if (
                        left.setdefault(key_id, free) > 0
                        and (key_id, wish.equipment_id) not in there
                    ):
                        taken[wish] = key_id
                        left[key_id] -= 1
                        there.add((key_id, wish.equipment_id))
                        break
        return taken

    @api.model
    def _get_places(self, wishes):
        """Return ``{equipment id: Place}``."""
        equipment = self.env["client.equipment"].browse(
            dict.fromkeys(wish.equipment_id for wish in wishes)
        )
        return {
            each.id: Place(
                each.sudo().company_id.id or None, tuple(each._get_key_owners().ids)
            )
            for each in equipment
        }

    @api.model
    def _get_keys_there(self, wishes):
        """Return ``{(key id, equipment id)}`` of keys that are there already."""
        self.env["client.equipment.feature"].flush_model()
        return set(
            self.env.execute_query(
                SQL(
                    "SELECT software_key_id, equipment_id FROM client_equipment_feature"
                    " WHERE equipment_id = ANY(%s)",
                    list({wish.equipment_id for wish in wishes}),
                )
            )
        )

    @api.model
    def _iterate_candidates(self, wishes, taken, places, there, skip_ids=(), more=0):
        """Yield ``{wish: [Candidate]}``, the best kind of keys first.

        :param dict taken: the wishes that are fulfilled: once all are, it ends
        :param there: the keys that are on the equipment: so many more are looked at
        :param more: how many more keys are looked at than are needed
        """
        skip = Domain("id", "not in", list(skip_ids))
        yield self._kept_candidates(wishes, skip)
        for domain, owned in self._candidate_kinds():
            pending = [wish for wish in wishes if wish not in taken]
            if not pending:
                return
            yield self._candidates(
                pending, places, domain & skip, owned, len(there) + more
            )

    @api.model
    def _kept_candidates(self, wishes, skip):
        """Return ``{wish: [Candidate]}`` of the keys that are kept for their units."""
        wished = set(wishes)
        equipment = self.env["client.equipment"].browse(
            {wish.equipment_id for wish in wishes}
        )
        kept = self._get_keys_kept_for(equipment)
        keys = (
            self.search(
                skip
                & Domain("id", "in", [key_id for key_id, _equipment_id in kept])
                & Domain("can_be_applied", "=", True),
                order="validity_end, seats_free, id",
            )
            if kept
            else self
        )
        candidates = {}
        for key in keys:
            for key_id, equipment_id in kept:
                wish = Wish(equipment_id, key.software_id.id)
                if key_id == key.id and wish in wished:
                    candidates.setdefault(wish, []).append(Candidate(key_id, 1))
        return candidates

    @api.model
    def _candidate_kinds(self):
        """Return ``[(domain, whether of keys bought for a customer)]``, best first."""
        valid = Domain("can_be_applied", "=", True)
        later = Domain("validity_start", ">", fields.Date.context_today(self))
        return [
            (valid & movable, owned)
            for movable in (
                self._open_domain() & ~later,
                self._open_domain() & later,
                self._rested_domain(),
            )
            for owned in (True, False)
        ]

    @api.model
    def _candidates(self, wishes, places, domain, owned, more):
        """Return ``{wish: [Candidate]}`` of one kind of keys, those to take first in
        front. Wishes for the same software at the same place share one list.

        One query: for each software and place, as many as all of its wishes need.
        """
        counts = Counter(wish.software_id for wish in wishes)
        rows = sorted(
            {
                (wish.software_id, place.company_id, owner_id)
                for wish in wishes
                for place in [places[wish.equipment_id]]
                for owner_id in (place.owner_ids if owned else [None])
            },
            key=str,
        )
        if not rows:
            return {}
        query = self._search(
            domain & Domain("owner_id", "!=" if owned else "=", False),
            order="validity_end, seats_free, id",
            limit=max(counts.values()) + more,
        )
        query.add_where(
            "client_equipment_software_key.software_id = wanted.software_id"
        )
        query.add_where(
            "(client_equipment_software_key.company_id IS NULL"
            " OR client_equipment_software_key.company_id = wanted.company_id)"
        )
        if owned:
            query.add_where("client_equipment_software_key.owner_id = wanted.owner_id")
        found = {}
        for *row, end, free, kept, key_id in self.env.execute_query(
            SQL(
                "SELECT wanted.*, key.*"
                "  FROM unnest(%s::int[], %s::int[], %s::int[])"
                "       AS wanted(software_id, company_id, owner_id),"
                "       LATERAL (%s) AS key",
                *map(list, zip(*rows, strict=True)),
                query.select(
                    *(
                        SQL.identifier(self._table, "validity_end"),
                        self._field_to_sql(self._table, "seats_free", query),
                        SQL.identifier(self._table, "seats_kept"),
                        SQL.identifier(self._table, "id"),
                    )
                ),
            )
        ):
            order = end or date.max, free, key_id
            found.setdefault(tuple(row), []).append((order, max(free - kept, 1)))
        queues = {
            (software_id, place): [
                Candidate(order[-1], free)
                for order, free in sorted(
                    candidate
                    for owner_id in (place.owner_ids if owned else [None])
                    for candidate in found.get(
                        (software_id, place.company_id, owner_id), ()
                    )
                )
            ]
            for software_id, place in {
                (wish.software_id, places[wish.equipment_id]) for wish in wishes
            }
        }
        return {
            wish: queues[wish.software_id, places[wish.equipment_id]] for wish in wishes
        }

    # ------------------------------------------------------------------
    # Locked, so that nobody else takes them
    # ------------------------------------------------------------------

    @api.model
    def _lock_next_available(self, wishes):
        """Return ``{wish: key id}`` of next keys that nobody else holds, locked.

        :raises ChangedMeanwhile: where somebody has taken one of them since this
            transaction began, and no other can be seen from here
        :raises UserError: where somebody holds one of several seats for too long
        """
        self.env.flush_all()
        skip_ids = set()
        while taken := self._get_next_available(wishes, skip_ids):
            keys = self.browse(dict.fromkeys(taken.values()))
            try:
                with self.env.cr.savepoint(flush=False):
                    held = keys - keys._lock_those_free()
            except psycopg2.errors.SerializationFailure:
                # Odoo's transactions see the database as it was when they began, and
                # PostgreSQL lets nobody lock what has changed since. Only this attempt
                # is run again, without what a fresh look shows to have changed.
                changed_ids = self._changed_since(wishes, skip_ids) - skip_ids
                if not changed_ids:
                    raise self._changed_error() from None
                skip_ids |= changed_ids
                continue
            if not held:
                break
            skip_ids |= set(held.ids)
        if missing := {wish.software_id for wish in wishes if wish not in taken}:
            if waited := self.browse(skip_ids)._wait_for_seats(missing):
                return self._get_next_available(wishes, skip_ids - set(waited.ids))
        return taken

    def _lock_those_free(self):
        """Lock those of the keys that nobody else holds, and return them."""
        self.env.cr.execute(
            SQL(
                "SELECT id FROM client_equipment_software_key WHERE id = ANY(%s)"
                " ORDER BY id FOR NO KEY UPDATE SKIP LOCKED",
                list(self.ids),
            ),
            log_exceptions=False,
        )
        return self.browse(key_id for (key_id,) in self.env.cr.fetchall())

    def _wait_for_seats(self, software_ids):
        """Wait for those who hold keys of several seats of the software.

        No key is left that nobody else holds; but of one of several seats he who holds
        it takes one or two, and others may be free.

        :return: the keys, locked
        :raises ChangedMeanwhile: where he has taken one: another look shows what is
            left
        """
        keys = self.filtered(
            lambda key: key.seats > 1 and key.software_id.id in software_ids
        )
        keys._lock_for_step()
        return keys

    @api.model
    def _changed_since(self, wishes, skip_ids=()):
        """Return ids of keys that others have changed since this transaction began.

        Looks at the first ones of each software that could be taken next, where
        people meet.
        """
        seen = {
            candidate.key_id
            for candidates in self._iterate_candidates(
                wishes, (), self._get_places(wishes), (), skip_ids, CHANGED_LOOK
            )
            for of_wish in candidates.values()
            for candidate in of_wish
        }
        versions = SQL(
            "SELECT id, xmin::text FROM client_equipment_software_key"
            " WHERE id = ANY(%s)",
            list(seen),
        )
        here = set(self.env.execute_query(versions))
        with self._another_view() as cr:
            cr.execute(versions)
            return {key_id for key_id, _version in here - set(cr.fetchall())}
