"""From 19.0.2.0.0: license keys that were stored with what nobody sees."""

import logging

from odoo.sql_db import Cursor

from odoo.addons.client_equipment.upgrade import odd_labels

_logger = logging.getLogger(__name__)


def migrate(cr: Cursor, _version: str) -> None:
    """Name them, by their ids: their audit trails speak of them as they are, so nothing
    but a new key can be without it (K3)."""
    if odd := odd_labels(cr, "client_equipment_software_key", "license_key", ""):
        _logger.warning(
            "The license keys of these software keys hold what nobody sees (blanks, "
            "control characters), and a search does not find them. Open each and "
            "Replace it by the same license key, typed: %s",
            ", ".join(f"id {row_id}" for row_id, _text, _seen in odd),
        )
