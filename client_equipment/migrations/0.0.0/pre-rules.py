"""At each rise of the version: no rule is lost in silence."""

from odoo.addons.client_equipment.upgrade import stop_where_rows_are_in_the_way


def migrate(cr, _version):
    stop_where_rows_are_in_the_way(cr, "client_equipment")
