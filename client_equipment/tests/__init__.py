from . import test_access
from . import test_category
from . import test_deletion
from . import test_equipment
from . import test_partner
from . import test_web_client
