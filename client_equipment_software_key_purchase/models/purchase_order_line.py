from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from odoo.addons.client_equipment_software_key.models.client_equipment import ROLES

KEY = "client.equipment.software.key"
SOFTWARE_KEYS = "software_keys"


class PurchaseOrderLine(models.Model):
    """Lines by which software keys are bought, or renewed.

    What of them has been received follows the keys, whoever enters these: it is
    computed with all rights and tells numbers alone.
    """

    _inherit = "purchase.order.line"

    software_key_ids = fields.One2many(
        KEY, "purchase_line_id", "Software Keys", groups=ROLES
    )
    renewed_software_key_ids = fields.Many2many(
        KEY,
        "client_equipment_software_key_renewal_line_rel",
        "purchase_line_id",
        "software_key_id",
        "Renewed Software Keys",
        copy=False,
        groups=ROLES,
    )
    qty_received_method = fields.Selection(
        selection_add=[(SOFTWARE_KEYS, "Software Keys")],
        ondelete={SOFTWARE_KEYS: lambda lines: lines._receive_by_hand()},
    )
    software_key_seats = fields.Integer(
        "Seats per Unit",
        compute="_compute_software_key_seats",
        store=True,
        readonly=False,
        precompute=True,
        help="On how many units of equipment one unit of this line may be installed.",
    )
    software_key_price = fields.Float(
        "Price per Seat",
        compute="_compute_software_key_price",
        store=True,
        aggregator="avg",
        help="Without taxes, in the currency of the order.",
    )

    _check_software_key_seats = models.Constraint(
        "CHECK(software_key_seats >= 0)",
        "The number of seats per unit cannot be negative.",
    )

    @api.depends("product_id")
    def _compute_software_key_seats(self):
        for line in self:
            # Whoever orders software need not see what is known of it.
            software = line.product_id.sudo().software_ids
            line.software_key_seats = software.purchase_seats

    @api.depends("price_subtotal", "product_uom_qty", "software_key_seats")
    def _compute_software_key_price(self):
        for line in self:
            seats = line.product_uom_qty * line.software_key_seats
            line.software_key_price = line.price_subtotal / seats if seats else 0

    # ------------------------------------------------------------------
    # Received quantity
    # ------------------------------------------------------------------

    @api.depends("software_key_seats")
    def _compute_qty_received_method(self):
        result = super()._compute_qty_received_method()
        for line in self:
            if line.qty_received_method == "manual" and line.software_key_seats:
                line.qty_received_method = SOFTWARE_KEYS
        return result

    @api.depends("software_key_ids.seats", "renewed_software_key_ids.seats")
    def _compute_qty_received(self):
        return super()._compute_qty_received()

    def _prepare_qty_received(self):
        by_keys = self.filtered(lambda line: line.qty_received_method == SOFTWARE_KEYS)
        received = super(PurchaseOrderLine, self - by_keys)._prepare_qty_received()
        seats = by_keys._count_entered_seats()
        for line in by_keys:
            units = seats.get(line._origin.id, 0) / (line.software_key_seats or 1)
            received[line] = line.product_id.uom_id._compute_quantity(
                units, line.product_uom_id, round=False
            )
        return received

    def _count_entered_seats(self):
        """Return ``{line id: seats of the keys entered or renewed by it}``."""
        SoftwareKey = self.env[KEY].sudo()
        seats = {}
        for name in ("purchase_line_id", "renewal_line_ids"):
            for line, number in SoftwareKey._read_group(
                [(name, "in", self._origin.ids)], [name], ["seats:sum"]
            ):
                seats[line.id] = seats.get(line.id, 0) + number
        return seats

    def _get_missing_seats(self):
        """Return ``{line: how many seats are still to be entered}``, less than none
        where there are more than ordered."""
        seats = self._count_entered_seats()
        return {
            line: round(line.product_uom_qty * line.software_key_seats)
            - seats.get(line._origin.id, 0)
            for line in self
        }

    def _receive_by_hand(self):
        """Leave these lines as received as they are, when the addon goes."""
        self.flush_recordset()
        self.env.cr.execute(
            SQL(
                "UPDATE purchase_order_line SET qty_received_manual = qty_received,"
                " qty_received_method = 'manual' WHERE id = ANY(%s)",
                list(self.ids),
            )
        )
        self.invalidate_recordset(flush=False)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_with_keys(self):
        """What a key was bought or renewed by stays as long as the key."""
        seats = self._count_entered_seats()
        if used := self.filtered(lambda line: line.id in seats):
            raise UserError(
                self.env._(
                    "%(order)s cannot be deleted, nor its line %(line)s: software keys "
                    "were entered or renewed by it.",
                    order=used[:1].order_id.name,
                    line=used[:1].name,
                )
            )

    # ------------------------------------------------------------------
    # Entering keys
    # ------------------------------------------------------------------

    @api.depends("order_id.name", "name")
    @api.depends_context("software_key_purchase")
    def _compute_display_name(self):
        """Tell the order, too, where a key's order line is chosen."""
        result = super()._compute_display_name()
        if self.env.context.get("software_key_purchase"):
            for line in self:
                line.display_name = f"{line.order_id.name} - {line.display_name}"
        return result

    def action_enter_software_keys(self) -> dict:
        """Open *Enter Many Keys*, filled in for this line.

        :return: a window action
        """
        self.ensure_one()
        return self._software_key_dialog(
            "client_equipment_software_key.client_equipment_software_key_bulk_entry_action",
            default_software_id=self.product_id.sudo().software_ids.id,
            default_supplier_id=self.order_id.partner_id.commercial_partner_id.id,
            default_purchase_reference=self.order_id.name,
            default_seats=self.software_key_seats,
            default_company_id=self.company_id.id,
        )

    def _software_key_dialog(self, xml_id, **defaults):
        self.env[KEY].check_access("create")
        if self.order_id.state != "purchase":
            raise UserError(
                self.env._(
                    "%s is not confirmed, or was cancelled, so no keys come by it. "
                    "Confirm it first.",
                    self.order_id.display_name,
                )
            )
        action = self.env["ir.actions.act_window"]._for_xml_id(xml_id)
        action["context"] = {
            "dialog_size": "extra-large",
            "default_purchase_line_id": self.id,
            **defaults,
        }
        return action

    def action_renew_software_keys(self) -> dict:
        """Open *Renew*, filled in for this line: with the keys that end first.

        :return: a window action
        """
        self.ensure_one()
        missing = self._get_missing_seats()[self]
        keys = self.env[KEY].search(
            [
                ("software_id", "in", self.product_id.sudo().software_ids.ids),
                ("company_id", "=", self.company_id.id),
                ("key_type", "!=", "permanent"),
                ("status", "!=", "revoked"),
                ("renewal_line_ids", "not in", self.ids),
                ("purchase_line_id", "not in", self.ids),
            ],
            order="validity_end, id",
            limit=max(missing, 1),  # each has a seat at least
        )
        chosen = keys.browse()
        for key in keys:
            if missing < key.seats:
                break
            missing -= key.seats
            chosen += key
        return self._software_key_dialog(
            "client_equipment_software_key.client_equipment_software_key_renewal_action",
            default_software_key_ids=chosen.ids,
            default_reference=self.order_id.name,
        )
