from . import base_automation
from . import client_equipment_software_key
