"""What another addon may have beside the steps: rules, sums, tracked fields, and public
methods that it extends."""

from odoo import api, fields, models
from odoo.exceptions import ValidationError

KEY = "client.equipment.software.key"
FORBIDDEN = "FORBIDDEN"
# The public methods that were called.
CALLED = []


class ClientEquipment(models.Model):
    _inherit = "client.equipment"

    seams_key_ids = fields.One2many(KEY, "equipment_id")
    seams_total = fields.Integer(compute="_compute_seams_total", store=True)

    @api.depends("seams_key_ids.seams_points")
    def _compute_seams_total(self):
        for equipment in self:
            equipment.seams_total = sum(equipment.seams_key_ids.mapped("seams_points"))

    def return_or_replace(self, *args, **kwargs):
        CALLED.append("return_or_replace")
        return super().return_or_replace(*args, **kwargs)

    def apply_next_available(self, *args, **kwargs):
        CALLED.append("apply_next_available")
        return super().apply_next_available(*args, **kwargs)


class ClientEquipmentSoftware(models.Model):
    _inherit = "client.equipment.software"

    def apply_next_available(self, *args, **kwargs):
        CALLED.append("apply_next_available of software")
        return super().apply_next_available(*args, **kwargs)


class ClientEquipmentSoftwareKey(models.Model):
    _inherit = KEY

    seams_points = fields.Integer(default=1)
    seams_tracked = fields.Char(tracking=True)
    # What the steps must not lead to.
    seams_status = fields.Char()
    seams_last_day = fields.Date()
    seams_elsewhere = fields.Char()

    @api.constrains("status")
    def _check_seams_status(self):
        for key in self:
            if key.seams_status == key.status:
                raise ValidationError(f"{FORBIDDEN}: status")

    @api.constrains("validity_end")
    def _check_seams_last_day(self):
        for key in self:
            last = key.seams_last_day
            if last and key.validity_end and key.validity_end > last:
                raise ValidationError(f"{FORBIDDEN}: end")

    @api.constrains("equipment_id")
    def _check_seams_elsewhere(self):
        for key in self.filtered("seams_elsewhere"):
            if key.equipment_id.name == key.seams_elsewhere:
                raise ValidationError(f"{FORBIDDEN}: place")

    def bulk_enter(self, *args, **kwargs):
        CALLED.append("bulk_enter")
        return super().bulk_enter(*args, **kwargs)

    def renew(self, *args, **kwargs):
        CALLED.append("renew")
        return super().renew(*args, **kwargs)

    def replace(self, *args, **kwargs):
        CALLED.append("replace")
        return super().replace(*args, **kwargs)

    def revoke(self, *args, **kwargs):
        CALLED.append("revoke")
        return super().revoke(*args, **kwargs)

    def delete(self, *args, **kwargs):
        CALLED.append("delete")
        return super().delete(*args, **kwargs)
