"""From 19.0.1.1.0: entries of the audit trail have a version, and no two products are
one name in two spellings."""

from collections import defaultdict

from odoo.exceptions import UserError
from odoo.sql_db import Cursor

from odoo.addons.client_equipment.text import HYPHENS, as_seen


def migrate(cr: Cursor, _version: str) -> None:
    mark_entries(cr)
    clean_names(cr)


def clean_names(cr: Cursor) -> None:
    """Store the catalogue's names as people see them (K12).

    :raises UserError: where two are the same, naming them; nothing has changed then
    """
    cr.execute("SELECT id, name FROM client_equipment_software ORDER BY id")
    rows = cr.fetchall()
    same = defaultdict(list)
    dashes = dict.fromkeys(map(ord, HYPHENS), "-") | {ord(" "): None}
    for _software_id, name in rows:
        same[as_seen(name).translate(dashes).lower()].append(name)
    if repeated := [names for names in same.values() if len(names) > 1]:
        raise UserError(  # pylint: disable=translation-required
            "These names of software differ only in blanks, kinds of hyphen or what "
            "nobody sees. Rename one of each, or move its keys to the other and delete "
            "it; then update again:\n"
            + "\n".join(", ".join(map(repr, names)) for names in repeated)
        )
    for software_id, name in rows:
        if as_seen(name) != name:
            cr.execute(
                "UPDATE client_equipment_software SET name = %s WHERE id = %s",
                (as_seen(name), software_id),
            )


def mark_entries(cr: Cursor) -> None:
    """Make all entries that there are version 1, without writing each of them."""
    cr.execute(
        "ALTER TABLE client_equipment_audit_log"
        " ADD COLUMN IF NOT EXISTS version int4 NOT NULL DEFAULT 1"
    )
    cr.execute(
        "ALTER TABLE client_equipment_audit_log ALTER COLUMN version DROP DEFAULT"
    )
