from itertools import chain

from odoo import api, fields, models

from .client_equipment_software_key import KEY_TYPES, STATUSES

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

# Entries that tell since when software was installed: the first one, and each that
# corrects its day.
INSTALLED = "(action = 'applied' OR action = 'changed' AND installed_on IS NOT NULL)"


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
        "client.equipment.export.mixin",
    ]
    _order = "action_date desc, id desc"
    _rec_name = "description"
    _rec_names_search = ["software_key_id"]
    _log_access = False

    software_key_id = fields.Many2one(
        "client.equipment.software.key",
        required=True,
        readonly=True,
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
    key_type = fields.Selection(KEY_TYPES, readonly=True)
    validity_start = fields.Date(readonly=True)
    seats = fields.Integer(
        "Seats of the Key", readonly=True, aggregator=None, help="How many it had then."
    )
    owner_ref = fields.Integer(
        "Owner's Database ID",
        readonly=True,
        aggregator=None,
        exportable=False,
        help="The customer that the key was bought for.",
    )
    supplier_ref = fields.Integer(
        "Supplier's Database ID", readonly=True, aggregator=None, exportable=False
    )
    key_company_ref = fields.Integer(
        "Database ID of the Key's Company",
        readonly=True,
        aggregator=None,
        exportable=False,
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
    # Usage History, newest first, and what was installed on a day; that of a software.
    _installed_from = models.Index(
        f"((COALESCE(installed_from, action_date)), id) WHERE {INSTALLED}"
    )
    _software_installed_from = models.Index(
        f"(software_id, (COALESCE(installed_from, action_date)), id) WHERE {INSTALLED}"
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

    # ------------------------------------------------------------------
    # In words
    # ------------------------------------------------------------------

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
        reason = " - ".join(filter(None, (self._reason_code_text(), self.reason)))
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
        assignment = self.env["client.equipment.feature"]._fields
        known = {
            **self.env["client.equipment.software.key"]._fields,
            "applied_date": assignment["applied_date"],
        }
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
        """Tell whether a value is a record that is not, or was not, for the reader."""
        if not isinstance(value, list):
            return False
        record = self.env[field.comodel_name].browse(value[0])
        if not record.sudo().exists():
            # It was of a company that the key was of, or of none.
            record = self._get_companies_then()
        return not record.sudo(False).has_access("read")

    def _get_companies_then(self):
        """Return the companies that the key was of before and after this entry; where
        the entry does not tell, all that it was ever of."""
        entry = self.sudo()
        entries = entry if entry.version > 2 else entry.software_key_id.audit_log_ids
        ids = {each.key_company_ref for each in entries}
        if entries != entry:
            ids.add(entry.software_key_id.company_id.id)
        for name, *values in chain.from_iterable(
            each.changes or () for each in entries
        ):
            if name == "company_id":
                ids.update(value[0] for value in values if value)
        return self.env["res.company"].browse(ids - {0})

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

    def _reason_code_text(self):
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
