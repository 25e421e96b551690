from . import client_equipment_apply_next
