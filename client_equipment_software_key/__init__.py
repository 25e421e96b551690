from odoo.tools import SQL

from . import models, report, wizards, controllers


def uninstall_hook(env):
    """Take away what Odoo itself would stumble over, or leave behind."""
    # It drops the indexes first that the composite foreign keys point to; PostgreSQL
    # refuses.
    Feature = env["client.equipment.feature"]
    for name, constraint in Feature._table_objects.items():
        if "FOREIGN KEY" in constraint.get_definition(env.registry):
            env.cr.execute(
                SQL(
                    "ALTER TABLE %s DROP CONSTRAINT IF EXISTS %s",
                    SQL.identifier(Feature._table),
                    SQL.identifier(name),
                )
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
