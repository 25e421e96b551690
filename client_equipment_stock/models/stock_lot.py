from odoo import api, fields, models
from odoo.fields import Domain

from .client_equipment import ARCHIVED_TOO

READERS = "client_equipment.group_client_equipment_user"


class StockLot(models.Model):
    _inherit = "stock.lot"

    client_equipment_ids = fields.One2many(
        "client.equipment",
        "lot_id",
        context={"active_test": False},
        groups=READERS,
    )
    client_equipment_count = fields.Integer(
        "Number of Equipment", compute="_compute_client_equipment_count", groups=READERS
    )

    @api.depends("client_equipment_ids")
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_client_equipment_count(self):
        for lot in self:
            lot.client_equipment_count = len(lot.client_equipment_ids)

    def write(self, vals: dict) -> bool:
        """Correct a serial number in the register, too."""
        equipment = self.env["client.equipment"]._of_warehouse()
        if "name" in vals:
            equipment = equipment.search(
                ARCHIVED_TOO & Domain("lot_id", "in", self.ids)
            )
        before = {each: each._serial_of(each.lot_id) for each in equipment}
        result = super().write(vals)
        for each, serial in before.items():
            if each.serial_no == serial:  # else somebody knows better
                each.serial_no = each.lot_id.name
        return result

    @api.readonly
    def action_view_client_equipment(self) -> dict:
        """Open the equipment that this unit is at a customer.

        :return: a window action
        """
        return self.client_equipment_ids._list_action()
