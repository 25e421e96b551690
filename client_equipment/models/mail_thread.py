from email.message import EmailMessage

from odoo import models
from odoo.exceptions import UserError

from ..values import is_ours


class MailThread(models.AbstractModel):
    """What a mail may do to the models of these addons.

    Anybody may hand one to Odoo (``message_process``), with values of his own, and Odoo
    acts with all rights in the name of whom the mail says that it is from.
    """

    _inherit = "mail.thread"

    def _message_route_process(
        self, message: EmailMessage, message_dict: dict, routes: list[tuple]
    ) -> int | bool:
        """Make no record of ours, and answer at none that whoever hands over the mail
        may not read."""
        for model, thread_id, *_rest in routes or ():
            if is_ours(model):
                self._check_mail(self.env[model].browse(thread_id or ()))
        return super()._message_route_process(message, message_dict, routes)

    def _check_mail(self, record):
        if not record:
            raise UserError(
                self.env._(
                    "No record (%s) can be made by a mail. Enter it in Odoo.",
                    self.env["ir.model"]._get(record._name).name,
                )
            )
        companies = self.env.user.company_ids
        record.with_context(allowed_company_ids=companies.ids).check_access("read")
