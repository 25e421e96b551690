from . import client_equipment_usage_history
