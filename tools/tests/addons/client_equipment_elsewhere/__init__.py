from odoo import models


class ClientEquipment(models.Model):
    _inherit = "client.equipment"
    _table = "elsewhere_unit"
