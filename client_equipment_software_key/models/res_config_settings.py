from odoo import api, fields, models

from odoo.addons.client_equipment.models.client_equipment_mixin_dependence import READER


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    software_key_tz = fields.Selection(
        related="company_id.partner_id.tz",
        readonly=False,
        string="Time Zone of Software Keys",
        help="A key stays valid until its last day has ended in this time zone.",
    )
    software_key_lead_days = fields.Integer(
        related="company_id.software_key_lead_days", readonly=False
    )
    software_key_minimum_available = fields.Integer(
        related="company_id.software_key_minimum_available", readonly=False
    )
    license_key_display = fields.Selection(
        [("always", "Always"), ("on_request", "On request")],
        required=True,
        default="always",
        string="Show License Keys",
        help="Whether technicians and auditors see whole license keys, or their last "
        "characters until they choose Show, which is put down.",
    )
    software_key_last_run = fields.Datetime(compute="_compute_software_key_health")
    software_key_last_expired = fields.Integer(compute="_compute_software_key_health")
    software_key_job_overdue = fields.Boolean(compute="_compute_software_key_health")
    software_key_last_check = fields.Datetime(compute="_compute_software_key_health")
    software_key_check_progress = fields.Integer(compute="_compute_software_key_health")

    @api.model
    def get_values(self) -> dict:
        display = self.env["res.groups"]._license_key_display()
        return super().get_values() | {"license_key_display": display}

    def set_values(self) -> None:
        result = super().set_values()
        groups = self.env["res.groups"]
        if self.license_key_display != groups._license_key_display():
            groups._set_license_key_display(self.license_key_display)
        return result

    @api.depends("company_id")
    @api.depends_context(*READER)
    def _compute_software_key_health(self):
        health = self.env["client.equipment.software.key"].get_job_health()
        self.software_key_last_run = health.get("last_run")
        self.software_key_last_expired = health.get("expired")
        self.software_key_job_overdue = health.get("overdue")
        self.software_key_last_check = health.get("last_check")
        self.software_key_check_progress = health.get("check_progress")

    def action_check_software_keys(self) -> dict:
        """Button *Check Consistency*.

        :return: an action that shows what was found
        """
        return self.env["client.equipment.software.key"].action_check_consistency()

    @api.readonly
    def action_view_software_keys_attention(self) -> dict:
        """Button *Needs Attention*.

        :return: a window action
        """
        return self.env["client.equipment.software.key"].action_view_needs_attention()
