"""The examples of the product's ``readme/DEVELOP.md``, as they stand there."""

import re
from pathlib import Path

from odoo.addons import client_equipment_software_key

PAGE = Path(client_equipment_software_key.__file__).parent / "readme" / "DEVELOP.md"

for example in re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.S | re.M):
    exec(example)  # pylint: disable=exec-used
