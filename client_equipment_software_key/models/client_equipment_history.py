from odoo import api, models


class ClientEquipmentMixin(models.AbstractModel):
    """One click leads to what was installed when (L6)."""

    _inherit = "client.equipment.mixin"

    def _view_history(self, domain):
        """Return the window action of the usage history within a domain."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "client_equipment_software_key.client_equipment_usage_history_action"
        )
        return action | {"domain": domain, "context": {}}


class ClientEquipment(models.Model):
    _inherit = "client.equipment"

    @api.readonly
    def action_view_history(self) -> dict:
        """Show which keys have been on these equipment.

        :return: a window action
        """
        return self._view_history([("equipment_id", "in", self.ids)])


class ClientEquipmentSoftwareKey(models.Model):
    _inherit = "client.equipment.software.key"

    @api.readonly
    def action_view_history(self) -> dict:
        """Show where these keys have been.

        :return: a window action
        """
        return self._view_history([("software_key_id", "in", self.ids)])


class ResPartner(models.Model):
    _inherit = "res.partner"

    @api.readonly
    def action_view_software_key_history(self) -> dict:
        """Show which keys this customer has had on its equipment, also on units that
        somebody else has now.

        :return: a window action
        """
        self.ensure_one()
        history = self.env["client.equipment.usage.history"]
        return history._view_history([("customer_id", "child_of", self.id)])
