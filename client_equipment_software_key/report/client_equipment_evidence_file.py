from odoo import api, fields, models


class ClientEquipmentEvidenceFile(models.Model):
    """A file of an evidence pack. The making of the pack alone writes it (L7)."""

    _name = "client.equipment.evidence.file"
    _description = "File of an Evidence Pack"
    _inherit = ["client.equipment.mixin"]
    _order = "id desc"

    pack_id = fields.Many2one(
        "client.equipment.evidence.pack",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    name = fields.Char("File", required=True, readonly=True)
    content = fields.Binary("Download", attachment=True, readonly=True, fixed=True)
    size = fields.Integer("Size in Bytes", readonly=True, fixed=True)
    size_label = fields.Char("Size", compute="_compute_size_label")
    sha256 = fields.Char("SHA-256", readonly=True, fixed=True)

    @api.depends("size")
    def _compute_size_label(self):
        for file in self:
            if file.size >= 1e6:
                file.size_label = self.env._("%s MB", f"{file.size / 1e6:.1f}")
            else:
                file.size_label = self.env._("%s kB", max(1, round(file.size / 1e3)))


class ClientEquipmentEvidencePiece(models.Model):
    """A piece of an evidence pack that is being made: nobody but the job reads it."""

    _name = "client.equipment.evidence.piece"
    _description = "Piece of an Evidence Pack"
    _inherit = ["client.equipment.mixin"]
    _order = "id"
    _log_access = False

    pack_id = fields.Many2one(
        "client.equipment.evidence.pack", required=True, index=True, ondelete="cascade"
    )
    part = fields.Char(required=True)
    # What it is made of.
    record_model = fields.Char()
    record_ids = fields.Json(prefetch=False)
    made = fields.Boolean()
    row_count = fields.Integer()
    widths = fields.Json()
    # Compressed.
    content = fields.Binary(attachment=False, prefetch=False)
