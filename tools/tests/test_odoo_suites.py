"""Odoo's own suites as one test, so that the closing line of a full run counts them too."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_odoo_suites_pass_with_our_addons():
    done = subprocess.run(
        [ROOT / "dev", "test-odoo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
