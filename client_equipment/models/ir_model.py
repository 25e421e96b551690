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
        if self.pool.ready and any(
            field.state == "base" and is_ours(field.model) for field in self
        ):
            raise UserError(
                self.env._(
                    "What belongs to an addon goes with it alone. Uninstall the addon "
                    "instead."
                )
            )
        return super()._prepare_update()
