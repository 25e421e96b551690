from odoo import api, fields, models

from odoo.addons.client_equipment.arguments import checked

from .client_equipment_software_key_consistency import VERIFY_BATCH


class ClientEquipmentVerification(models.Model):
    """That somebody, or the nightly job, verified all trails that he may see (L5).

    Written by the verification itself, batch by batch, so that it tells of what was
    looked at and not of what a client says.
    """

    _name = "client.equipment.verification"
    _description = "Verification of the Audit Trails"
    _inherit = ["client.equipment.mixin"]
    _order = "date desc, id desc"

    user_id = fields.Many2one(
        "res.users", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        "res.company", readonly=True, fixed=True, index=True, ondelete="cascade"
    )
    date = fields.Datetime(
        readonly=True, fixed=True, help="When the last trail was verified."
    )
    key_count = fields.Integer("Software Keys", readonly=True, fixed=True)
    broken_count = fields.Integer("Broken Trails", readonly=True, fixed=True)
    last_key_id = fields.Integer("Verified Until", readonly=True, fixed=True)

    @api.model
    def _note_batch(self, after_id, batch):
        """Note one batch of :meth:`verify_next_audit_trails` of the current user.

        :param int after_id: where the batch began: 0 begins anew
        :param dict batch: what was found
        """
        # Nobody may write these records but the verification.
        mine = self.sudo().search(
            [("user_id", "=", self.env.uid), ("date", "=", False)]
        )
        if not after_id:
            mine.unlink()
            mine = mine.create({"user_id": self.env.uid})
        elif mine.last_key_id != after_id:
            return  # something was left out
        mine._write_fixed(
            {
                "company_id": self.env.company.id,
                "key_count": mine.key_count + batch["count"],
                "broken_count": mine.broken_count + len(batch["findings"]),
                "last_key_id": batch["last_id"],
                "date": not batch["count"] and fields.Datetime.now(),
            }
        )


class ClientEquipmentSoftwareKey(models.Model):
    _inherit = "client.equipment.software.key"

    @api.model
    @checked
    def verify_next_audit_trails(
        self, after_id: int = 0, limit: int = VERIFY_BATCH
    ) -> dict:
        with self._on_replica() as keys:
            batch = super(ClientEquipmentSoftwareKey, keys).verify_next_audit_trails(
                after_id, limit
            )
        self.env["client.equipment.verification"]._note_batch(after_id, batch)
        return batch

    @api.model
    def _cron_check_consistency(self):
        ended = super()._cron_check_consistency()
        if ended:
            # Nobody may write these records but the verification.
            done = self.env["client.equipment.verification"].sudo()
            done = done.create({"user_id": self.env.uid})
            done._write_fixed(
                {
                    "date": fields.Datetime.now(),
                    "key_count": self.search_count([]),
                    "broken_count": self.search_count([("audit_broken", "=", True)]),
                }
            )
        return ended
