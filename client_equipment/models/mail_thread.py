from collections import defaultdict
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
        """Make no record of ours, neither by itself nor with another one, and answer at
        none that whoever hands over the mail may not read."""
        for model, thread_id, values, *_rest in routes or ():
            record = self.env[model].browse(thread_id or ())
            if not is_ours(model):
                self._check_values_of_mail(record, values)
            elif record:
                companies = self.env.user.company_ids.ids
                record = record.with_context(allowed_company_ids=companies)
                record.check_access("read")
            else:
                raise self._mail_error(record)
        return super()._message_route_process(message, message_dict, routes)

    def _message_create(self, values_list: list[dict]) -> models.BaseModel:
        """Let nobody write to a record of ours, or to others about it, who may not read
        it. What is noted with a step (``notification``) has been looked at with it."""
        places = defaultdict(list)
        for values in values_list:
            place = values.get("message_type"), values.get("model") or ""
            places[place].append(values.get("res_id"))
        for (kind, model), ids in places.items():
            self._check_writer(kind, model, ids)
        return super()._message_create(values_list)

    def _message_log_batch(
        self,
        bodies,
        subject=False,
        author_id=None,
        email_from=None,
        message_type="notification",
        partner_ids=False,
        attachment_ids=False,
        tracking_value_ids=False,
    ):
        """Look at who writes before Odoo does so with all rights."""
        self._check_writer(message_type, self._name, self.ids)
        return super()._message_log_batch(
            bodies,
            subject=subject,
            author_id=author_id,
            email_from=email_from,
            message_type=message_type,
            partner_ids=partner_ids,
            attachment_ids=attachment_ids,
            tracking_value_ids=tracking_value_ids,
        )

    def _check_writer(self, kind, model, ids):
        if is_ours(model) and kind != "notification":
            self.env[model].browse(filter(None, ids)).check_access("read")

    def _check_values_of_mail(self, model, values):
        """Check that a new record's values bring, change or delete none of ours."""
        for name, value in values.items() if isinstance(values, dict) else ():
            field = model._fields.get(name)
            if not value or not field or field.type not in ("one2many", "many2many"):
                continue
            comodel = self.env[field.comodel_name]
            if is_ours(comodel._name):
                raise self._mail_error(comodel)
            for command in value if isinstance(value, list | tuple) else ():
                if isinstance(command, list | tuple):
                    self._check_values_of_mail(comodel, command[-1])

    def _mail_error(self, model):
        return UserError(
            self.env._(
                "No record (%s) can be made by a mail. Enter it in Odoo.",
                self.env["ir.model"]._get(model._name).name,
            )
        )
