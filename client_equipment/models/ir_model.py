from typing import Self

from odoo import models
from odoo.exceptions import UserError

from ..values import is_ours


class IrModelFields(models.Model):
    _inherit = "ir.model.fields"

    def _prepare_update(self) -> Self:
        """Drop no column or table of ours while the addon stays, whatever the context.

        They go when the registry is being loaded: by an upgrade, or with the addon. A
        field that somebody has made in Settings is his to remove.
        """
        ours = self.filtered(
            lambda field: field.state == "base" and is_ours(field.model)
        )
        if self.pool.ready and ours:
            raise UserError(
                self.env._(
                    "%(field)s (%(model)s) belongs to an addon and goes with it alone. "
                    "Uninstall the addon instead.",
                    field=ours[0].field_description,
                    model=ours[0].model_id.name,
                )
            )
        return super()._prepare_update()
