from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools.misc import clean_context

from odoo.addons.client_equipment.values import CheckedValues

RETURN = "client_equipment_stock.mail_activity_type_return"
ARCHIVED_TOO = Domain("active", "in", [True, False])


class ClientEquipment(models.Model):
    """Equipment that deliveries bring and returns take back."""

    _inherit = "client.equipment"

    product_id = fields.Many2one(
        "product.product",
        check_company=True,
        domain=[("is_client_equipment", "=", True)],
        index="btree_not_null",
        ondelete="restrict",
    )
    lot_id = fields.Many2one(
        "stock.lot",
        "Lot/Serial",
        fixed=True,
        check_company=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        groups="stock.group_stock_user",
    )
    picking_id = fields.Many2one(
        "stock.picking",
        "Delivery",
        fixed=True,
        check_company=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        groups="stock.group_stock_user",
        help="The last one that brought it to its customer.",
    )

    _lot_unique = models.UniqueIndex(
        "(lot_id, COALESCE(company_id, 0)) WHERE lot_id IS NOT NULL",
        "This lot/serial number is that of another equipment of the company already. "
        "Search for it, among archived equipment, too.",
    )

    @api.constrains("product_id", "lot_id")
    def _check_product(self):
        """A unit of the stock is of one product."""
        for equipment in self.sudo():
            lot = equipment.lot_id
            if lot and lot.product_id != equipment.product_id:
                raise ValidationError(
                    self.env._(
                        "%(equipment)s was delivered as %(product)s. Leave this "
                        "product, or enter another equipment.",
                        equipment=equipment.with_env(self.env).display_name,
                        product=lot.product_id.display_name,
                    )
                )

    def write(self, vals: dict) -> bool:
        result = super().write(vals)
        if vals.get("state", "in_service") != "in_service":
            # Whoever takes it out of service has decided, whoever was asked to.
            self.sudo().activity_feedback([RETURN])
        return result

    @api.readonly
    def action_view_delivery(self) -> dict:
        """Open the delivery that brought this equipment.

        :return: a window action
        """
        self.ensure_one()
        return self.picking_id.get_formview_action()

    @api.readonly
    def action_view_lot(self) -> dict:
        """Open the serial number of this equipment in the inventory.

        :return: a window action
        """
        self.ensure_one()
        return self.lot_id.get_formview_action()

    def _list_action(self):
        """Return the action that shows these equipment, of one its form."""
        if len(self) == 1:
            return self.get_formview_action()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "client_equipment.client_equipment_action"
        )
        action["domain"] = [("id", "in", self.ids)]
        action["context"] = {"active_test": False}
        return action

    # ------------------------------------------------------------------
    # Deliveries and returns
    # ------------------------------------------------------------------

    @api.model
    def _of_warehouse(self):
        """Return the model for what a transfer does to the register.

        Whoever moves goods need not have a right on equipment: he enters what the
        transfer says, follows nothing, and is shown nothing of it.
        """
        context = clean_context(self.env.context) | {"mail_create_nosubscribe": True}
        return self.with_env(self.env(context=context, su=True))

    @api.model
    def _find_units(self, lines):
        """Return the equipment that units of move lines of one company are already.

        A unit is known by its serial number of the inventory; one that somebody has
        entered, by serial number and product. Where no product was entered, it must be
        at the same customer, or at none: other manufacturers count, too.

        :return: ``{stock.lot: equipment}``
        """
        serials = {line.lot_id: self._serial_of(line.lot_id) for line in lines}
        units = self.search(
            ARCHIVED_TOO
            & Domain("company_id", "in", [lines.company_id.id, False])
            & (
                Domain("lot_id", "in", lines.lot_id.ids)
                | Domain("lot_id", "=", False)
                & Domain("serial_no", "in", list(serials.values()))
                & Domain("product_id", "in", [*lines.product_id.ids, False])
            )
        ).sorted(lambda unit: (not unit.company_id, not unit.product_id, unit.id))
        by_lot, by_serial = units.grouped("lot_id"), units.grouped("serial_no")
        found = {}
        for line in lines:
            entered = by_serial.get(serials[line.lot_id], self.browse())
            known = by_lot.get(line.lot_id) or entered.filtered(
                lambda unit, line=line: not unit.lot_id and unit._may_be(line)
            )
            if known:
                found[line.lot_id] = known[0]
        return found

    def _may_be(self, line):
        """Tell whether equipment that somebody has entered is the line's unit."""
        if self.product_id:
            return self.product_id == line.product_id
        customer = line.move_id.partner_id.commercial_partner_id
        return self.partner_id.commercial_partner_id in (customer, customer.browse())

    @api.model
    def _serial_of(self, lot):
        """Return the name of a serial number as equipment stores it."""
        return self._fields["serial_no"].as_seen(lot.name)

    @api.model
    def _deliver(self, lines):
        """Have the units of done move lines stand at their customers: those that are
        known, and new ones for the others."""
        new = []
        for of_company in lines.grouped("company_id").values():
            known = self._find_units(of_company)
            for line in of_company:
                if equipment := known.get(line.lot_id):
                    equipment._deliver_known(line)
                else:
                    new.append(self._prepare_delivered(line))
        self.create(new)

    @api.model
    def _prepare_delivery(self, line):
        """Return the values that a delivery gives to equipment, known or new."""
        day = fields.Date.context_today(line, line.date)
        months = line.product_id.client_equipment_warranty_months
        return {
            "product_id": line.product_id.id,
            "partner_id": line.move_id.partner_id.id,
            "company_id": line.company_id.id,
            "delivery_date": day,
            "warranty_end": fields.Date.add(day, months=months) if months else False,
        }

    @api.model
    def _prepare_delivered(self, line):
        """Return the values of the new equipment that a move line delivers."""
        product = line.product_id.with_context(display_default_code=False)
        values = self._prepare_delivery(line) | {
            "name": product.display_name,
            "serial_no": line.lot_id.name,
            "manufacturer": product.client_equipment_manufacturer,
            "model": product.client_equipment_model or product.default_code,
        }
        return CheckedValues(self._checked(values), **self._prepare_links(line))

    @api.model
    def _prepare_links(self, line):
        return {"lot_id": line.lot_id.id, "picking_id": line.picking_id.id}

    def _deliver_known(self, line):
        """Have equipment that is known stand at the customer of a done move line.

        Where something holds it at another one, a person has to decide.
        """
        values = self._prepare_delivery(line)
        stays = values["partner_id"] == self.partner_id.id
        if not (stays and self.company_id == line.company_id) and self._held_by():
            self._remind_of_return(line.move_id.partner_id)
            return
        if not values["warranty_end"] and self.warranty_end:
            if self.warranty_end >= values["delivery_date"]:
                del values["warranty_end"]
        self.write(values | {"state": "in_service", "active": True})
        self._write_fixed(self._prepare_links(line))

    @api.model
    def _come_back(self, lines):
        """Have the units of done move lines come back from their customers."""
        for of_company in lines.grouped("company_id").values():
            for equipment in self._find_units(of_company).values():
                equipment._return()

    def _return(self):
        """Take this equipment out of service, or ask about what holds it there."""
        if self.state != "in_service" or not self.active:
            return
        if self._held_by():
            self._remind_of_return()
        else:
            self.state = "returned"

    def _remind_of_return(self, customer=None):
        """Ask who has to decide what becomes of this equipment to do so.

        :param customer: to whom it has been delivered; else it has come back
        """
        self.activity_unlink([RETURN])
        (user,) = self._held_by().values()
        asked = self.with_context(lang=user.lang or self.env.lang)
        note = asked.env._(
            "It has come back to the warehouse. Decide with Return / Replace what "
            "becomes of what is still installed on it."
        )
        if customer is not None:
            note = asked.env._(
                "It has been delivered to %s, and something from before is still "
                "installed on it. Decide with Return / Replace what becomes of that, "
                "then enter the new customer.",
                self.company_id
                and customer.display_name
                or asked.env._("another customer"),
            )
        asked.activity_schedule(RETURN, user_id=user.id, note=note)

    @api.model
    def _undo(self, line, lot):
        """Undo what a done move line has entered of another unit than its own.

        :param lot: the serial number that it had until now
        """
        unit = self.search(
            ARCHIVED_TOO
            & Domain("lot_id", "=", lot.id)
            & Domain("company_id", "=", line.company_id.id)
        )
        if not unit:
            return
        if line._from_customer():
            unit._undo_return()
        elif unit.picking_id == line.picking_id:
            misread = line._moved_unit() and unit.create_date >= line.create_date
            if misread and not self._find_units(line):
                unit.serial_no = line.lot_id.name
                unit._write_fixed(self._prepare_links(line))
            else:
                unit._return()

    def _undo_return(self):
        """Have what has not come back be in service again."""
        self.activity_unlink([RETURN])
        self.filtered(lambda unit: unit.state == "returned").state = "in_service"
