{
    "name": "Client Equipment Software Key Purchase",
    "summary": "Software keys come with their purchase order, at their cost",
    "version": "19.0.1.0.0",
    "category": "Services",
    "author": "Client Equipment contributors",
    "license": "LGPL-3",
    "development_status": "Beta",
    "depends": [
        "client_equipment_software_key_product",
        "client_equipment_software_key",
        "purchase",
    ],
    "data": [
        "wizards/client_equipment_software_key_bulk_entry_views.xml",
        "wizards/client_equipment_software_key_renewal_views.xml",
        "views/client_equipment_software_key_views.xml",
        "views/client_equipment_audit_log_views.xml",
        "views/client_equipment_software_views.xml",
        "views/purchase_order_views.xml",
    ],
    "demo": ["demo/purchase_demo.xml"],
    "assets": {
        "web.assets_tests": [
            "client_equipment_software_key_purchase/static/tests/tours/*.js",
        ],
    },
    "images": ["static/description/main_screenshot.png"],
    "auto_install": ["client_equipment_software_key", "purchase"],
}
