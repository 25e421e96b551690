from typing import Self

from odoo import api, models

from ..values import is_ours


class MailActivity(models.Model):
    """An activity stands at a record of ours for those who may make one there: Odoo
    lets whoever has one move it, tells him the name of what it stands at, and writes
    into its chatter when it is done."""

    _inherit = "mail.activity"

    def write(self, vals: dict) -> bool:
        result = super().write(vals)
        if not vals.keys().isdisjoint(("res_model_id", "res_model", "res_id")):
            self._filtered_ours().check_access("create")
        return result

    @api.depends("res_model", "res_id")
    def _compute_res_name(self):
        result = super()._compute_res_name()
        # What a form holds has passed no gate yet.
        for activity in self._filtered_ours().filtered(lambda each: not each.id):
            record = self.env[activity.res_model].browse(activity.res_id)
            if not record.sudo(False).has_access("read"):
                activity.res_name = False
        return result

    def _filtered_ours(self) -> Self:
        return self.filtered(lambda each: each.res_id and is_ours(each.res_model or ""))
