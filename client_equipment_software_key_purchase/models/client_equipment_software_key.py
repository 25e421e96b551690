from datetime import date
from typing import NamedTuple, Self

from odoo import Command, api, fields, models
from odoo.exceptions import ValidationError

from odoo.addons.client_equipment.arguments import checked

BUYERS = "purchase.group_purchase_user"
COST_READERS = (
    "client_equipment_software_key.group_software_key_manager,"
    "client_equipment_software_key.group_software_key_auditor"
)
RENEWAL_LINE = "software_key_renewal_line"


class RenewalLine(NamedTuple):
    """The id of the order line by which keys are being renewed, as the context has it:
    of a type that no client can send."""

    id: int


class ClientEquipmentSoftwareKey(models.Model):
    """Keys that were bought: by which order, and at what cost."""

    _inherit = "client.equipment.software.key"

    purchase_line_id = fields.Many2one(
        "purchase.order.line",
        "Purchase Order Line",
        check_company=True,
        copy=False,
        domain=[("order_id.state", "=", "purchase")],
        index="btree_not_null",
        ondelete="restrict",
        groups=BUYERS,
        help="The line of the purchase order by which the key was bought. Clear it "
        "where the key went back to the supplier.",
    )
    renewal_line_ids = fields.Many2many(
        "purchase.order.line",
        "client_equipment_software_key_renewal_line_rel",
        "software_key_id",
        "purchase_line_id",
        "Renewed By",
        fixed=True,
        readonly=True,
        check_company=True,
        copy=False,
        groups=BUYERS,
        help="The lines of the purchase orders by which the key was renewed.",
    )
    cost = fields.Monetary(
        compute="_compute_cost",
        store=True,
        fixed=True,
        groups=COST_READERS,
        help="What was ordered for the key and its renewals, without taxes, in the "
        "currency of the first order.",
    )
    currency_id = fields.Many2one(
        "res.currency",
        compute="_compute_cost",
        store=True,
        fixed=True,
        ondelete="restrict",
        groups=COST_READERS,
    )
    company_cost = fields.Monetary(
        "Cost in Company Currency",
        compute="_compute_cost",
        currency_field="company_currency_id",
        store=True,
        fixed=True,
        groups=COST_READERS,
        help="At the rates of the orders.",
    )
    company_currency_id = fields.Many2one(
        "res.currency",
        compute="_compute_cost",
        store=True,
        fixed=True,
        ondelete="restrict",
        groups=COST_READERS,
    )

    @api.depends(
        "seats",
        "purchase_line_id.software_key_price",
        "purchase_line_id.order_id.currency_id",
        "purchase_line_id.order_id.currency_rate",
        "renewal_line_ids.software_key_price",
        "renewal_line_ids.order_id.currency_rate",
    )
    def _compute_cost(self):
        """Add up the prices of the seats of the key: of its order, and of renewals."""
        for key in self:
            orders = [
                (line.order_id, line.software_key_price * key.seats)
                for line in (*key.purchase_line_id, *key.renewal_line_ids.sorted("id"))
            ]
            first = orders[0][0] if orders else self.env["purchase.order"]
            # Of one company, and each at its own rate.
            cost = sum(price / (order.currency_rate or 1) for order, price in orders)
            key.company_cost = cost
            key.company_currency_id = first.company_id.currency_id
            key.currency_id = first.currency_id
            key.cost = sum(
                price
                if order.currency_id == first.currency_id
                else price / (order.currency_rate or 1) * first.currency_rate
                for order, price in orders
            )

    @api.constrains("purchase_line_id", "software_id")
    def _check_purchase_line(self):
        for line, keys in self.sudo().grouped("purchase_line_id").items():
            if line:
                keys.with_env(self.env)._check_bought_by(line)

    def _check_bought_by(self, line):
        """Check that a line is for the software of these keys, which it buys or
        renews."""
        line = line.sudo()
        for key in self.sudo():
            if line.product_id != key.software_id.product_id:
                raise ValidationError(
                    self.env._(
                        "%(key)s cannot belong to this line of %(order)s, which is not "
                        "for the product of %(software)s. Choose another order line.",
                        key=key.with_env(self.env).display_name,
                        order=line.order_id.name,
                        software=key.software_id.name,
                    )
                )

    # ------------------------------------------------------------------
    # Renewal and replacement
    # ------------------------------------------------------------------

    @api.model
    def _get_renewal_line(self):
        """Return the id of the order line by which keys are being renewed, or None."""
        line = self.env.context.get(RENEWAL_LINE)
        return line.id if isinstance(line, RenewalLine) else None

    @checked
    def renew(
        self,
        validity_end: date | None,
        reference: str | None = None,
        note: str | None = None,
        *,
        purchase_line_id: int | None = None,
    ) -> bool:
        """Renew the keys, by a line of a purchase order where one is given: they carry
        its cost, and it has received them.

        :param int purchase_line_id: an order line that the user may read
        """
        line = self.env["purchase.order.line"].browse(purchase_line_id or ())
        if line:
            self._check_exist(self._fields["renewal_line_ids"], line.ids)
            line.check_access("read")
            self._check_bought_by(line)
        keys = self.with_context(**{RENEWAL_LINE: RenewalLine(line.id)})
        keys = super(ClientEquipmentSoftwareKey, keys)
        result = keys.renew(validity_end, reference, note)
        if line:
            # Whoever may renew them may say by what; the link tells no key.
            self.sudo()._write_fixed({"renewal_line_ids": [Command.link(line.id)]})
        return result

    @checked
    def replace(self, license_key: str, note: str | None = None) -> Self:
        """Replace the key; what replaces it takes its place in the order, too."""
        replacement = super().replace(license_key, note)
        # Whoever replaces a key need not see orders.
        old, new = self.sudo(), replacement.sudo()
        line, renewals = old.purchase_line_id, old.renewal_line_ids
        if line or renewals:
            old._write_fixed(
                {"purchase_line_id": False, "renewal_line_ids": [Command.clear()]}
            )
            new._write_fixed(
                {
                    "purchase_line_id": line.id,
                    "renewal_line_ids": [Command.set(renewals.ids)],
                }
            )
        return replacement
