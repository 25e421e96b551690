import math

from odoo import Command, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from odoo.addons.client_equipment_software_key.models.client_equipment_software_key import (  # noqa: E501
    LIVE_STATUSES,
)

QUOTATION = "client_equipment_software_key_purchase.request_quotation_action"


class ClientEquipmentSoftware(models.Model):
    """How much is missing of software that is bought."""

    _inherit = "client.equipment.software"

    def _get_shortage(self):
        """Return how many seats this company lacks to the minimum."""
        self.ensure_one()
        SoftwareKey = self.env["client.equipment.software.key"]
        ((free, kept),) = SoftwareKey._read_group(
            self._company_keys_domain() & Domain("can_be_applied", "=", True),
            [],
            ["seats_free:sum", "seats_kept:sum"],
        )
        return max(0, self.minimum_available - (free or 0) + (kept or 0))

    def _get_ending(self):
        """Return ``(seats, last end)`` of the keys of this company that have to be
        renewed: those that it has been reminded of, or ought to be."""
        self.ensure_one()
        company = self.env.company
        SoftwareKey = self.env["client.equipment.software.key"]
        until = max(
            self.expiry_reminded_until or fields.Date.context_today(self),
            self.env["res.company"]._software_key_horizons()[company.id],
        )
        ((seats, end),) = SoftwareKey._read_group(
            self._company_keys_domain()
            & Domain("status", "in", LIVE_STATUSES)
            & Domain("validity_end", "<=", until)
            & ~SoftwareKey._past_end_domain(),
            [],
            ["seats:sum", "validity_end:max"],
        )
        return seats or 0, end

    def _company_keys_domain(self):
        return Domain("software_id", "=", self.id) & Domain(
            "company_id", "in", [self.env.company.id, False]
        )

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
        lines = []
        if shortage := self._get_shortage():
            lines.append(self._prepare_quotation_line(shortage))
        seats, end = self._get_ending()
        if seats:
            line = self._prepare_quotation_line(seats)
            renewal = self.env._("Renewal, ends %s", self._say_date(end))
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
