from . import client_equipment_evidence_file
from . import client_equipment_evidence_pack
from . import client_equipment_evidence_content
from . import client_equipment_evidence_making
from . import client_equipment_usage_history
