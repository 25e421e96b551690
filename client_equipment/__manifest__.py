{
    "name": "Client Equipment",
    "summary": "Register of the equipment that stands at your customers",
    "version": "19.0.3.4.0",
    "category": "Services",
    "author": "Client Equipment contributors",
    "license": "LGPL-3",
    "development_status": "Beta",
    "depends": ["mail"],
    "data": [
        "security/client_equipment_groups.xml",
        "security/client_equipment_rules.xml",
        "security/ir.model.access.csv",
        "views/client_equipment_category_views.xml",
        "views/client_equipment_views.xml",
        "views/res_partner_views.xml",
        "views/menus.xml",
    ],
    "demo": [
        "demo/client_equipment_demo.xml",
    ],
    "assets": {
        "web.assets_backend": [
            "client_equipment/static/src/**/*",
        ],
        "web.assets_tests": [
            "client_equipment/static/tests/tours/*.js",
        ],
    },
    "images": ["static/description/main_screenshot.png"],
    "application": True,
}
