from odoo import api, fields, models


class ClientEquipmentSoftwareKeyRenewal(models.TransientModel):
    """The dialog *Renew*, where customers have ordered."""

    _inherit = "client.equipment.software.key.renewal"

    reference = fields.Char(
        compute="_compute_reference", store=True, readonly=False, precompute=True
    )
    ordered_note = fields.Text(compute="_compute_ordered_note")

    @api.depends("software_key_ids")
    def _compute_reference(self):
        """Propose the orders of the customers."""
        for renewal in self:
            orders = renewal._get_ordered_lines().order_id
            names = ", ".join(orders.mapped("name"))
            renewal.reference = renewal.reference or names

    @api.depends("software_key_ids")
    def _compute_ordered_note(self):
        """Say where fewer seats were ordered than the keys have."""
        for renewal in self:
            notes = map(renewal._get_ordered_note, renewal._get_ordered_lines())
            renewal.ordered_note = "\n".join(filter(None, notes))

    def _get_ordered_note(self, line):
        """Return in words that a line orders less than these keys have, or None."""
        keys = self.software_key_ids._origin
        offers = line.renewal_offer_ids.filtered(
            lambda offer: offer.software_key_id in keys
        )
        ordered = line._get_ordered_seats()
        if ordered >= sum(offers.mapped("seats")):
            return None
        return self.env._(
            "%(order)s is about %(ordered)g of %(seats)s seats of %(software)s. Take "
            "out the keys that the customer does not renew.",
            order=line.order_id.name,
            ordered=ordered,
            seats=sum(offers.mapped("seats")),
            software=offers.software_key_id.software_id.name,
        )

    def _get_ordered_lines(self):
        """Return the order lines by which customers have ordered these renewals.

        Whoever renews a key need not have a right on orders: he learns their numbers.
        """
        offers = self.software_key_ids._origin._get_current_offers()
        return offers.filtered(lambda offer: offer.state == "sale").sale_line_id
