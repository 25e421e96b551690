from odoo import api, fields, models
from odoo.fields import Domain


class ClientEquipmentSoftware(models.Model):
    _inherit = "client.equipment.software"

    below_minimum = fields.Boolean(
        compute="_compute_below_minimum",
        search="_search_below_minimum",
        help="Fewer keys, or seats of keys, are available than its minimum.",
    )

    @api.depends("seats_free", "seats_kept", "minimum_available")
    def _compute_below_minimum(self):
        for software in self:
            movable = software.seats_free - software.seats_kept
            software.below_minimum = movable < software.minimum_available

    @api.model
    def _search_below_minimum(self, operator, value):
        if operator != "in":
            return NotImplemented
        watched = self.search([("minimum_available", ">", 0)])
        domain = Domain("id", "in", watched.filtered("below_minimum").ids)
        return domain if True in value else ~domain


class ClientEquipmentSoftwareKey(models.Model):
    _inherit = "client.equipment.software.key"

    @api.model
    @api.readonly
    def get_overview(self) -> dict:
        """Tell what there is to do, and how the trails stand.

        :return: ``{"manages", "tasks", "verification"}``: whether the user manages
            keys, and what :meth:`_get_tasks` and :meth:`_get_verification` return
        """
        self.check_access("read")
        return {
            "manages": self.has_access("write"),
            "tasks": self._get_tasks(),
            "verification": self._get_verification(),
        }

    @api.model
    def _get_tasks(self):
        """Return what there is to do today, as numbers that open what they count.

        :return: list of ``{"name", "count", "label", "advice", "action", "filter"}``;
            the filter is one of the action's search view, False where the action
            shows nothing else
        """
        env = self.env
        keys = "client_equipment_software_key.client_equipment_software_key_action"
        rows = [
            (
                "expiring_soon",
                self.search_count([("expires_soon", "=", True)]),
                env._("Keys That End Soon"),
                env._("Renew them, or order new ones."),
                keys,
                "expiring_soon",
            ),
            (
                "expired_installed",
                self.search_count([("status", "=", "expired"), ("seats_used", ">", 0)]),
                env._("Expired Keys Still Installed"),
                env._("Renew them, or remove them from the equipment."),
                keys,
                "expired_installed",
            ),
            (
                "below_minimum",
                env["client.equipment.software"].search_count(
                    [("below_minimum", "=", True)]
                ),
                env._("Software Below Its Minimum"),
                env._("Order keys before the last one is gone."),
                "client_equipment_software_key.client_equipment_software_action",
                "below_minimum",
            ),
            (
                "needs_attention",
                self.search_count([("needs_attention", "=", True)]),
                env._("Keys That Need Attention"),
                env._("Status, assignment or audit trail disagree."),
                f"{keys}_attention",
                False,
            ),
        ]
        names = ("name", "count", "label", "advice", "action", "filter")
        return [dict(zip(names, row, strict=True)) for row in rows]

    @api.model
    def _get_verification(self):
        """Return when, by whom and with what result all trails were verified last.

        :return: ``{"date", "user", "key_count", "broken_count"}``, or False
        """
        last = self.env["client.equipment.verification"].search(
            [("date", "!=", False)], limit=1
        )
        return bool(last) and {
            "date": fields.Datetime.to_string(last.date),
            "user": last.user_id.sudo().name,
            "key_count": last.key_count,
            "broken_count": last.broken_count,
        }
