{
    "name": "Client Equipment Software Key Sale",
    "summary": "Renewals of software keys are quoted, and sold software is delivered "
    "by its keys",
    "version": "19.0.1.0.0",
    "category": "Services",
    "author": "Client Equipment contributors",
    "license": "LGPL-3",
    "development_status": "Beta",
    "depends": [
        "client_equipment_software_key_product",
        "client_equipment_software_key",
        "sale_management",
    ],
    "data": [
        "security/ir.model.access.csv",
        "security/renewal_offer_rules.xml",
        "views/client_equipment_software_key_views.xml",
        "views/sale_order_views.xml",
        "wizards/client_equipment_software_key_renewal_views.xml",
    ],
    "demo": ["demo/sale_demo.xml"],
    "assets": {
        "web.assets_tests": [
            "client_equipment_software_key_sale/static/tests/tours/*.js",
        ],
    },
    "images": ["static/description/main_screenshot.png"],
    "auto_install": ["client_equipment_software_key", "sale_management"],
}
