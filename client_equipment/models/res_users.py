from odoo import api, models


class ResUsers(models.Model):
    _inherit = "res.users"

    @api.ondelete(at_uninstall=False)
    def _unlink_except_with_client_equipment(self):
        self.env["client.equipment.mixin"]._check_unused(self)
