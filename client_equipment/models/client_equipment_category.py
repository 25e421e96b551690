from odoo import fields, models

from ..fields import Label


class ClientEquipmentCategory(models.Model):
    _name = "client.equipment.category"
    _description = "Equipment Category"
    _inherit = ["client.equipment.mixin"]
    _order = "name, id"

    name = Label(required=True)
    active = fields.Boolean(default=True)
    equipment_count = fields.Integer(
        string="Equipment", compute="_compute_equipment_count"
    )

    _name_unique = models.UniqueIndex(
        "(lower(name))",
        "A category with this name exists already (it may be archived). "
        "Use that one or choose another name.",
    )

    def _compute_equipment_count(self):
        counts = dict(
            self.env["client.equipment"]._read_group(
                [("category_id", "in", self.ids)], ["category_id"], ["__count"]
            )
        )
        for category in self:
            category.equipment_count = counts.get(category._origin, 0)
