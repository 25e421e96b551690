{
    "name": "Client Equipment Elsewhere (test)",
    "summary": "Equipment in another table, as a replacement of the register keeps it",
    "version": "19.0.1.0.0",
    "license": "LGPL-3",
    "author": "Client Equipment contributors",
    "depends": ["client_equipment"],
}
