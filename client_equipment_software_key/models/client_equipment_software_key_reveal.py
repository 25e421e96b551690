from datetime import timedelta

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError

from odoo.addons.client_equipment.arguments import checked

from ..secret import is_hidden
from .client_equipment_software_key_seats import SeatStep
from .mail_activity import REVEALS

# More than so many license keys shown to one person in an hour are told the managers.
REVEALS_AN_HOUR = 20
# So long a license key stays on the screen, or is offered as QR code.
SHOWN = timedelta(minutes=1)


class ClientEquipmentSoftwareKey(models.Model):
    """The license key is shown to those who need it, and every look is on record (K16).

    From whom it is hidden, and how, stands in ``secret.py``.
    """

    _inherit = "client.equipment.software.key"

    reveal_count = fields.Integer(
        "Times Revealed",
        compute="_compute_reveals",
        help="How often the whole license key has been shown on request.",
    )
    last_revealed = fields.Datetime(
        compute="_compute_reveals",
        help="When the whole license key was last shown on request.",
    )

    @api.depends("audit_log_ids")
    def _compute_reveals(self):
        found = self.env["client.equipment.audit.log"]._read_group(
            [("software_key_id", "in", self.ids), ("action", "=", "revealed")],
            ["software_key_id"],
            ["__count", "action_date:max"],
        )
        reveals = {key.id: reveal for key, *reveal in found}
        for key in self:
            count, last = reveals.get(key._origin.id, (0, False))
            key.reveal_count, key.last_revealed = count, last

    @checked
    def reveal_license_key(self, reason: str | None = None) -> str:
        """Show the whole license key, and put down who saw it, when and where (K16).

        :param str reason: what it is needed for; kept in the audit trail
        :return: the license key
        """
        self.ensure_one()
        self.check_access("read")
        return self._reveal(reason)

    def _reveal(self, reason=None, feature=None, **told):
        """Put down that the user has seen the license key, and return it.

        :param feature: the assignment where he has seen it, if it was one
        :param told: what else the entry tells (``_append_sql`` of the audit log)
        """
        self._lock_for_step()
        step = self._take(self._get_facts()[self.id], "reveal")
        seats = feature and [
            SeatStep(*seat, step.status) for seat in feature._get_seats()
        ]
        # Whoever may read a key may look at it, although he may not change it.
        self.sudo()._transition(
            step.entry,
            {self.id: step.status},
            reason=reason,
            seats=seats or None,
            **told,
        )
        self._tell_of_many_reveals()
        return self._get_license_key()

    def _check_shown(self):
        """Check that the whole license key is before the user's eyes (K16).

        :raises UserError: where he has not just had it shown
        """
        since = self.env["client.equipment.audit.log"]._get_moment() - SHOWN
        if is_hidden(self.env) and not self.audit_log_ids.filtered_domain(
            [
                ("action", "=", "revealed"),
                ("user_id", "=", self.env.uid),
                ("action_date", ">", since),
            ]
        ):
            raise UserError(
                self.env._(
                    "The license key of %s is shown on request. Choose Show first.",
                    self.display_name,
                )
            )

    @api.model
    def _tell_of_many_reveals(self):
        """Tell the managers of a person who has many license keys shown.

        Once per person and hour; nobody is locked out. It needs rights that the person
        does not have: his entries of all companies, and other people's activities.
        """
        AuditLog = self.env["client.equipment.audit.log"].sudo()
        hour_ago = AuditLog._get_moment() - timedelta(hours=1)
        user = self.env.user
        count = AuditLog.search_count(
            [
                ("action", "=", "revealed"),
                ("user_id", "=", user.id),
                ("action_date", ">", hour_ago),
            ]
        )
        if count <= REVEALS_AN_HOUR:
            return
        activity_type = self.env.ref(REVEALS)
        Activity = self.env["mail.activity"].with_user(SUPERUSER_ID)
        if Activity.with_context(active_test=False).search_count(
            [
                ("activity_type_id", "=", activity_type.id),
                ("res_model", "=", "res.partner"),
                ("res_id", "=", user.partner_id.id),
                ("create_date", ">", self.env.cr.now() - timedelta(hours=1)),
            ],
            limit=1,
        ):
            return
        Activity.create(
            [
                {
                    "activity_type_id": activity_type.id,
                    "automated": True,
                    "res_model_id": self.env["ir.model"]._get_id("res.partner"),
                    "res_id": user.partner_id.id,
                    "user_id": manager.id,
                    "summary": self.with_context(lang=manager.lang).env._(
                        "License keys shown to %(user)s within an hour: %(count)s",
                        user=user.name,
                        count=count,
                    ),
                }
                for manager in self._get_told_managers(user)
            ]
        )

    @api.model
    def _get_told_managers(self, user):
        """Return the managers who work in one of the user's companies; where there is
        none, all of them, so that somebody is told."""
        managers = self.env.ref(
            "client_equipment_software_key.group_software_key_manager"
        ).sudo()
        managers = managers.all_user_ids.filtered("active")
        managers -= self.env.ref("base.user_root")
        return (
            managers.filtered(lambda each: each.company_ids & user.company_ids)
            or managers
        )


class ClientEquipmentFeature(models.Model):
    _inherit = "client.equipment.feature"

    @checked
    def reveal_license_key(self, reason: str | None = None) -> str:
        """Show the whole license key on its equipment, and put that down (K16).

        :param str reason: what it is needed for; kept in the audit trail
        :return: the license key
        """
        self.ensure_one()
        self.check_access("read")
        self.software_key_id.check_access("read")
        return self.software_key_id._reveal(reason, self)


class ClientEquipmentAuditLog(models.Model):
    _inherit = "client.equipment.audit.log"

    # The filter Revealed, newest first, and how many license keys somebody has seen
    # within the last hour.
    _revealed = models.Index("(action_date, id) WHERE action = 'revealed'")
