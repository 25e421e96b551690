from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    def _software_key_today(self):
        """Return the date it is now where the company is.

        The validity of a key ends when its last day has ended in the time zone
        of its company (S1). Keys that all companies share follow UTC.
        """
        return fields.Date.context_today(
            self.with_context(tz=self.sudo().partner_id.tz or "UTC")
        )
