from . import client_equipment_mixin
from . import ir_http
from . import client_equipment_category
from . import client_equipment
from . import res_partner
