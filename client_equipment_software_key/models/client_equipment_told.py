from odoo import api, models

from ..secret import is_hidden
from .client_equipment_software_key import NAMED_MAX


class ClientEquipmentMixin(models.AbstractModel):
    """How an act of a person is answered: with what it did."""

    _inherit = "client.equipment.mixin"

    @api.model
    def _told(self, message, license_keys=(), undo=None, close=True, then=None):
        """Return the action that tells the user what was done, where he was.

        :param str message: what was done, as a sentence
        :param license_keys: license keys that he needs now, to copy
        :param tuple undo: ``(records, method name, *arguments)`` of the ordinary
            step that takes it back
        :param close: whether a dialog is to be closed; else the screen is read anew
        :param dict then: the action that comes next, instead
        :return: a client action
        """
        if undo:
            records, method, *args = undo
            undo = {
                "model": records._name,
                "method": method,
                "args": [records.ids, *args],
            }
        after = {"type": "ir.actions.client", "tag": "soft_reload"}
        if close:
            after = {"type": "ir.actions.act_window_close"}
        return {
            "type": "ir.actions.client",
            "tag": "client_equipment_told",
            "params": {
                "message": message,
                "license_keys": list(license_keys),
                "undo": undo,
                "next": then or after,
            },
        }


class ClientEquipmentFeature(models.Model):
    _inherit = "client.equipment.feature"

    def _told_applied(self):
        """Return the action that tells which keys were applied where (A12, A13)."""
        keys = self.software_key_id
        if not self:
            return self._told(self.env._("Nothing was applied: it is there already."))
        if len(self.equipment_id) > 1:
            return self._told(self._tell_where(), undo=(self, "unlink"))
        return self._told(
            self.env._(
                "Applied to %(equipment)s:\n%(keys)s",
                equipment=self.equipment_id.display_name,
                keys="\n".join(keys.mapped("display_name")),
            ),
            # Where they are hidden, Show stands on the line.
            license_keys=[] if is_hidden(self.env) else keys.mapped("license_key"),
            undo=(self, "unlink"),
        )

    def _tell_where(self):
        """Return in words which key was applied to which unit."""
        lines = [
            f"{feature.equipment_id.display_name}: "
            f"{feature.software_key_id.display_name}"
            for feature in self[:NAMED_MAX]
        ]
        if len(self) > NAMED_MAX:
            lines.append(self.env._("… and %s more", len(self) - NAMED_MAX))
        return self.env._("Applied:\n%s", "\n".join(lines))


class ClientEquipmentSoftwareKey(models.Model):
    _inherit = "client.equipment.software.key"

    def _told_revoked(self):
        """Return the action that tells which keys were revoked."""
        named = self[:NAMED_MAX].mapped("display_name")
        if len(self) > NAMED_MAX:
            named.append(self.env._("… and %s more", len(self) - NAMED_MAX))
        return self._told(
            self.env._("Revoked:\n%s", "\n".join(named)),
            undo=(self, "write", {"status": "available"}),
            close=False,
        )
