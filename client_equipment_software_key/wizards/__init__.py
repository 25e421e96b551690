from . import base_partner_merge
from . import client_equipment_apply_next
from . import client_equipment_return
from . import client_equipment_software_key_bulk_entry
from . import client_equipment_software_key_deletion
from . import client_equipment_software_key_renewal
from . import client_equipment_software_key_replacement
