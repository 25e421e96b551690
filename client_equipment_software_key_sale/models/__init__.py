from . import client_equipment
from . import client_equipment_renewal_offer
from . import client_equipment_software_key
from . import res_partner
from . import sale_order
from . import sale_order_line
