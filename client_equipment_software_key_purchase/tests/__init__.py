from . import test_access
from . import test_costs
from . import test_quotation
from . import test_received
from . import test_renewal
from . import test_tour
