from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.client_equipment_software_key.models.client_equipment import ROLES

MANAGER = "client_equipment_software_key.group_software_key_manager"


class SaleOrder(models.Model):
    """Orders of renewals, which lead to *Renew*."""

    _inherit = "sale.order"

    renewed_key_count = fields.Integer(
        "Software Keys", compute="_compute_renewed_key_counts", groups=ROLES
    )
    key_to_renew_count = fields.Integer(
        "Keys to Renew", compute="_compute_renewed_key_counts", groups=MANAGER
    )

    @api.depends("state", "order_line.renewal_offer_ids.software_key_id.validity_end")
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_renewed_key_counts(self):
        for order in self:
            order.renewed_key_count = len(order._get_renewed_keys())
            order.key_to_renew_count = len(order._get_keys_to_renew())

    def _get_renewed_keys(self):
        """Return the keys whose renewal these orders are about."""
        return self.order_line.renewal_offer_ids.software_key_id

    def _get_keys_to_renew(self):
        """Return those of the keys whose renewal was ordered, but is still to come."""
        ordered = self.filtered(lambda order: order.state == "sale").order_line
        return ordered.renewal_offer_ids._filtered_current().software_key_id

    def action_renew_software_keys(self) -> dict:
        """Button *Renew*: open the dialog for what was ordered, with its reference.

        :return: a window action
        """
        self.ensure_one()
        keys = self._get_keys_to_renew()
        if not keys:
            raise UserError(
                self.env._(
                    "There is nothing to renew for %s: it has not been confirmed, or "
                    "all of its keys have been renewed.",
                    self.display_name,
                )
            )
        keys.check_access("write")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "client_equipment_software_key.client_equipment_software_key_renewal_action"
        )
        action["context"] = {
            "active_model": keys._name,
            "active_ids": keys.ids,
            "default_reference": self.name,
        }
        return action

    @api.readonly
    def action_view_renewed_keys(self) -> dict:
        """Open the keys whose renewal these orders are about.

        :return: a window action
        """
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "client_equipment_software_key.client_equipment_software_key_action"
        )
        action["domain"] = [("id", "in", self._get_renewed_keys().ids)]
        action["context"] = {}
        return action

    def _renewal_quotations_action(self):
        """Return the action that shows these quotations, of one its form."""
        action = self.env["ir.actions.act_window"]._for_xml_id("sale.action_quotations")
        action |= {"domain": [("id", "in", self.ids)], "context": {}}
        if len(self) == 1:
            action |= {"res_id": self.id, "views": [(False, "form")]}
        return action
