"""The addons that join Odoo's apps, where those are.

They have databases of their own (``tools/odoo.sh`` says why), and so a run, too.
"""

import os
import subprocess

import pytest
from test_install import PRODUCT, REGISTER, assert_same, traces
from test_seams import ADDONS
from test_setup import shell
from test_upgrade import assert_stored_alike, git, unpack
from throwaway import ROOT, Database

from odoo.modules import Manifest

LINTS = "tools/tests/test_odoo_suites.py"
# Tests that go over all models and fields of ours, whichever addon has them; two of
# these are long, and look at each method alone.
GUARDS = [
    f"{PRODUCT}/tests/test_{name}.py"
    for name in ("deletion", "readers", "gate", "bad_input")
]
LONG = ("test_methods", "test_contexts")
SHARED = "client_equipment_software_key_product/__manifest__.py"
PRODUCTS = """
    SELECT name, product_id, purchase_seats FROM client_equipment_software
     WHERE product_id IS NOT NULL ORDER BY id
"""


def joining():
    """Return the names of these addons."""
    status, said = shell("joining_addons")
    assert status == 0, said
    return said.strip().split(",")


@pytest.fixture
def make_database():
    """Make databases with what all our addons need, those apps among it."""
    status, said = shell(
        "setup; make_template $(our_addons); echo $template",
        **{name: value for name, value in os.environ.items() if name.startswith("PG")},
    )
    assert status == 0, said
    made = []

    def make(kind):
        made.append(Database(f"ce_{kind}_{os.getpid()}", said.split()[-1]))
        return made[-1]

    yield make
    for database in made:
        database.drop()


def test_own_tests():
    """Their own tests pass, those that go over all models, and Odoo's lints."""
    done = subprocess.run(
        [
            *(ROOT / "dev", "test", "-n0", "-q", *joining(), *GUARDS, LINTS),
            f"--deselect={LINTS}::TestRobot",
            *(f"--deselect={GUARDS[-1]}::TestBadCalls::{name}" for name in LONG),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_beside_more_apps(make_database):
    """G1: what Odoo's drop shipping and kits deliver enters the register, too."""
    log = make_database("apps").odoo(
        *(f"--addons-path={ROOT},{ADDONS}", "-i", "client_equipment_apps"),
        *("--test-tags=/client_equipment_apps", "--skip-auto-install"),
        "--log-handler=odoo.tests.result:INFO",
    )
    assert "0 failed, 0 error(s) of 3 tests" in log


def test_they_come_by_themselves():
    """Odoo installs them where what they join is installed, and what they need."""
    manifests = [Manifest.for_addon(addon) for addon in joining()]
    come = [manifest for manifest in manifests if manifest["auto_install"]]
    needed = {name for manifest in come for name in manifest["depends"]}
    assert set(joining()) <= needed | {manifest.name for manifest in come}


def test_they_come_and_go(make_database):
    """E4: with their demo data they come, are upgraded, and go without a trace."""
    database = make_database("joining")
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


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no history")
def test_from_before_they_shared(make_database, tmp_path):
    """E4: a database of the time when purchase and sale each declared the product of
    software keeps it, and comes to what a new one is."""
    added = git("log", "--diff-filter=A", "--format=%H", "--", SHARED).decode().split()
    unpack(f"{added[-1]}^", tmp_path)
    database = make_database("shared")
    database.execute("UPDATE ir_module_module SET demo = true")
    apps = [addon for addon in joining() if (tmp_path / addon).exists()]
    database.odoo("-i", ",".join(apps), "--with-demo", f"--addons-path={tmp_path}")
    before = database.execute(PRODUCTS)
    assert before
    database.odoo("-u", REGISTER)
    assert database.execute(PRODUCTS) == before
    new = make_database("new")
    new.odoo("-i", ",".join(joining()))
    assert_stored_alike(traces(database), traces(new))
