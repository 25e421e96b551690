from . import models, report, wizards, controllers


def uninstall_hook(env):
    """Take away what Odoo itself would stumble over, or leave behind."""
    # It drops the indexes first that these foreign keys point to; PostgreSQL refuses.
    for name in ("in_service", "company", "partner"):
        env.cr.execute(
            "ALTER TABLE client_equipment_feature"
            f" DROP CONSTRAINT IF EXISTS client_equipment_feature_place_{name}"
        )
    # It removes external ids by the addon that they bear: those of our models' mixin
    # bear the other one, which stays.
    ours = [
        name
        for name, model in env.items()
        if model._original_module == "client_equipment_software_key"
    ]
    env.cr.execute(
        """
        DELETE FROM ir_model_data data
         USING ir_model_inherit inherit, ir_model model
         WHERE data.model = 'ir.model.inherit'
           AND data.module = 'client_equipment'
           AND data.res_id = inherit.id
           AND inherit.model_id = model.id
           AND model.model = ANY(%s)
        """,
        [ours],
    )
