"""From 19.0.1.0.0: fields that have lost their ``index=``, whose index Odoo keeps."""

from odoo.sql_db import Cursor
from odoo.tools import SQL

STALE = (
    "client_equipment_software__name_index",
    "client_equipment_software__user_id_index",
    "client_equipment_software_key__key_type_index",
)


def migrate(cr: Cursor, _version: str) -> None:
    for index in STALE:
        cr.execute(SQL("DROP INDEX IF EXISTS %s", SQL.identifier(index)))
