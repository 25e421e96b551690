from . import test_api
from . import test_customer_owned
from . import test_feature
from . import test_next_available
from . import test_software_key
from . import test_status
from . import test_verify
