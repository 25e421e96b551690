from odoo import api, fields, models

from odoo.addons.client_equipment_software_key.models.client_equipment import ROLES

SOFTWARE_KEYS = "software_keys"


class SaleOrderLine(models.Model):
    """Sold software is delivered when its keys are on the customer's equipment."""

    _inherit = "sale.order.line"

    qty_delivered_method = fields.Selection(
        selection_add=[(SOFTWARE_KEYS, "Software Keys")],
        ondelete={SOFTWARE_KEYS: "set manual"},
    )
    renewal_offer_ids = fields.One2many(
        "client.equipment.renewal.offer",
        "sale_line_id",
        "Offered Renewals",
        groups=ROLES,
    )

    @api.depends("product_id")
    def _compute_qty_delivered_method(self):
        result = super()._compute_qty_delivered_method()
        # Whoever sells software need not see what is known of it.
        self.filtered(
            lambda line: (
                line.qty_delivered_method == "manual"
                and line.product_id.sudo().software_ids
            )
        ).qty_delivered_method = SOFTWARE_KEYS
        return result

    @api.depends(
        "state",
        "product_uom_qty",
        "product_uom_id",
        "order_id.date_order",
        "order_id.partner_id",
        "renewal_offer_ids.software_key_id.validity_end",
        "renewal_offer_ids.software_key_id.seats_used",
    )
    def _compute_qty_delivered(self):
        # What one line gets, another one of the customer does not.
        lines = self | self._counted()._get_competing_lines()
        return super(SaleOrderLine, lines)._compute_qty_delivered()

    def _prepare_qty_delivered(self):
        quantities = super()._prepare_qty_delivered()
        counted = self._counted()
        renewals = counted.filtered("renewal_offer_ids")
        seats = (counted - renewals)._share_out_seats()
        for line in renewals.filtered(lambda line: line.state == "sale"):
            seats[line] = sum(
                offer._count_delivered() for offer in line.renewal_offer_ids
            )
        for line in counted:
            quantities[line] = line.product_id.uom_id._compute_quantity(
                seats.get(line, 0) / line._get_unit_seats(), line.product_uom_id
            )
        return quantities

    def _get_unit_seats(self):
        """Return how many seats one unit of the product has."""
        return self.product_id.software_ids.purchase_seats or 1

    def _get_ordered_seats(self):
        """Return how many seats were ordered."""
        units = self.product_uom_id._compute_quantity(
            self.product_uom_qty, self.product_id.uom_id
        )
        return units * self._get_unit_seats()

    def _counted(self):
        """Return the lines whose delivered quantity follows the software keys."""
        return self.filtered(lambda line: line.qty_delivered_method == SOFTWARE_KEYS)

    def _get_competing_lines(self):
        """Return the ordered lines, these among them, to whose customers the same
        products were sold: each seat counts for one of them."""
        if not self.product_id:
            return self.browse()
        customers = self.order_id.partner_id.commercial_partner_id
        return self.search(
            [
                ("qty_delivered_method", "=", SOFTWARE_KEYS),
                ("state", "=", "sale"),
                ("product_id", "in", self.product_id.ids),
                ("order_id.partner_id.commercial_partner_id", "in", customers.ids),
            ]
        ).filtered(lambda line: not line.renewal_offer_ids)

    def _share_out_seats(self):
        """Return ``{line: seats that were delivered}`` of lines that are no renewals.

        A seat that was taken since the day of an order counts for the oldest such order
        that lacks one: what was installed before has not been delivered by it.
        """
        days = self._get_seat_days()
        delivered = {}
        for place, lines in (
            self._get_competing_lines().grouped(lambda line: line._get_place()).items()
        ):
            lines = lines.sorted(lambda line: (line.order_id.date_order, line.id))
            left = {line: line._get_ordered_seats() for line in lines}
            delivered |= dict.fromkeys(lines, 0)
            for day in sorted(days.get(place, ())):
                for line in left:
                    if left[line] >= 1 and line._get_day() <= day:
                        left[line] -= 1
                        delivered[line] += 1
                        break
        return {line: delivered.get(line._origin, 0) for line in self}

    def _get_place(self):
        """Return what lines that compete for the same seats have in common."""
        customer = self.order_id.partner_id.commercial_partner_id
        return self.product_id, self.company_id, customer

    def _get_day(self):
        """Return the day of the order, where its company is."""
        company = self.company_id
        here = self.with_context(tz=company.partner_id.tz or "UTC")
        return fields.Date.context_today(here, self.order_id.date_order)

    def _get_seat_days(self):
        """Return ``{(product, company, customer): [day a seat was taken, …]}``."""
        customers = self.order_id.partner_id.commercial_partner_id
        software = self.product_id.software_ids
        features = self.env["client.equipment.feature"].search(
            [
                ("software_key_id.software_id", "in", software.ids),
                "|",
                ("software_key_id.owner_id.commercial_partner_id", "in", customers.ids),
                "&",
                ("software_key_id.owner_id", "=", False),
                ("equipment_id.partner_id.commercial_partner_id", "in", customers.ids),
            ]
        )
        days = {}
        for feature in features:
            key, unit = feature.software_key_id, feature.equipment_id
            customer = (key.owner_id or unit.partner_id).commercial_partner_id
            for company in key.company_id or unit.company_id or self.company_id:
                place = key.software_id.product_id, company, customer
                days.setdefault(place, []).append(feature.applied_date)
        return days

    @api.model
    def _recount_software(self, partners):
        """Count anew what was delivered to these customers, as their keys have moved.

        Whoever moves a key need not have a right on orders.
        """
        if not partners:
            return
        lines = self.sudo().search(
            [
                ("qty_delivered_method", "=", SOFTWARE_KEYS),
                ("state", "=", "sale"),
                (
                    "order_id.partner_id.commercial_partner_id",
                    "in",
                    partners.sudo().commercial_partner_id.ids,
                ),
            ]
        )
        lines.modified(["qty_delivered_method"])  # which the quantity depends on
