"""From 19.0.1.0.0: places that the database guards, entries that stay in a company."""

from odoo import SUPERUSER_ID, api

ADDON = "client_equipment_software_key"
# Rules are not updated with their addon, because administrators may change them; this
# one has to follow: without it people see where other companies' equipment stands.
CHANGED_RULE = f"{ADDON}.client_equipment_audit_log_rule_company"


def migrate(cr, _version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    # The foreign keys leave rows alone that broke a rule before they came.
    env["client.equipment.feature"].search([])._bind()
    cr.execute("UPDATE client_equipment_feature SET in_service = TRUE")
    env.ref(CHANGED_RULE).domain_force = (
        "[('software_key_id.company_id', 'in', company_ids + [False]),"
        " ('equipment_company_ref', 'in', company_ids + [False])]"
    )
