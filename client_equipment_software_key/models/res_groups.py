from odoo import api, models

ADDON = "client_equipment_software_key"
# Who is a reader of license keys or not, as Settings say; managers always are.
ASKING = ("group_software_key_user", "group_software_key_auditor")


class ResGroups(models.Model):
    _inherit = "res.groups"

    @api.model
    def _license_key_groups(self):
        """Return the groups whose readers Settings choose, and the readers' group."""
        asking = self.browse(self.env.ref(f"{ADDON}.{name}").id for name in ASKING)
        return asking.sudo(), self.env.ref(f"{ADDON}.group_license_key_reader").sudo()

    @api.model
    def _license_key_display(self):
        """Return when license keys are shown to technicians and auditors (K16).

        :return: ``always`` or ``on_request``
        """
        asking, reader = self._license_key_groups()
        everybody = all(reader in group.all_implied_ids for group in asking)
        return "always" if everybody else "on_request"

    @api.model
    def _set_license_key_display(self, display):
        """Show license keys to technicians and auditors always, or on request."""
        asking, reader = self._license_key_groups()
        if display == "always":
            asking._apply_group(reader)
        else:
            asking._remove_group(reader)
        # Whoever has read something in this transaction may not read it any more.
        self.env.invalidate_all()
