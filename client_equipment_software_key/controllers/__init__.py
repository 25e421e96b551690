from . import export
from . import license_file
