from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from .client_equipment_software_key import STATUSES

ACTIONS = [
    ("created", "Created"),
    ("applied", "Applied"),
    ("revoked", "Revoked"),
    ("expired", "Expired"),
    ("renewed", "Renewed"),
    ("reinstated", "Reinstated"),
    ("changed", "Changed"),
]
# What the system itself gives as a reason is kept in English, like any fact, and told
# in the reader's language.
REPAIRED = "Consistency repaired"
REPLACED = "Replaced by "
REFERENCE = "Reference: "


class ClientEquipmentAuditLog(models.Model):
    """Append-only evidence: one entry for each step in the life of a key.

    Entries are written by :meth:`_append_sql` alone and leave only with their key.
    What they tell is kept in the entry itself (names as they were), so that it
    outlives renamed users and deleted equipment. The entries of one key form a
    chain: each carries its number and a SHA-256 over the hash before it and its
    own facts; the key keeps the number and the hash of the last one.
    """

    _name = "client.equipment.audit.log"
    _description = "Audit Log"
    _inherit = ["client.equipment.mixin", "client.equipment.export"]
    _order = "action_date desc, id desc"
    _rec_name = "description"
    _rec_names_search = ["software_key_id"]
    _log_access = False

    software_key_id = fields.Many2one(
        "client.equipment.software.key",
        required=True,
        readonly=True,
        index=True,  # the tab Audit Logs of a key; _verify
        ondelete="cascade",
    )
    number = fields.Integer(
        "No.",
        required=True,
        readonly=True,
        aggregator=None,
        help="Place of the entry in the trail of its key, counted from 1.",
    )
    action = fields.Selection(ACTIONS, required=True, readonly=True)
    action_date = fields.Datetime("Date and Time", required=True, readonly=True)
    user_id = fields.Many2one(
        "res.users",
        required=True,
        readonly=True,
        index=True,  # Audit Logs of a person
        ondelete="restrict",
    )
    user_name = fields.Char(
        "User's Name", readonly=True, help="Name of the user at that time."
    )
    equipment_id = fields.Many2one(
        "client.equipment",
        readonly=True,
        index="btree_not_null",  # Audit Logs of an equipment
        ondelete="set null",
    )
    equipment_ref = fields.Integer(
        "Equipment's Database ID",
        readonly=True,
        aggregator=None,
        help="Stays when the equipment is deleted.",
    )
    equipment_name = fields.Char(
        "Equipment's Name", readonly=True, help="Name of the equipment at that time."
    )
    equipment_serial_no = fields.Char(
        "Equipment's Serial Number",
        readonly=True,
        help="Serial number of the equipment at that time.",
    )
    equipment_company_ref = fields.Integer(
        "Company's Database ID",
        readonly=True,
        aggregator=None,
        exportable=False,
        help="Company of the equipment at that time: only its people see the entry.",
    )
    customer_name = fields.Char(
        "Customer's Name",
        readonly=True,
        help="Name of the equipment's customer at that time.",
    )
    status_before = fields.Selection(STATUSES, readonly=True)
    status_after = fields.Selection(STATUSES, required=True, readonly=True)
    validity_end_before = fields.Date(readonly=True)
    validity_end_after = fields.Date(readonly=True)
    reason = fields.Char(readonly=True)
    hash = fields.Char("SHA-256", required=True, readonly=True)
    description = fields.Char(compute="_compute_description")
    software_id = fields.Many2one(related="software_key_id.software_id")
    company_id = fields.Many2one(related="software_key_id.company_id")

    _chain = models.UniqueIndex(
        "(software_key_id, number)",
        "The entries of an audit trail are numbered without repetition.",
    )
    # The Audit Logs menu by date range, newest first.
    _action_date = models.Index("(action_date, id)")

    @api.depends(
        "action",
        "user_name",
        "equipment_name",
        "equipment_serial_no",
        "validity_end_before",
        "validity_end_after",
        "reason",
    )
    @api.depends_context("lang")
    def _compute_description(self):
        for entry in self:
            entry.description = entry._describe()

    @api.depends("description")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for entry in self:
            entry.display_name = entry.description

    def _describe(self):
        """Return in the reader's language what happened."""
        self.ensure_one()
        text = self._tell_step()
        moved = self.validity_end_before != self.validity_end_after
        if moved and self.action not in ("created", "renewed"):
            text = self.env._(
                "%(step)s: validity end moved from %(before)s to %(end)s by %(user)s",
                step=text,
                before=self._say_date(self.validity_end_before) or self.env._("no end"),
                end=self._say_date(self.validity_end_after) or self.env._("no end"),
                user=self.user_name,
            )
        return f"{text}: {self._tell_reason()}" if self.reason else text

    def _tell_step(self):
        """Return in the reader's language which step it was, without its reason."""
        facts = {
            "user": self.user_name,
            "equipment": self.equipment_serial_no or self.equipment_name,
        }
        match self.action:
            case "created":
                return self.env._("Created by %(user)s", **facts)
            case "applied":
                return self.env._(
                    "Applied to Equipment %(equipment)s by %(user)s", **facts
                )
            case "revoked" if facts["equipment"]:
                return self.env._(
                    "Revoked from Equipment %(equipment)s by %(user)s", **facts
                )
            case "revoked":
                return self.env._("Revoked by %(user)s", **facts)
            case "expired":
                return self.env._("Expired")
            case "renewed":
                return self._tell_renewal()
            case "reinstated":
                return self.env._("Reinstated by %(user)s", **facts)
        return self.env._(
            "%(action)s by %(user)s", action=self.action, user=self.user_name
        )

    def _tell_renewal(self):
        facts = {
            "user": self.user_name,
            "end": self._say_date(self.validity_end_after),
            "before": self._say_date(self.validity_end_before) or self.env._("no end"),
        }
        if not self.validity_end_after:
            return self.env._(
                "Renewed without end by %(user)s (was %(before)s)", **facts
            )
        if self.validity_end_before != self.validity_end_after:
            return self.env._(
                "Renewed until %(end)s by %(user)s (was %(before)s)", **facts
            )
        return self.env._("Renewed until %(end)s by %(user)s", **facts)

    def _tell_reason(self):
        """Return the reason; the system's own words in the reader's language."""
        reason = self.reason
        if reason == REPAIRED:
            return self.env._("Consistency repaired")
        if reason.startswith(REPLACED):
            return self.env._("Replaced by %s", reason.removeprefix(REPLACED))
        if reason.startswith(REFERENCE):
            return self.env._("Reference: %s", reason.removeprefix(REFERENCE))
        return reason

    @api.private
    @api.model_create_multi
    def create(self, vals_list):  # pylint: disable=method-required-super
        raise UserError(
            self.env._(
                "The audit trail is written by the system alone. To have a step "
                "recorded, carry it out on the software key."
            )
        )

    def write(self, vals):  # pylint: disable=method-required-super
        raise UserError(self.env._("Entries of the audit trail can never be changed."))

    # Odoo's inner methods, which a server action can call.

    def _create(self, data_list):
        return self.create(data_list)

    def _write_fixed(self, vals):
        return self.write(vals)

    def _write_multi(self, vals_list):
        return self.write(vals_list)

    def unlink(self):  # pylint: disable=method-required-super
        # Not @api.ondelete, which a key in the context passes over. The cascade of a
        # deleted key (K10) does not come through here.
        self.check_access("unlink")
        raise UserError(  # pylint: disable=no-raise-unlink
            self.env._(
                "Entries of the audit trail can never be deleted. They leave only "
                "together with their software key."
            )
        )

    @api.model
    def _append_sql(
        self, keys, action, statuses, ends_before=None, reason=None, seats=None
    ):
        """Return the SQL that adds the entries of one step to the trails of ``keys``.

        The one writer of the trail: ``_transition`` of the key runs it, together with
        the new status, as one statement. An entry tells of the key as it stands in the
        database before that, and of its equipment.

        :param keys: the software keys, locked by the caller
        :param str action: one of ``ACTIONS``
        :param dict statuses: ``{key id: the status that the step leads to}``
        :param dict ends_before: ``{key id: validity end before the step}``, where
            the step moved it
        :param str reason: what the user gave as reason or reference
        :param seats: the ``SeatStep`` of each seat that was taken or given back: one
            entry each; else one of each key
        :return: common table expressions, of which ``entry`` holds the new entries
            with ``is_last``: whether it is the last one of its key
        """
        step = self._step_columns(statuses, seats)
        given = {name: SQL.identifier("step", name) for name in step}
        chained = "place" in step
        if ends_before is None:
            end_before, moved_ends = SQL("key.validity_end"), SQL("")
        else:
            end_before = SQL("moved.validity_end")
            moved_ends = SQL(
                "JOIN unnest(%s::int[], %s::date[]) AS moved(key_id, validity_end)"
                " ON moved.key_id = key.id",
                list(ends_before),
                [end or None for end in ends_before.values()],
            )
        return SQL(
            """
            fact AS (
                SELECT key.id AS software_key_id,
                       key.license_key,
                       key.audit_hash::text AS head_hash,
                       COALESCE(key.audit_number, 0) + %(place)s AS number,
                       %(action)s AS action,
                       %(now)s::timestamp AS action_date,
                       %(user_id)s AS user_id,
                       %(user_name)s AS user_name,
                       equipment.id AS equipment_ref,
                       equipment.company_id AS equipment_company_ref,
                       equipment.name AS equipment_name,
                       equipment.serial_no AS equipment_serial_no,
                       customer.complete_name AS customer_name,
                       %(status_before)s AS status_before,
                       %(status_after)s::varchar AS status_after,
                       %(end_before)s AS validity_end_before,
                       key.validity_end AS validity_end_after,
                       %(reason)s::varchar AS reason,
                       %(place)s AS place,
                       %(is_last)s AS is_last
                  FROM client_equipment_software_key key
                  %(steps)s
                  %(moved_ends)s
                  LEFT JOIN client_equipment equipment
                         ON equipment.id = %(equipment)s
                  LEFT JOIN res_partner customer
                         ON customer.id = equipment.partner_id
                 WHERE key.id = ANY(%(key_ids)s)
                 ORDER BY key.id
            ), entry AS (
                SELECT *, %(hash)s AS hash
                  FROM (
                    SELECT nextval('client_equipment_audit_log_id_seq')::int AS id,
                           head_hash AS previous_hash, fact.*
                      FROM fact
                     WHERE place = 1
                  ) entry
                %(following)s
            ), trail AS (
                INSERT INTO client_equipment_audit_log (
                    id, software_key_id, number, action, action_date,
                    user_id, user_name, equipment_id, equipment_ref,
                    equipment_company_ref, equipment_name, equipment_serial_no,
                    customer_name, status_before, status_after,
                    validity_end_before, validity_end_after, reason, hash
                )
                SELECT id, software_key_id, number, action, action_date,
                       user_id, user_name, equipment_ref, equipment_ref,
                       equipment_company_ref, equipment_name,
                       equipment_serial_no, customer_name,
                       status_before, status_after, validity_end_before,
                       validity_end_after, reason, hash
                  FROM entry
            )
            """,
            hash=self._hash_sql(),
            following=self._following_sql() if chained else SQL(),
            action=action,
            now=self._get_moment(),
            user_id=self.env.uid,
            user_name=self.env.user.name,
            place=given.get("place", SQL("1")),
            is_last=given.get("is_last", SQL("TRUE")),
            status_before=self._status_before_sql(action, chained),
            status_after=given.get("status") or next(iter(statuses.values())),
            equipment=given.get("equipment_id", SQL("key.equipment_id")),
            steps=self._steps_sql(step),
            end_before=end_before,
            reason=reason or None,
            moved_ends=moved_ends,
            key_ids=list(keys.ids),
        )

    @api.model
    def _step_columns(self, statuses, seats):
        """Return ``{name: values}``: what differs from entry to entry of one step.

        Of several entries of one key ``place`` is their order, and each begins with
        the status that the one before it has left.
        """
        if seats is None:
            if len(set(statuses.values())) == 1:
                return {}
            return {"key_id": list(statuses), "status": list(statuses.values())}
        key_ids, equipment_ids, _seats, after = map(list, zip(*seats, strict=True))
        step = {"key_id": key_ids, "equipment_id": equipment_ids, "status": after}
        if len(seats) == len(statuses):
            return step
        places, before, last = [], [], {}
        for number, (key_id, status) in enumerate(zip(key_ids, after, strict=True)):
            place, status_before, _number = last.get(key_id, (0, None, None))
            places.append(place + 1)
            before.append(status_before)
            last[key_id] = (place + 1, status, number)
        ends = {number for *_, number in last.values()}
        return step | {
            "place": places,
            "status_before": before,
            "is_last": [number in ends for number in range(len(seats))],
        }

    @api.model
    def _steps_sql(self, step):
        """Return the SQL that joins the columns of a step to their keys."""
        if not step:
            return SQL()
        types = {"status": "varchar[]", "status_before": "varchar[]", "is_last": "bool[]"}
        return SQL(
            "JOIN unnest(%s) AS step(%s) ON step.key_id = key.id",
            SQL(", ").join(
                SQL("%s::%s", values, SQL(types.get(name, "int[]")))
                for name, values in step.items()
            ),
            SQL(", ").join(map(SQL.identifier, step)),
        )

    @api.model
    def _status_before_sql(self, action, chained):
        if action == "created":
            return SQL("NULL")
        return SQL("COALESCE(step.status_before, key.status)" if chained else "key.status")

    @api.model
    def _following_sql(self):
        """Return the recursive part of ``entry``: each next entry of a key, over the
        hash of the one before it."""
        return SQL(
            """
            UNION ALL
            SELECT *, %s
              FROM (
                SELECT nextval('client_equipment_audit_log_id_seq')::int AS id,
                       previous.hash AS previous_hash, fact.*
                  FROM entry previous
                  JOIN fact ON fact.software_key_id = previous.software_key_id
                           AND fact.place = previous.place + 1
              ) entry
            """,
            self._hash_sql(),
        )

    @api.model
    def _get_moment(self):
        """Return the time of an entry: its transaction's, on the database's clock."""
        return self.env.cr.now().replace(microsecond=0)

    @api.model
    def _hash_sql(self):
        """Return the SQL of an entry's hash, over the columns of one ``entry``.

        The hashed text is a JSON array, so that anyone can compute it again with
        a few lines of any language; ``docs/evidence.md`` shows how. The company of
        the equipment stands in it where there is one: entries from before it was
        kept verify as they did.
        """
        return SQL(
            """
            encode(sha256(convert_to((jsonb_build_array(
                previous_hash, id, software_key_id, license_key, number, action,
                action_date, user_id, user_name, equipment_ref, equipment_name,
                equipment_serial_no, customer_name, status_before, status_after,
                validity_end_before, validity_end_after, reason
            ) || COALESCE(to_jsonb(equipment_company_ref), '[]')
            )::text, 'UTF8')), 'hex')
            """
        )

    # ------------------------------------------------------------------
    # Verification
    # ------------------------------------------------------------------

    @api.model
    def _verify(self, keys):
        """Return the first finding of each of ``keys`` whose trail is not intact (L5).

        One statement: every hash is computed again by the expression that wrote it,
        over the entry as it stands now and the hash stored before it; then the last
        entry is compared with what the key says of itself.

        :return: list of ``{"software_key_id", "audit_log_id", "problem"}``
        """
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                WITH entry AS (
                    SELECT log.*, key.license_key, key.audit_number,
                           row_number() OVER trail AS place,
                           lag(log.hash) OVER trail AS previous_hash
                      FROM client_equipment_audit_log log
                      JOIN client_equipment_software_key key
                        ON key.id = log.software_key_id
                     WHERE log.software_key_id = ANY(%(key_ids)s)
                    WINDOW trail AS (
                        PARTITION BY log.software_key_id ORDER BY log.number
                    )
                ), finding AS (
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
                               WHEN hash <> %(hash)s THEN 'altered'
                               WHEN equipment_id IS DISTINCT FROM (
                                    SELECT equipment.id
                                      FROM client_equipment equipment
                                     WHERE equipment.id = entry.equipment_ref
                               ) THEN 'link'
                               END AS problem
                          FROM entry
                      ) checked
                     WHERE problem IS NOT NULL
                    UNION ALL
                    SELECT software_key_id, NULL,
                           CASE WHEN problem <> 'removed' THEN id END,
                           CASE WHEN problem = 'removed' THEN number + 1
                                ELSE number END,
                           problem
                      FROM (
                        SELECT key.id AS software_key_id, last.id,
                               COALESCE(last.number, 0) AS number,
                               CASE
                               WHEN COALESCE(key.audit_number, 0) = 0
                                    THEN 'unwritten'
                               WHEN COALESCE(last.number, 0) < key.audit_number
                                    THEN 'removed'
                               WHEN last.hash IS DISTINCT FROM key.audit_hash
                                    THEN 'head'
                               WHEN last.status_after <> key.status THEN 'status'
                               WHEN last.validity_end_after
                                    IS DISTINCT FROM key.validity_end THEN 'validity'
                               WHEN feature.equipment_id IS DISTINCT FROM (
                                    CASE WHEN last.status_after IN
                                              ('applied', 'expired')
                                          AND last.action <> 'revoked'
                                         THEN last.equipment_ref END
                               ) OR feature.equipment_id
                                    IS DISTINCT FROM key.equipment_id
                                    THEN 'assignment'
                               END AS problem
                          FROM client_equipment_software_key key
                          LEFT JOIN client_equipment_feature feature
                                 ON feature.software_key_id = key.id
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
                )
                SELECT DISTINCT ON (software_key_id)
                       software_key_id, audit_log_id, problem, told_number
                  FROM finding
                 ORDER BY software_key_id, number NULLS LAST
                """,
                hash=self._hash_sql(),
                key_ids=list(keys.ids),
            )
        )
        rows = self.env.cr.fetchall()
        # Read together what the findings tell of: queries do not grow with them. Who
        # may read a key learns of its trail whether it agrees with the key, also where
        # an entry is another company's: hence sudo().
        found = keys.browse(row[0] for row in rows)
        entries = self.sudo().browse(row[1] for row in rows if row[1])
        return [
            {
                "software_key_id": key_id,
                "audit_log_id": entry_id or False,
                "problem": self._describe_finding(
                    keys.browse(key_id).with_prefetch(found.ids),
                    entries.browse(entry_id or ()).with_prefetch(entries.ids),
                    problem,
                    number,
                ),
            }
            for key_id, entry_id, problem, number in rows
        ]

    @api.model
    def _describe_finding(self, key, last, problem, number):
        """Return in the reader's language what is wrong with the trail of a key."""
        facts = {"key": key.display_name, "number": number}
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
            case "head":
                return self.env._(
                    "%(key)s: entry No. %(number)s is not the one that the key "
                    "remembers as its last: the trail was written anew.",
                    **facts,
                )
            case "status":
                return self.env._(
                    "%(key)s: the status of the key is %(status)s, but its last entry, "
                    "No. %(number)s, says %(expected)s.",
                    status=key._selection_label("status", key.status),
                    expected=key._selection_label("status", last.status_after),
                    **facts,
                )
            case "validity":
                return self.env._(
                    "%(key)s: the validity end of the key is %(end)s, but its last "
                    "entry, No. %(number)s, says %(expected)s.",
                    end=self._say_date(key.validity_end) or self.env._("not set"),
                    expected=self._say_date(last.validity_end_after)
                    or self.env._("not set"),
                    **facts,
                )
            case "assignment":
                return self.env._(
                    "%(key)s: the key is not where its last entry, No. %(number)s, "
                    "says.",
                    **facts,
                )
        return self.env._("%(key)s: the key has no audit trail.", **facts)
