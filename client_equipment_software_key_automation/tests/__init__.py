from . import test_api_guide
from . import test_rule_form
from . import test_rules
from . import test_webhook
