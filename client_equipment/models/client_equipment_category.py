from odoo import api, fields, models
from odoo.exceptions import UserError


class ClientEquipmentCategory(models.Model):
    _name = "client.equipment.category"
    _description = "Equipment Category"
    _inherit = ["client.equipment.mixin"]
    _order = "name, id"

    name = fields.Char(required=True)
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

    @api.ondelete(at_uninstall=False)
    def _unlink_except_in_use(self):
        # Sees the equipment of every company: the database would refuse, too.
        used = (
            self.env["client.equipment"]
            .sudo()
            .with_context(active_test=False)
            .search([("category_id", "in", self.ids)])
            .category_id
        )
        if used:
            raise UserError(
                self.env._(
                    "Equipment belongs to the category %(names)s (it may be archived). "
                    "Give it another category first, or archive this one.",
                    names=", ".join(used.mapped("name")),
                )
            )
