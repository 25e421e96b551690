"""Odoo's own suites as one test: the closing line of a full run counts them, too."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_odoo_suites_pass_with_our_addons():
    done = subprocess.run(
        [ROOT / "dev", "test-odoo"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
