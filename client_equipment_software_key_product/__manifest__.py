{
    "name": "Client Equipment Software Key Product",
    "summary": "Software is bought and sold as a product",
    "version": "19.0.1.0.0",
    "category": "Services",
    "author": "Client Equipment contributors",
    "license": "LGPL-3",
    "development_status": "Beta",
    "depends": ["client_equipment_software_key", "product"],
    "data": ["views/client_equipment_software_views.xml"],
    "demo": ["demo/product_demo.xml"],
    "images": ["static/description/main_screenshot.png"],
}
