from odoo import api, models

from ..values import is_ours


class MailRenderMixin(models.AbstractModel):
    """A template tells of a record of ours whoever may read it: Odoo lets everybody
    look at any template on any record, and fields that its name has fetched are read
    without a look at who reads."""

    _inherit = "mail.render.mixin"

    @api.model
    def _render_template(
        self,
        template_src,
        model,
        res_ids,
        engine="inline_template",
        add_context=None,
        options=None,
    ):
        if is_ours(model):
            self.env[model].browse(res_ids).check_access("read")
        return super()._render_template(
            template_src,
            model,
            res_ids,
            engine=engine,
            add_context=add_context,
            options=options,
        )
