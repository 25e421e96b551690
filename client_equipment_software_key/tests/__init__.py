from contextlib import suppress
from unittest import SkipTest

from . import test_access
from . import test_api
from . import test_audit_log
from . import test_bulk_entry
from . import test_concurrency
from . import test_consistency
from . import test_customer_owned
from . import test_dashboard
from . import test_equipment_dialogs
from . import test_evidence_pack
from . import test_expiration
from . import test_feature
from . import test_first_screen
from . import test_grouped_export
from . import test_import
from . import test_job_health
from . import test_languages
from . import test_next_available
from . import test_performance
from . import test_reminders
from . import test_renew
from . import test_replace
from . import test_return
from . import test_screens
from . import test_software_key
from . import test_status
from . import test_troubleshooting
from . import test_usage_history
from . import test_verify
from . import test_workflows

with suppress(SkipTest):  # needs what an Odoo need not have
    from . import test_replay
