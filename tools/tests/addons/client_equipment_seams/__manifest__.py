{
    "name": "Client Equipment Seams (test)",
    "summary": "Does once what another addon can do to the product",
    "version": "19.0.1.0.0",
    "license": "LGPL-3",
    "author": "Client Equipment contributors",
    "depends": ["client_equipment_software_key"],
    "data": ["security/ir.model.access.csv", "views/seams_views.xml"],
}
