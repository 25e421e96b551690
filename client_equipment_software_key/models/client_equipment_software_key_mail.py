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
        self.check_access("read")  # who writes may be anybody
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
        """Name keys by their hints: the name stays with whoever has the activity, also
        when he may not read the key any more."""
        result = super()._compute_res_name()
        activities = self.filtered(lambda each: each.res_model == KEY and each.res_name)
        keys = self.env[KEY].browse(activities.mapped("res_id")).exists()
        names = {key.id: key._message_compute_subject() for key in keys}
        for activity in activities:
            activity.res_name = names.get(activity.res_id, activity.res_name)
        return result


class MailTrackingValue(models.Model):
    _inherit = "mail.tracking.value"

    @api.model
    def _create_tracking_values(
        self, initial_value, new_value, col_name, col_info, record
    ):
        """Keep links to keys, and to what bears their names, by their hints: also where
        another addon, or somebody in Settings, tracks one."""
        return super()._create_tracking_values(
            _named_for_all(initial_value, col_info["type"]),
            _named_for_all(new_value, col_info["type"]),
            col_name,
            col_info,
            record,
        )


def _named_for_all(records, link_type):
    """Return records that bear keys' names as a tracked link of this type takes their
    ids and names; others as they are."""
    if not isinstance(records, models.BaseModel):
        return records
    rec_name = records._fields.get(records._rec_name)
    if records._name != KEY and (not rec_name or rec_name.comodel_name != KEY):
        return records
    named = []
    for record in records:
        key = record if record._name == KEY else record[records._rec_name]
        readable = key._readable()
        name = readable._message_compute_subject() if readable else key.display_name
        named.append((record.id, name))
    return (named or [False])[0] if link_type == "many2one" else named
