"""From 19.0.2.0.0: license keys are shown to the same people as before (K16), but not
by the subjects of messages, which stay."""

from odoo import SUPERUSER_ID, api
from odoo.sql_db import Cursor
from odoo.tools import SQL

from odoo.addons.client_equipment_software_key.secret import hint_sql


def migrate(cr: Cursor, _version: str) -> None:
    env = api.Environment(cr, SUPERUSER_ID, {})
    env["res.groups"]._set_license_key_display("always")
    cr.execute(
        SQL(
            """
            UPDATE mail_message message
               SET subject = software.name || ' - ' || %s
              FROM client_equipment_software_key key
              JOIN client_equipment_software software ON software.id = key.software_id
             WHERE message.model = 'client.equipment.software.key'
               AND message.res_id = key.id
               AND message.subject = software.name || ' - ' || key.license_key
            """,
            hint_sql(SQL("key.license_key")),
        )
    )
