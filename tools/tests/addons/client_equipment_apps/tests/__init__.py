from . import test_apps
