"""From 19.0.1.1.0: entries of the audit trail know software and customer."""

from odoo.sql_db import Cursor


def migrate(cr: Cursor, _version: str) -> None:
    link_entries(cr)


def link_entries(cr: Cursor) -> None:
    """Link old entries to software and customer, by what is known today.

    Those links are no evidence: version 1 kept the customer's name alone, and the
    software not at all. The customer is the one whose name was recorded: who has the
    equipment now, or else the only one of that name. A name that nobody bears any more
    is a former one of who has the equipment now.
    """
    cr.execute(
        """
        WITH named AS (
            SELECT complete_name, count(*) AS count, min(id) AS id
              FROM res_partner
             GROUP BY complete_name
        )
        UPDATE client_equipment_audit_log log
           SET software_id = key.software_id,
               customer_id = CASE
                    WHEN log.customer_name IS NULL THEN NULL
                    WHEN log.customer_name = holder.complete_name THEN holder.id
                    WHEN named.count = 1 THEN named.id
                    WHEN named.count IS NULL THEN holder.id
               END
          FROM client_equipment_audit_log entry
          JOIN client_equipment_software_key key ON key.id = entry.software_key_id
          LEFT JOIN client_equipment equipment ON equipment.id = entry.equipment_id
          LEFT JOIN res_partner holder ON holder.id = equipment.partner_id
          LEFT JOIN named ON named.complete_name = entry.customer_name
         WHERE log.id = entry.id
           AND log.version = 1
        """
    )
