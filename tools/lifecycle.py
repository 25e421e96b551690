"""Keep the table of steps in the API guide as the product itself has it.

``tools/lifecycle.py`` writes it, ``--check`` tells whether it is up to date.
"""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

ROOT = Path(__file__).parents[1]
GUIDE = ROOT / "docs" / "api.md"
BEGIN, END = (
    "<!-- the steps: made by tools/lifecycle.py -->",
    "<!-- end of the steps -->",
)


def load():
    path = ROOT / "client_equipment_software_key" / "lifecycle.py"
    spec = spec_from_file_location("lifecycle", path)
    module = sys.modules["lifecycle"] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main():
    text = GUIDE.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    new = f"{before}{BEGIN}\n\n{load().table()}\n\n{END}{after}"
    if "--check" in sys.argv:
        sys.exit(new != text and f"{GUIDE}: run tools/lifecycle.py")
    GUIDE.write_text(new)


main()
