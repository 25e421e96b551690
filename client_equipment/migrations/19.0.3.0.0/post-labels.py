"""From 19.0.2.0.0: what nobody sees of a name, a serial number or an asset tag goes
from those that are stored, too: a search does not find them otherwise."""

import logging

from odoo.sql_db import Cursor

from odoo.addons.client_equipment.upgrade import clean_labels

_logger = logging.getLogger(__name__)


def migrate(cr: Cursor, _version: str) -> None:
    for table, column, line_break in (
        ("client_equipment_category", "name", " "),
        ("client_equipment", "name", " "),
        ("client_equipment", "serial_no", ""),
        ("client_equipment", "asset_tag", ""),
    ):
        if taken := clean_labels(cr, table, column, line_break):
            _logger.warning(
                "%s of %s: without what nobody sees in it (blanks, control "
                "characters) another record has the same, or nothing is left. They "
                "stay as they are; correct one of each: %s",
                column,
                table,
                taken,
            )
