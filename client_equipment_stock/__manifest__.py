{
    "name": "Client Equipment Stock",
    "summary": "Equipment that is delivered enters the register by itself",
    "version": "19.0.1.0.0",
    "category": "Services",
    "author": "Client Equipment contributors",
    "license": "LGPL-3",
    "development_status": "Beta",
    "depends": ["client_equipment", "stock"],
    "data": [
        "data/mail_activity_type.xml",
        "views/client_equipment_views.xml",
        "views/product_template_views.xml",
        "views/stock_lot_views.xml",
        "views/stock_picking_views.xml",
    ],
    "demo": [
        "demo/client_equipment_stock_demo.xml",
    ],
    "assets": {
        "web.assets_tests": [
            "client_equipment_stock/static/tests/tours/*.js",
        ],
    },
    "images": ["static/description/main_screenshot.png"],
    "auto_install": True,
}
