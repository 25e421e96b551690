from odoo import api, fields, models


class ClientEquipmentSoftwareKeyCheck(models.Model):
    """How far the nightly check of all keys is: one record, which the job alone writes.

    Not a system parameter: writing one empties the caches of every server.
    """

    _name = "client.equipment.software.key.check"
    _description = "Check of Software Keys"
    _inherit = ["client.equipment.mixin"]

    checked_id = fields.Integer(
        fixed=True,
        readonly=True,
        help="The keys up to this id have been checked in this round.",
    )
    completed = fields.Datetime(
        fixed=True, readonly=True, help="When a round last reached the end."
    )

    @api.model
    def _get(self):
        """Return the one record."""
        check = self.sudo()
        return check.search([], limit=1) or check.create({})

    @api.model
    def _check_next_keys(self):
        """Check the next portion of keys, and keep how far that is.

        :return: ``(number of keys, whether these were the last ones)``
        """
        check = self._get()
        SoftwareKey = self.env["client.equipment.software.key"]
        batch = SoftwareKey.check_next_consistency(check.checked_id)
        ended = not SoftwareKey._next_keys(batch["last_id"], 1)
        values = {"checked_id": batch["last_id"]}
        if ended:
            values = {"checked_id": 0, "completed": fields.Datetime.now()}
        check._write_fixed(values)
        return batch["count"], ended

    def _get_progress(self):
        """Return about how much of the round has been done, in per cent.

        By ids: to count a million keys would take longer than people wait.
        """
        key = self.env["client.equipment.software.key"].sudo()
        last = key.search([], order="id desc", limit=1)
        if not self.checked_id:
            return 100 if self.completed else 0
        return min(100 * self.checked_id // max(last.id, 1), 99)
