"""The addons that join Odoo's apps, where those are.

They have databases of their own (``tools/odoo.sh`` says why), and so a run, too.
"""

import os
import subprocess

import pytest
from test_install import PRODUCT, assert_same, traces
from test_setup import shell
from throwaway import ROOT, Database

from odoo.modules import Manifest

LINTS = "tools/tests/test_odoo_suites.py"


def joining():
    """Return the names of these addons."""
    status, said = shell("joining_addons")
    assert status == 0, said
    return said.strip().split(",")


@pytest.fixture
def database():
    """What all our addons need, those apps among it."""
    status, said = shell(
        "setup; make_template $(our_addons); echo $template",
        **{name: value for name, value in os.environ.items() if name.startswith("PG")},
    )
    assert status == 0, said
    database = Database(f"ce_joining_{os.getpid()}", said.split()[-1])
    yield database
    database.drop()


def test_own_tests():
    """Their own tests pass, and Odoo's lints of their models."""
    done = subprocess.run(
        [
            *(ROOT / "dev", "test", "-n0", "-q", *joining(), LINTS),
            *("--deselect", f"{LINTS}::TestRobot"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_they_come_by_themselves():
    """Odoo installs them where what they join is installed, and what they need."""
    manifests = [Manifest.for_addon(addon) for addon in joining()]
    come = [manifest for manifest in manifests if manifest["auto_install"]]
    needed = {name for manifest in come for name in manifest["depends"]}
    assert set(joining()) <= needed | {manifest.name for manifest in come}


def test_they_come_and_go(database):
    """E4: with their demo data they come, are upgraded, and go without a trace."""
    # Odoo loads demo data where the addons below have theirs.
    database.execute("UPDATE ir_module_module SET demo = true")
    database.odoo("-i", PRODUCT, "--with-demo", "--skip-auto-install")
    before = traces(database)
    database.odoo("-i", ",".join(joining()), "--with-demo", "--skip-auto-install")
    installed = traces(database)
    database.odoo("-u", ",".join(joining()))
    assert_same(installed, traces(database))
    for addon in reversed(joining()):  # what others need goes last
        database.uninstall(addon)
    assert_same(before, traces(database))
