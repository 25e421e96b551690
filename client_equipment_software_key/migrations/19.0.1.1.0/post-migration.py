"""From 19.0.1.0.0: assignments are bound to their place, entries stay in a company."""

from odoo import SUPERUSER_ID, api
from odoo.sql_db import Cursor

# Rules are not updated with their addon, because administrators may change them; this
# one has to follow: without it people see where other companies' equipment stands.
CHANGED_RULE = "client_equipment_software_key.client_equipment_audit_log_rule_company"


def migrate(cr: Cursor, _version: str) -> None:
    # What broke a rule before the foreign keys came stays as it is, unbound: Needs
    # Attention lists it.
    cr.execute(
        """
        UPDATE client_equipment_feature feature
           SET bound_company_ref = key.company_id,
               bound_partner_ref = CASE WHEN key.owner_id IS NOT NULL
                                        THEN equipment.partner_id END
          FROM client_equipment_software_key key, client_equipment equipment
         WHERE key.id = feature.software_key_id
           AND equipment.id = feature.equipment_id
           AND (key.company_id IS NULL OR key.company_id = equipment.company_id)
        """
    )
    env = api.Environment(cr, SUPERUSER_ID, {})
    env.ref(CHANGED_RULE).domain_force = (
        "[('software_key_id.company_id', 'in', company_ids + [False]),"
        " ('equipment_company_ref', 'in', company_ids + [False])]"
    )
