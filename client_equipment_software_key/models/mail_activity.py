from odoo import fields, models

SOFTWARE = "client.equipment.software"
REVEALS = "client_equipment_software_key.mail_activity_type_reveals"


class MailActivity(models.Model):
    """Reminders of one company's keys are seen and changed in that company only: the
    catalogue that they stand at is common to all. What managers are told of a person is
    theirs alone to change, whoever may change that contact."""

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
        # Who may change the record may change its activities, says Odoo, whatever the
        # rules say.
        allowed = self - result[0] if result else self
        reminders = allowed.filtered(lambda each: each.sudo().res_model == SOFTWARE)
        hidden = reminders - reminders._filtered_access("read")
        hidden += (allowed - reminders)._filtered_for_others()
        if hidden:
            forbidden = hidden + (result[0] if result else self.browse())
            return forbidden, lambda: forbidden._make_access_error(operation)
        return result

    def _filtered_for_others(self):
        """Return those of the activities that tell another user of many reveals."""
        kind = self.env["ir.model.data"]._xmlid_to_res_id(REVEALS)
        return self.filtered(
            lambda each: (
                each.sudo().activity_type_id.id == kind
                and each.sudo().user_id != self.env.user
            )
        )
