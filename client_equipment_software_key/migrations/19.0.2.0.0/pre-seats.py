"""From 19.0.1.1.0: every key has one seat, which its assignment takes."""

from odoo.sql_db import Cursor


def migrate(cr: Cursor, _version: str) -> None:
    # With their values at once, instead of writing each row after it has got columns.
    cr.execute(
        """
        ALTER TABLE client_equipment_software_key
          ADD COLUMN IF NOT EXISTS seats int4 NOT NULL DEFAULT 1,
          ADD COLUMN IF NOT EXISTS seats_used int4 NOT NULL DEFAULT 0;
        ALTER TABLE client_equipment_feature
          ADD COLUMN IF NOT EXISTS seat int4 NOT NULL DEFAULT 1,
          ADD COLUMN IF NOT EXISTS key_seats int4 NOT NULL DEFAULT 1;
        UPDATE client_equipment_software_key key
           SET seats_used = 1
          FROM client_equipment_feature feature
         WHERE feature.software_key_id = key.id
        """
    )
