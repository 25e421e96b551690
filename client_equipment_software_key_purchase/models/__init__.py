from . import client_equipment_audit_log
from . import client_equipment_software
from . import client_equipment_software_key
from . import purchase_order
from . import purchase_order_line
