from . import test_seams
