"""From 19.0.2.0.0: another index finds the keys of a software."""


def migrate(cr, _version):
    cr.execute("DROP INDEX IF EXISTS client_equipment_software_key__software_id_index")
