from odoo import fields, models


class ClientEquipmentRenewalOffer(models.Model):
    """A key whose renewal an order line offers to a customer, for one period.

    Written by the system alone, when it makes the quotation. The period is known by the
    key's end: once that has moved, the key has been renewed, and may be offered anew.
    """

    _name = "client.equipment.renewal.offer"
    _description = "Offered Renewal"
    _inherit = ["client.equipment.mixin"]
    _rec_name = "software_key_id"

    sale_line_id = fields.Many2one(
        "sale.order.line", required=True, fixed=True, index=True, ondelete="cascade"
    )
    software_key_id = fields.Many2one(
        "client.equipment.software.key",
        required=True,
        fixed=True,
        index=True,
        ondelete="cascade",
    )
    partner_id = fields.Many2one(
        "res.partner", "Customer", required=True, fixed=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        "res.company", required=True, fixed=True, ondelete="cascade"
    )
    validity_end = fields.Date(
        required=True, fixed=True, help="When the key ended as it was offered."
    )
    seats = fields.Integer(
        required=True, fixed=True, help="So many seats of the key were offered."
    )
    order_id = fields.Many2one(related="sale_line_id.order_id")
    state = fields.Selection(related="sale_line_id.state")

    _offered_once = models.UniqueIndex(
        "(software_key_id, partner_id, company_id, validity_end)",
        "Somebody has just offered some of these renewals to their customers. Look at "
        "the quotations, and try again with the other keys.",
    )

    def _filtered_current(self):
        """Return those whose keys still end as they did when they were offered."""
        return self.filtered(
            lambda offer: offer.software_key_id.validity_end == offer.validity_end
        )

    def _told(self):
        """Return in words how this offer stands; its order, to who may see that."""
        order = self.order_id.sudo(False)
        name = order.name if order.has_access("read") else self.env._("a quotation")
        if self.state == "sale":
            return self.env._("ordered already (%s), so renew them", name)
        if self.state == "cancel":
            return self.env._(
                "declined for this period (%s; set it to Quotation to offer it again)",
                name,
            )
        return self.env._("quoted already (%s)", name)

    def _count_delivered(self):
        """Return how many of the offered seats have been renewed for the customer.

        Of a key that is not the customer's own, those that he still has.
        """
        key = self.software_key_id
        if key.validity_end and key.validity_end <= self.validity_end:
            return 0
        if key.owner_id:
            return self.seats
        return min(self.seats, len(key._get_renewed_units(self.partner_id)))
