"""At each rise of the version: no rule is lost in silence."""

from odoo.sql_db import Cursor

from odoo.addons.client_equipment.upgrade import stop_where_rows_are_in_the_way


def migrate(cr: Cursor, _version: str) -> None:
    stop_where_rows_are_in_the_way(cr, "client_equipment")
