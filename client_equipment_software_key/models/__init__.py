from . import client_equipment
from . import client_equipment_audit_log
from . import client_equipment_feature
from . import client_equipment_software
from . import client_equipment_software_key
from . import res_company
from . import res_config_settings
from . import res_partner
