from odoo import fields, models


class HeldKey(models.Model):
    """A record that is a software key, and something more."""

    _name = "client.equipment.seams.held"
    _description = "Held Key"
    _inherits = {"client.equipment.software.key": "key_id"}

    key_id = fields.Many2one(
        "client.equipment.software.key", required=True, ondelete="cascade"
    )
    shelf = fields.Char()
    copied_name = fields.Char("Copied", related="key_id.display_name", store=True)
