import psycopg2

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL


class ClientEquipmentSoftwareKey(models.Model):
    """The next available key of a software for an equipment."""

    _inherit = "client.equipment.software.key"

    @api.model
    def _fits_domain(self, equipment):
        """Return the domain of the keys that can be applied to the equipment now.

        The same as the drop-down of an assignment offers: available and valid, of
        the equipment's company or shared, bought for its customer or for nobody, and
        not on it yet.
        """
        return (
            Domain("can_be_applied", "=", True)
            & Domain("company_id", "in", [False, *equipment.company_id.ids])
            & Domain("owner_id", "in", [False, *equipment._get_key_owners().ids])
            & self._not_on_domain(equipment)
        )

    @api.model
    def _not_on_domain(self, equipment):
        """Return the domain of the keys that are not on the equipment: of several seats
        it takes one only."""
        return ~Domain(
            "equipment_feature_ids", "any", [("equipment_id", "in", equipment.ids)]
        )

    @api.model
    def _next_available_queries(self, equipment, limit=1):
        """Return searches whose first hit is the key to take next, best one first.

        Among those that end on one day the one with the fewest free seats comes first.
        Keys whose validity has not begun are taken only when nothing else is left.
        """
        fits = self._fits_domain(equipment)
        later = Domain("validity_start", ">", fields.Date.context_today(self))
        owned = Domain("owner_id", "!=", False)
        return [
            self._search(domain, order="validity_end, seats_free, id", limit=limit)
            for domain in (
                fits & owned & ~later,
                fits & ~owned & ~later,
                fits & later,
            )
        ]

    @api.model
    def _get_next_available(
        self, software, equipment, lock=None, skip_ids=(), several=False
    ):
        """Return the next key of each software for the equipment, in no order.

        Queries do not grow with the number of software products.

        :param SQL lock: a locking clause; keys that others hold are passed over
        :param skip_ids: keys that are not to be taken
        :param several: whether only keys of several seats are to be taken
        """
        keys = self.browse()
        for query in self._next_available_queries(equipment):
            wanted = software - keys.software_id
            if not wanted:
                break
            query.add_where("client_equipment_software_key.software_id = wanted.id")
            if several:
                query.add_where("client_equipment_software_key.seats > 1")
            if skip_ids:
                query.add_where(
                    "client_equipment_software_key.id != ALL(%s)", [list(skip_ids)]
                )
            self.env.cr.execute(
                SQL(
                    "SELECT key.id FROM unnest(%s) AS wanted(id),"
                    " LATERAL (%s %s) AS key",
                    list(wanted.ids),
                    query.select(),
                    lock or SQL(),
                ),
                log_exceptions=False,
            )
            keys |= self.browse(key_id for (key_id,) in self.env.cr.fetchall())
        return keys

    @api.model
    def _lock_next_available(self, software, equipment):
        """Return the next key of each software that nobody else holds, locked.

        :raises ChangedMeanwhile: where somebody has taken one of them since this
            transaction began, and no other can be seen from here
        :raises UserError: where somebody holds one of several seats for too long
        """
        self.env.flush_all()
        changed_ids = set()
        while True:
            try:
                with self.env.cr.savepoint(flush=False):
                    keys = self._get_next_available(
                        software,
                        equipment,
                        SQL(
                            "FOR NO KEY UPDATE OF client_equipment_software_key"
                            " SKIP LOCKED"
                        ),
                        changed_ids,
                    )
                break
            except psycopg2.errors.SerializationFailure:
                # Odoo's transactions see the database as it was when they began, and
                # PostgreSQL lets nobody lock what has changed since. Only this attempt
                # is run again, without what a fresh look shows to have changed.
                newly_changed = self._changed_since(software, equipment) - changed_ids
                if not newly_changed:
                    raise self._changed_error() from None
                changed_ids |= newly_changed
        return keys | self._wait_for_seats(software - keys.software_id, equipment)

    @api.model
    def _wait_for_seats(self, software, equipment):
        """Return the next key of several seats of each software, locked.

        No key is left that nobody else holds; but of one of several seats he who holds
        it takes one or two, and others may be free.

        :raises ChangedMeanwhile: where he has taken one: another look shows what is
            left
        """
        keys = self.browse()
        if software:
            keys = self._get_next_available(software, equipment, several=True)
            keys._lock_for_step()
        return keys

    @api.model
    def _changed_since(self, software, equipment, most=100):
        """Return ids of keys that others have changed since this transaction began.

        Looks at the first ones of each software that could be taken next, where
        people meet.
        """
        seen = []
        for query in self._next_available_queries(equipment, limit=most):
            query.add_where("client_equipment_software_key.software_id = wanted.id")
            seen += self.env.execute_query(
                SQL(
                    "SELECT key.id, key.version FROM unnest(%s) AS wanted(id),"
                    " LATERAL (%s) AS key",
                    list(software.ids),
                    query.select(
                        SQL.identifier(self._table, "id"),
                        SQL("%s::text AS version", SQL.identifier(self._table, "xmin")),
                    ),
                )
            )
        with self.env.registry.cursor() as cr:
            cr.execute(
                SQL(
                    "SELECT id, xmin::text FROM client_equipment_software_key"
                    " WHERE id = ANY(%s)",
                    [key_id for key_id, _ in seen],
                )
            )
            return {key_id for key_id, _ in set(seen) - set(cr.fetchall())}
