{
    "name": "Benchmark: plain copy of the software key models",
    "summary": "For ./dev bench only: the models without their audit trail",
    "version": "19.0.1.0.0",
    "author": "Client Equipment contributors",
    "license": "LGPL-3",
    "depends": ["client_equipment_software_key", "auditlog"],
    "data": ["security/ir.model.access.csv", "security/rules.xml"],
}
