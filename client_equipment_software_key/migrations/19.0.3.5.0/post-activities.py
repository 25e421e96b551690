"""Activities name their keys by hints, also those that are open already (K16)."""

from odoo import SUPERUSER_ID, api
from odoo.sql_db import Cursor


def migrate(cr: Cursor, _version: str) -> None:
    env = api.Environment(cr, SUPERUSER_ID, {"active_test": False})
    activities = env["mail.activity"].search(
        [("res_model", "=", "client.equipment.software.key")]
    )
    env.add_to_compute(activities._fields["res_name"], activities)
    activities.flush_recordset(["res_name"])
