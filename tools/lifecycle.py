"""Keep the tables that the product itself has in the guides: steps and facts.

``tools/lifecycle.py`` writes them, ``--check`` tells whether they are up to date.
"""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

ROOT = Path(__file__).parents[1]
# (plain module of the product, guide, what the marks in the guide call the table)
TABLES = [
    ("lifecycle", "api.md", "steps"),
    ("trail", "evidence.md", "facts"),
    ("tests/attacks", "evidence.md", "attacks"),
]


def load(name):
    path = ROOT / "client_equipment_software_key" / f"{name}.py"
    spec = spec_from_file_location(name, path)
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main():
    for module, guide, called in TABLES:
        path = ROOT / "docs" / guide
        begin = f"<!-- the {called}: made by tools/lifecycle.py -->"
        end = f"<!-- end of the {called} -->"
        text = path.read_text()
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        new = f"{before}{begin}\n\n{load(module).table()}\n\n{end}{after}"
        if "--check" in sys.argv and new != text:
            sys.exit(f"{path}: run tools/lifecycle.py")
        path.write_text(new)


main()
