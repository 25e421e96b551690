"""At each rise of the version: no index stays that nothing asks for."""

from odoo.sql_db import Cursor

from odoo.addons.client_equipment.upgrade import drop_indexes_of_fields_without


def migrate(cr: Cursor, _version: str) -> None:
    drop_indexes_of_fields_without(cr, "client_equipment")
