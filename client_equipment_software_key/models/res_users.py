from odoo import models


class ResUsers(models.Model):
    _inherit = "res.users"

    def action_archive(self) -> bool:
        # Odoo deletes the activities of whoever leaves.
        self.env["client.equipment.software"].sudo()._hand_over_reminders(self)
        return super().action_archive()

    def unlink(self) -> bool:
        self.check_access("unlink")
        # So does the database of whoever is deleted.
        self.env["client.equipment.software"].sudo()._hand_over_reminders(self)
        return super().unlink()
