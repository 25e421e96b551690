from . import test_corrections
from . import test_delivery
from . import test_keys
from . import test_races
from . import test_return
