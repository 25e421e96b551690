import math

from odoo import Command, models
from odoo.exceptions import UserError

QUOTATION = "client_equipment_software_key_purchase.request_quotation_action"


class ClientEquipmentSoftware(models.Model):
    """What is missing of software is bought."""

    _inherit = "client.equipment.software"

    def action_request_quotation(self) -> dict:
        """Open a request for quotation, not saved yet, of what is missing.

        :return: a window action
        """
        self.ensure_one()
        if not self.product_id:
            raise UserError(
                self.env._(
                    "%s cannot be ordered, because it names no product. Choose one in "
                    "the catalogue.",
                    self.display_name,
                )
            )
        lines = self._prepare_quotation_lines()
        seller = self.product_id.with_company(self.env.company)._select_seller(
            quantity=lines[0]["product_qty"]
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Request for Quotation"),
            "res_model": "purchase.order",
            "views": [(False, "form")],
            "context": {
                "default_partner_id": seller.partner_id.id,
                "default_origin": self.name,
                "default_order_line": [Command.create(line) for line in lines],
            },
        }

    def _prepare_quotation_lines(self):
        """Return the values of the order lines for what is missing, or for one unit."""
        lines, needs = [], self.get_needs()
        if needs["missing"]:
            lines.append(self._prepare_quotation_line(needs["missing"]))
        if needs["ending"]:
            line = self._prepare_quotation_line(needs["ending"])
            last_end = self._say_date(needs["last_end"])
            renewal = self.env._("Renewal, ends %s", last_end)
            line["name"] = f"{self.product_id.display_name}\n{renewal}"
            lines.append(line)
        return lines or [self._prepare_quotation_line(1)]

    def _prepare_quotation_line(self, seats):
        return {
            "product_id": self.product_id.id,
            "product_qty": math.ceil(seats / self.purchase_seats),
        }

    def _reminder_vals(self, kind, company, user, deadline, summary):
        """Offer the request for quotation to whoever is reminded and may make one."""
        values = super()._reminder_vals(kind, company, user, deadline, summary)
        if self.product_id and user.has_group("purchase.group_purchase_user"):
            values["note"] = self.env["ir.qweb"]._render(
                "client_equipment_software_key_purchase.reminder_note",
                {"url": f"/odoo/client-software/{self.id}/action-{QUOTATION}"},
                lang=user.lang,
            )
        return values
