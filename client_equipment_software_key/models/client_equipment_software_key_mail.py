from odoo import api, models

KEY = "client.equipment.software.key"


class ClientEquipmentSoftwareKey(models.Model):
    """What goes to several people, or is kept beside the key, names it by its hint,
    where some are shown license keys on request only (K16). What is kept for good does
    so always: the setting may change."""

    _inherit = KEY

    def _get_name_for_all(self):
        """Return the name of the key by its hint, where not everybody who may read the
        key sees the license key; or nothing."""
        if self.env["res.groups"]._license_key_display() == "always":
            return None
        return self._message_compute_subject()

    def _message_compute_subject(self):
        """Return the name of the key by its hint: subjects stay with the messages."""
        return " - ".join(filter(None, (self.software_id.name, self.license_key_hint)))

    def _notify_thread(self, message, msg_vals=False, **kwargs):
        if self and (name := self._get_name_for_all()):
            kwargs.setdefault("force_record_name", name)
        return super()._notify_thread(message, msg_vals=msg_vals, **kwargs)


class MailMessage(models.Model):
    _inherit = "mail.message"

    @api.depends_context("uid")
    def _compute_record_name(self):
        return super()._compute_record_name()


class MailActivity(models.Model):
    _inherit = "mail.activity"

    def _compute_res_name(self):
        result = super()._compute_res_name()
        activities = self.filtered(lambda each: each.res_model == KEY)
        keys = self.env[KEY].browse(activities.mapped("res_id")).exists()
        names = {key.id: key._get_name_for_all() for key in keys}
        for activity in activities:
            if name := names.get(activity.res_id):
                activity.res_name = name
        return result

    @api.model
    def _rename_software_keys(self):
        """Name the keys of open activities anew, as they are to be shown now."""
        activities = self.sudo().with_context(active_test=False)
        activities = activities.search([("res_model", "=", KEY)])
        self.env.add_to_compute(self._fields["res_name"], activities)
        activities.flush_recordset(["res_name"])
