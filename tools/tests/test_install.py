"""The addons come, are upgraded, and go: without a warning, and without a trace (E4).

Each step is a server of its own on a throw-away database. With demo data they come,
are upgraded and go in test_upgrade.py.
"""

import os

import pytest
from throwaway import Database

REGISTER, PRODUCT = "client_equipment", "client_equipment_software_key"
AUTOMATION = f"{PRODUCT}_automation"
STATE = f"SELECT state FROM ir_module_module WHERE name = '{AUTOMATION}'"

# What an addon brings into a database: named, so that a difference tells what it is.
TRACES = {
    "tables": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
    "sequences": "SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'",
    "columns": "SELECT table_name || '.' || column_name FROM information_schema.columns"
    " WHERE table_schema = 'public'",
    "indexes": "SELECT indexname FROM pg_indexes WHERE schemaname = 'public'",
    "constraints": "SELECT conname FROM pg_constraint",
    "functions": "SELECT proname FROM pg_proc"
    " WHERE pronamespace = 'public'::regnamespace",
    # Not those that Odoo's own addons give to parts of our models (mail.selection__…,
    # sms.model_inherit__…): their records go, but Odoo removes external ids by the name
    # of the addon that goes. Its own Lunch leaves the same ones behind.
    "external ids": "SELECT module || '.' || name FROM ir_model_data"
    # Nor the addons' own entries in the list of apps, which grows with what is there.
    " WHERE (module LIKE 'client\\_equipment%' OR name NOT LIKE '%\\_\\_%')"
    " AND name NOT LIKE 'module\\_client\\_equipment%'",
    "models": "SELECT model FROM ir_model",
    "fields": "SELECT model || '.' || name FROM ir_model_fields",
    "scheduled actions": "SELECT cron_name FROM ir_cron",
    "server actions": "SELECT name->>'en_US' FROM ir_act_server",
    "window actions": "SELECT name->>'en_US' FROM ir_act_window",
    "groups": "SELECT name->>'en_US' FROM res_groups",
    "implied groups": "SELECT gid || ' ' || hid FROM res_groups_implied_rel",
    "privileges": "SELECT name->>'en_US' FROM res_groups_privilege",
    "access rights": "SELECT name FROM ir_model_access",
    "rules": "SELECT name FROM ir_rule",
    "menus": "SELECT name->>'en_US' FROM ir_ui_menu",
    "views": "SELECT name FROM ir_ui_view",
    "activity types": "SELECT name->>'en_US' FROM mail_activity_type",
    "reports": "SELECT report_name FROM ir_act_report_xml",
    "parameters": "SELECT key FROM ir_config_parameter",
    "messages": "SELECT 'message ' || model FROM mail_message"
    " WHERE model LIKE 'client.equipment%'",
    "activities": "SELECT 'activity ' || res_model FROM mail_activity"
    " WHERE res_model LIKE 'client.equipment%'",
    "attachments": "SELECT 'attachment ' || res_model FROM ir_attachment"
    " WHERE res_model LIKE 'client.equipment%'",
}


def traces(database):
    """Return ``{kind: the sorted names of all that is there}``."""
    return {
        kind: sorted(name or "" for (name,) in database.execute(query))
        for kind, query in TRACES.items()
    }


def assert_same(before, after):
    for kind, names in before.items():
        left = set(after[kind]) - set(names)
        assert not left, f"{kind} left behind: {sorted(left)}"
        gone = set(names) - set(after[kind])
        # Odoo itself forgets, in an upgrade, which addon named some added fields, what
        # addons which load after ours inherit, and the fields they give to our models.
        gone = {
            name
            for name in gone
            if ".field_" not in name
            and not name.endswith((".message_has_sms_error", ".website_message_ids"))
            and not name.endswith(".model_inherit__sms_template__mail_render_mixin")
        }
        assert not gone, f"{kind} that were there before: {sorted(gone)}"


@pytest.fixture
def database():
    database = Database(f"ce_install_{os.getpid()}")
    yield database
    database.drop()


def test_without_demo_data(database):
    """The product comes to a register in use, automation comes to the product (H2), and
    they go again; the register stays."""
    database.odoo("-i", REGISTER)
    register = traces(database)
    database.odoo("-i", PRODUCT, "--skip-auto-install")
    product = traces(database)
    assert "client_equipment_software_key" in product["tables"]
    assert database.count("SELECT count(*) FROM client_equipment_software_key") == 0
    database.odoo("-i", AUTOMATION)
    automation = traces(database)
    database.odoo("-u", REGISTER)
    assert_same(automation, traces(database))
    database.uninstall(AUTOMATION)
    assert_same(product, traces(database))
    database.uninstall(PRODUCT)
    assert_same(register, traces(database))
