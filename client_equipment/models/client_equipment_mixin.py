from odoo import models


class ClientEquipmentMixin(models.AbstractModel):
    """What all models of these addons have in common: the gate of their values."""

    _name = "client.equipment.mixin"
    _description = "Client Equipment Mixin"
