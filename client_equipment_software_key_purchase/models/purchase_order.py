from odoo import api, fields, models
from odoo.exceptions import UserError


class PurchaseOrder(models.Model):
    """Orders by which software keys are bought, or renewed.

    How many keys there are is no secret to whoever reads the order; the keys are.
    """

    _inherit = "purchase.order"

    software_key_count = fields.Integer(
        "Number of Software Keys",
        compute="_compute_software_keys",
        compute_sudo=True,
        help="How many software keys have been entered or renewed by this order.",
    )
    software_key_progress = fields.Char(
        "Software Keys", compute="_compute_software_keys", compute_sudo=True
    )

    @api.depends(
        "order_line.software_key_ids.seats",
        "order_line.renewed_software_key_ids.seats",
        "order_line.software_key_seats",
        "order_line.product_uom_qty",
    )
    @api.depends_context("lang")
    def _compute_software_keys(self):
        """Tell how many of the units that were ordered have come as keys."""
        seats = self.order_line._count_entered_seats()
        for order in self:
            lines = order._get_software_lines()
            keys = lines.software_key_ids | lines.renewed_software_key_ids
            order.software_key_count = len(keys)
            entered = sum(
                seats.get(line._origin.id, 0) / line.software_key_seats
                for line in lines
            )
            order.software_key_progress = bool(lines) and self.env._(
                "%(entered)s of %(ordered)s entered",
                entered=self._say_units(entered),
                ordered=self._say_units(sum(lines.mapped("product_uom_qty"))),
            )

    @api.model
    def _say_units(self, units):
        return f"{round(units, 2):g}"

    def button_confirm(self) -> bool:
        # Products that the catalogue names only since the request was made.
        unnamed = self.order_line.filtered(lambda line: not line.software_key_seats)
        unnamed._compute_software_key_seats()
        return super().button_confirm()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_with_keys(self):
        self.order_line._unlink_except_with_keys()

    def _get_software_lines(self):
        """Return the lines that buy software."""
        return self.order_line.filtered("software_key_seats")

    @api.readonly
    def action_view_software_keys(self) -> dict:
        """Open the keys that were entered or renewed by this order.

        :return: a window action
        """
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "client_equipment_software_key.client_equipment_software_key_action"
        )
        lines = self._get_software_lines().ids
        action["domain"] = [
            "|",
            ("purchase_line_id", "in", lines),
            ("renewal_line_ids", "in", lines),
        ]
        action["context"] = {}
        return action

    def action_enter_software_keys(self) -> dict:
        """Open *Enter Many Keys*, filled in for the first line that lacks keys.

        :return: a window action
        """
        return self._get_next_software_line().action_enter_software_keys()

    def action_renew_software_keys(self) -> dict:
        """Open *Renew*, filled in for the first line that lacks keys.

        :return: a window action
        """
        return self._get_next_software_line().action_renew_software_keys()

    def _get_next_software_line(self):
        self.ensure_one()
        lines = self._get_software_lines()
        if not lines:
            raise UserError(
                self.env._(
                    "%s orders no software. In the catalogue of software, choose the "
                    "product of this order; then cancel, reset and confirm the order.",
                    self.display_name,
                )
            )
        missing = lines._get_missing_seats()
        return (lines.filtered(lambda line: missing[line] > 0) or lines)[:1]
