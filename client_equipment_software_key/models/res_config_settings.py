from odoo import fields, models


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
