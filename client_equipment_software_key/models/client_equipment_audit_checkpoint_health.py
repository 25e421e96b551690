from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import format_datetime
from odoo.tools.mail import email_normalize

from odoo.addons.client_equipment.models.client_equipment_mixin_dependence import READER

from .client_equipment_audit_checkpoint import EMAILS

JOB = "client_equipment_software_key.ir_cron_make_checkpoint"
# A checkpoint is made once a day; its mails are sent within the hour.
LATE, LATE_MAIL = timedelta(hours=30), timedelta(hours=6)


class ClientEquipmentAuditCheckpoint(models.Model):
    """How making and mailing checkpoints is doing (L8, S6)."""

    _inherit = "client.equipment.audit.checkpoint"

    @api.model
    def _get_health_problem(self):
        """Return in words why a checkpoint is missing or has not arrived, or False."""
        last = self.search([], limit=1)
        return self._get_job_problem(last) or self._get_mail_problem()

    @api.model
    def _get_job_problem(self, last):
        # Managers have no access to scheduled actions; they learn about this one only.
        job = self.env.ref(JOB, raise_if_not_found=False)
        job = job and job.sudo() or self.env["ir.cron"].sudo()
        now = fields.Datetime.now()
        on_time = (
            job.active
            and not job.failure_count
            and job.nextcall > now - timedelta(hours=1)
            and (not last or last.until > now - LATE)
        )
        return not on_time and self.env._(
            "The nightly checkpoint of the audit trail is overdue (last one: "
            "%(last)s). Ask an administrator to look at Settings, Technical, "
            "Scheduled Actions.",
            last=format_datetime(self.env, last.until) if last else self.env._("never"),
        )

    @api.model
    def _get_mail_problem(self):
        # Managers have no access to mails; they learn of those of checkpoints only.
        mails = self.env["mail.mail"].sudo()
        last = mails.search([("model", "=", self._name)], order="id desc", limit=1)
        mail = mails.search(
            [
                ("model", "=", self._name),
                ("res_id", "=", last.res_id),
                "|",
                ("state", "=", "exception"),
                "&",
                ("state", "=", "outgoing"),
                ("create_date", "<", fields.Datetime.now() - LATE_MAIL),
            ],
            limit=1,
        )
        return bool(mail) and self.env._(
            "The checkpoint of %(until)s could not be mailed to %(address)s: "
            "%(reason)s Ask an administrator to look at Settings, Technical, Emails.",
            until=format_datetime(self.env, self.browse(mail.res_id).until),
            address=mail.email_to,
            reason=mail.failure_reason or self.env._("it is still waiting to be sent."),
        )


class ClientEquipmentSoftwareKey(models.Model):
    _inherit = "client.equipment.software.key"

    @api.model
    @api.readonly
    def get_job_health(self) -> dict:
        """Tell also how the checkpoints are doing.

        :return: with ``{"last_checkpoint", "checkpoint_problem"}``: the moment up to
            which there is one (or False), and what is wrong in words (or False)
        """
        health = super().get_job_health()
        if not health:
            return health
        checkpoint = self.env["client.equipment.audit.checkpoint"]
        return health | {
            "last_checkpoint": checkpoint.search([], limit=1).until,
            "checkpoint_problem": checkpoint._get_health_problem(),
        }


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    software_key_checkpoint_emails = fields.Char(
        config_parameter=EMAILS,
        string="Mail Checkpoints To",
        help="Addresses, separated by commas, of people who keep them: best of some "
        "who cannot change this database.",
    )
    software_key_last_checkpoint = fields.Datetime(
        compute="_compute_software_key_checkpoint_health"
    )
    software_key_checkpoint_problem = fields.Char(
        compute="_compute_software_key_checkpoint_health"
    )

    @api.depends("company_id")
    @api.depends_context(*READER)
    def _compute_software_key_checkpoint_health(self):
        health = self.env["client.equipment.software.key"].get_job_health()
        self.software_key_last_checkpoint = health.get("last_checkpoint")
        self.software_key_checkpoint_problem = health.get("checkpoint_problem")

    @api.constrains("software_key_checkpoint_emails")
    def _check_software_key_checkpoint_emails(self):
        for address in (self.software_key_checkpoint_emails or "").split(","):
            if address.strip() and not email_normalize(address):
                raise ValidationError(
                    self.env._(
                        "%s is not an e-mail address. Write addresses as "
                        "name@example.com, separated by commas.",
                        address.strip(),
                    )
                )
