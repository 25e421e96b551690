"""From 19.0.1.1.0: entries of the audit trail have a version."""


def migrate(cr, _version):
    mark_entries(cr)


def mark_entries(cr):
    """Make all entries that there are version 1, without writing each of them."""
    cr.execute(
        "ALTER TABLE client_equipment_audit_log"
        " ADD COLUMN IF NOT EXISTS version int4 NOT NULL DEFAULT 1"
    )
    cr.execute(
        "ALTER TABLE client_equipment_audit_log ALTER COLUMN version DROP DEFAULT"
    )
