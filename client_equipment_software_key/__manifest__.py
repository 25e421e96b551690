{
    "name": "Client Equipment Software Key Management",
    "summary": "Software license keys: inventory, assignment to customers' equipment, "
    "life and audit trail",
    "version": "19.0.1.0.0",
    "category": "Services",
    "author": "Client Equipment contributors",
    "license": "LGPL-3",
    "depends": ["client_equipment"],
    "data": [
        "security/software_key_groups.xml",
        "security/software_key_rules.xml",
        "security/ir.model.access.csv",
        "data/ir_cron.xml",
        "wizards/client_equipment_software_key_bulk_entry_views.xml",
        "wizards/client_equipment_software_key_renewal_views.xml",
        "wizards/client_equipment_software_key_replacement_views.xml",
        "views/client_equipment_software_key_views.xml",
        "views/client_equipment_feature_views.xml",
        "views/client_equipment_audit_log_views.xml",
        "views/client_equipment_software_views.xml",
        "wizards/client_equipment_apply_next_views.xml",
        "wizards/client_equipment_return_views.xml",
        "views/client_equipment_views.xml",
        "views/res_config_settings_views.xml",
        "views/menus.xml",
    ],
    "demo": [
        "demo/res_users_demo.xml",
        "demo/client_equipment_software_demo.xml",
        "demo/client_equipment_software_key_demo.xml",
    ],
    "assets": {
        "web.assets_backend": [
            "client_equipment_software_key/static/src/**/*",
        ],
        "web.assets_tests": [
            "client_equipment_software_key/static/tests/tours/*.js",
        ],
    },
    "application": True,
}
