import functools
import re
from collections import defaultdict
from typing import Self

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.client_equipment.arguments import checked
from odoo.addons.client_equipment.text import as_seen
from odoo.addons.client_equipment.values import (
    PAIR_MAX,
    CheckedValues,
    date_problem,
)

from ..commands import written_steps
from ..license_key import SHORT, hint
from ..secret import Secret

KEY_TYPES = [
    ("permanent", "Permanent"),
    ("subscription", "Subscription"),
    ("trial", "Trial"),
    ("time_limited", "Time-Limited"),
]
STATUSES = [
    ("available", "Available"),
    ("applied", "Applied"),
    ("expired", "Expired"),
    ("revoked", "Revoked"),
]
# Keys that are still good for something: what the expiration job looks at.
LIVE_STATUSES = ("available", "applied")

# So many offending lines or keys are named in one error.
NAMED_MAX = 50


def _license_key_message(env, diagnostics):
    """Return the error for a repeated license key, naming it where it is known."""
    message = env._("The license key must be unique!")
    detail = diagnostics and diagnostics.message_detail or ""
    if found := re.search(r"\(license_key\)=\((.*)\) ", detail, re.DOTALL):
        message += "\n" + env._(
            "%(license_key)s is in the inventory already: search for it there.",
            license_key=found[1],
        )
    return message


class RepairedValues(CheckedValues):
    """What a key gets back by a repair. What comes from a client never is one."""


class ClientEquipmentSoftwareKey(models.Model):
    """One license key: its place in the inventory.

    A status changes in :meth:`_transition` and nowhere else; that method also has
    the step written to the audit trail. ``create``, ``write``, the assignments
    (``client.equipment.feature``), the wizards and the scheduled job all end there.

    Here are its facts and how they are entered, changed and searched. What else a
    key can do stands in the files beside this one, each named after it: ``_text`` (the
    license key itself), ``_life``, ``_seats``, ``_moving``, ``_file``, ``_entry``,
    ``_offer``, ``_renewal``, ``_next``, ``_expiry``, ``_consistency``.
    """

    _name = "client.equipment.software.key"
    _description = "Software Key"
    _inherit = [
        "client.equipment.mixin",
        "mail.thread",
        "mail.activity.mixin",
        "client.equipment.export.mixin",
    ]
    _order = "id desc"
    _check_company_auto = True

    license_key = Secret(
        required=True,
        copy=False,
        line_break="",
        index="trigram",  # search and drop-down by a part of it
        help="The product key or license code. It cannot be changed once saved.",
    )
    license_key_hint = fields.Char(
        compute="_compute_license_key_hint",
        help="The last characters of the license key: enough to tell it from others.",
    )
    software_id = fields.Many2one(
        "client.equipment.software",
        "Feature",
        required=True,
        tracking=True,
        ondelete="restrict",
        help="The software product that this key licenses.",
    )
    key_type = fields.Selection(KEY_TYPES, required=True, default="permanent")
    validity_start = fields.Date()
    validity_end = fields.Date(help="Last day on which the key is valid.")
    status = fields.Selection(STATUSES, required=True, default="available", copy=False)
    remarks = fields.Text()
    owner_id = fields.Many2one(
        "res.partner",
        "Bought for Customer",
        check_company=True,
        index="btree_not_null",  # name_search; keys of a customer
        ondelete="restrict",
        help="Where set, the key can only be applied to equipment of this customer.",
    )
    supplier_id = fields.Many2one(
        "res.partner",
        check_company=True,
        index="btree_not_null",  # keys by supplier
        ondelete="restrict",
    )
    purchase_reference = fields.Char()
    company_id = fields.Many2one(
        "res.company",
        default=lambda self: self.env.company,
        index=True,  # record rules, where there are many companies
        ondelete="restrict",  # empty means shared: nobody meant that
        help="Leave empty to share the key between all companies.",
    )
    equipment_feature_ids = fields.One2many(
        "client.equipment.feature", "software_key_id", "Equipment Features"
    )
    audit_log_ids = fields.One2many(
        "client.equipment.audit.log", "software_key_id", "Audit Logs", fixed=True
    )
    equipment_id = fields.Many2one(
        "client.equipment",
        readonly=True,
        fixed=True,
        copy=False,
        index="btree_not_null",  # the keys of an equipment, of a customer
        ondelete="restrict",
        help="The equipment that the key is applied to now, where that is one.",
    )
    partner_id = fields.Many2one(
        "res.partner",
        "Customer",
        compute="_compute_partner_id",
        search="_search_partner_id",
        help="Customer of the equipment that the key is applied to now.",
    )
    replaced_by_id = fields.Many2one(
        "client.equipment.software.key",
        readonly=True,
        fixed=True,
        copy=False,
        index="btree_not_null",  # deleting keys looks for links to them
        ondelete="set null",
    )
    replaces_id = fields.Many2one(
        "client.equipment.software.key",
        readonly=True,
        fixed=True,
        copy=False,
        index="btree_not_null",  # deleting keys looks for links to them
        ondelete="set null",
    )
    audit_number = fields.Integer(
        "Number of Audit Logs",
        readonly=True,
        fixed=True,
        copy=False,
        aggregator=None,
        help="How many entries the audit trail of this key has.",
    )
    audit_hash = fields.Char(
        "Last Audit Hash",
        readonly=True,
        fixed=True,
        copy=False,
        help="SHA-256 of the last entry of the audit trail.",
    )
    can_be_applied = fields.Boolean(
        compute="_compute_can_be_applied",
        search="_search_can_be_applied",
        help="Available, and its last valid day has not ended.",
    )
    expires_soon = fields.Boolean(
        compute="_compute_expires_soon",
        search="_search_expires_soon",
        help="In stock or in use, still valid, and ends within the lead time set in "
        "Settings.",
    )

    _license_key_unique = models.Constraint("UNIQUE(license_key)", _license_key_message)
    _check_license_key = models.Constraint(
        "CHECK(license_key <> '' AND license_key = btrim(license_key, E' \\t\\r\\n'))",
        "A license key cannot be blank, nor begin or end with blanks.",
    )
    _check_validity_end_required = models.Constraint(
        "CHECK(key_type = 'permanent' OR validity_end IS NOT NULL)",
        "Subscription, trial and time-limited keys need a validity end.",
    )
    _check_validity_start_required = models.Constraint(
        "CHECK(key_type <> 'time_limited' OR validity_start IS NOT NULL)",
        "Time-limited keys need a validity start.",
    )
    _check_permanent = models.Constraint(
        "CHECK(key_type <> 'permanent' OR validity_end IS NULL)",
        "Permanent keys have no validity end.",
    )
    _check_validity_order = models.Constraint(
        "CHECK(validity_end >= validity_start)",
        "The validity of a key cannot end before it starts.",
    )
    # Which of the keys of a software, in a status, ends first. As below, the company,
    # of which the rules ask, lets a list's keys be counted from the index alone.
    _software_status_validity = models.Index(
        "(software_id, status, validity_end, company_id)"
    )
    # The key list sorted by validity end: alone, under each status, each key type.
    _validity_end = models.Index("(validity_end)")
    _status_validity = models.Index("(status, validity_end, company_id)")
    _key_type_validity = models.Index("(key_type, validity_end, company_id)")
    # The filter Expired but Still Installed, which counts from it alone.
    _expired_installed = models.Index(
        "(validity_end, id) INCLUDE (company_id)"
        " WHERE status = 'expired' AND seats_used > 0"
    )
    # The drop-down of the equipment form, and the next available key: the available
    # keys of a software that may go anywhere, the one that expires first in front, of
    # those the one that is nearly used up.
    _available = models.Index(
        "(software_id, validity_end, (seats - seats_used), id)"
        " WHERE status = 'available' AND seats_used + seats_kept < seats"
    )

    @api.depends("software_id.name", "license_key", "validity_end", "seats_usage")
    @api.depends_context("formatted_display_name", "lang", "uid", "allowed_company_ids")
    def _compute_display_name(self):
        """Name the key by feature and license key; in a drop-down by its end and the
        use of its seats, too."""
        in_drop_down = self.env.context.get("formatted_display_name")
        for key in self:
            name = key._get_name()
            if in_drop_down and (details := key._get_details()):
                name += f"\t--{details}--"
            key.display_name = name

    def _name_for_others(self):
        return self.env._("Software key of another company")

    def _get_name(self):
        """Return the name of the key, for whoever may read that it is there."""
        return " - ".join(filter(None, (self.software_id.name, self.license_key)))

    def _get_license_key(self):
        """Return the whole license key, whoever reads it: for what the system does."""
        return self._fields["license_key"].stored(self)

    def _get_details(self):
        """Return what a drop-down says of the key beside its name."""
        end = self.validity_end and self._say_date(self.validity_end)
        until = end and self.env._("until %s", end)
        return ", ".join(filter(None, [until, self.seats_usage]))

    @api.depends("license_key")
    def _compute_license_key_hint(self):
        for key in self:
            key.license_key_hint = hint(key._get_license_key() or "")

    @api.depends("equipment_id.partner_id")
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_partner_id(self):
        """Tell the customer to those who may read the equipment.

        A key that all companies share may stand at a customer of another one.
        """
        readable = self.sudo().equipment_id._readable()
        for key in self:
            equipment = key.sudo().equipment_id & readable
            key.partner_id = equipment.partner_id

    def _search_partner_id(self, operator, value):
        if operator in Domain.NEGATIVE_OPERATORS:
            return NotImplemented
        domain = Domain("equipment_id", "any", [("partner_id", operator, value)])
        if operator == "in" and False in value:
            domain |= Domain("equipment_id", "=", False)
        return domain

    def _field_to_sql(self, alias, field_expr, query=None):
        """Group by the customers of the equipment that the reader may read."""
        if field_expr != "partner_id" or query is None:
            return super()._field_to_sql(alias, field_expr, query)
        equipment = self.env["client.equipment"].with_context(active_test=False)
        readable = equipment._search([])
        at = query.make_alias(alias, f"equipment_id__{self.env.uid}")
        query.add_join(
            "LEFT JOIN",
            at,
            readable.subselect(SQL("%s.*", SQL.identifier(equipment._table))),
            SQL(
                "%s = %s",
                SQL.identifier(alias, "equipment_id"),
                SQL.identifier(at, "id"),
            ),
        )
        return SQL.identifier(at, "partner_id")

    @api.depends("status", "validity_end", "company_id.partner_id.tz")
    def _compute_can_be_applied(self):
        past = self._filtered_past_end()
        for key in self:
            key.can_be_applied = key.status == "available" and key not in past

    def _search_can_be_applied(self, operator, value):
        if operator != "in":
            return NotImplemented
        domain = Domain("status", "=", "available") & ~self._past_end_domain()
        return domain if True in value else ~domain

    @api.depends(
        "status",
        "validity_end",
        "company_id.partner_id.tz",
        "company_id.software_key_lead_days",
    )
    def _compute_expires_soon(self):
        horizons = self.env["res.company"]._software_key_horizons()
        past = self._filtered_past_end()
        for key in self:
            key.expires_soon = (
                key.status in LIVE_STATUSES
                and bool(key.validity_end)
                and key.validity_end <= horizons[key.company_id.id]
                and key not in past
            )

    def _search_expires_soon(self, operator, value):
        if operator != "in":
            return NotImplemented
        domain = (
            Domain("status", "in", LIVE_STATUSES)
            & self._validity_domain(">=", self._today_by_company())
            & self._validity_domain(
                "<=", self.env["res.company"]._software_key_horizons()
            )
        )
        return domain if True in value else ~domain

    @api.model
    def _search_display_name(self, operator, value):
        """Find keys by a part of the license key, of the feature, or of both.

        The names of the catalogue are looked up first: a million keys are then
        searched by index only.
        """
        if operator == "in":
            names = [name for name in value if isinstance(name, str)]
            return Domain("license_key", "in", names) | self._named_domain(names)
        if operator in ("ilike", "like", "=ilike", "=like"):
            return self._display_name_domain(value, operator)
        return NotImplemented

    @api.model
    def _named_domain(self, names):
        """Return the domain of the keys with these whole names: the catalogue is asked
        once, in however many places a name could be divided."""
        keys = defaultdict(list)
        for name in names:
            for dash in re.finditer(" - ", name) if len(name) <= PAIR_MAX else ():
                keys[as_seen(name[: dash.start()])].append(name[dash.end() :])
        software = self.env["client.equipment.software"].with_context(active_test=False)
        return Domain.OR(
            Domain("software_id", "=", each.id)
            & Domain("license_key", "in", keys[each.name])
            for each in software.search_fetch([("name", "in", list(keys))], ["name"])
        )

    @api.model
    def _display_name_domain(self, text, operator):
        text = text or ""
        return (
            Domain("license_key", operator, text)
            | self._software_domain(text, operator)
            | self._feature_and_key_domain(text, operator)
        )

    @api.model
    def _feature_and_key_domain(self, text, operator):
        """Return the domain of the keys named "Feature - KEY" by the text.

        A feature's name may hold the dash, too.
        """
        if len(text) > PAIR_MAX:
            return Domain.FALSE
        return Domain.OR(
            self._software_domain(text[: dash.start()], operator)
            & Domain("license_key", operator, text[dash.end() :])
            for dash in re.finditer(" - ", text)
        )

    @api.model
    def _software_domain(self, name, operator):
        """Return the domain of the keys of software by name.

        Their ids, not a subquery: PostgreSQL could not combine its index with that
        of the license key.
        """
        software = self.env["client.equipment.software"].with_context(active_test=False)
        return Domain(
            "software_id", "in", software.search([("name", operator, name)]).ids
        )

    @checked
    def onchange(self, values: dict, field_names: list[str], fields_spec: dict) -> dict:
        # A duplicated key opens as it is (K4). From the user's first change on, the
        # catalogue fills in what it knows, as for any new key.
        if field_names:
            self = self.with_context(software_key_duplicated=False)
        return super().onchange(values, field_names, fields_spec)

    @api.onchange("software_id")
    def _onchange_software_id(self):
        """Take key type and validity from the catalogue entry."""
        if self.env.context.get("software_key_duplicated"):
            return
        if self.software_id and not self._origin:
            self.key_type = self.software_id.default_key_type
            self._onchange_key_type()

    @api.onchange("key_type", "validity_start")
    def _onchange_key_type(self):
        """Clear the end of a permanent key; propose the end of any other."""
        if self.key_type == "permanent":
            self.validity_end = False
            return
        if self._origin or self.env.context.get("software_key_duplicated"):
            return
        if not self.validity_start:
            self.validity_start = fields.Date.context_today(self)
        self.validity_end = (
            self.software_id
            and self.software_id._get_validity_end(self.validity_start)
            or self.validity_end
            or self.key_type == "subscription"
            and fields.Date.add(self.validity_start, years=1)
        )

    @api.model_create_multi
    @checked
    def create(self, vals_list: list[dict]) -> Self:
        self.check_access("create")
        vals_list = self._prepare_vals_list([self._checked(vals) for vals in vals_list])
        wanted = [vals.pop("status", None) for vals in vals_list]
        features = [vals.pop("equipment_feature_ids", None) for vals in vals_list]
        # The audit trail tells who entered a key; a mail message each would cost
        # many times the entry itself.
        keys = (
            super(ClientEquipmentSoftwareKey, self.with_context(tracking_disable=True))
            .create(
                [
                    CheckedValues(vals, status="available", equipment_feature_ids=False)
                    for vals in vals_list
                ]
            )
            .with_env(self.env)
        )
        keys._transition("created", dict.fromkeys(keys.ids, "available"))
        past = set(keys._filtered_past_end().ids)
        keys_by_status = {}
        for key, status in zip(keys, wanted, strict=True):
            status = status or "available"
            if key.id in past and status == "available":
                status = "expired"
            keys_by_status.setdefault(status, []).append(key.id)
        for status, key_ids in keys_by_status.items():
            if status != "available":
                keys.browse(key_ids)._apply_written_status(status)
        for key, commands in zip(keys, features, strict=True):
            if commands:
                key.write({"equipment_feature_ids": commands})
        return keys

    def write(self, vals: dict) -> bool:  # pylint: disable=method-required-super
        for step in written_steps(self._checked(vals)):
            self._write_step(step)
        return True

    def _write_step(self, vals):
        # pylint: disable=super-method-mismatch
        self._check_same_license_key(vals)
        told = self._get_told_fields() & vals.keys()
        if not told and not {"status", "validity_end"} & vals.keys():
            self._check_validity(vals)
            super().write(vals)
            return
        self.check_access("write")
        self._lock_for_step()
        wanted = self._pop_status(vals)
        previous_ends = {key.id: key.validity_end for key in self}
        before = self._get_told(told)
        self._check_validity(vals)
        statuses = self._prepare_seats(vals)
        self._prepare_license_file(vals)
        # The audit trail tells of status and end; the chatter of tracked fields only.
        tracked = any(getattr(self._fields[name], "tracking", None) for name in vals)
        keys = self.with_context(tracking_disable=not tracked)
        super(ClientEquipmentSoftwareKey, keys).write(vals)
        moved = self.filtered(lambda key: key.validity_end != previous_ends[key.id])
        self._check_still_fits(vals)
        reason_code = "repaired" if isinstance(vals, RepairedValues) else None
        # Whoever hears of a change may move an end, too: the trail tells of this first.
        unheard = [] if moved else None
        self._tell_changes(
            before, statuses, previous_ends, reason_code=reason_code, unheard=unheard
        )
        previous_ends = previous_ends if moved else None
        self._apply_written_status(wanted, previous_ends, reason_code, unheard)

    def _pop_status(self, vals):
        """Take the status that the user chose out of ``vals``, and return it."""
        if "status" in vals and not vals["status"]:
            raise ValidationError(
                self.env._(
                    "%s needs a status. Choose one, or leave it as it is.",
                    self._some_names(),
                )
            )
        return vals.pop("status", None)

    def _check_still_fits(self, vals):
        """Check that applied keys whose owner or company changed may stay there."""
        if {"owner_id", "company_id"} & vals.keys():
            features = self.sudo().equipment_feature_ids
            features._check_still_fit()
            features._bind()

    @checked
    def copy(self, default: dict | None = None) -> Self:
        """Copy one key under a new license key, which ``default`` must give (K4)."""
        if len(self) != 1 or not (default or {}).get("license_key"):
            raise UserError(
                self.env._(
                    "A copy needs a license key of its own. Open the key, choose "
                    "Duplicate in the gear menu and enter the next license key."
                )
            )
        return super().copy(default)

    def _check_not_applied(self):
        """Refuse to delete keys that are applied (K10)."""
        if feature := self.sudo().equipment_feature_ids[:1]:
            raise UserError(
                self.env._(
                    "%(key)s is applied to %(equipment)s. Remove it there before you "
                    "delete it.",
                    key=feature.software_key_id.display_name,
                    equipment=feature.equipment_id.display_name,
                )
            )

    def unlink(self) -> bool:
        """Delete the keys with their trails; the software keeps a trace (K10)."""
        self.check_access("unlink")
        self._lock_for_step()
        self._check_not_applied()
        traces = {
            place: keys._deletion_trace()
            for place, keys in self.sudo()
            .grouped(lambda key: (key.software_id, key.company_id))
            .items()
        }
        self.env["client.equipment.audit.deletion"]._record(self)
        result = super().unlink()
        for (software, company), trace in traces.items():
            note = software._message_log(
                body=trace, author_id=self.env.user.partner_id.id
            )
            note.record_company_id = company
        # The database has deleted the trails by cascade.
        self.env["client.equipment.audit.log"].invalidate_model()
        return result

    def _deletion_trace(self):
        """Return what stays on the chatter of the software of deleted keys: of the
        license key what *Deleted Keys* keep, or the key's number."""
        lines = [
            self.env._(
                "Software key %(hint)s deleted by %(user)s. Audit logs: %(count)s, "
                "last hash: %(hash)s",
                hint=key.license_key_hint
                if len(key._get_license_key()) > SHORT
                else self.env._("No. %s", key.id),
                user=self.env.user.name,
                count=key.audit_number,
                hash=key.audit_hash,
            )
            for key in self
        ]
        return Markup("<br/>").join(lines)

    # ------------------------------------------------------------------
    # Values
    # ------------------------------------------------------------------

    @api.model
    def _clean_values(self, vals):
        """Bring the license key into its normal form."""
        if vals.get("license_key"):
            license_key = self._normalize_license_key(vals["license_key"])
            vals = vals | {"license_key": license_key}
        return super()._clean_values(vals)

    @api.model
    def _value_problem(self, field, value):
        if field.name == "license_key" or (
            field.name in ("key_type", "status") and isinstance(value, str)
        ):
            return None  # looked at by what names the license key, too
        if field.name == "validity_end":
            return self._validity_end_problem(value)
        return super()._value_problem(field, value)

    @api.model
    def _validity_end_problem(self, day):
        """Return in words what keeps a value from being a validity end, or None."""
        problem = date_problem(self.env, day)
        if problem and not date_problem(self.env, day, far=True):
            return self.env._(
                "%s. For a key that never ends choose the key type Permanent", problem
            )
        return problem

    @api.model
    def _prepare_vals_list(self, vals_list):
        """Return new keys' values, completed and checked."""
        self._complete_from_catalogue(vals_list)
        return [self._prepare_vals(vals) for vals in vals_list]

    @api.model
    def _complete_from_catalogue(self, vals_list):
        """Fill in key type and validity end of new keys as their software says."""
        software = self.env["client.equipment.software"].browse(
            {vals["software_id"] for vals in vals_list if vals.get("software_id")}
        )
        by_id = {each.id: each for each in software}
        today = fields.Date.context_today(self)

        @functools.cache
        def get_end(software, start):
            end = software._get_validity_end(start)
            self._check_values({"validity_end": end})
            return end

        for vals in vals_list:
            if not (each := by_id.get(vals.get("software_id"))):
                continue
            vals["key_type"] = vals.get("key_type") or each.default_key_type
            if vals["key_type"] != "permanent" and not vals.get("validity_end"):
                start = fields.Date.to_date(vals.get("validity_start"))
                vals["validity_end"] = get_end(each, start or today)

    @api.model
    def _prepare_vals(self, vals):
        """Return one new key's values, checked."""
        if not vals.get("license_key"):
            self._normalize_license_key(False)
        self._check_seats_value(vals["license_key"], vals.get("seats", 1))
        self._check_validity_values(
            vals["license_key"],
            vals.get("key_type", "permanent"),
            fields.Date.to_date(vals.get("validity_start")),
            fields.Date.to_date(vals.get("validity_end")),
        )
        return vals

    def _fixed_message(self, field):
        return self.env._(
            "%(field)s of a software key is set by the system alone. Apply, remove, "
            "renew, replace or revoke the key instead.",
            field=field._description_string(self.env),
        )

    def _check_validity(self, vals):
        """Check the validity that ``vals`` would lead to, key by key (K5)."""
        if not {"key_type", "validity_start", "validity_end"} & vals.keys():
            return
        for key in self:
            self._check_validity_values(
                key.license_key,
                vals.get("key_type", key.key_type),
                fields.Date.to_date(vals.get("validity_start", key.validity_start)),
                fields.Date.to_date(vals.get("validity_end", key.validity_end)),
            )

    @api.model
    def _check_validity_values(self, license_key, key_type, start, end):
        """Say in words, and of which key, what the database would refuse (K5)."""
        if key_type not in self._fields["key_type"].get_values(self.env):
            key_types = self._fields["key_type"]._description_selection(self.env)
            problem = self.env._(
                "%(license_key)s: there is no key type %(key_type)s. Choose one of "
                "%(key_types)s.",
                license_key=license_key,
                key_type=key_type or "",
                key_types=", ".join(dict(key_types).values()),
            )
        elif key_type == "permanent":
            if not end:
                return
            problem = self.env._(
                "%s is permanent and cannot have a validity end. Clear the end or "
                "choose another key type.",
                license_key,
            )
        elif not end:
            problem = self.env._(
                "%(license_key)s needs a validity end, because its key type is "
                "%(key_type)s.",
                license_key=license_key,
                key_type=self._selection_label("key_type", key_type),
            )
        elif key_type == "time_limited" and not start:
            problem = self.env._(
                "%s is time-limited and needs a validity start.", license_key
            )
        elif start and end < start:
            problem = self.env._(
                "The validity of %(license_key)s ends on %(end)s, before it starts on "
                "%(start)s. Correct one of the two dates.",
                license_key=license_key,
                start=self._say_date(start),
                end=self._say_date(end),
            )
        else:
            return
        raise ValidationError(problem)

    @api.model
    def _selection_label(self, field_name, value):
        """Return the user's word for a value of a selection field."""
        labels = dict(self._fields[field_name]._description_selection(self.env))
        return labels.get(value, value)

    # ------------------------------------------------------------------
    # Validity
    # ------------------------------------------------------------------

    @api.model
    def _today_by_company(self):
        """Return ``{company id or False: the date it is there}`` for all companies."""
        Company = self.env["res.company"]
        return {
            company.id: company._software_key_today()
            for company in (Company, *Company._software_key_companies())
        }

    def _filtered_past_end(self):
        """Return the keys whose last valid day has ended where their company is."""
        today = self._today_by_company()
        latest = max(today.values())
        return self.filtered(
            lambda key: (
                key.validity_end
                and key.validity_end < latest
                and key.validity_end < today[key.company_id.id]
            )
        )

    @api.model
    def _past_end_domain(self):
        """Return the domain of :meth:`_filtered_past_end`."""
        return self._validity_domain("<", self._today_by_company())

    @api.model
    def _validity_domain(self, operator, day_by_company):
        """Return the domain of the keys whose validity end is so related to a day.

        :param str operator: ``<``, ``<=`` or ``>=``
        :param dict day_by_company: ``{company id or False: day}``
        """
        companies_by_day = {}
        for company_id, day in day_by_company.items():
            companies_by_day.setdefault(day, []).append(company_id)
        if len(companies_by_day) == 1:
            return Domain("validity_end", operator, next(iter(companies_by_day)))
        # The first condition lets the index on validity_end serve all days.
        widest = min if operator == ">=" else max
        return Domain("validity_end", operator, widest(companies_by_day)) & Domain.OR(
            Domain("validity_end", operator, day)
            & Domain("company_id", "in", company_ids)
            for day, company_ids in companies_by_day.items()
        )

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_duplicate(self) -> dict:
        """Open a new, unsaved key with everything but the license key copied (K4).

        :return: a window action
        """
        self.ensure_one()
        self.check_access("create")
        (vals,) = self.copy_data()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Software Keys"),
            "res_model": self._name,
            "views": [(False, "form")],
            "context": {
                f"default_{name}": value
                for name, value in vals.items()
                if not isinstance(value, list | tuple)
            }
            | {"software_key_duplicated": True},
        }

    @api.readonly
    def action_view_equipment(self) -> dict:
        """Open the equipment that the key is applied to.

        :return: a window action
        """
        self.ensure_one()
        if not self.equipment_id:
            action = self.env["ir.actions.act_window"]._for_xml_id(
                "client_equipment.client_equipment_action"
            )
            equipment = self.equipment_feature_ids.equipment_id
            return action | {"domain": [("id", "in", equipment.ids)], "context": {}}
        return {
            "type": "ir.actions.act_window",
            "res_model": "client.equipment",
            "res_id": self.equipment_id.id,
            "views": [(False, "form")],
        }
