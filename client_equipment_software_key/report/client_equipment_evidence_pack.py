from datetime import timedelta

from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import format_datetime

from odoo.addons.client_equipment.values import date_problem

from ..secret import is_hidden
from .evidence import Evidence

# So many days a pack is kept once it is made.
KEEP_DAYS = 30
UNFINISHED = ("waiting", "making")


class ClientEquipmentEvidencePack(models.Model):
    """What is handed over at a licence audit: asked for, made, kept for a while (L7).

    It belongs to whoever asked for it. What is in it stands in
    ``client_equipment_evidence_content``, how it is made in ``…_making``, beside this
    file.
    """

    _name = "client.equipment.evidence.pack"
    _description = "Evidence Pack"
    _inherit = ["client.equipment.mixin", "mail.thread"]
    _order = "id desc"

    software_ids = fields.Many2many(
        "client.equipment.software",
        context={"active_test": False},
    )
    equipment_ids = fields.Many2many(
        "client.equipment",
        context={"active_test": False},
    )
    partner_ids = fields.Many2many(
        "res.partner",
        string="Customers",
        context={"active_test": False},
        help="A company, its contacts and its branches are one customer.",
    )
    date_from = fields.Date("From")
    date_to = fields.Date("To")
    license_keys = fields.Selection(
        [("ending", "Last Five Characters"), ("whole", "Whole")],
        default="ending",
        required=True,
        help="How license keys are shown in the files.",
    )
    about = fields.Char(compute="_compute_about")
    # What the asking and the making alone set.
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("waiting", "Waiting"),
            ("making", "Being Made"),
            ("done", "Made"),
            ("failed", "Failed"),
        ],
        default="draft",
        required=True,
        readonly=True,
        fixed=True,
        copy=False,
        index=True,
    )
    asked_on = fields.Datetime(readonly=True, fixed=True, copy=False)
    checkpoint_id = fields.Many2one(
        "client.equipment.audit.checkpoint",
        readonly=True,
        fixed=True,
        copy=False,
        index="btree_not_null",
        help="The checkpoint that covers what the pack tells.",
    )
    # The maker's, at that time.
    company_ids = fields.Many2many(
        "res.company", string="Companies", readonly=True, fixed=True, copy=False
    )
    lang = fields.Char(readonly=True, fixed=True, copy=False)
    tz = fields.Char("Time Zone", readonly=True, fixed=True, copy=False)
    progress = fields.Integer(
        readonly=True, fixed=True, copy=False, aggregator=None, help="In per cent."
    )
    made_on = fields.Datetime(readonly=True, fixed=True, copy=False)
    kept_until = fields.Date(compute="_compute_kept_until")
    verdict = fields.Char("Result", readonly=True, fixed=True, copy=False)
    note = fields.Text(readonly=True, fixed=True, copy=False)
    file_ids = fields.One2many(
        "client.equipment.evidence.file",
        "pack_id",
        readonly=True,
        fixed=True,
        copy=False,
    )

    @api.depends("asked_on")
    @api.depends_context("lang", "tz")
    def _compute_display_name(self):
        for pack in self:
            name = self.env._("Evidence Pack")
            if pack.asked_on:
                name += f" {format_datetime(self.env, pack.asked_on)}"
            pack.display_name = name

    @api.depends("software_ids", "equipment_ids", "partner_ids")
    @api.depends_context("lang")
    def _compute_about(self):
        for pack in self:
            chosen = [
                records._some_names()
                if hasattr(records, "_some_names")
                else ", ".join(records.mapped("display_name"))
                for records in (pack.software_ids, pack.partner_ids, pack.equipment_ids)
                if records
            ]
            pack.about = "; ".join(chosen) or self.env._("Everything")

    @api.depends("made_on")
    def _compute_kept_until(self):
        for pack in self:
            pack.kept_until = pack.made_on and fields.Date.add(
                pack.made_on.date(), days=KEEP_DAYS
            )

    @api.model
    def default_get(self, fields: list[str]) -> dict:
        vals = super().default_get(fields)
        field_name = {
            "client.equipment.software": "software_ids",
            "client.equipment": "equipment_ids",
            "res.partner": "partner_ids",
        }.get(self.env.context.get("active_model"))
        if field_name in fields:
            vals[field_name] = [Command.set(self.env.context.get("active_ids", []))]
        return vals

    def _shows_whole_keys(self):
        """Tell whether license keys are shown whole: no pack tells its maker more than
        he is shown himself (K16)."""
        return self.license_keys == "whole" and not is_hidden(self.env)

    @api.constrains("license_keys")
    def _check_license_keys(self):
        for pack in self:
            if pack.license_keys == "whole" and is_hidden(self.env):
                raise UserError(
                    self.env._(
                        "License keys are shown to you on request only, so they cannot "
                        "stand in the files whole. Choose the last five characters."
                    )
                )

    @api.constrains("date_from", "date_to")
    def _check_dates(self):
        for pack in self:
            if pack.date_from and pack.date_to and pack.date_to < pack.date_from:
                raise UserError(
                    self.env._(
                        "The period ends on %(end)s, before it begins on %(start)s. "
                        "Correct one of the two dates.",
                        start=self._say_date(pack.date_from),
                        end=self._say_date(pack.date_to),
                    )
                )

    def _value_problem(self, field, value):
        if field.type == "date":
            # A period may begin and end on any day of the calendar.
            return date_problem(self.env, value, far=True)
        return super()._value_problem(field, value)

    # ------------------------------------------------------------------
    # Asking for it
    # ------------------------------------------------------------------

    def action_make(self) -> dict:
        """Have the files made in the background, with what the maker sees now (L7).

        :return: a window action that shows how far it is
        :raises UserError: where there is nothing to tell
        """
        self.ensure_one()
        self.check_access("read")
        if self.state not in ("draft", "failed"):
            raise UserError(
                self.env._("This pack has been made already. Create another one.")
            )
        if not Evidence(self).has_keys:
            raise UserError(self._nothing_message())
        # Its maker may not write a pack that is being made: nobody may change it then.
        self.sudo()._write_fixed(
            {
                "state": "waiting",
                "asked_on": self._get_last_moment(),
                "company_ids": [Command.set(self.env.companies.ids)],
                "lang": self.env.lang,
                "tz": self.env.tz.zone,
                "progress": 0,
                "note": False,
            }
        )
        self._get_job()._trigger()
        return self.action_open()

    def _get_last_moment(self):
        """Return the second that the last of what there is now is from, at most. Before
        this one, where it has brought nothing yet: nobody has to wait for its end."""
        moment = self.env["client.equipment.audit.log"]._get_moment()
        if self.env["client.equipment.audit.checkpoint"]._has_leaves_since(moment):
            return moment
        return moment - timedelta(seconds=1)

    def action_open(self) -> dict:
        """Show the pack in a dialog.

        :return: a window action
        """
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Evidence Pack"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
        }

    @api.model
    def _get_job(self):
        # Whoever asks for a pack starts the job that makes it, and has no other access
        # to scheduled actions: hence sudo().
        return self.env.ref("client_equipment_software_key.ir_cron_evidence").sudo()

    def _nothing_message(self):
        return self.env._(
            "There is nothing to put into the pack: no software key was on what you "
            "chose in this period. Choose more, or a longer period."
        )

    # ------------------------------------------------------------------
    # Keeping it
    # ------------------------------------------------------------------

    @api.autovacuum
    def _gc_packs(self):
        """Delete packs that have been kept long enough, and those never asked for."""
        now = fields.Datetime.now()
        old = self.sudo().search(
            Domain("made_on", "<", fields.Datetime.subtract(now, days=KEEP_DAYS))
            | Domain("state", "in", ("draft", "failed"))
            & Domain("write_date", "<", fields.Datetime.subtract(now, days=1))
        )
        old.unlink()
