from odoo import fields, models

SOFTWARE = "client.equipment.software"


class MailActivity(models.Model):
    """Reminders of one company's keys are seen and changed in that company only: the
    catalogue that they stand at is common to all."""

    _inherit = "mail.activity"

    software_key_company_id = fields.Many2one(
        "res.company",
        "Company of the Software Keys",
        readonly=True,
        copy=False,
        ondelete="cascade",
        help="Empty where it is of interest to all companies.",
    )

    def _check_access(self, operation):
        result = super()._check_access(operation)
        if operation in ("read", "create") or self.env.su:
            return result
        # Who may change the software may change its activities, says Odoo, whatever
        # the rules say.
        allowed = self - result[0] if result else self
        reminders = allowed.filtered(lambda each: each.sudo().res_model == SOFTWARE)
        if hidden := reminders - reminders._filtered_access("read"):
            forbidden = hidden + (result[0] if result else self.browse())
            return forbidden, lambda: forbidden._make_access_error(operation)
        return result
