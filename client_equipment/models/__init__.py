from . import client_equipment_mixin
from . import client_equipment_mixin_dependence
from . import ir_http
from . import client_equipment_category
from . import client_equipment
from . import res_company
from . import res_partner
from . import res_users
