from odoo import models

from ..secret import is_hidden

# The apps that every user has.
EVERYBODYS = ("mail.menu_root_discuss", "base.menu_management")


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    def session_info(self) -> dict:
        """Whose only app this is begins in it, not in Discuss; and the client has to
        know whether license keys are hidden from the user (K16)."""
        info = super().session_info()
        if self.env.user._is_internal() and not info.get("home_action_id"):
            info["home_action_id"] = self._get_software_key_home()
        info["license_keys_hidden"] = is_hidden(self.env)
        return info

    def _get_software_key_home(self):
        """Return the id of the action to begin with, or False."""
        menus = [
            self.env.ref(menu, raise_if_not_found=False)
            for menu in ("client_equipment.menu_client_equipment_root", *EVERYBODYS)
        ]
        apps = self.env["ir.ui.menu"].get_user_roots()
        if menus[0] not in apps or any(app not in menus for app in apps):
            return False
        user = self.env.user
        overseer = user.has_group(
            "client_equipment_software_key.group_software_key_auditor"
        ) or user.has_group("client_equipment_software_key.group_software_key_manager")
        home = (
            "client_equipment_software_key.overview_action"
            if overseer
            else "client_equipment.client_equipment_action"
        )
        return self.env.ref(home).id
