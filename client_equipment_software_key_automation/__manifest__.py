{
    "name": "Client Equipment Software Key Automation",
    "summary": "Automation rules and webhooks on every step in the life of a software "
    "key",
    "version": "19.0.1.0.1",
    "category": "Services",
    "author": "Client Equipment contributors",
    "license": "LGPL-3",
    "development_status": "Beta",
    "depends": ["base_automation", "client_equipment_software_key"],
    "assets": {
        "web.assets_backend": [
            "client_equipment_software_key_automation/static/src/*",
        ],
        "web.assets_tests": [
            "client_equipment_software_key_automation/static/tests/tours/*.js",
        ],
    },
    "auto_install": True,
}
