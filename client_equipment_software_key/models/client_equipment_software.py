from collections import Counter

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.date_utils import end_of

from odoo.addons.client_equipment.arguments import checked
from odoo.addons.client_equipment.fields import Label
from odoo.addons.client_equipment.models.client_equipment_mixin_dependence import (
    READER,
)
from odoo.addons.client_equipment.text import HYPHENS, as_seen
from odoo.addons.client_equipment.values import DATE_MAX

from ..wishes import Wish
from .client_equipment_software_key import KEY_TYPES, LIVE_STATUSES, STATUSES

# Names with the same value of this are one name: case, blanks and the kind of hyphen
# make no difference.
SAME_NAME = f"lower(translate(name, '{HYPHENS} ', '{'-' * len(HYPHENS)}'))"


class ClientEquipmentSoftware(models.Model):
    _name = "client.equipment.software"
    _description = "Software"
    _inherit = ["client.equipment.mixin", "mail.thread", "mail.activity.mixin"]
    _order = "name, id"

    name = Label(required=True)
    publisher = fields.Char()
    default_key_type = fields.Selection(
        KEY_TYPES,
        default="permanent",
        required=True,
        help="Key type of new keys of this software.",
    )
    default_validity_months = fields.Integer(
        "Default Validity (Months)",
        help="Length of one validity period: fills in the validity end of new keys "
        "and of renewals.",
    )
    minimum_available = fields.Integer(
        default=lambda self: self.env.company.software_key_minimum_available,
        help="Fewer available keys than this are reported to the responsible.",
    )
    user_id = fields.Many2one(
        "res.users",
        "Responsible",
        domain=[("share", "=", False)],
        ondelete="restrict",
        help="Gets the reminders of keys that expire or run out.",
    )
    expiry_reminded_until = fields.Date(
        fixed=True,
        readonly=True,
        copy=False,
        company_dependent=True,
        help="This company has been reminded of the keys that end until this day.",
    )
    shortage_reminded = fields.Boolean(
        fixed=True,
        readonly=True,
        copy=False,
        company_dependent=True,
        help="This company has been reminded that available keys run out.",
    )
    # The catalogue is common, what is told of one company's keys is not: hence
    # nothing here is read past the rules on messages and activities.
    message_ids = fields.One2many(bypass_search_access=False)
    activity_ids = fields.One2many(bypass_search_access=False)
    activity_type_id = fields.Many2one(related_sudo=False, depends_context=READER)
    activity_summary = fields.Char(related_sudo=False, depends_context=READER)
    activity_type_icon = fields.Char(related_sudo=False, depends_context=READER)
    active = fields.Boolean(default=True)
    software_key_ids = fields.One2many(
        "client.equipment.software.key", "software_id", "Software Keys"
    )
    software_key_count = fields.Integer(
        "Keys", compute="_compute_software_key_counts", compute_sudo=False
    )
    available_count = fields.Integer(
        "Available", compute="_compute_software_key_counts", compute_sudo=False
    )
    applied_count = fields.Integer(
        "Applied", compute="_compute_software_key_counts", compute_sudo=False
    )
    expired_count = fields.Integer(
        "Expired", compute="_compute_software_key_counts", compute_sudo=False
    )
    revoked_count = fields.Integer(
        "Revoked", compute="_compute_software_key_counts", compute_sudo=False
    )
    expiring_count = fields.Integer(
        "Expiring Soon",
        compute="_compute_software_key_counts",
        compute_sudo=False,
        help="Keys in stock or in use that end within the lead time set in Settings.",
    )
    lasting_available_count = fields.Integer(
        "Available, Not Ending Soon",
        compute="_compute_software_key_counts",
        compute_sudo=False,
        help="Available keys that do not expire soon.",
    )
    lasting_applied_count = fields.Integer(
        "Applied, Not Ending Soon",
        compute="_compute_software_key_counts",
        compute_sudo=False,
        help="Applied keys that do not expire soon.",
    )
    seats = fields.Integer(
        "Seats Entitled",
        compute="_compute_software_key_counts",
        compute_sudo=False,
        help="On how many units the keys in stock or in use may be installed.",
    )
    seats_used = fields.Integer(
        compute="_compute_software_key_counts",
        compute_sudo=False,
        help="On how many units they are installed.",
    )
    seats_free = fields.Integer(
        compute="_compute_software_key_counts",
        compute_sudo=False,
        help="On how many more units they may be installed.",
    )
    seats_kept = fields.Integer(
        compute="_compute_software_key_counts",
        compute_sudo=False,
        help="Free seats that the rule for moving keeps for the units they were on.",
    )
    next_validity_end = fields.Date(
        compute="_compute_next_validity_end",
        compute_sudo=False,
        help="The first day on which a key in use or in stock ends.",
    )

    _name_unique = models.UniqueIndex(
        f"(({SAME_NAME}))",
        "This software is in the catalogue already (it may be archived). "
        "Use that entry, so that its keys stay together.",
    )
    _check_default_validity_months = models.Constraint(
        "CHECK(default_validity_months BETWEEN 0 AND 600)",
        "The default validity of a software must lie between 0 and 600 months. For "
        "keys that never end choose the key type Permanent.",
    )
    _check_minimum_available = models.Constraint(
        "CHECK(minimum_available >= 0)",
        "The minimum of available keys cannot be negative.",
    )

    # The counts follow the keys that the reader may see: hence compute_sudo=False.
    @api.depends(
        "software_key_ids.status",
        "software_key_ids.validity_end",
        "software_key_ids.seats",
        "software_key_ids.seats_used",
        "software_key_ids.seats_kept",
    )
    def _compute_software_key_counts(self):
        groups = self.env["client.equipment.software.key"]._read_group(
            [("software_id", "in", self.ids)],
            ["software_id", "status"],
            ["__count", "seats:sum", "seats_used:sum", "seats_kept:sum"],
        )
        expiring = {
            (software, status): count
            for software, status, count in self.env[
                "client.equipment.software.key"
            ]._read_group(
                [("software_id", "in", self.ids), ("expires_soon", "=", True)],
                ["software_id", "status"],
                ["__count"],
            )
        }
        counts, totals, seats = {}, {}, {}
        for software, status, count, *of_seats in groups:
            counts[software.id, status] = count
            totals[software.id] = totals.get(software.id, 0) + count
            if status in LIVE_STATUSES:
                before = seats.get(software.id, (0, 0, 0))
                seats[software.id] = tuple(map(sum, zip(before, of_seats, strict=True)))
        for software in self:
            # Those in a status of another addon, too.
            software.software_key_count = totals.get(software._origin.id, 0)
            entitled, used, kept = seats.get(software._origin.id, (0, 0, 0))
            software.seats, software.seats_used = entitled, used
            software.seats_kept = kept
            software.seats_free = entitled - used
            software.expiring_count = 0
            for status, _label in STATUSES:
                count = counts.get((software._origin.id, status), 0)
                software[f"{status}_count"] = count
                if status in LIVE_STATUSES:
                    soon = expiring.get((software._origin, status), 0)
                    software[f"lasting_{status}_count"] = count - soon
                    software.expiring_count += soon

    @api.depends("software_key_ids.status", "software_key_ids.validity_end")
    def _compute_next_validity_end(self):
        """Look up the first end of each, which an index has."""
        SoftwareKey = self.env["client.equipment.software.key"]
        SoftwareKey.flush_model(["software_id", "status", "validity_end"])
        query = SoftwareKey._search(
            [("validity_end", "!=", False)], order="validity_end", limit=1
        )
        query.add_where(
            SQL(
                "(%s, %s) = (one.software_id, live.status)",
                SQL.identifier(query.table, "software_id"),
                SQL.identifier(query.table, "status"),
            )
        )
        rows = self.env.execute_query(
            SQL(
                """
                SELECT one.software_id, min(first.validity_end)
                  FROM unnest(%s::int[]) AS one(software_id)
                 CROSS JOIN unnest(%s::text[]) AS live(status)
                 CROSS JOIN LATERAL (%s) AS first
                 GROUP BY one.software_id
                """,
                list(self.ids),
                list(LIVE_STATUSES),
                query.select(SQL.identifier(query.table, "validity_end")),
            )
        )
        ends = dict(rows)
        for software in self:
            software.next_validity_end = ends.get(software._origin.id)

    # In the drop-down of an equipment the name shows how many keys could go there.
    @api.depends("name")
    @api.depends_context("formatted_display_name", "software_key_available_for")
    def _compute_display_name(self):
        equipment_id = self.env.context.get("software_key_available_for")
        if not (
            self.env.context.get("formatted_display_name")
            and isinstance(equipment_id, int)
        ):
            return super()._compute_display_name()
        equipment = self.env["client.equipment"].browse(equipment_id)
        if not equipment.exists().has_access("read"):
            return super()._compute_display_name()
        counts = self._count_available_for(equipment)
        for software in self:
            available = self.env._("%s available", counts.get(software._origin, 0))
            software.display_name = f"{software.name}\t--{available}--"

    @api.model
    def _search_display_name(self, operator, value):
        """Find a name however it is spelled, so that an import never enters it anew."""
        if operator == "in":
            names = [as_seen(name) for name in value if isinstance(name, str)]
            return Domain.custom(
                to_sql=lambda model, alias, query: SQL(
                    f"%s IN (SELECT id FROM client_equipment_software"
                    f" WHERE {SAME_NAME} IN"
                    f" (SELECT {SAME_NAME} FROM unnest(%s::text[]) AS given(name)))",
                    SQL.identifier(alias, "id"),
                    names,
                )
            )
        return super()._search_display_name(operator, value)

    @checked
    def copy_data(self, default: dict | None = None):
        vals_list = super().copy_data(default)
        if "name" not in (default or {}):
            for software, vals in zip(self, vals_list, strict=True):
                vals["name"] = self.env._("%s (copy)", software.name)
        return vals_list

    def _get_validity_end(self, start):
        """Return the end of one validity period counted from ``start``.

        :param date start: the first day, or the end of the period before
        :return: a date, or False where the software has no default validity
        """
        self.ensure_one()
        if not self.default_validity_months:
            return False
        if start > DATE_MAX:
            return start  # refused in words, where the calendar itself would end
        return start + relativedelta(months=self.default_validity_months)

    def _get_next_validity_end(self, end):
        """Return the end of the validity period that follows one that ends then.

        What ends on the last day of a month keeps ending on one (S3).

        :param date end: the last day of the period before
        :return: a date, or False where the software has no default validity
        """
        following = self._get_validity_end(end)
        if following and end <= DATE_MAX and end == end_of(end, "month"):
            return end_of(following, "month")
        return following

    @api.readonly
    def get_needs(self) -> dict:
        """Return how many seats of this software the user's company lacks, as it is
        reminded of them.

        :return: ``{"missing", "ending", "last_end"}``: seats to the minimum, seats of
            the keys that have to be renewed, and the last day of the last of these
        """
        self.ensure_one()
        company = self.env.company
        SoftwareKey = self.env["client.equipment.software.key"]
        keys = Domain("software_id", "=", self.id)
        keys &= Domain("company_id", "in", [company.id, False])
        ((free, kept),) = SoftwareKey._read_group(
            keys & Domain("can_be_applied", "=", True),
            [],
            ["seats_free:sum", "seats_kept:sum"],
        )
        horizon = company._software_key_horizons()[company.id]
        until = max(self.expiry_reminded_until or horizon, horizon)
        ((ending, last_end),) = SoftwareKey._read_group(
            keys
            & Domain("status", "in", LIVE_STATUSES)
            & Domain("validity_end", "<=", until)
            & ~SoftwareKey._past_end_domain(),
            [],
            ["seats:sum", "validity_end:max"],
        )
        available = (free or 0) - (kept or 0)
        return {
            "missing": max(0, self.minimum_available - available),
            "ending": ending or 0,
            "last_end": last_end or False,
        }

    # ------------------------------------------------------------------
    # Reminders
    # ------------------------------------------------------------------

    @api.model
    def _cron_remind(self):
        """Remind the responsible of keys that end or run out (S5).

        Each company for itself: one activity per software product and period. A period
        is the calendar month in which keys end: the first key that comes within the
        lead time brings one activity for all that end until the end of its month.
        ``expiry_reminded_until`` and ``shortage_reminded`` keep that it has been done.
        What became needless is closed.
        """
        companies = self._companies_with_keys()
        activities = self._remind_of_expiry(companies)
        activities += self._remind_of_minimum(companies)
        # No e-mail each: who is responsible finds the activity in the web client.
        self.env["mail.activity"].with_context(mail_activity_quick_update=True).create(
            activities
        )
        self._close_reminders_of_expiry()
        self._hand_over_reminders()

    @api.model
    def _companies_with_keys(self):
        """Return ``{software: companies that have keys of it}``.

        Where all companies share all keys there is none: then all are reminded as one.
        """
        companies = {}
        for software, company in self.env["client.equipment.software.key"]._read_group(
            [], ["software_id", "company_id"]
        ):
            known = companies.get(software, self.env["res.company"])
            companies[software] = known | company
        return companies

    @api.model
    def _remind_of_expiry(self, companies):
        """Return values of the activities for keys that end within their lead time.

        :param dict companies: what :meth:`_companies_with_keys` gave
        """
        SoftwareKey = self.env["client.equipment.software.key"]
        horizons = self.env["res.company"]._software_key_horizons()
        groups = SoftwareKey._read_group(
            Domain("status", "in", LIVE_STATUSES)
            & Domain("validity_end", "<=", end_of(max(horizons.values()), "month"))
            & ~SoftwareKey._past_end_domain(),
            ["software_id", "company_id", "validity_end:day"],
            ["__count"],
        )
        ends = {}
        for software, owner, end, count in groups:
            due = end <= horizons[owner.id]
            # Keys that all companies share count for each of them.
            for company in owner or companies[software] or [owner]:
                if not software._has_been_reminded(company, end):
                    rows = ends.setdefault((software, company), [])
                    rows.append((end, count, due))
        activities = []
        for (software, company), rows in ends.items():
            if not (due_ends := [end for end, _count, due in rows if due]):
                continue
            until = end_of(max(due_ends), "month")
            covered = [(end, count) for end, count, _due in rows if end <= until]
            activities.append(
                software._expiry_reminder(
                    company,
                    max(end for end, _count in covered),
                    sum(count for _end, count in covered),
                )
            )
            software.with_company(company)._write_fixed(
                {"expiry_reminded_until": until}
            )
        return activities

    def _has_been_reminded(self, company, end):
        """Tell whether the company knows of keys of this software that end then."""
        until = self.with_company(company).expiry_reminded_until
        return bool(until) and end <= until

    def _expiry_reminder(self, company, last_end, count):
        """Return the values of the activity for so many keys that end."""
        user = self._get_reminded_user(company)
        there = self.with_context(lang=user.lang)
        return self._reminder_vals(
            "expiring",
            company,
            user,
            # To be seen as long as there is time to act, not on the last day.
            fields.Date.context_today(self),
            there.env._(
                "Software keys that end until %(until)s: %(count)s",
                count=count,
                until=there._say_date(last_end),
            ),
        )

    @api.model
    def _close_reminders_of_expiry(self):
        """Close the activities whose keys have all been renewed, replaced or revoked.

        Those that ended nevertheless still have to be looked after.
        """
        reminders = self._open_reminders("expiring")
        if not reminders:
            return
        ends = {}
        for software, owner, end in self.env[
            "client.equipment.software.key"
        ]._read_group(
            [
                ("software_id", "in", reminders.mapped("res_id")),
                ("status", "!=", "revoked"),
                ("validity_end", ">=", min(reminders.mapped("date_deadline"))),
            ],
            ["software_id", "company_id", "validity_end:day"],
        ):
            ends.setdefault(software.id, []).append((owner, end))
        for reminder in reminders:
            software = self.browse(reminder.res_id)
            company = reminder.software_key_company_id
            if not any(
                owner in (company, company.browse())
                and reminder.date_deadline <= end
                and software._has_been_reminded(company, end)
                for owner, end in ends.get(software.id, ())
            ):
                reminder.unlink()

    @api.model
    def _remind_of_minimum(self, companies):
        """Return values of the activities for software whose keys run out; close those
        where they do not any more.

        :param dict companies: what :meth:`_companies_with_keys` gave
        """
        watched = self.search([("minimum_available", ">", 0)])
        counts = {
            (software, owner): free - kept
            for software, owner, free, kept in self.env[
                "client.equipment.software.key"
            ]._read_group(
                [("software_id", "in", watched.ids), ("can_be_applied", "=", True)],
                ["software_id", "company_id"],
                ["seats_free:sum", "seats_kept:sum"],
            )
        }
        shared = self.env["res.company"]
        reminders = self._open_reminders("low").grouped(
            lambda each: (each.res_id, each.software_key_company_id)
        )
        activities = []
        for software in watched:
            for company in companies.get(software) or [shared]:
                here = software.with_company(company)
                available = sum(
                    counts.get((software, owner), 0) for owner in {company, shared}
                )
                low = available < software.minimum_available
                if low and not here.shortage_reminded:
                    activities.append(software._shortage_reminder(company, available))
                elif not low and (needless := reminders.get((software.id, company))):
                    needless.unlink()
                if low != here.shortage_reminded:
                    here._write_fixed({"shortage_reminded": low})
        return activities

    def _shortage_reminder(self, company, available):
        """Return the values of the activity for so few available keys, or seats."""
        user = self._get_reminded_user(company)
        return self._reminder_vals(
            "low",
            company,
            user,
            fields.Date.context_today(self),
            self.with_context(lang=user.lang).env._(
                "Software keys available: %(count)s, fewer than %(minimum)s",
                count=available,
                minimum=self.minimum_available,
            ),
        )

    def _get_reminded_user(self, company, leaving=()):
        """Return the responsible; where there is none (any more), a manager.

        :param company: whose keys it is about, if one company's
        :param leaving: users who are about to go
        """
        self.ensure_one()
        managers = self.env.ref(
            "client_equipment_software_key.group_software_key_manager"
        ).all_user_ids - self.env.ref("base.user_root")
        for user in (self.user_id, *managers.sorted("id")):
            if user not in leaving and self._can_be_reminded(user, company):
                return user
        return self.env.user

    def _can_be_reminded(self, user, company):
        """Tell whether the user is there, of the company, and sees the software."""
        return (
            user.active
            and (not company or company in user.company_ids)
            and self.with_user(user).has_access("read")
        )

    @api.model
    def _hand_over_reminders(self, leaving=()):
        """Give the open reminders of users who leave, or have left, to the next one."""
        for reminder in self._open_reminders("expiring") + self._open_reminders("low"):
            software = self.browse(reminder.res_id)
            user, company = reminder.user_id, reminder.software_key_company_id
            if user in leaving or not software._can_be_reminded(user, company):
                reminder.user_id = software._get_reminded_user(company, leaving)

    @api.model
    def _open_reminders(self, kind):
        """Return the activities that stand for keys that end or run out.

        :param str kind: ``"expiring"`` or ``"low"``
        """
        activity_type = self._reminder_type(kind)
        return (
            self.env["mail.activity"]
            .sudo()
            .search(
                [
                    ("res_model", "=", self._name),
                    ("activity_type_id", "=", activity_type.id),
                    ("automated", "=", True),
                ]
            )
        )

    @api.model
    def _reminder_type(self, kind):
        return self.env.ref(f"client_equipment_software_key.mail_activity_type_{kind}")

    def _reminder_vals(self, kind, company, user, deadline, summary):
        """Return the values of one activity on this software."""
        return {
            "activity_type_id": self._reminder_type(kind).id,
            "automated": True,
            "res_model_id": self.env["ir.model"]._get_id(self._name),
            "res_id": self.id,
            "user_id": user.id,
            "software_key_company_id": company.id,
            "date_deadline": deadline,
            "summary": summary,
        }

    # ------------------------------------------------------------------
    # The next available key
    # ------------------------------------------------------------------

    def _count_available_for(self, equipment):
        """Return ``{software: number of free seats}`` of the keys that could go onto
        the equipment."""
        SoftwareKey = self.env["client.equipment.software.key"]
        kept = SoftwareKey._get_keys_kept_for(equipment)
        own = Counter(
            key.software_id
            for key in SoftwareKey.browse(key_id for key_id, _equipment_id in kept)
        )
        return {
            software: free - seats_kept + own[software]
            for software, free, seats_kept in SoftwareKey._read_group(
                SoftwareKey._fits_domain(equipment)
                & Domain("software_id", "in", self._origin.ids),
                ["software_id"],
                ["seats_free:sum", "seats_kept:sum"],
            )
        }

    @checked
    def apply_next_available(
        self, equipment_id: int, remarks: str | None = None
    ) -> models.BaseModel:
        """Apply the next key of each of these software products to an equipment (A12).

        That is the key that expires first but is still valid, permanent keys last;
        keys bought for the equipment's customer before shared ones. Any number of
        people may do this at once: each gets keys of their own.

        :param int equipment_id: the equipment
        :param str remarks: remarks of the assignments
        :return: the assignments (``client.equipment.feature``)
        :raises UserError: where keys are missing, saying how many and of what; then
            none is applied
        """
        equipment = self.env["client.equipment"].browse(equipment_id).exists()
        if not equipment:
            raise UserError(
                self.env._("This equipment does not exist any more. Choose another.")
            )
        return equipment._apply_next(
            [Wish(equipment.id, software.id) for software in self], remarks
        )

    @api.readonly
    def action_view_software_keys(self) -> dict:
        """Open the keys of this software, those in one status where the context says so
        (``software_key_search_status``).

        :return: a window action
        """
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "client_equipment_software_key.client_equipment_software_key_action"
        )
        action["domain"] = [("software_id", "in", self.ids)]
        action["context"] = {
            "default_software_id": self.id if len(self) == 1 else False,
        }
        if status := self.env.context.get("software_key_search_status"):
            action["context"][f"search_default_{status}"] = 1
        return action
