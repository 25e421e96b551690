from . import client_equipment_software
from . import product_template
