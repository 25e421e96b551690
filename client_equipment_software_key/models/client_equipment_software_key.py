import logging
import re
import time
from contextlib import contextmanager, suppress

import psycopg2
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import LockError, UserError, ValidationError
from odoo.fields import Domain
from odoo.http import request
from odoo.tools import SQL, format_datetime, split_every

_logger = logging.getLogger(__name__)

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

LINE_BREAKS = re.compile(r"\s*[\r\n\u2028\u2029]+\s*")
# Characters without a width, which come with pasted texts and nobody sees.
INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))
LICENSE_KEY_MAX = 1000
# Verdicts on a line of a bulk entry that keep the list from being entered.
REFUSED = ("repeated", "existing", "invalid")
# So many offending lines or keys are named in one error.
NAMED_MAX = 50

# The expiration job holds the keys of one batch for about this long, because people
# who need one of them wait as long. The size of the batch follows, up to a limit.
EXPIRE_SECONDS = 0.05
EXPIRE_BATCH = 2000
EXPIRE_RETRIES = 20
VERIFY_BATCH = 2000


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


class ClientEquipmentSoftwareKey(models.Model):
    """One license key: its place in the inventory and its life.

    A status changes in :meth:`_transition` and nowhere else; that method also has
    the step written to the audit trail. ``create``, ``write``, the assignments
    (``client.equipment.feature``), the wizards and the scheduled job all end there.
    """

    _name = "client.equipment.software.key"
    _description = "Software Key"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "id desc"
    _check_company_auto = True

    license_key = fields.Char(
        required=True,
        copy=False,
        index="trigram",
        help="The product key or license code. It cannot be changed once saved.",
    )
    software_id = fields.Many2one(
        "client.equipment.software",
        "Feature",
        required=True,
        index=True,
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
        index="btree_not_null",
        ondelete="restrict",
        help="Where set, the key can only be applied to equipment of this customer.",
    )
    supplier_id = fields.Many2one(
        "res.partner", index="btree_not_null", ondelete="restrict"
    )
    purchase_reference = fields.Char()
    company_id = fields.Many2one(
        "res.company",
        default=lambda self: self.env.company,
        index=True,
        help="Leave empty to share the key between all companies.",
    )
    equipment_feature_ids = fields.One2many(
        "client.equipment.feature", "software_key_id", "Equipment Features"
    )
    audit_log_ids = fields.One2many(
        "client.equipment.audit.log", "software_key_id", "Audit Logs"
    )
    equipment_id = fields.Many2one(
        "client.equipment",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        help="The equipment that the key is applied to now.",
    )
    partner_id = fields.Many2one(related="equipment_id.partner_id", string="Customer")
    replaced_by_id = fields.Many2one(
        "client.equipment.software.key",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
    )
    replaces_id = fields.Many2one(
        "client.equipment.software.key",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
    )
    audit_number = fields.Integer(
        "Number of Audit Logs",
        readonly=True,
        copy=False,
        aggregator=None,
        help="How many entries the audit trail of this key has.",
    )
    audit_hash = fields.Char(
        "Last Audit Hash",
        readonly=True,
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
        help="In stock or in use, and ends within the lead time set in Settings.",
    )
    needs_attention = fields.Boolean(
        compute="_compute_needs_attention",
        search="_search_needs_attention",
        help="Status and assignment disagree, the validity has ended without the key "
        "being expired, or the audit trail is broken.",
    )
    attention_note = fields.Char("Finding", compute="_compute_needs_attention")
    can_be_repaired = fields.Boolean(compute="_compute_needs_attention")
    audit_broken = fields.Boolean(
        "Audit Trail Broken",
        readonly=True,
        copy=False,
        help="What the last check of the audit trail found.",
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
    # The key list sorted by validity end: alone, under each status, each key type.
    _validity_end = models.Index("(validity_end)")
    _status_validity = models.Index("(status, validity_end)")
    _key_type_validity = models.Index("(key_type, validity_end)")
    # _lock_due: the expiration job takes its batches from it, in its order.
    _due = models.Index("(validity_end, id) WHERE status IN ('available', 'applied')")
    # The drop-down of the equipment form, and the next available key: the available
    # keys of a software, the one that expires first in front.
    _software_status = models.Index("(software_id, status, validity_end)")
    # Bulk entry looks for keys that differ in case, hyphens or blanks only
    # (_inspect_license_keys): hash, because it asks for equality alone.
    _license_key_folded = models.Index(
        "USING hash ((translate(lower(license_key), E'- _\\u2013\\u00a0', '')))"
    )

    @api.depends("software_id.name", "license_key")
    def _compute_display_name(self):
        for key in self:
            key.display_name = " - ".join(
                filter(None, (key.software_id.name, key.license_key))
            )

    @api.depends("status", "validity_end", "company_id")
    def _compute_can_be_applied(self):
        past = self._filtered_past_end()
        for key in self:
            key.can_be_applied = key.status == "available" and key not in past

    def _search_can_be_applied(self, operator, value):
        if operator != "in":
            return NotImplemented
        domain = Domain("status", "=", "available") & ~self._past_end_domain()
        return domain if True in value else ~domain

    @api.depends("status", "validity_end", "company_id.software_key_lead_days")
    def _compute_expires_soon(self):
        horizons = self.env["res.company"]._software_key_horizons()
        for key in self:
            key.expires_soon = (
                key.status in LIVE_STATUSES
                and bool(key.validity_end)
                and key.validity_end <= horizons[key.company_id.id]
            )

    def _search_expires_soon(self, operator, value):
        if operator != "in":
            return NotImplemented
        companies_by_horizon = {}
        for company_id, day in self.env["res.company"]._software_key_horizons().items():
            companies_by_horizon.setdefault(day, []).append(company_id)
        domain = Domain("status", "in", LIVE_STATUSES) & Domain.OR(
            Domain("validity_end", "<=", day) & Domain("company_id", "in", company_ids)
            for day, company_ids in companies_by_horizon.items()
        )
        return domain if True in value else ~domain

    @api.depends(
        "status",
        "validity_end",
        "equipment_id",
        "equipment_feature_ids.equipment_id",
        "audit_broken",
    )
    def _compute_needs_attention(self):
        findings = self._find_inconsistencies()
        for key in self:
            problem, repair = findings.get(key, ("", None))
            key.needs_attention = bool(problem)
            key.attention_note = problem
            key.can_be_repaired = bool(repair)

    def _search_needs_attention(self, operator, value):
        if operator != "in":
            return NotImplemented
        self.flush_model(["status", "equipment_id", "audit_broken"])
        self.env["client.equipment.feature"].flush_model()
        disagreeing = SQL(
            """
            SELECT key.id
              FROM client_equipment_software_key key
              LEFT JOIN client_equipment_feature feature
                     ON feature.software_key_id = key.id
             WHERE key.equipment_id IS DISTINCT FROM feature.equipment_id
                OR key.audit_broken
                OR key.status = 'applied' AND feature.id IS NULL
                OR key.status IN ('available', 'revoked') AND feature.id IS NOT NULL
            """
        )
        domain = Domain.custom(
            to_sql=lambda model, alias, query: SQL(
                "%s IN (%s)", SQL.identifier(alias, "id"), disagreeing
            ),
            predicate=lambda key: key.needs_attention,
        ) | (Domain("status", "in", LIVE_STATUSES) & self._past_end_domain())
        return domain if True in value else ~domain

    @api.model
    def _search_display_name(self, operator, value):
        """Find keys by a part of the license key, of the feature, or of both.

        The names of the catalogue are looked up first: a million keys are then
        searched by index only.
        """
        if operator == "in":
            return Domain.OR(self._display_name_domain(text, "=") for text in value)
        if operator in ("=", "ilike", "like", "=ilike", "=like"):
            return self._display_name_domain(value, operator)
        return NotImplemented

    @api.model
    def _display_name_domain(self, text, operator):
        text = text or ""
        domain = Domain("license_key", operator, text)
        if operator != "=":
            domain |= self._software_domain(text, operator)
        # "Feature - KEY": a feature's name may hold the dash, too.
        for dash in re.finditer(" - ", text):
            feature, license_key = text[: dash.start()], text[dash.end() :]
            domain |= self._software_domain(feature, operator) & Domain(
                "license_key", operator, license_key
            )
        return domain

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

    def onchange(self, values, field_names, fields_spec):
        # A duplicated key opens as it is (K4). From the user's first change on, the
        # catalogue fills in what it knows, as for any new key.
        if field_names:
            self = self.with_context(duplicated_software_key=False)
        return super().onchange(values, field_names, fields_spec)

    @api.model
    def name_search(self, name="", domain=None, operator="ilike", limit=100):
        """Offer keys that were bought for a customer first, where the context asks.

        The domain of the equipment form lets only those of its own customer through
        (K13). Two look-ups by index instead of one sort of everything that fits.
        """
        if not self.env.context.get("owned_first"):
            return super().name_search(name, domain, operator, limit)
        domain = Domain(domain or Domain.TRUE)
        found = super().name_search(
            name, domain & Domain("owner_id", "!=", False), operator, limit
        )
        if limit is None or len(found) < limit:
            found += super().name_search(
                name,
                domain & Domain("owner_id", "=", False),
                operator,
                limit and limit - len(found),
            )
        return found

    @api.onchange("software_id")
    def _onchange_software_id(self):
        """Take key type and validity from the catalogue entry."""
        if self.env.context.get("duplicated_software_key"):
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
        if self._origin or self.env.context.get("duplicated_software_key"):
            return
        if not self.validity_start:
            self.validity_start = fields.Date.context_today(self)
        self.validity_end = (
            self.software_id
            and self.software_id._get_validity_end(self.validity_start)
            or self.validity_end
        )

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [self._prepare_vals(vals) for vals in vals_list]
        wanted = [vals.pop("status", None) for vals in vals_list]
        features = [vals.pop("equipment_feature_ids", None) for vals in vals_list]
        # The audit trail tells who entered a key; a mail message each would cost
        # many times the entry itself.
        keys = (
            super(ClientEquipmentSoftwareKey, self.with_context(tracking_disable=True))
            .create([vals | {"status": "available"} for vals in vals_list])
            .with_env(self.env)
        )
        keys._transition("created", "available")
        past = set(keys._filtered_past_end().ids)
        keys_by_status = {}
        for key, status in zip(keys, wanted, strict=True):
            status = status or "available"
            if key.id in past and status == "available":
                status = "expired"
            keys_by_status.setdefault(status, []).append(key.id)
        for status, key_ids in keys_by_status.items():
            if status != "available":
                keys.browse(key_ids)._settle(status)
        for key, commands in zip(keys, features, strict=True):
            if commands:
                key.write({"equipment_feature_ids": commands})
        return keys

    def write(self, vals):
        vals = self._drop_unchanged_fixed_fields(dict(vals))
        wanted = vals.pop("status", None)
        if not wanted and "validity_end" not in vals:
            self._check_validity(vals)
            result = super().write(vals)
            self._check_still_fits(vals)
            return result
        self.check_access("write")
        self._lock_to_move()
        ends_before = {key.id: key.validity_end for key in self}
        self._check_validity(vals)
        result = super(
            ClientEquipmentSoftwareKey, self.with_context(tracking_disable=True)
        ).write(vals)
        self._check_still_fits(vals)
        self._settle(wanted, ends_before)
        return result

    def _check_still_fits(self, vals):
        """Check that applied keys whose owner or company changed may stay there."""
        if {"owner_id", "company_id"} & vals.keys():
            self.sudo().equipment_feature_ids._check_fits()

    def copy(self, default=None):
        """Copy one key under a new license key, which ``default`` must give (K4)."""
        if len(self) != 1 or not (default or {}).get("license_key"):
            raise UserError(
                self.env._(
                    "A copy needs a license key of its own. Open the key, choose "
                    "Duplicate in the gear menu and enter the next license key."
                )
            )
        return super().copy(default)

    @api.model
    def load(self, fields, data):
        """Import rows, or none of them where a license key is repeated (K2).

        After an error Odoo goes on row by row and takes back the rows before it, so
        it would not see that a later row repeats one of those. Hence the whole file
        is looked through first.

        :return: as the base method; each repeated license key is one message
        """
        if messages := self._find_repeated_license_keys(fields, data):
            return {"ids": False, "messages": messages, "nextrow": 0}
        return super().load(fields, data)

    @api.model
    def _find_repeated_license_keys(self, fields, data):
        """Return an import error for each row whose license key exists already."""
        if "license_key" not in fields or {"id", ".id"} & set(fields):
            return []
        column = fields.index("license_key")
        messages = []
        for found in self._inspect_license_keys([row[column] for row in data]):
            match found["verdict"]:
                case "existing":
                    message = self.env._(
                        "The license key must be unique!\n%s is in the inventory "
                        "already. Take the row out of the file.",
                        found["license_key"],
                    )
                case "repeated":
                    message = self.env._(
                        "The license key must be unique!\n%s stands in the file more "
                        "than once. Take the repetition out of it.",
                        found["license_key"],
                    )
                case _:
                    continue
            number = found["line"] - 1
            messages.append(
                {
                    "type": "error",
                    "message": message,
                    "record": number,
                    "rows": {"from": number, "to": number},
                    "field": "license_key",
                }
            )
        return messages

    @api.model
    def get_import_templates(self):
        """Return what the import screen offers for download (K11).

        :return: a list of ``{"label", "template"}``
        """
        return [
            {
                "label": self.env._("Import Template for Software Keys"),
                "template": "/client_equipment_software_key/static/xls/"
                "software_keys.xlsx",
            }
        ]

    @api.ondelete(at_uninstall=False)
    def _unlink_except_applied(self):
        if feature := self.sudo().equipment_feature_ids[:1]:
            raise UserError(
                self.env._(
                    "%(key)s is applied to %(equipment)s. Remove it there before you "
                    "delete it.",
                    key=feature.software_key_id.display_name,
                    equipment=feature.equipment_id.display_name,
                )
            )

    def unlink(self):
        """Delete the keys with their trails; the software keeps a trace (K10)."""
        traces = {
            software: keys._deletion_trace()
            for software, keys in self.sudo().grouped("software_id").items()
        }
        result = super().unlink()
        for software, trace in traces.items():
            software.message_post(body=trace, author_id=self.env.user.partner_id.id)
        # The database has deleted the trails by cascade.
        self.env["client.equipment.audit.log"].invalidate_model()
        return result

    def _deletion_trace(self):
        """Return what stays on the chatter of the software of deleted keys."""
        lines = [
            self.env._(
                "Software key …%(ending)s deleted by %(user)s with %(count)s audit "
                "logs; last hash %(hash)s",
                ending=key.license_key[-5:],
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
    def _normalize_license_key(self, license_key):
        """Return a license key as it is stored (K2).

        Line breaks from pasting, the blanks around them and at both ends, and
        characters without a width go.

        :raises ValidationError: where nothing is left, or far too much
        """
        text = str(license_key or "").translate(INVISIBLE)
        text = LINE_BREAKS.sub("", text).strip()
        if not text:
            raise ValidationError(
                self.env._("The license key is empty. Enter the product key.")
            )
        if len(text) > LICENSE_KEY_MAX:
            raise ValidationError(
                self.env._(
                    "The license key %(license_key)s… is longer than %(max)s "
                    "characters. Check what was pasted.",
                    license_key=text[:30],
                    max=LICENSE_KEY_MAX,
                )
            )
        return text

    @api.model
    def _prepare_vals(self, vals):
        """Return one new key's values, checked and completed from the catalogue."""
        if self._fixed_fields() & {name for name, value in vals.items() if value}:
            raise UserError(
                self.env._(
                    "The equipment and the audit trail of a software key are set by "
                    "the system alone. Apply the key to the equipment."
                )
            )
        vals = {
            name: value
            for name, value in vals.items()
            if name not in self._fixed_fields()
        }
        vals["license_key"] = self._normalize_license_key(vals.get("license_key"))
        software = self.env["client.equipment.software"].browse(vals.get("software_id"))
        if software and not vals.get("key_type"):
            vals["key_type"] = software.default_key_type
        if (
            software
            and vals.get("key_type") != "permanent"
            and not vals.get("validity_end")
            and software.default_validity_months
        ):
            start = fields.Date.to_date(vals.get("validity_start"))
            vals["validity_end"] = software._get_validity_end(
                start or fields.Date.context_today(self)
            )
        self._check_validity_values(
            vals["license_key"],
            vals.get("key_type", "permanent"),
            fields.Date.to_date(vals.get("validity_start")),
            fields.Date.to_date(vals.get("validity_end")),
        )
        return vals

    @api.model
    def _fixed_fields(self):
        """Return the fields that only the system sets."""
        return {
            "equipment_id",
            "audit_log_ids",
            "audit_number",
            "audit_hash",
            "audit_broken",
        }

    def _drop_unchanged_fixed_fields(self, vals):
        """Return ``vals`` without values that may not change, where they do not.

        :raises UserError: where one of them would change (K3)
        """
        if "license_key" in vals:
            license_key = self._normalize_license_key(vals.pop("license_key"))
            for key in self:
                if key.license_key != license_key:
                    raise UserError(
                        self.env._(
                            "The license key of %(key)s cannot be changed, because "
                            "its audit trail speaks of it. Delete this key and enter "
                            "the correct one anew.",
                            key=key.display_name,
                        )
                    )
        if fixed := self._fixed_fields() & vals.keys():
            raise UserError(
                self.env._(
                    "%(field)s of a software key is set by the system alone. Apply, "
                    "remove, renew or revoke the key instead.",
                    field=self._fields[min(fixed)]._description_string(self.env),
                )
            )
        return vals

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
        key_types = dict(self._fields["key_type"]._description_selection(self.env))
        if key_type not in key_types:
            problem = self.env._(
                "%(license_key)s: there is no key type %(key_type)s. Choose one of "
                "%(key_types)s.",
                license_key=license_key,
                key_type=key_type or "",
                key_types=", ".join(key_types.values()),
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
                start=start,
                end=end,
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
        return self.filtered(
            lambda key: key.validity_end and key.validity_end < today[key.company_id.id]
        )

    @api.model
    def _past_end_domain(self):
        """Return the domain of :meth:`_filtered_past_end`."""
        companies_by_day = {}
        for company_id, day in self._today_by_company().items():
            companies_by_day.setdefault(day, []).append(company_id)
        if len(companies_by_day) == 1:
            return Domain("validity_end", "<", next(iter(companies_by_day)))
        # The first condition lets the index on validity_end serve all days.
        return Domain("validity_end", "<", max(companies_by_day)) & Domain.OR(
            Domain("validity_end", "<", day) & Domain("company_id", "in", company_ids)
            for day, company_ids in companies_by_day.items()
        )

    # ------------------------------------------------------------------
    # Status: the one door
    # ------------------------------------------------------------------

    def _lock_to_move(self):
        """Lock the keys for a step in their life.

        Where somebody else is at one of them, wait for their end. If they changed
        it, PostgreSQL refuses our old view of it. Odoo would run the request again
        after a pause of up to two seconds; a request that has written nothing so far
        takes a fresh view at once instead. Callers read the keys after this.
        """
        fresh_view = self._can_take_fresh_view()
        try:
            return self.lock_for_update(allow_referencing=True)
        except LockError:
            with self._after_others():
                pass
        except psycopg2.errors.SerializationFailure:
            if not fresh_view:
                raise
        if fresh_view:
            self.env.cr.rollback()
        return self._lock_again()

    def _can_take_fresh_view(self):
        """Tell whether this is a person's request that has written nothing yet.

        An import keeps its savepoints, which a fresh view would lose.
        """
        if not request or "import_file" in self.env.context:
            return False
        self.env.flush_all()
        self.env.cr.execute("SELECT pg_current_xact_id_if_assigned() IS NULL")
        return self.env.cr.fetchone()[0]

    def _lock_to_apply(self):
        """Lock the keys and check that each can be applied.

        The check comes first: where the lock is got, nothing has changed since.

        :raises UserError: where one cannot, naming it and why. The loser of a race
            learns at once which equipment the key went to (A4).
        """
        self._check_can_be_applied()
        try:
            self.lock_for_update(allow_referencing=True)
        except LockError:
            with self._after_others() as keys:
                keys._check_can_be_applied()
            self._lock_again()

    @contextmanager
    def _after_others(self):
        """Wait until nobody else holds these keys, and show how they left them.

        :return: a context manager that gives the same keys in a transaction of
            their own, which sees what the others have done
        """
        with self.env.registry.cursor() as cr:
            with suppress(
                psycopg2.errors.LockNotAvailable,
                psycopg2.errors.SerializationFailure,
            ):
                cr.execute("SET LOCAL lock_timeout = '3s'")
                cr.execute(
                    SQL(
                        "SELECT FROM client_equipment_software_key"
                        " WHERE id = ANY(%s) FOR SHARE",
                        list(self.ids),
                    ),
                    log_exceptions=False,
                )
            cr.rollback()
            yield self.with_env(self.env(cr=cr))

    def _lock_again(self):
        try:
            self.lock_for_update(allow_referencing=True)
        except LockError:
            raise UserError(
                self.env._(
                    "Somebody else is working on %s at this moment. Try again in a "
                    "few seconds.",
                    ", ".join(self[:3].mapped("display_name")),
                )
            ) from None

    def _check_can_be_applied(self):
        """Check that the keys are available, valid and free (A5).

        :raises UserError: naming the key, its status and what to do
        """
        past = self._filtered_past_end()
        taken = self.filtered("equipment_feature_ids")
        for key in self:
            if key in taken:
                problem = self.env._(
                    "%(key)s is applied to %(equipment)s already. Remove it there "
                    "first, or choose another key."
                )
            elif key.status == "revoked":
                problem = self.env._(
                    "%(key)s is revoked and cannot be applied. Choose another key."
                )
            elif key.status == "expired" or key in past:
                problem = self.env._(
                    "%(key)s has expired (valid until %(end)s) and cannot be applied. "
                    "Renew it, or choose another key."
                )
            elif key.status == "applied":
                problem = self.env._(
                    "%(key)s has the status Applied, although no equipment carries "
                    "it. Set its status back to Available, or choose another key."
                )
            else:
                continue
            raise UserError(
                problem
                % {
                    "key": key.display_name,
                    "equipment": key.equipment_feature_ids.equipment_id.display_name,
                    "end": key.validity_end,
                }
            )

    def _transition(self, action, status, ends_before=None, reason=None):
        """Set the status of the keys and have the step written to the audit trail.

        The only place where a status changes. Callers have locked the keys and
        checked that the step is allowed. Straight SQL, because this is the inner
        loop of every operation: two statements for any number of keys.

        :param str action: what the audit trail calls the step
        :param str status: the new status of all these keys
        :param dict ends_before: ``{key id: validity end before}`` of a moved end
        :param str reason: the user's reason, kept in the audit trail
        """
        if not self:
            return
        AuditLog = self.env["client.equipment.audit.log"]
        self.env.flush_all()
        entry_ids = AuditLog._append(self, action, status, ends_before, reason)
        self.env.cr.execute(
            SQL(
                """
                UPDATE client_equipment_software_key key
                   SET status = %(status)s,
                       equipment_id = (
                            SELECT feature.equipment_id
                              FROM client_equipment_feature feature
                             WHERE feature.software_key_id = key.id
                       ),
                       audit_number = entry.number,
                       audit_hash = entry.hash,
                       write_uid = %(uid)s,
                       write_date = %(now)s
                  FROM client_equipment_audit_log entry
                 WHERE entry.id = ANY(%(entry_ids)s)
                   AND key.id = entry.software_key_id
                """,
                status=status,
                uid=self.env.uid,
                now=fields.Datetime.now(),
                entry_ids=entry_ids,
            )
        )
        changed = ["status", "equipment_id", "audit_number", "audit_hash"]
        self.invalidate_recordset(
            [*changed, "audit_log_ids", "write_uid", "write_date"], flush=False
        )
        self.modified(changed)

    def _settle(self, wanted=None, ends_before=None):
        """Take the step that a written status or a moved validity end asks for.

        :param str wanted: the status that the user chose, if any
        :param dict ends_before: ``{key id: validity end before the write}``
        :raises UserError: where the step is not allowed
        """
        past = set(self._filtered_past_end().ids)
        steps = {}
        for key in self:
            moved = ends_before is not None and ends_before[key.id] != key.validity_end
            if step := key._next_step(wanted, moved, key.id in past):
                steps.setdefault(step, []).append(key.id)
        for (action, status), key_ids in steps.items():
            self.browse(key_ids)._transition(action, status, ends_before)

    def _next_step(self, wanted, moved, past):
        """Return ``(action, status)`` of the key's next step, or None for no step.

        :param str wanted: the status that the user chose, if any
        :param bool moved: whether the validity end has been moved
        :param bool past: whether the validity end has passed
        :raises UserError: where the wanted status cannot be reached
        """
        self.ensure_one()
        assigned = bool(self.sudo().equipment_feature_ids)
        resting = "applied" if assigned else "available"
        if not wanted or wanted == self.status:
            if not moved:
                return None
            if past and self.status in LIVE_STATUSES:
                return "expired", "expired"
            if self.status == "expired" and not past:
                return "renewed", resting
            return "renewed", self.status
        match (self.status, wanted):
            case ("available" | "applied", "expired") if past:
                return "expired", "expired"
            case ("expired", "available" | "applied") if not past and wanted == resting:
                return "renewed", resting
            case ("available" | "expired" | "applied", "revoked") if not assigned:
                return "revoked", "revoked"
            case ("revoked" | "applied", "available") if not past and not assigned:
                return "reinstated", "available"
        raise UserError(self._why_not(wanted, assigned, past))

    def _why_not(self, wanted, assigned, past):
        """Return in words why the key cannot get the wanted status, and what to do."""
        if wanted == "expired":
            problem = self.env._(
                "%(key)s cannot be set to Expired, because its validity has not "
                "ended. Move its validity end, or revoke the key."
            )
            if self.status == "revoked":
                problem = self.env._("%(key)s is revoked and cannot expire any more.")
        elif assigned and not (past and wanted == "applied"):
            problem = self.env._(
                "%(key)s is applied to %(equipment)s, so it cannot be set to "
                "%(wanted)s. Remove the key from the equipment first."
            )
        elif wanted == "applied" and not assigned:
            problem = self.env._(
                "%(key)s cannot be set to Applied by hand. Apply it to an equipment: "
                "open the equipment, tab Software Keys, and add a line."
            )
        elif past:
            problem = self.env._(
                "The validity of %(key)s ended on %(end)s, so it cannot be set to "
                "%(wanted)s. Renew the key: enter a new validity end."
            )
        else:
            problem = self.env._("%(key)s cannot go from %(status)s to %(wanted)s.")
        return problem % {
            "key": self.display_name,
            "equipment": self.sudo().equipment_feature_ids.equipment_id.display_name,
            "status": self._selection_label("status", self.status),
            "wanted": self._selection_label("status", wanted),
            "end": self.validity_end,
        }

    def _settle_after_removal(self):
        """Take the keys back to the inventory after their assignments went (A7)."""
        past = self._filtered_past_end()
        revoked = self.filtered(lambda key: key.status == "revoked")
        revoked._transition("revoked", "revoked")
        (past - revoked)._transition("revoked", "expired")
        (self - past - revoked)._transition("revoked", "available")

    def revoke(self, reason=None):
        """Set the keys to Revoked, so that they can never be applied again.

        :param str reason: kept in the audit trail
        :return: True
        :raises UserError: where a key is applied, naming the equipment

        Serves the status table of the contract, section 4.
        """
        self.check_access("write")
        self._lock_to_move()
        for key in self:
            key._next_step("revoked", False, False)
        self.filtered(lambda key: key.status != "revoked")._transition(
            "revoked", "revoked", reason=reason
        )
        return True

    # ------------------------------------------------------------------
    # Audit trail
    # ------------------------------------------------------------------

    def verify_audit_trail(self):
        """Check the audit trail of these keys against tampering (L5).

        Every hash is computed again, and the last entry is compared with the status,
        validity end and equipment that the key has now.

        :return: list of ``{"software_key_id", "audit_log_id", "problem"}`` with the
            first finding of each key, ``audit_log_id`` False where the entry is
            gone; empty when all is intact (or when called on no keys: to verify all
            of them, see :meth:`verify_next_audit_trails`)
        :raises AccessError: where the user may not read the keys
        """
        self.check_access("read")
        AuditLog = self.env["client.equipment.audit.log"]
        AuditLog.check_access("read")
        findings = []
        for key_ids in split_every(VERIFY_BATCH, self.ids, list):
            findings += AuditLog._verify(self.browse(key_ids))
        return findings

    @api.model
    def verify_next_audit_trails(self, after_id=0, limit=VERIFY_BATCH):
        """Check the audit trails of the next keys that the user may see (L5).

        To verify everything, call it again with the ``last_id`` of the answer until
        ``count`` is 0: no call takes long, however many keys there are.

        :param int after_id: keys with a greater id are looked at
        :param int limit: how many
        :return: ``{"count", "last_id", "findings"}``, findings as in
            :meth:`verify_audit_trail`
        """
        keys = self.search([("id", ">", after_id)], order="id", limit=limit)
        return {
            "count": len(keys),
            "last_id": keys[-1:].id or after_id,
            "findings": keys.verify_audit_trail(),
        }

    # ------------------------------------------------------------------
    # The next available key
    # ------------------------------------------------------------------

    @api.model
    def _fits_domain(self, equipment):
        """Return the domain of the keys that can be applied to the equipment now.

        The same as the drop-down of an assignment offers: available and valid, of
        the equipment's company or shared, bought for its customer or for nobody.
        """
        return (
            Domain("can_be_applied", "=", True)
            & Domain("company_id", "in", [False, *equipment.company_id.ids])
            & Domain("owner_id", "in", [False, *equipment._get_key_owners().ids])
        )

    @api.model
    def _next_available_queries(self, equipment):
        """Return searches whose first hit is the key to take next, best one first.

        Keys whose validity has not begun are taken only when nothing else is left.
        """
        fits = self._fits_domain(equipment)
        later = Domain("validity_start", ">", fields.Date.context_today(self))
        owned = Domain("owner_id", "!=", False)
        return [
            self._search(domain, order="validity_end, id", limit=1)
            for domain in (
                fits & owned & ~later,
                fits & ~owned & ~later,
                fits & later,
            )
        ]

    @api.model
    def _get_next_available(self, software, equipment, lock=None, skip_ids=()):
        """Return the next key of each software for the equipment, in no order.

        Queries do not grow with the number of software products.

        :param SQL lock: a locking clause; keys that others hold are passed over
        :param skip_ids: keys that are not to be taken
        """
        keys = self.browse()
        for query in self._next_available_queries(equipment):
            wanted = software - keys.software_id
            if not wanted:
                break
            query.add_where("client_equipment_software_key.software_id = wanted.id")
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

        Odoo's transactions see the database as it was when they began. A key that
        somebody has taken since then cannot be locked by us any more, and PostgreSQL
        ends the attempt. Odoo would run the whole request again, after a pause of
        seconds; here only the attempt is run again, without the keys that a fresh
        look shows to have changed.
        """
        self.env.flush_all()
        changed_ids = set()
        while True:
            try:
                with self.env.cr.savepoint(flush=False):
                    return self._get_next_available(
                        software,
                        equipment,
                        SQL(
                            "FOR NO KEY UPDATE OF client_equipment_software_key"
                            " SKIP LOCKED"
                        ),
                        changed_ids,
                    )
            except psycopg2.errors.SerializationFailure:
                newly_changed = self._changed_since(software) - changed_ids
                if not newly_changed:
                    raise
                changed_ids |= newly_changed

    @api.model
    def _changed_since(self, software):
        """Return ids of available keys that others have changed since we began.

        Looks at the thousand that expire first, where people meet.
        """
        seen = self.env.execute_query(
            SQL(
                "SELECT id, xmin::text FROM client_equipment_software_key"
                " WHERE software_id = ANY(%s) AND status = 'available'"
                " ORDER BY validity_end, id LIMIT 1000",
                list(software.ids),
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

    # ------------------------------------------------------------------
    # Entering many keys
    # ------------------------------------------------------------------

    @api.model
    def bulk_enter(self, license_keys, values):
        """Enter a list of license keys with common values, all or nothing (K11, K2).

        :param list license_keys: texts; blank ones are passed over like the blank
            lines of a pasted list, but they count as lines where one is named
        :param dict values: what the keys have in common: ``software_id`` and,
            where wanted, type, validity, supplier and so on
        :return: the new software keys, in the order of the list
        :raises ValidationError: one error that names every offending line; nothing
            has been entered then
        """
        self.check_access("create")
        findings = self._inspect_license_keys(license_keys)
        if not findings:
            raise UserError(
                self.env._("There is no license key in the list. Paste at least one.")
            )
        refused = [found for found in findings if found["verdict"] in REFUSED]
        if refused:
            raise ValidationError(self._describe_refused(refused, len(findings)))
        return self.create(
            [{**values, "license_key": found["license_key"]} for found in findings]
        )

    @api.model
    def _inspect_license_keys(self, license_keys):
        """Tell of each license key of a list whether it can be entered (K11).

        One query for any number of keys. It sees the keys of all companies, as the
        database does when it refuses a second one.

        :param license_keys: texts as they were pasted; blank ones are passed over
        :return: a list of dicts: ``line`` (counted from 1), ``license_key`` as it
            would be stored, ``verdict`` (``new``, ``similar``, ``repeated``,
            ``existing`` or ``invalid``), and with some verdicts ``other`` (the
            similar license key), ``first_line`` (where the list has it first) and
            ``status`` (of the existing key)
        """
        findings, first_lines = [], {}
        for line, text in enumerate(license_keys, 1):
            try:
                license_key = self._normalize_license_key(text)
            except ValidationError:
                # Blank, or far too long.
                if text := str(text or "").translate(INVISIBLE).strip():
                    findings.append(
                        {
                            "line": line,
                            "license_key": text[:40] + "…",
                            "verdict": "invalid",
                        }
                    )
                continue
            found = {"line": line, "license_key": license_key, "verdict": "new"}
            first_line = first_lines.setdefault(license_key, line)
            if first_line != line:
                found |= {"verdict": "repeated", "first_line": first_line}
            findings.append(found)
        self.flush_model(["license_key", "status"])
        self.env.cr.execute(
            SQL(
                r"""
                WITH line AS (
                    SELECT license_key, number,
                           translate(lower(license_key), E'- _\u2013\u00a0', '')
                               AS folded
                      FROM unnest(%s::text[], %s::int[]) AS line(license_key, number)
                )
                SELECT line.license_key, line.number, line.folded,
                       key.license_key, key.status
                  FROM line
                  LEFT JOIN client_equipment_software_key key
                    ON translate(lower(key.license_key), E'- _\u2013\u00a0', '')
                     = line.folded
                """,
                list(first_lines),
                list(first_lines.values()),
            )
        )
        existing, similar, first_of_folded = {}, {}, {}
        for license_key, line, folded, other, status in self.env.cr.fetchall():
            first_of_folded[folded] = min(
                (line, license_key), first_of_folded.get(folded, (line, license_key))
            )
            if other == license_key:
                existing[license_key] = status
            elif other:
                similar[license_key] = {"other": other, "status": status}
            else:
                similar[license_key] = {"folded": folded}
        for found in findings:
            license_key = found["license_key"]
            if found["verdict"] != "new":
                continue
            if license_key in existing:
                found |= {"verdict": "existing", "status": existing[license_key]}
            elif other := similar[license_key].get("other"):
                found |= {"verdict": "similar", "other": other} | similar[license_key]
            else:
                line, other = first_of_folded[similar[license_key]["folded"]]
                if line != found["line"]:
                    found |= {"verdict": "similar", "other": other, "first_line": line}
        return findings

    @api.model
    def _describe_finding(self, found):
        """Return in words what :meth:`_inspect_license_keys` found of one line."""
        match found["verdict"]:
            case "repeated":
                return self.env._(
                    "repeated: line %s has it already", found["first_line"]
                )
            case "existing":
                return self.env._(
                    "in the system already (%s)",
                    self._selection_label("status", found["status"]),
                )
            case "invalid":
                return self.env._(
                    "longer than %s characters: check what was pasted", LICENSE_KEY_MAX
                )
            case "similar" if found.get("first_line"):
                return self.env._(
                    "new, but looks like %(other)s in line %(line)s",
                    other=found["other"],
                    line=found["first_line"],
                )
            case "similar":
                return self.env._(
                    "new, but looks like %(other)s in the system (%(status)s)",
                    other=found["other"],
                    status=self._selection_label("status", found["status"]),
                )
        return self.env._("new")

    @api.model
    def _describe_refused(self, refused, total):
        """Return the error that names the lines of a refused list (K2)."""
        lines = []
        if any(found["verdict"] != "invalid" for found in refused):
            lines.append(self.env._("The license key must be unique!"))
        lines.append(
            self.env._(
                "%(count)s of %(total)s license keys cannot be entered, so none was. "
                "Take them out of the list, or correct them:",
                count=len(refused),
                total=total,
            )
        )
        lines += [
            self.env._(
                "Line %(line)s: %(license_key)s: %(problem)s",
                line=found["line"],
                license_key=found["license_key"],
                problem=self._describe_finding(found),
            )
            for found in refused[:NAMED_MAX]
        ]
        if len(refused) > NAMED_MAX:
            lines.append(self.env._("… and %s more", len(refused) - NAMED_MAX))
        return "\n".join(lines)

    # ------------------------------------------------------------------
    # Renewal and replacement
    # ------------------------------------------------------------------

    def renew(self, validity_end, reference=None, note=None):
        """Renew the keys: move their end, restore their status, tell why (S3).

        Assignments stay. Each key gets the remark "Renewed subscription - expires
        DATE - Reference: REF" and one entry in its trail. The number of queries
        does not grow with the number of keys.

        :param validity_end: the new last valid day of all these keys (date or ISO
            text); False gives each one more period of its software
        :param str reference: order or contract, for the remark and the trail
        :param str note: added to the remark and the trail
        :return: True
        :raises UserError: where a key is permanent or revoked, or its new end has
            passed, naming it; nothing has been renewed then
        """
        self.check_access("write")
        self._lock_to_move()
        ends = self._renewal_ends(validity_end)
        problems = self._renewal_problems(ends)
        if problems:
            lines = [
                self.env._(
                    "%(count)s of %(total)s keys cannot be renewed, so none was:",
                    count=len(problems),
                    total=len(self),
                )
            ]
            lines += [
                f"{key.display_name}: {problem}"
                for key, problem in list(problems.items())[:NAMED_MAX]
            ]
            if len(problems) > NAMED_MAX:
                lines.append(self.env._("… and %s more", len(problems) - NAMED_MAX))
            raise UserError("\n".join(lines))
        ends_before = {key.id: key.validity_end for key in self}
        ids_by_status = {}
        for key in self:
            ids_by_status.setdefault(key._renewed_status(), []).append(key.id)
        self._write_renewal(ends, reference, note)
        reason = " - ".join(
            filter(None, [reference and self.env._("Reference: %s", reference), note])
        )
        for status, key_ids in ids_by_status.items():
            self.browse(key_ids)._transition("renewed", status, ends_before, reason)
        return True

    def _renewal_ends(self, validity_end=False):
        """Return ``{key: new validity end}``; False where none can be proposed.

        :param validity_end: the same end for all; where empty, each key gets one
            more period of its software, counted from today where it would
            otherwise have ended by now
        """
        if validity_end:
            return dict.fromkeys(self, fields.Date.to_date(validity_end))
        today = self._today_by_company()
        ends = {}
        for key in self:
            now, software = today[key.company_id.id], key.software_id
            end = software._get_validity_end(key.validity_end or now)
            if end and end < now:
                end = software._get_validity_end(now)
            ends[key] = end
        return ends

    def _renewal_problems(self, ends):
        """Return ``{key: why it cannot be renewed}`` for those that cannot.

        :param dict ends: what :meth:`_renewal_ends` gave
        """
        today = self._today_by_company()
        problems = {}
        for key in self:
            end = ends[key]
            if key.key_type == "permanent":
                problem = self.env._("permanent, so it never ends")
            elif key.status == "revoked":
                problem = self.env._("revoked; reinstate it first")
            elif not end:
                problem = self.env._(
                    "its software has no default validity; choose the new end"
                )
            elif end < today[key.company_id.id]:
                problem = self.env._(
                    "the new end %s has passed; choose a later day", end
                )
            elif key.validity_start and end < key.validity_start:
                problem = self.env._(
                    "the new end %(end)s lies before its start %(start)s",
                    end=end,
                    start=key.validity_start,
                )
            else:
                continue
            problems[key] = problem
        return problems

    def _renewed_status(self):
        """Return the status that the key has after its renewal."""
        self.ensure_one()
        if self.status != "expired":
            return self.status
        return "applied" if self.sudo().equipment_feature_ids else "available"

    def _write_renewal(self, ends, reference, note):
        """Write the new ends and add the remark, in one statement."""
        remarks = {}
        for end in set(ends.values()):
            remark = self.env._("Renewed subscription - expires %s", end)
            if reference:
                remark += " - " + self.env._("Reference: %s", reference)
            remarks[end] = f"{remark} - {note}" if note else remark
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                UPDATE client_equipment_software_key key
                   SET validity_end = renewal.validity_end,
                       remarks = concat_ws(
                            E'\\n', NULLIF(key.remarks, ''), renewal.remark
                       )
                  FROM unnest(%s, %s::date[], %s::text[])
                    AS renewal(key_id, validity_end, remark)
                 WHERE key.id = renewal.key_id
                """,
                list(self.ids),
                [ends[key] for key in self],
                [remarks[ends[key]] for key in self],
            )
        )
        self.invalidate_recordset(["validity_end", "remarks"], flush=False)
        self.modified(["validity_end", "remarks"])

    def replace(self, license_key, note=None):
        """Replace the key by a new license key, where it stands (S4).

        The old key is removed and revoked; the new one gets the same data and, if
        the old one was applied, goes onto the same equipment. Each keeps its own
        trail; the two are linked.

        :param str license_key: the new license key
        :param str note: kept in the audit trail of the old key
        :return: the new software key
        :raises UserError: where the key is revoked or has expired, or the new
            license key is in the system already; nothing has changed then
        """
        self.ensure_one()
        self.check_access("write")
        self._lock_to_move()
        if problem := self._replacement_problem(license_key):
            raise UserError(problem)
        feature = self.sudo().equipment_feature_ids.sudo(False)
        assignment = feature and {
            "equipment_id": feature.equipment_id.id,
            "remarks": feature.remarks,
        }
        (vals,) = self.copy_data({"license_key": license_key, "replaces_id": self.id})
        replacement = self.create(vals)
        feature.unlink()
        self.write({"replaced_by_id": replacement.id})
        reason = self.env._("Replaced by %s", replacement.display_name)
        self.revoke(f"{reason} - {note}" if note else reason)
        if assignment:
            self.env["client.equipment.feature"].create(
                {**assignment, "software_key_id": replacement.id}
            )
        return replacement

    def _replacement_problem(self, license_key=None):
        """Return in words why the key cannot be replaced, or None where it can.

        :param str license_key: the new license key, once it is known
        """
        self.ensure_one()
        if self.status == "revoked":
            return self.env._(
                "%s is revoked already. Enter the new key as a new software key.",
                self.display_name,
            )
        if self.status == "expired" or self._filtered_past_end():
            return self.env._(
                "The validity of %(key)s ended on %(end)s, and its replacement would "
                "end with it. Renew the key first, then replace it.",
                key=self.display_name,
                end=self.validity_end,
            )
        if license_key is None:
            return None
        license_key = self._normalize_license_key(license_key)
        (found,) = self._inspect_license_keys([license_key])
        if found["verdict"] in REFUSED:
            return "\n".join(
                (
                    self.env._("The license key must be unique!"),
                    self.env._(
                        "%(license_key)s is %(problem)s. Enter another one.",
                        license_key=license_key,
                        problem=self._describe_finding(found),
                    ),
                )
            )
        return None

    # ------------------------------------------------------------------
    # Consistency
    # ------------------------------------------------------------------

    def _find_inconsistencies(self):
        """Return what is wrong with these keys, and how to repair it (S7).

        :return: ``{key: (words, repair)}`` of the keys that need attention; a repair
            is ``(action, status)`` for :meth:`_transition`, ``"remove"`` where the
            assignment has to go, None where nothing can be repaired
        """
        past = self._filtered_past_end()
        findings = {}
        for key in self:
            assigned = key.sudo().equipment_feature_ids.equipment_id
            recorded = key.sudo().equipment_id
            is_past = key in past or key.status == "expired"
            repair = None
            if assigned and key.status == "revoked":
                repair = "remove"
                words = self.env._(
                    "The key is revoked, but still assigned to %(assigned)s. Repair: "
                    "the assignment is removed."
                )
            elif assigned and (
                recorded != assigned or key.status not in ("applied", "expired")
            ):
                repair = ("applied", "expired" if is_past else "applied")
                words = self.env._(
                    "The key is assigned to %(assigned)s, but says %(status)s "
                    "(%(recorded)s). Repair: its status becomes %(after)s, on "
                    "%(assigned)s."
                )
            elif recorded and not assigned:
                after = "expired" if is_past else "available"
                repair = ("revoked", key.status == "revoked" and "revoked" or after)
                words = self.env._(
                    "The key says that it is on %(recorded)s, but is not assigned to "
                    "it any more. Repair: it is taken off there and becomes %(after)s."
                )
            elif key.status == "applied" and not assigned:
                repair = (
                    ("expired", "expired") if is_past else ("reinstated", "available")
                )
                words = self.env._(
                    "The status is Applied, but no equipment carries the key. Repair: "
                    "its status becomes %(after)s."
                )
            elif key in past and key.status in LIVE_STATUSES:
                repair = ("expired", "expired")
                words = self.env._(
                    "The validity ended on %(end)s, but the status is %(status)s. "
                    "Repair: its status becomes %(after)s (the hourly job does so "
                    "too)."
                )
            elif key.audit_broken:
                words = self.env._(
                    "The audit trail was changed behind the system's back. It cannot "
                    "be repaired: choose Verify to see which entry, keep the backups "
                    "of the database, and find out who had access."
                )
            else:
                continue
            findings[key] = (
                words
                % {
                    "assigned": assigned.display_name,
                    "recorded": recorded.display_name or self.env._("on no equipment"),
                    "status": self._selection_label("status", key.status),
                    "after": self._selection_label(
                        "status", repair[1] if isinstance(repair, tuple) else ""
                    ),
                    "end": key.validity_end,
                },
                repair,
            )
        return findings

    def repair(self):
        """Repair the keys of these whose status and assignment disagree (S7).

        Each repair is a step in the audit trail. Keys that are in order, and broken
        audit trails, stay as they are.

        :return: the repaired keys
        :raises AccessError: where the user may not change keys
        """
        self.check_access("write")
        self._lock_to_move()
        steps = {}
        for key, (_words, repair) in self._find_inconsistencies().items():
            if repair:
                steps.setdefault(repair, []).append(key.id)
        for step, key_ids in steps.items():
            keys = self.browse(key_ids)
            if step == "remove":
                keys.equipment_feature_ids.unlink()
            else:
                keys._transition(*step, reason=self.env._("Consistency repaired"))
        repaired = self.browse(sum(steps.values(), []))
        repaired.filtered("audit_broken")._check_trails()
        return repaired

    @api.model
    def check_consistency(self):
        """Check all keys: status against assignment, validity, audit trails (S7).

        What is found is listed under the filter *Needs Attention* from then on.

        :return: the keys that need attention
        :raises AccessError: where the user may not change keys
        """
        self.check_access("write")
        self._check_all_trails()
        return self.search([("needs_attention", "=", True)])

    def _check_all_trails(self, after_batch=lambda count: None):
        """Verify the audit trail of every key, of all companies.

        :param after_batch: called with the number of keys of each batch
        """
        SoftwareKey = self.sudo()
        last_id = 0
        while keys := SoftwareKey.search(
            [("id", ">", last_id)], order="id", limit=VERIFY_BATCH
        ):
            keys._check_trails()
            last_id = keys[-1].id
            after_batch(len(keys))

    def _check_trails(self):
        """Verify the audit trails of these keys and keep on each what was found."""
        findings = self.env["client.equipment.audit.log"]._verify(self)
        broken = self.browse(finding["software_key_id"] for finding in findings)
        # A status that disagrees is told, and can be repaired, as such.
        repairable = {
            key for key, (_, repair) in broken._find_inconsistencies().items() if repair
        }
        broken = broken.filtered(lambda key: key not in repairable)
        changed = (broken - self.filtered("audit_broken")) | (
            self.filtered("audit_broken") - broken
        )
        if changed:
            # Straight SQL: nothing of the key itself changes.
            self.env.cr.execute(
                SQL(
                    "UPDATE client_equipment_software_key"
                    " SET audit_broken = NOT COALESCE(audit_broken, FALSE)"
                    " WHERE id = ANY(%s)",
                    list(changed.ids),
                )
            )
            changed.invalidate_recordset(["audit_broken"], flush=False)
            changed.modified(["audit_broken"])

    @api.model
    def _cron_check_consistency(self):
        """Check all keys every night; a run that is killed loses nothing (S7)."""
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=self.search_count([]))
        self._check_all_trails(cron._commit_progress)
        cron._commit_progress(remaining=0)
        if found := self.search_count([("needs_attention", "=", True)]):
            _logger.info("%s software keys need attention", found)

    @api.model
    def get_job_health(self):
        """Tell how the scheduled action that expires keys is doing (S6).

        :return: ``{"last_run", "expired", "overdue", "message"}``: when it last ran
            (or False), how many keys it expired then, whether it is overdue, and what
            to tell the user about that; nothing (``{}``) to those who do not manage
            keys
        """
        if not self.has_access("write"):
            return {}
        # Managers have no access to scheduled actions; they learn about this one only.
        cron = self.env.ref(
            "client_equipment_software_key.ir_cron_expire", raise_if_not_found=False
        )
        cron = cron and cron.sudo() or self.env["ir.cron"].sudo()
        now = fields.Datetime.now()
        progress = self.env["ir.cron.progress"].sudo()
        last = progress.search([("cron_id", "=", cron.id)], order="id desc", limit=1)
        if last:
            # A run with much to do leaves several records, one soon after the other.
            progress = progress.search(
                [
                    ("cron_id", "=", cron.id),
                    (
                        "create_date",
                        ">",
                        fields.Datetime.subtract(last.create_date, minutes=30),
                    ),
                ]
            )
        late = cron.nextcall and cron.nextcall < fields.Datetime.subtract(now, hours=1)
        overdue = not cron.active or late or cron.failure_count > 0
        message = ""
        if overdue:
            message = self.env._(
                "The scheduled action that expires software keys is overdue (last run: "
                "%(last_run)s). Keys that have ended may still show as available or "
                "applied. Ask an administrator to look at Settings, Technical, "
                "Scheduled Actions.",
                last_run=format_datetime(self.env, cron.lastcall)
                if cron.lastcall
                else self.env._("never"),
            )
        return {
            "last_run": cron.lastcall,
            "expired": sum(progress.mapped("done")),
            "overdue": bool(overdue),
            "message": message,
        }

    # ------------------------------------------------------------------
    # Scheduled action
    # ------------------------------------------------------------------

    @api.model
    def _cron_expire(self):
        """Expire the keys whose last valid day has ended (S1).

        Batches are committed one by one, so the job can be killed at any point and
        loses or repeats nothing. It makes way for people: a batch is small enough to
        be over in a moment, keys that somebody holds are left to the next run (which
        follows at once, as long as some remain), and where somebody was faster, the
        batch is taken anew with a fresh view.
        """
        due = Domain("status", "in", LIVE_STATUSES) & self._past_end_domain()
        cron = self.env["ir.cron"]
        time_left = cron._commit_progress(remaining=self.search_count(due))
        last, size, retries = None, min(EXPIRE_BATCH, 200), EXPIRE_RETRIES
        while time_left:
            start = time.monotonic()
            try:
                rows = self._lock_due(due, last, size)
                if not rows:
                    break
                keys = self.browse(key_id for _end, key_id in rows)
                keys._transition("expired", "expired")
                time_left = cron._commit_progress(len(rows))
            except (
                psycopg2.errors.SerializationFailure,
                psycopg2.errors.DeadlockDetected,
            ):
                self.env.cr.rollback()
                retries -= 1
                if not retries:
                    raise
                _logger.info("Software keys changed meanwhile: taking the batch anew")
                continue
            last, retries = rows[-1], EXPIRE_RETRIES
            pace = EXPIRE_SECONDS / max(time.monotonic() - start, 0.001)
            size = min(max(int(size * min(pace, 2)), 100), EXPIRE_BATCH)
        if time_left and (left := self.search_count(due)):
            cron._commit_progress(remaining=left)

    @api.model
    def _lock_due(self, due, last, limit):
        """Lock the next due keys that nobody else holds.

        :param due: the domain of due keys
        :param last: the last row of the batch before, or None
        :param int limit: how many keys at most
        :return: rows of ``(validity end, id)``, in the order of the index
        """
        query = self._search(due, limit=limit, order="validity_end, id")
        row = SQL(
            "%s, %s",
            SQL.identifier(self._table, "validity_end"),
            SQL.identifier(self._table, "id"),
        )
        if last:
            query.add_where(SQL("(%s) > %s", row, tuple(last)))
        return self.env.execute_query(
            SQL("%s FOR NO KEY UPDATE SKIP LOCKED", query.select(row))
        )

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_duplicate(self):
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
            | {"duplicated_software_key": True},
        }

    def action_revoke(self):
        """Button *Revoke*.

        :return: True
        """
        return self.revoke()

    def action_verify_audit_trail(self):
        """Verify the audit trails of these keys, showing the progress (L5).

        :return: a client action
        """
        return {
            "type": "ir.actions.client",
            "tag": "verify_audit_trail",
            "name": self.env._("Verify Audit Trail"),
            "target": "new",
            "params": {"key_ids": self.ids},
        }

    def action_repair(self):
        """Button *Repair*.

        :return: True
        """
        self.repair()
        return True

    @api.model
    def action_check_consistency(self):
        """Check all keys, and show those that need attention.

        :return: an action that opens the key list, filtered where something was found
        """
        found = self.check_consistency()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "client_equipment_software_key.client_equipment_software_key_action"
        )
        if found:
            return action | {"context": {"search_default_needs_attention": 1}}
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "All is in order: status, assignments, validity and audit "
                    "trails of all software keys agree."
                ),
                "next": action,
            },
        }

    def action_view_equipment(self):
        """Open the equipment that the key is applied to.

        :return: a window action
        """
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "client.equipment",
            "res_id": self.equipment_id.id,
            "views": [(False, "form")],
        }
