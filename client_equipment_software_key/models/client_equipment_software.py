from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import format_date
from odoo.tools.date_utils import end_of

from odoo.addons.client_equipment.arguments import checked
from odoo.addons.client_equipment.values import DATE_MAX

from .client_equipment_software_key import KEY_TYPES, LIVE_STATUSES, STATUSES


class ClientEquipmentSoftware(models.Model):
    _name = "client.equipment.software"
    _description = "Software"
    _inherit = ["client.equipment.mixin", "mail.thread", "mail.activity.mixin"]
    _order = "name, id"

    name = fields.Char(required=True)
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
    reminded_until = fields.Date(
        readonly=True,
        copy=False,
        help="The responsible has been reminded of the keys that end until this day.",
    )
    minimum_reminded = fields.Boolean(
        readonly=True,
        copy=False,
        help="The responsible has been reminded that available keys run out.",
    )
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
        "Available for Long",
        compute="_compute_software_key_counts",
        compute_sudo=False,
        help="Available keys that do not expire soon.",
    )
    lasting_applied_count = fields.Integer(
        "Applied for Long",
        compute="_compute_software_key_counts",
        compute_sudo=False,
        help="Applied keys that do not expire soon.",
    )
    next_validity_end = fields.Date(
        compute="_compute_software_key_counts",
        compute_sudo=False,
        help="The first day on which a key in use or in stock ends.",
    )

    _name_unique = models.UniqueIndex(
        "(lower(name))",
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
    @api.depends("software_key_ids.status", "software_key_ids.validity_end")
    def _compute_software_key_counts(self):
        groups = self.env["client.equipment.software.key"]._read_group(
            [("software_id", "in", self.ids)],
            ["software_id", "status"],
            ["__count", "validity_end:min"],
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
        counts, ends = {}, {}
        for software, status, count, first_end in groups:
            counts[software.id, status] = count
            if first_end and status in ("available", "applied"):
                ends.setdefault(software.id, []).append(first_end)
        for software in self:
            software.software_key_count = 0
            software.expiring_count = 0
            for status, _label in STATUSES:
                count = counts.get((software._origin.id, status), 0)
                software[f"{status}_count"] = count
                software.software_key_count += count
                if status in LIVE_STATUSES:
                    soon = expiring.get((software._origin, status), 0)
                    software[f"lasting_{status}_count"] = count - soon
                    software.expiring_count += soon
            software.next_validity_end = min(
                ends.get(software._origin.id, ()), default=False
            )

    # In the drop-down of an equipment the name shows how many keys could go there.
    @api.depends("name")
    @api.depends_context("formatted_display_name", "available_for_equipment")
    def _compute_display_name(self):
        equipment_id = self.env.context.get("available_for_equipment")
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
        """Find a name whatever its case and blanks, so that an import never spells
        it anew."""
        if operator == "in":
            return Domain.OR(
                Domain("name", "=ilike", self._escape_like(" ".join(name.split())))
                for name in value
                if name
            )
        return super()._search_display_name(operator, value)

    @checked
    def copy_data(self, default: dict | None = None):
        vals_list = super().copy_data(default)
        if "name" not in (default or {}):
            for software, vals in zip(self, vals_list, strict=True):
                vals["name"] = self.env._("%s (copy)", software.name)
        return vals_list

    @api.model
    def _clean_values(self, vals):
        """Make each run of blanks in the name one."""
        vals = super()._clean_values(vals)
        if vals.get("name"):
            return vals | {"name": " ".join(str(vals["name"]).split())}
        return vals

    @api.model
    def _escape_like(self, text):
        return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")

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

    # ------------------------------------------------------------------
    # Reminders
    # ------------------------------------------------------------------

    @api.model
    def _cron_remind(self):
        """Remind the responsible of keys that end or run out (S5).

        One activity per software product and period. A period is the calendar month
        in which keys end: the first key that comes within the lead time brings one
        activity for all that end until the end of its month. ``reminded_until`` and
        ``minimum_reminded`` keep that it has been done.
        """
        activities = self._remind_of_expiry() + self._remind_of_minimum()
        # No e-mail each: who is responsible finds the activity in the web client.
        self.env["mail.activity"].with_context(mail_activity_quick_update=True).create(
            activities
        )

    @api.model
    def _remind_of_expiry(self):
        """Return values of the activities for keys that end within their lead time."""
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
        for software, company, end, count in groups:
            if not software.reminded_until or end > software.reminded_until:
                due = end <= horizons[company.id]
                ends.setdefault(software, []).append((end, count, due))
        activities, reminded = [], {}
        for software, rows in ends.items():
            if not (due_ends := [end for end, _count, due in rows if due]):
                continue
            until = end_of(max(due_ends), "month")
            covered = [(end, count) for end, count, _due in rows if end <= until]
            user = software._get_reminded_user()
            env = software.with_context(lang=user.lang).env
            activities.append(
                software._reminder_vals(
                    "client_equipment_software_key.mail_activity_type_expiring",
                    user,
                    min(due_ends),
                    env._(
                        "%(count)s software keys end until %(until)s",
                        count=sum(count for _end, count in covered),
                        until=format_date(
                            self.env, max(end for end, _ in covered), user.lang
                        ),
                    ),
                )
            )
            reminded.setdefault(until, []).append(software.id)
        for until, software_ids in reminded.items():
            self.browse(software_ids).reminded_until = until
        return activities

    @api.model
    def _remind_of_minimum(self):
        """Return values of the activities for software whose keys run out."""
        watched = self.search([("minimum_available", ">", 0)])
        counts = dict(
            self.env["client.equipment.software.key"]._read_group(
                [("software_id", "in", watched.ids), ("can_be_applied", "=", True)],
                ["software_id"],
                ["__count"],
            )
        )
        low = watched.filtered(
            lambda each: counts.get(each, 0) < each.minimum_available
        )
        news = low.filtered(lambda software: not software.minimum_reminded)
        news.minimum_reminded = True
        (watched - low).filtered("minimum_reminded").minimum_reminded = False
        activities = []
        for software in news:
            user = software._get_reminded_user()
            activities.append(
                software._reminder_vals(
                    "client_equipment_software_key.mail_activity_type_low",
                    user,
                    fields.Date.context_today(self),
                    software.with_context(lang=user.lang).env._(
                        "%(count)s software keys available, fewer than %(minimum)s",
                        count=counts.get(software, 0),
                        minimum=software.minimum_available,
                    ),
                )
            )
        return activities

    def _get_reminded_user(self):
        """Return the responsible; where there is none (any more), a manager."""
        self.ensure_one()
        if self.user_id.active and self.with_user(self.user_id).has_access("read"):
            return self.user_id
        managers = self.env.ref(
            "client_equipment_software_key.group_software_key_manager"
        ).all_user_ids
        people = managers - self.env.ref("base.user_root")
        return people.sorted("id")[:1] or self.env.user

    def _reminder_vals(self, type_xml_id, user, deadline, summary):
        """Return the values of one activity on this software."""
        return {
            "activity_type_id": self.env.ref(type_xml_id).id,
            "automated": True,
            "res_model_id": self.env["ir.model"]._get_id(self._name),
            "res_id": self.id,
            "user_id": user.id,
            "date_deadline": deadline,
            "summary": summary,
        }

    # ------------------------------------------------------------------
    # The next available key
    # ------------------------------------------------------------------

    def _count_available_for(self, equipment):
        """Return ``{software: number of keys}`` that could go onto the equipment."""
        SoftwareKey = self.env["client.equipment.software.key"]
        return dict(
            SoftwareKey._read_group(
                SoftwareKey._fits_domain(equipment)
                & Domain("software_id", "in", self._origin.ids),
                ["software_id"],
                ["__count"],
            )
        )

    @checked
    def apply_next_available(self, equipment_id: int, remarks: str | None = None):
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
        equipment._check_in_service()
        keys = self.env["client.equipment.software.key"]._lock_next_available(
            self, equipment
        )
        if missing := self - keys.software_id:
            raise UserError(
                self.env._(
                    "No key is left for %(equipment)s: %(count)s missing (%(names)s). "
                    "Enter new keys, or take keys back from equipment that does not "
                    "need them any more.",
                    equipment=equipment.display_name,
                    count=len(missing),
                    names=", ".join(
                        self.env._("1 of %s", software.name) for software in missing
                    ),
                )
            )
        return self.env["client.equipment.feature"].create(
            [
                {
                    "software_key_id": key.id,
                    "equipment_id": equipment.id,
                    "remarks": remarks,
                }
                for key in keys
            ]
        )

    def action_view_software_keys(self):
        """Open the keys of this software; ``context["search_status"]`` narrows them.

        :return: a window action
        """
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "client_equipment_software_key.client_equipment_software_key_action"
        )
        action["domain"] = [("software_id", "in", self.ids)]
        action["context"] = {
            "default_software_id": self.id if len(self) == 1 else False,
        }
        if status := self.env.context.get("search_status"):
            action["context"][f"search_default_{status}"] = 1
        return action
