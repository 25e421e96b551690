from odoo import models

from ..values import is_ours


class IrActionsServer(models.Model):
    """What an administrator has made for records of ours is run by those who may."""

    _inherit = "ir.actions.server"

    def _can_execute_action_on_records(self, records):
        """Look at all records that the action, which has all rights, would act on.

        Odoo looks at those alone that come with their model's name, and for the right
        to the model at its own.
        """
        result = super()._can_execute_action_on_records(records)
        if is_ours(self.model_id.model) or is_ours(self.crud_model_id.model or ""):
            context, ids = self.env.context, []
            if self.state != "code":  # which has the user's own rights
                ids = [*(context.get("active_ids") or ()), context.get("active_id")]
            records = records.browse(filter(None, ids))
            records.check_access("read" if self.group_ids else "write")
        return result
