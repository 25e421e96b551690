"""From 19.0.2.0.0: what an evidence pack is made of is planned piece by piece."""

from odoo.sql_db import Cursor


def migrate(cr: Cursor, _version: str) -> None:
    begin_packs_anew(cr)


def begin_packs_anew(cr: Cursor) -> None:
    """Have packs that were being made made from the beginning."""
    cr.execute("DELETE FROM client_equipment_evidence_piece")
    cr.execute(
        """
        DELETE FROM client_equipment_evidence_file
         WHERE pack_id IN (
            SELECT id FROM client_equipment_evidence_pack WHERE state = 'making'
         )
        """
    )
    cr.execute(
        """
        UPDATE client_equipment_evidence_pack
           SET state = 'waiting', step = 0, progress = 0
         WHERE state = 'making'
        """
    )
