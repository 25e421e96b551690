from typing import NoReturn

from odoo import api, models
from odoo.exceptions import UserError


class ClientEquipmentAuditClosed(models.AbstractModel):
    """What the system alone writes, and nobody changes or deletes (L1).

    Closed whatever the context, also to Odoo's inner methods, which a server action can
    call: what is written here is written by straight SQL of the model's own.
    """

    _name = "client.equipment.audit.closed"
    _description = "Evidence"
    _log_access = False

    def _closed_message(self, operation):
        """Return in words why nobody may do that.

        :param str operation: ``create``, ``write`` or ``unlink``
        """
        if operation == "create":
            return self.env._(
                "The audit trail is written by the system alone. To have a step "
                "recorded, carry it out on the software key."
            )
        if operation == "write":
            return self.env._("Entries of the audit trail can never be changed.")
        return self.env._(
            "Entries of the audit trail can never be deleted. They leave only "
            "together with their software key."
        )

    @api.private
    @api.model_create_multi
    def create(self, vals_list: list[dict]) -> NoReturn:  # pylint: disable=method-required-super
        raise UserError(self._closed_message("create"))

    def write(self, vals: dict) -> NoReturn:  # pylint: disable=method-required-super
        raise UserError(self._closed_message("write"))

    def _create(self, data_list):
        return self.create(data_list)

    def _write_fixed(self, vals):
        return self.write(vals)

    def _write_multi(self, vals_list):
        return self.write(vals_list)

    def unlink(self) -> NoReturn:  # pylint: disable=method-required-super
        # Not @api.ondelete, which a key in the context passes over. The cascade of a
        # deleted key (K10) does not come through here.
        self.check_access("unlink")
        raise UserError(self._closed_message("unlink"))  # pylint: disable=no-raise-unlink
