import json
from collections.abc import Iterable, Mapping
from datetime import date

from odoo import api, models
from odoo.tools import SQL, ormcache

from ..trail import FACTS, KEY_FACT, KEY_FIELDS, VERSION_1


class ClientEquipmentAuditLog(models.Model):
    """How entries are written and hashed: SQL that is made of the list of facts."""

    _inherit = "client.equipment.audit.log"

    @api.model
    def _get_facts(self):
        """Return what an entry tells: ``{field: SQL of its value}``.

        For extension: another addon gives the audit log a field and adds it here. The
        hash covers it from then on; entries from before have nothing there and verify
        as they did. (When the addon goes, its facts go, and the entries that had them
        do not verify any more.) They are asked for once, whoever acts.
        """
        return {name: SQL(fact.source) for name, fact in FACTS.items()}

    @api.model
    def _get_key_fields(self):
        """Return which facts tell how the key is: ``{fact: (field of the key, version
        from which on entries tell it)}``. For extension, as :meth:`_get_facts`."""
        return {name: (field, FACTS[name].since) for name, field in KEY_FIELDS.items()}

    @api.model
    def _get_fact_joins(self):
        """Return the SQL that joins what :meth:`_get_facts` reads, for extension.

        ``key`` and ``step`` (what the caller says of each key) are there already.
        """
        return SQL(
            """
            JOIN client_equipment_software software ON software.id = key.software_id
            LEFT JOIN %s equipment ON equipment.id = step.equipment_id
            LEFT JOIN res_company company ON company.id = equipment.company_id
            LEFT JOIN res_partner customer ON customer.id = equipment.partner_id
            """,
            SQL.identifier(self.env["client.equipment"]._table),
        )

    # ------------------------------------------------------------------
    # Writing
    # ------------------------------------------------------------------

    @api.model
    def _append_sql(
        self,
        keys: models.BaseModel,
        action: str,
        statuses: Mapping[int, str],
        seats: Iterable | None = None,
        *,
        previous_ends: Mapping[int, date] | None = None,
        new_ends: Mapping[int, date] | None = None,
        reason: str | None = None,
        reason_code: str | None = None,
        reason_data: str | None = None,
        days: Mapping[tuple, tuple] | None = None,
        changes: Mapping[int, list] | None = None,
    ) -> SQL:
        """Return the SQL that adds entries to the trails of ``keys``.

        The one writer of the trail: ``_transition`` of the key runs it, together with
        the new status, as one statement. The entries tell of the keys as they stand in
        the database before that, and of their assignments as made or removed already.

        :param keys: the software keys, locked by the caller
        :param str action: one of ``ACTIONS``
        :param dict statuses: ``{key id: the status that the step leads to}``
        :param seats: the ``SeatStep`` of each seat that was taken or given back: one
            entry each; else one of each key, where the key is
        :param dict previous_ends: ``{key id: validity end before the step}``, where
            that has moved it already
        :param dict new_ends: ``{key id: validity end after the step}``, where the same
            statement moves it
        :param str reason: what the user gave as reason, word for word
        :param str reason_code: the reason that the system gives, one of
            ``REASON_CODES``
        :param str reason_data: what that speaks of
        :param dict days: ``{(key id, equipment id): (day of installation, when that
            began)}``
        :param dict changes: ``{key id: [[field, before, after], …]}``
        :return: common table expressions, of which ``entry`` holds the new entries with
            ``is_last``: whether it is the last one of its key
        """
        act = {
            "action": ("varchar", action),
            "moment": ("timestamp", self._get_moment()),
            "user_id": ("int", self.env.uid),
            "user_name": ("varchar", self.env.user.name),
            "reason_code": ("varchar", reason_code or None),
            "reason_data": ("varchar", reason_data or None),
            "reason": ("varchar", reason or None),
        }
        ends = previous_ends or new_ends
        steps = self._get_steps(statuses, seats, ends, days, changes)
        several = any(place > 1 for place in steps["place"][1])
        source = SQL(
            """
            client_equipment_software_key key
            CROSS JOIN (SELECT %(act)s) act
            %(steps)s
            CROSS JOIN LATERAL (
                SELECT step_.place, step_.is_last, step_.seat, step_.installed_on,
                       step_.installed_from, step_.changes, step_.status_after,
                       %(status_before)s AS status_before,
                       COALESCE(step_.equipment_id, key.equipment_id) AS equipment_id,
                       %(end_before)s AS end_before,
                       %(end_after)s AS end_after
            ) step
            """,
            act=SQL(", ").join(
                SQL("%s::%s AS %s", value, SQL(type_), SQL.identifier(name))
                for name, (type_, value) in act.items()
            ),
            steps=self._steps_sql(steps),
            status_before=SQL("NULL::varchar")
            if action == "created"
            else SQL("COALESCE(step_.status_before, key.status)"),
            end_before=SQL("step_.end" if previous_ends else "key.validity_end"),
            # What else a write changes is told before its end moves.
            end_after=SQL(
                "step_.end"
                if new_ends or previous_ends and action == "changed"
                else "key.validity_end"
            ),
        )
        entries = self._entries_sql(
            SQL(
                "%s %s WHERE key.id = ANY(%s) ORDER BY key.id, step.place",
                source,
                self._get_fact_joins(),
                list(keys.ids),
            ),
            several,
        )
        return SQL("%s, trail AS (%s)", entries, self._insert_sql())

    @api.model
    def _get_steps(self, statuses, seats, ends, days, changes):
        """Return what is said of each entry: ``{column: (type, values)}``.

        Of several entries of one key ``place`` is their order, and each begins with the
        status that the one before it has left.
        """
        if seats is None:
            seats = ((key_id, None, None, after) for key_id, after in statuses.items())
        key_ids, equipment_ids, numbers, after = map(list, zip(*seats, strict=True))
        places, before, last = [], [], {}
        for number, (key_id, status) in enumerate(zip(key_ids, after, strict=True)):
            place, status_before, _number = last.get(key_id, (0, None, None))
            places.append(place + 1)
            before.append(status_before)
            last[key_id] = place + 1, status, number
        lasts = {number for *_, number in last.values()}
        ends, changes, days = ends or {}, changes or {}, days or {}
        no_day = None, None
        told_days = [
            days.get(at, no_day) for at in zip(key_ids, equipment_ids, strict=True)
        ]
        return {
            "key_id": ("int", key_ids),
            "place": ("int", places),
            "is_last": ("bool", [number in lasts for number in range(len(places))]),
            "equipment_id": ("int", equipment_ids),
            "seat": ("int", numbers),
            "installed_on": ("date", [day for day, _began in told_days]),
            "installed_from": ("timestamp", [began for _day, began in told_days]),
            "status_before": ("varchar", before),
            "status_after": ("varchar", after),
            "end": ("date", [ends.get(key_id) or None for key_id in key_ids]),
            "changes": (
                "jsonb",
                [changes.get(i) and json.dumps(changes[i]) for i in key_ids],
            ),
        }

    @api.model
    def _steps_sql(self, steps):
        """Return the SQL that joins ``step_`` to each key.

        What is the same for all entries is said once: arrays of ten thousand cost.
        """
        varying = {
            name: column
            for name, column in steps.items()
            if name == "key_id" or len(set(column[1])) > 1
        }
        columns = SQL(", ").join(
            SQL("step__.%s", SQL.identifier(name))
            if name in varying
            else SQL("%s::%s AS %s", values[0], SQL(type_), SQL.identifier(name))
            for name, (type_, values) in steps.items()
            if name != "key_id" or len(varying) > 1
        )
        if len(varying) == 1:
            return SQL("CROSS JOIN (SELECT %s) step_", columns)
        return SQL(
            "JOIN (SELECT %s FROM unnest(%s) AS step__(%s)) step_"
            " ON step_.key_id = key.id",
            columns,
            SQL(", ").join(
                SQL("%s::%s[]", values, SQL(type_))
                for type_, values in varying.values()
            ),
            SQL(", ").join(map(SQL.identifier, varying)),
        )

    @api.model
    def _entries_sql(self, source, several=False):
        """Return the common table expressions of entries: facts, links and hash.

        :param SQL source: what stands after ``FROM``: gives what :meth:`_get_facts`
            reads
        :param several: whether some keys get several entries, each of which stands on
            the hash of the one before it
        """
        more = SQL()
        # Without them no condition: PostgreSQL would expect a handful of entries.
        if several:
            more = SQL(
                """
                 WHERE place = 1
                UNION ALL
                SELECT draft.*, %s
                  FROM entry
                  JOIN draft ON draft.software_key_id = entry.software_key_id
                            AND draft.place = entry.place + 1
                """,
                self._hash_sql("draft", SQL("entry.hash")),
            )
        return SQL(
            """
            draft AS (
                SELECT %(values)s, key.license_key, key.audit_hash AS previous_hash,
                       step.place, step.is_last
                  FROM %(source)s
            ), entry AS (
                SELECT draft.*, %(hash)s AS hash
                  FROM draft
                %(more)s
            )
            """,
            values=self._values_sql(),
            source=source,
            hash=self._hash_sql("draft"),
            more=more,
        )

    # What follows is made of the list of facts alone: once, not for every step.

    @api.model
    @ormcache()
    def _values_sql(self):
        """Return the SQL of all that an entry holds, but its hash."""
        values = self._get_facts() | self._get_links()
        return SQL(", ").join(
            SQL("%s AS %s", value, SQL.identifier(name))
            for name, value in values.items()
        )

    @api.model
    @ormcache()
    def _insert_sql(self):
        """Return the ``INSERT`` of what :meth:`_entries_sql` gives as ``entry``."""
        columns = SQL(", ").join(
            map(SQL.identifier, [*self._get_facts(), *self._get_links(), "hash"])
        )
        return SQL(
            "INSERT INTO client_equipment_audit_log (%s) SELECT %s FROM entry",
            columns,
            columns,
        )

    @api.model
    def _get_links(self):
        """Return the links of an entry, which are no facts: ``{field: SQL}``."""
        return {"equipment_id": SQL("equipment.id"), "customer_id": SQL("customer.id")}

    # ------------------------------------------------------------------
    # Hash
    # ------------------------------------------------------------------

    @api.model
    @ormcache("entry", "previous_hash")
    def _hash_sql(self, entry="entry", previous_hash=None):
        """Return the SQL of the hash of a row ``entry`` of versions 2 and 3.

        The hashed text is a JSON object, so that anyone can compute it again with a few
        lines of any language; ``docs/evidence.md`` shows how. It is put together by
        hand: PostgreSQL's own functions look up the type of every fact of every entry.

        :param previous_hash: SQL of the hash before it, if not its ``previous_hash``
        """
        texts = {name: self._fact_text_sql(entry, name) for name in self._get_facts()}
        previous_hash = previous_hash or SQL.identifier(entry, "previous_hash")
        texts["previous_hash"] = SQL("'\"' || %s || '\"'", previous_hash)
        texts[KEY_FACT] = SQL(
            "'\"' || encode(sha256(convert_to(%s, 'UTF8')), 'hex') || '\"'",
            SQL.identifier(entry, "license_key"),
        )
        names = sorted(texts, key=lambda name: (len(name), name))
        return SQL(
            "encode(sha256(convert_to('{' || substr(concat(%s), 3) || '}',"
            " 'UTF8')), 'hex')",
            SQL(", ").join(
                SQL("%s || %s", f', "{name}": ', texts[name]) for name in names
            ),
        )

    @api.model
    def _fact_text_sql(self, entry, name):
        """Return the SQL of a fact's value as it stands in the hashed text."""
        column = SQL.identifier(entry, name)
        kind = "integer" if name == "id" else self._fields[name].type
        if kind in ("integer", "many2one", "json"):
            return SQL("%s::text", column)
        return SQL("to_json(%s)::text", column)

    @api.model
    def _hash_of_any_version_sql(self):
        """Return the SQL of the hash of an ``entry`` as it stands, of any version.

        Version 1 is a JSON array with the license key itself in it, and the company of
        the equipment at its end where there is one; it never had other facts.
        """
        later = self._get_facts().keys() - {*VERSION_1, "version", "software_id"}
        later -= {"equipment_company_ref"}
        return SQL(
            """
            CASE entry.version WHEN 1 THEN CASE WHEN num_nonnulls(%s) = 0 THEN
                encode(sha256(convert_to((
                    jsonb_build_array(entry.previous_hash, %s)
                    || COALESCE(to_jsonb(entry.equipment_company_ref), '[]')
                )::text, 'UTF8')), 'hex')
            END ELSE %s END
            """,
            SQL(", ").join(
                SQL("entry.%s", SQL.identifier(name)) for name in sorted(later)
            ),
            SQL(", ").join(SQL("entry.%s", SQL.identifier(name)) for name in VERSION_1),
            self._hash_sql(),
        )
