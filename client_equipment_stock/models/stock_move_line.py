from typing import Self

from odoo import api, models
from odoo.tools import SQL


class StockMoveLine(models.Model):
    """Units that go to customers, and come back: the register follows."""

    _inherit = "stock.move.line"

    @api.model_create_multi
    def create(self, vals_list: list[dict]) -> Self:
        lines = super().create(vals_list)
        lines._note_client_equipment()  # one that is added to a transfer after the fact
        return lines

    def write(self, vals: dict) -> bool:
        """Where a transfer is corrected after the fact, correct the register, too."""
        if not vals.keys() & {"lot_id", "quantity"}:
            return super().write(vals)
        moved = {line: line._moved_unit() for line in self._of_client_equipment()}
        result = super().write(vals)
        for line, lot in moved.items():
            if line._moved_unit() != lot:
                if lot:
                    self.env["client.equipment"]._of_warehouse()._undo(line, lot)
                line._note_client_equipment()
        return result

    def _of_client_equipment(self):
        """Return the done ones of these lines whose product becomes equipment, for the
        register."""
        return self.sudo().filtered(
            lambda line: (
                line.state == "done"
                and line.product_id.is_client_equipment
                and line.product_id.tracking == "serial"
            )
        )

    def _moved_unit(self):
        """Return the serial number that this line has moved, if it has moved any."""
        return self.lot_id if self.quantity else self.lot_id.browse()

    def _to_customer(self):
        return self.filtered(lambda line: line.location_dest_id.usage == "customer")

    def _from_customer(self):
        return (self - self._to_customer()).filtered(
            lambda line: line.location_id.usage == "customer"
        )

    def _note_client_equipment(self):
        """Enter into the register what done lines have brought to customers, or back.

        Whoever moves the same unit at the same moment waits here, and looks again.
        """
        lines = self._of_client_equipment().filtered(lambda line: line._moved_unit())
        gone, back = lines._to_customer(), lines._from_customer()
        if not gone and not back:
            return
        self.env.cr.execute(
            SQL(
                "UPDATE stock_lot SET write_date = write_date WHERE id IN %s",
                tuple((gone + back).lot_id.ids),
            )
        )
        equipment = self.env["client.equipment"]._of_warehouse()
        equipment._come_back(back)
        equipment._deliver(gone)
