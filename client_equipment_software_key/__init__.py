from odoo.api import Environment
from odoo.tools import SQL

from . import models, report, wizards, controllers


def uninstall_hook(env: Environment) -> None:
    """Take away the composite foreign keys.

    Odoo drops the indexes first that they point to, which PostgreSQL refuses.
    """
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
