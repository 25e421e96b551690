from . import client_equipment_audit_log
from . import client_equipment_evidence_pack
from . import client_equipment_software_key
from . import client_equipment_usage_history
from . import example
from . import held_key
from . import listening
