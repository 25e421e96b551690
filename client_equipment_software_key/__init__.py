from odoo.tools import SQL

from . import models, report, wizards, controllers


def uninstall_hook(env):
    """Take away what Odoo itself does not: the triggers, and composite foreign keys.

    Odoo drops the indexes first that these point to, which PostgreSQL refuses.
    """
    env["client.equipment.software.key.count"]._end_to_count()
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
