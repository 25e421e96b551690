from odoo import api, fields, models
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
    ("revealed", "Revealed"),
]
# Reasons that the system itself gives. What a code speaks of stands beside it, what a
# person gave as reason too; told are they in the reader's language.
REASON_CODES = [
    ("repaired", "Consistency Repaired"),
    ("replaced", "Replaced"),
    ("returned", "Equipment Returned"),
    ("reference", "Reference"),
    ("overridden", "Rule for Moving Overridden"),
]


class ClientEquipmentAuditLog(models.Model):
    """Append-only evidence: one entry for each step in the life of a key.

    Entries are written by :meth:`_append_sql` alone and leave only with their key.
    What they tell is kept in the entry itself (database ids and names as they were), so
    that it outlives renamed users, merged customers and deleted equipment. The entries
    of one key form a chain: each carries its number and a SHA-256 over the hash before
    it and its own facts; the key keeps the number and the hash of the last one.

    Which facts there are stands in ``trail.py``; how they are written and hashed, in
    the file ``_chain`` beside this one. Links to equipment and customer are no facts:
    they follow what becomes of these.
    """

    _name = "client.equipment.audit.log"
    _description = "Audit Log"
    _inherit = [
        "client.equipment.audit.closed",
        "client.equipment.mixin",
        "client.equipment.export",
    ]
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
    software_id = fields.Many2one(
        "client.equipment.software",
        "Feature",
        readonly=True,
        ondelete="restrict",
        help="The software that the key licensed at that time.",
    )
    software_name = fields.Char(
        "Feature's Name", readonly=True, help="Name of the software at that time."
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
    equipment_company_name = fields.Char(
        "Company's Name",
        readonly=True,
        help="Name of the equipment's company at that time.",
    )
    customer_id = fields.Many2one(
        "res.partner",
        readonly=True,
        index="btree_not_null",  # what a customer had; deleting and merging contacts
        ondelete="set null",
        help="The equipment's customer at that time, or whom it was merged into since.",
    )
    customer_ref = fields.Integer(
        "Customer's Database ID",
        readonly=True,
        aggregator=None,
        help="Stays when the customer is merged into another or deleted.",
    )
    customer_name = fields.Char(
        "Customer's Name",
        readonly=True,
        help="Name of the equipment's customer at that time.",
    )
    seat = fields.Integer(
        readonly=True,
        aggregator=None,
        help="Which of the key's seats it was about, where it was on equipment.",
    )
    installed_on = fields.Date(
        readonly=True, help="Day on which the software was installed, as it was given."
    )
    installed_from = fields.Datetime(
        readonly=True,
        help="When that day began, where it was recorded on a later one.",
    )
    status_before = fields.Selection(STATUSES, readonly=True)
    status_after = fields.Selection(STATUSES, required=True, readonly=True)
    validity_end_before = fields.Date(readonly=True)
    validity_end_after = fields.Date(readonly=True)
    # Told by the description, which hides names of what its reader may not read.
    changes = fields.Json(
        readonly=True,
        groups=fields.NO_ACCESS,
        help="Of a change: each field, what it was and what it became.",
    )
    reason_code = fields.Selection(
        REASON_CODES,
        "System's Reason",
        readonly=True,
        help="The reason that the system itself gives.",
    )
    reason_data = fields.Char(
        "Reason's Subject",
        readonly=True,
        help="What the system's reason speaks of.",
    )
    reason = fields.Char(
        readonly=True, help="What the person gave as reason, word for word."
    )
    version = fields.Integer(
        required=True,
        readonly=True,
        aggregator=None,
        help="Format of the entry: which facts it has, and how they are hashed.",
    )
    hash = fields.Char("SHA-256", required=True, readonly=True)
    description = fields.Char(compute="_compute_description")
    company_id = fields.Many2one(related="software_key_id.company_id")
    key_number = fields.Integer(
        "Key No.",
        related="software_key_id.id",
        aggregator=None,
        help="Number of the key's record, which tells keys apart whose license keys "
        "are not shown whole.",
    )

    _chain = models.UniqueIndex(
        "(software_key_id, number)",
        "The entries of an audit trail are numbered without repetition.",
    )
    # The Audit Logs menu by date range, newest first.
    _action_date = models.Index("(action_date, id)")
    # Usage History, newest first, and what was installed on a day.
    _installed_from = models.Index(
        "((COALESCE(installed_from, action_date)), id) WHERE action = 'applied'"
    )

    @api.depends(
        "action",
        "user_name",
        "equipment_name",
        "equipment_serial_no",
        "validity_end_before",
        "validity_end_after",
        "changes",
        "reason_code",
        "reason_data",
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
        reason = " - ".join(filter(None, (self._tell_reason_code(), self.reason)))
        return f"{text}: {reason}" if reason else text

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
            case "changed":
                return self.env._(
                    "Changed by %(user)s: %(changes)s",
                    changes=self._tell_changes(),
                    **facts,
                )
            case "revealed":
                return self.env._("Revealed to %(user)s", **facts)
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

    def _get_changes(self):
        """Return ``[(field, before, after)]`` of the fields that there are."""
        known = self.env["client.equipment.software.key"]._fields
        # Whoever reads them here sees to it that no name is told that is not to be.
        return [
            (known[name], before, after)
            for name, before, after in self.sudo().changes or ()
            if name in known
        ]

    def _tell_changes(self):
        """Return in the reader's language what was changed into what."""
        return ", ".join(
            self.env._(
                "%(field)s from %(before)s to %(after)s",
                field=field._description_string(self.env),
                before=self._tell_value(field, before),
                after=self._tell_value(field, after),
            )
            for field, before, after in self._get_changes()
        )

    def _names_hidden(self):
        """Tell whether the changes name a record that the reader may not read."""
        return any(
            self._is_hidden(field, value)
            for field, *values in self._get_changes()
            for value in values
        )

    def _is_hidden(self, field, value):
        """Tell whether a value is a record that is there, and not for the reader."""
        if not isinstance(value, list):
            return False
        record = self.env[field.comodel_name].browse(value[0])
        return record.sudo().exists() and not record.sudo(False).has_access("read")

    def _tell_value(self, field, value):
        """Return in the reader's language a value as ``changes`` keeps it."""
        if self._is_hidden(field, value):
            return self.env._("another company's")
        if isinstance(value, list):
            return value[1]
        if value is None:
            return self.env._("nothing")
        if field.type == "selection":
            return dict(field._description_selection(self.env)).get(value, value)
        if field.type == "date":
            return self._say_date(fields.Date.to_date(value))
        return value

    def _tell_reason_code(self):
        """Return in the reader's language the reason that the system gave, if any.

        The words of a code that another addon has added are given by an extension.
        """
        match self.reason_code:
            case "repaired":
                return self.env._("Consistency repaired")
            case "replaced":
                return self.env._("Replaced by %s", self.reason_data)
            case "returned":
                return self.env._("Equipment %s returned", self.reason_data)
            case "reference":
                return self.env._("Reference: %s", self.reason_data)
            case "file":
                return self.env._("License file %s", self.reason_data)
            case "overridden":
                return self.env._("Rule for moving overridden")
        return self.reason_code

    @api.model
    def _get_moment(self):
        """Return the time of an entry: its transaction's, on the database's clock."""
        return self.env.cr.now().replace(microsecond=0)

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
                ), told AS (
                    -- where the trail says that the seats are
                    SELECT software_key_id,
                           array_agg(equipment_ref ORDER BY equipment_ref)
                               AS equipment_ids
                      FROM (
                        SELECT DISTINCT ON (software_key_id, equipment_ref)
                               software_key_id, equipment_ref, action, number, ended
                          FROM (
                            SELECT *, max(number) FILTER (
                                       WHERE action = 'reinstated'
                                          OR action IN ('applied', 'revoked')
                                         AND seat IS NULL
                                   ) OVER (PARTITION BY software_key_id) AS ended
                              FROM entry
                          ) step
                         WHERE action IN ('applied', 'revoked')
                         ORDER BY software_key_id, equipment_ref, number DESC
                      ) place
                     WHERE action = 'applied' AND number >= COALESCE(ended, 0)
                     GROUP BY software_key_id
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
                               WHEN hash IS DISTINCT FROM %(hash)s THEN 'altered'
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
                               WHEN last.software_id <> key.software_id
                                    THEN 'software'
                               WHEN last.license_file_sha256
                                    IS DISTINCT FROM key.license_file_sha256
                                    THEN 'file'
                               WHEN place.equipment_ids
                                    IS DISTINCT FROM told.equipment_ids
                                 OR key.seats_used <> COALESCE(
                                        cardinality(place.equipment_ids), 0
                                    )
                                 OR key.equipment_id IS DISTINCT FROM (
                                    CASE key.seats_used WHEN 1
                                         THEN place.equipment_ids[1] END
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
                )
                SELECT DISTINCT ON (software_key_id)
                       software_key_id, audit_log_id, problem, told_number
                  FROM finding
                 ORDER BY software_key_id, number NULLS LAST
                """,
                hash=self._hash_of_any_version_sql(),
                key_ids=list(keys.ids),
                equipment=SQL.identifier(self.env["client.equipment"]._table),
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
            case "customer":
                return self.env._(
                    "%(key)s: entry No. %(number)s links to another customer than "
                    "the one that it tells of.",
                    **facts,
                )
            case "software":
                return self.env._(
                    "%(key)s: the feature of the key is not the one that its last "
                    "entry, No. %(number)s, tells of.",
                    **facts,
                )
            case "file":
                return self.env._(
                    "%(key)s: the license file of the key is not the one that its last "
                    "entry, No. %(number)s, tells of.",
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
