from . import test_access
from . import test_delivered
from . import test_quotation
from . import test_renew
from . import test_web_client
