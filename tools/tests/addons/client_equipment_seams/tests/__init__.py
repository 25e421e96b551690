from . import test_listening
from . import test_seams
