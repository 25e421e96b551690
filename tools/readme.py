"""Write each addon's README.rst from its manifest and its readme/*.md fragments.

With ``--check`` write nothing, but exit with 1 where a README.rst is not up to date.
"""

import ast
import re
import sys
from pathlib import Path

import mistune
from mistune.renderers.rst import RSTRenderer

SECTIONS = {
    "DESCRIPTION": None,
    "CONTEXT": "Use cases and context",
    "CONFIGURE": "Configuration",
    "USAGE": "Usage",
    "DEVELOP": "For developers",
    "ROADMAP": "Known limits",
    "HISTORY": "Changelog",
    "CONTRIBUTORS": "Contributors",
}


class Renderer(RSTRenderer):
    """mistune's own renderer, with what it leaves out."""

    HEADING_MARKERS = dict(enumerate("=-~^", 1))

    def paragraph(self, token, state):
        # Fragments lie one folder deeper than the README.
        return super().paragraph(token, state).replace(":: ../static/", ":: static/")

    def table(self, token, state):
        head, *bodies = token["children"]
        rows = [head] + [row for body in bodies for row in body["children"]]
        cells = [
            [self.render_children(cell, state) for cell in row["children"]]
            for row in rows
        ]
        lines = [".. list-table::", "   :header-rows: 1", ""]
        for row in cells:
            lines += [
                f"   {'* -' if i == 0 else '  -'} {cell}" for i, cell in enumerate(row)
            ]
        return "\n".join(lines) + "\n\n"


def readme(addon):
    manifest = ast.literal_eval((addon / "__manifest__.py").read_text())
    title = manifest["name"]
    parts = [f"{'=' * len(title)}\n{title}\n{'=' * len(title)}"]
    to_rst = mistune.create_markdown(renderer=Renderer(), plugins=["table"])
    for name, heading in SECTIONS.items():
        fragment = addon / "readme" / f"{name}.md"
        if fragment.exists():
            if heading:
                parts.append(f"{heading}\n{'=' * len(heading)}")
            parts.append(to_rst(fragment.read_text()).strip())
    return re.sub(r"\n{3,}", "\n\n", "\n\n".join(parts)) + "\n"


def main(*options):
    stale = []
    for manifest in sorted(Path().glob("client_equipment*/__manifest__.py")):
        path, text = manifest.parent / "README.rst", readme(manifest.parent)
        if not path.exists() or path.read_text() != text:
            stale.append(path)
            if "--check" not in options:
                path.write_text(text)
    for path in stale if "--check" in options else ():
        print(f"{path} is not what its fragments make: run tools/readme.py")
    return bool(stale) and "--check" in options


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
