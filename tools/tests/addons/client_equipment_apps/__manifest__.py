{
    "name": "Client Equipment Apps (test)",
    "summary": "Deliveries that more of Odoo's apps make",
    "version": "19.0.1.0.0",
    "license": "LGPL-3",
    "author": "Client Equipment contributors",
    "depends": ["client_equipment_stock", "sale_mrp", "stock_dropshipping"],
}
