from . import models, report, wizards, controllers


def uninstall_hook(env):
    """Take the foreign keys of places away: Odoo drops the indexes that they point to
    first, which PostgreSQL refuses."""
    for name in ("in_service", "company", "partner"):
        env.cr.execute(
            "ALTER TABLE client_equipment_feature"
            f" DROP CONSTRAINT IF EXISTS client_equipment_feature_place_{name}"
        )
