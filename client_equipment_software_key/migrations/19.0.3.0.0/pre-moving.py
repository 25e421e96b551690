"""From 19.0.2.0.0: keys may move freely, and none is kept for a unit."""

from odoo.sql_db import Cursor


def migrate(cr: Cursor, _version: str) -> None:
    # With their values at once, instead of writing each row after it has got columns.
    cr.execute(
        """
        ALTER TABLE client_equipment_software
          ADD COLUMN IF NOT EXISTS reassignment varchar NOT NULL DEFAULT 'free';
        ALTER TABLE client_equipment_software_key
          ADD COLUMN IF NOT EXISTS seats_kept int4 NOT NULL DEFAULT 0
        """
    )
