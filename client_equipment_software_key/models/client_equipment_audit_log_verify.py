from datetime import date

from odoo import api, fields, models
from odoo.tools import SQL


class ClientEquipmentAuditLog(models.Model):
    """Whether the trails are as they were written (L5), and the keys as these say."""

    _inherit = "client.equipment.audit.log"

    @api.model
    def _verify(self, keys):
        """Return the first finding of each of ``keys`` whose trail is not intact.

        :return: list of ``{"software_key_id", "audit_log_id", "problem"}``
        """
        rows = self._find(keys)
        # Read together what the findings tell of: queries do not grow with them. Who
        # may read a key learns of its trail whether it agrees with the key, also where
        # an entry is another company's: hence sudo().
        found = keys.browse(row[0] for row in rows)
        entries = self.sudo().browse(row[1] for row in rows if row[1])
        return [
            {
                "software_key_id": key_id,
                "audit_log_id": entry_id or False,
                "problem": self._problem_text(
                    keys.browse(key_id).with_prefetch(found.ids),
                    entries.browse(entry_id or ()).with_prefetch(entries.ids),
                    problem,
                    number,
                ),
            }
            for key_id, entry_id, problem, number in rows
        ]

    @api.model
    def _find(self, keys):
        """Return what is not intact: of each key the first finding, if there is one.

        One statement: every hash is computed again by the expression that wrote it,
        over the entry as it stands now and the hash stored before it; then the last
        entry is compared with what the key is.

        :return: ``[(key id, entry id or None, problem, number of the entry)]``
        """
        self.env.flush_all()
        return self.env.execute_query(
            SQL(
                """
                WITH entry AS (%(entries)s), told AS (%(told)s), finding AS (
                    %(of_entries)s UNION ALL %(of_keys)s
                )
                SELECT DISTINCT ON (software_key_id)
                       software_key_id, audit_log_id, problem, told_number
                  FROM finding
                 ORDER BY software_key_id, number NULLS LAST
                """,
                entries=self._entries_to_verify_sql(keys),
                told=self._told_places_sql(),
                of_entries=self._findings_of_entries_sql(),
                of_keys=self._findings_of_keys_sql(keys),
            )
        )

    @api.model
    def _entries_to_verify_sql(self, keys):
        """Return the query for the entries, each with the hash that it stands on."""
        return SQL(
            """
            SELECT log.*, key.license_key, key.audit_number,
                   row_number() OVER trail AS place,
                   lag(log.hash) OVER trail AS previous_hash,
                   lag(log) OVER trail AS earlier
              FROM client_equipment_audit_log log
              JOIN client_equipment_software_key key ON key.id = log.software_key_id
             WHERE log.software_key_id = ANY(%s)
            WINDOW trail AS (PARTITION BY log.software_key_id ORDER BY log.number)
            """,
            list(keys.ids),
        )

    @api.model
    def _told_places_sql(self):
        """Return the query for where the trail says that the seats of each key are."""
        return SQL(
            """
            SELECT software_key_id,
                   array_agg(equipment_ref ORDER BY equipment_ref) AS equipment_ids
              FROM (
                SELECT DISTINCT ON (software_key_id, equipment_ref)
                       software_key_id, equipment_ref, action, number, ended
                  FROM (
                    SELECT *, max(number) FILTER (
                               WHERE action = 'reinstated'
                                  OR action IN ('applied', 'revoked') AND seat IS NULL
                           ) OVER (PARTITION BY software_key_id) AS ended
                      FROM entry
                  ) step
                 WHERE action IN ('applied', 'revoked')
                 ORDER BY software_key_id, equipment_ref, number DESC
              ) place
             WHERE action = 'applied' AND number >= COALESCE(ended, 0)
             GROUP BY software_key_id
            """
        )

    @api.model
    def _findings_of_entries_sql(self):
        """Return the query for the entries that are not as they were written, or tell
        of another key than the entry before, without a change in between."""
        return SQL(
            """
            SELECT software_key_id, number,
                   CASE WHEN problem <> 'removed' THEN id END AS audit_log_id,
                   CASE WHEN problem = 'removed' THEN place ELSE number END
                        AS told_number,
                   problem
              FROM (
                SELECT entry.*, CASE
                       WHEN number > COALESCE(audit_number, 0)
                         OR number < place THEN 'inserted'
                       WHEN number > place THEN 'removed'
                       WHEN hash IS DISTINCT FROM %(hash)s THEN 'altered'
                       WHEN %(jumped)s THEN 'jumped'
                       WHEN equipment_id IS DISTINCT FROM (
                            SELECT equipment.id
                              FROM %(equipment)s equipment
                             WHERE equipment.id = entry.equipment_ref
                       ) THEN 'link'
                       WHEN version > 1
                        AND customer_id IS DISTINCT FROM customer_ref
                        AND (customer_ref IS NULL OR EXISTS (
                            SELECT FROM res_partner customer
                             WHERE customer.id = entry.customer_ref
                        )) THEN 'customer'
                       END AS problem
                  FROM entry
              ) checked
             WHERE problem IS NOT NULL
            """,
            hash=self._hash_of_any_version_sql(),
            jumped=self._jumped_sql(),
            equipment=SQL.identifier(self.env["client.equipment"]._table),
        )

    @api.model
    def _jumped_sql(self):
        """Return the condition that an ``entry`` tells of another key than the one
        ``earlier``, with no change in between (which a repair has put right)."""
        told = self.env["client.equipment.software.key"]._get_told_fields()
        return SQL(
            """
            entry.version >= 3 AND (earlier).version >= 3
               AND validity_end_before IS DISTINCT FROM (earlier).validity_end_after
               AND reason_code IS DISTINCT FROM 'repaired'
            OR %s
            """,
            SQL(" OR ").join(
                SQL(
                    "entry.version >= %(since)s AND (earlier).version >= %(since)s"
                    " AND entry.%(name)s IS DISTINCT FROM (earlier).%(name)s"
                    " AND NOT COALESCE(changes, '[]') @@ %(changed)s::jsonpath",
                    since=since,
                    name=SQL.identifier(name),
                    changed=f'$[*][0] == "{field}"',
                )
                for name, (field, since) in self._get_key_fields().items()
                if field in told
            ),
        )

    @api.model
    def _findings_of_keys_sql(self, keys):
        """Return the query for the keys that are not as their last entry says."""
        return SQL(
            """
            SELECT software_key_id, NULL,
                   CASE WHEN problem <> 'removed' THEN id END,
                   CASE WHEN problem = 'removed' THEN number + 1 ELSE number END,
                   problem
              FROM (
                SELECT key.id AS software_key_id, last.id,
                       COALESCE(last.number, 0) AS number,
                       CASE
                       WHEN COALESCE(key.audit_number, 0) = 0 THEN 'unwritten'
                       WHEN COALESCE(last.number, 0) < key.audit_number THEN 'removed'
                       WHEN last.hash IS DISTINCT FROM key.audit_hash THEN 'head'
                       %(differs)s
                       WHEN place.equipment_ids IS DISTINCT FROM told.equipment_ids
                         OR key.seats_used <> COALESCE(
                                cardinality(place.equipment_ids), 0
                            )
                         OR key.equipment_id IS DISTINCT FROM (
                            CASE key.seats_used WHEN 1 THEN place.equipment_ids[1] END
                       ) THEN 'assignment'
                       END AS problem
                  FROM client_equipment_software_key key
                  LEFT JOIN LATERAL (
                        SELECT array_agg(equipment_id ORDER BY equipment_id)
                               AS equipment_ids
                          FROM client_equipment_feature feature
                         WHERE feature.software_key_id = key.id
                  ) place ON TRUE
                  LEFT JOIN told ON told.software_key_id = key.id
                  LEFT JOIN LATERAL (
                        SELECT *
                          FROM client_equipment_audit_log log
                         WHERE log.software_key_id = key.id
                         ORDER BY log.number DESC
                         LIMIT 1
                  ) last ON TRUE
                 WHERE key.id = ANY(%(key_ids)s)
              ) compared
             WHERE problem IS NOT NULL
            """,
            differs=SQL(" ").join(
                SQL(
                    "WHEN last.version >= %s AND last.%s IS DISTINCT FROM key.%s"
                    " THEN %s",
                    since,
                    SQL.identifier(name),
                    SQL.identifier(field),
                    name,
                )
                for name, (field, since) in self._get_key_fields().items()
            ),
            key_ids=list(keys.ids),
        )

    # ------------------------------------------------------------------
    # In words
    # ------------------------------------------------------------------

    @api.model
    def _problem_text(self, key, last, problem, number):
        """Return in the reader's language what is wrong with the trail of a key."""
        facts = {"key": key.display_name, "number": number}
        if problem in self._get_key_fields():
            return self._describe_difference(key, last, problem)
        match problem:
            case "altered":
                return self.env._(
                    "%(key)s: entry No. %(number)s was altered, or the license key "
                    "that it speaks of.",
                    **facts,
                )
            case "inserted":
                return self.env._(
                    "%(key)s: entry No. %(number)s was inserted.", **facts
                )
            case "removed":
                return self.env._("%(key)s: entry No. %(number)s was removed.", **facts)
            case "link":
                return self.env._(
                    "%(key)s: entry No. %(number)s links to another equipment than "
                    "the one that it tells of.",
                    **facts,
                )
            case "customer":
                return self.env._(
                    "%(key)s: entry No. %(number)s links to another customer than "
                    "the one that it tells of.",
                    **facts,
                )
            case "jumped":
                return self.env._(
                    "%(key)s: what entry No. %(number)s says of the key is not what "
                    "the entry before says, and no entry tells of the change.",
                    **facts,
                )
            case "head":
                return self.env._(
                    "%(key)s: entry No. %(number)s is not the one that the key "
                    "remembers as its last: the trail was written anew.",
                    **facts,
                )
            case "assignment":
                return self.env._(
                    "%(key)s: the key is not where its last entry, No. %(number)s, "
                    "says.",
                    **facts,
                )
        return self.env._("%(key)s: the key has no audit trail.", **facts)

    @api.model
    def _describe_difference(self, key, last, name):
        """Return in words what the key is, and what its last entry says of it.

        :param str name: the fact
        """
        field = key._fields[self._get_key_fields()[name][0]]
        # Who may read a key learns whether it agrees with its trail; no name is told
        # that is not for him.
        now = key.sudo()._get_told_value(field.name)
        return self.env._(
            "%(key)s: %(field)s is %(value)s, but the last entry, No. %(number)s, says "
            "%(expected)s.",
            key=key.display_name,
            field=field._description_string(self.env),
            value=last.with_env(self.env)._tell_value(field, now),
            expected=last.with_env(self.env)._tell_value(
                field, last._get_told_fact(name)
            ),
            number=last.number,
        )

    def _get_told_fact(self, name):
        """Return what the entry says of its key, as ``changes`` would keep it."""
        value, field_name = self._get_plain_fact(name), self._get_key_fields()[name][0]
        records = self.env["client.equipment.software.key"][field_name]
        if value and isinstance(records, models.BaseModel):
            # (who reads it is looked at by what puts it into words)
            record = records.sudo().browse(value).exists()
            return [value, record.display_name or self.env._("No. %s", value)]
        return fields.Date.to_string(value) if isinstance(value, date) else value

    def _get_plain_fact(self, name):
        """Return a fact as a write takes it: of a record its id; None for nothing."""
        value = self[name]
        return (value.id if isinstance(value, models.BaseModel) else value) or None

    def _get_differing(self):
        """Return what this last entry says that its key is not: ``{field: value}``."""
        key, differing = self.software_key_id, {}
        for name, (field_name, since) in self._get_key_fields().items():
            told, found = self._get_plain_fact(name), key[field_name]
            found = found.id if isinstance(found, models.BaseModel) else found
            if self.version >= since and told != (found or None):
                differing[field_name] = told
        return differing
