from odoo import models


class IrModelData(models.Model):
    """The external ids that Odoo leaves behind when an addon of ours goes."""

    _inherit = "ir.model.data"

    def _module_data_uninstall(self, modules_to_remove):
        """Remove the external ids of inheritances that have gone with their models.

        Odoo removes external ids by the addon that they bear. That a model of an addon
        inherits the mixin bears each addon that adds to the mixin, too; those stay.
        """
        result = super()._module_data_uninstall(modules_to_remove)
        self.env.cr.execute(
            r"""
            DELETE FROM ir_model_data data
             WHERE data.model = 'ir.model.inherit'
               AND data.module LIKE 'client\_equipment%'
               AND NOT EXISTS (
                   SELECT 1 FROM ir_model_inherit inherit
                    WHERE inherit.id = data.res_id
               )
            """
        )
        return result
