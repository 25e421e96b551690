"""The addons that join Odoo's apps, where those are.

They have databases of their own (``tools/odoo.sh`` says why), and so a run, too.
"""

import os
import re
import subprocess

import pytest
from test_install import PRODUCT, REGISTER, assert_same, traces
from test_seams import ADDONS
from test_setup import shell, shell_here
from test_upgrade import assert_stored_alike, git, unpack
from throwaway import HISTORY, ROOT, Database

from odoo.modules import Manifest

# Tests that go over all models, fields and methods, whichever addon has them.
GUARDS = [
    f"{PRODUCT}/tests/test_{guard}"
    for guard in (
        "types.py",
        "deletion.py::TestDeletion",
        "readers.py::TestReaders::test_each_reader_sees_his_own",
        "secrets.py::TestSecrets::test_no_oracle",
        "secrets.py::TestSecrets::test_no_answer_holds_it",
        "secrets.py::TestSecrets::test_public_methods",
        "secrets.py::TestSecrets::test_computed_anywhere",
        "gate.py::TestFixedFields::test_every_model_passes_the_gate",
        "gate.py::TestFixedFields::test_readonly_is_fixed",
        "gate.py::TestFixedFields::test_no_route_sets_what_is_fixed",
        "gate.py::TestFixedFields::test_garbage_by_default",
        "gate.py::TestDialogs::test_nobody_elses",
        "gate.py::TestForeignRecords::test_no_name_by_a_link",
        "gate.py::TestForeignRecords::test_equipment_alone_is_told_nothing",
        "gate.py::TestForeignRecords::test_names_of_an_export",
        "bad_input.py::TestSearchOperands::test_garbage",
        "bad_input.py::TestPublicMethods",
        "bad_input.py::TestBadCalls::test_methods_as_technician",
        "bad_input.py::TestBadCalls::test_values",
        "bad_input.py::TestBadValues::test_fields",
        "bad_input.py::TestBadValues::test_scripts",
    )
] + [
    f"tools/tests/test_odoo_suites.py::Test{lint}"
    for lint in ("Index", "Naming", "OverrideSignatures")
]
SHARED = "client_equipment_software_key_product/__manifest__.py"
PRODUCTS = """
    SELECT name, product_id, purchase_seats FROM client_equipment_software
     WHERE product_id IS NOT NULL ORDER BY id
"""
# The demo's story: a key that was bought is on a unit that was delivered, and so is one
# whose renewal has been offered to the unit's customer.
STORY = """
    SELECT count(*) FROM client_equipment unit
      JOIN client_equipment_feature bought ON bought.equipment_id = unit.id
      JOIN client_equipment_software_key key ON key.id = bought.software_key_id
       AND key.purchase_line_id IS NOT NULL AND key.cost > 0
      JOIN client_equipment_feature ending ON ending.equipment_id = unit.id
      JOIN client_equipment_renewal_offer offer
        ON offer.software_key_id = ending.software_key_id
      JOIN sale_order_line line ON line.id = offer.sale_line_id AND line.state = 'draft'
     WHERE unit.picking_id IS NOT NULL AND offer.partner_id = unit.partner_id
"""

TRIED = """
of_demo = lambda name: env.ref(f"client_equipment_software_key.{name}")
env["client.equipment.feature"].create({
    "software_key_id": of_demo("key_antivirus_3").id,
    "equipment_id": of_demo("feature_antivirus_1").equipment_id.id,
})
env.cr.commit()
"""


def joining():
    """Return the names of these addons."""
    status, said = shell("joining_addons")
    assert status == 0, said
    return said.strip().split(",")


@pytest.fixture
def make_database():
    """Make databases with what all our addons need, those apps among it; on request
    also with all our addons."""
    status, said = shell_here(
        "setup; make_ready $(our_addons); echo $template $ready",
    )
    assert status == 0, said
    template, ready = said.split()[-2:]
    made = []

    def make(kind, installed=False):
        source = ready if installed else template
        made.append(Database(f"ce_{kind}_{os.getpid()}", source))
        return made[-1]

    yield make
    for database in made:
        database.drop()


def test_own_tests():
    """Their own tests pass, and so does what goes over all models, for those that they
    add or change: the others have been looked at without them."""
    done = subprocess.run(
        [ROOT / "dev", "test", "-n0", "-q", *joining(), *GUARDS],
        env=os.environ | {"GUARDED_ADDONS": ",".join(joining())},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_beside_more_apps(make_database):
    """G1: what Odoo's drop shipping and kits deliver enters the register, too."""
    log = make_database("apps", installed=True).odoo(
        *(f"--addons-path={ROOT},{ADDONS}", "-i", "client_equipment_apps"),
        *("--test-tags=/client_equipment_apps", "--skip-auto-install"),
        "--log-handler=odoo.tests.result:INFO",
    )
    assert "0 failed, 0 error(s) of 3 tests" in log


@pytest.mark.skipif("ALL_APPS" not in os.environ, reason="long: ALL_APPS=1 runs it")
def test_amid_all_apps(make_database):
    """G1, G2, G3: their own tests pass beside all of Odoo's applications at once."""
    apps = [
        manifest.name
        for manifest in Manifest.all_addon_manifests()
        if manifest["application"]
    ]
    assert len(apps) > 30
    log = make_database("all").odoo(
        *("-i", ",".join(apps + joining())),
        "--test-tags=" + ",".join(f"/{addon}" for addon in joining()),
        "--log-handler=odoo.tests.result:INFO",
        "--log-handler=odoo.addons.attachment_indexation:ERROR",  # wants a library
    )
    assert re.search(r" 0 failed, 0 error\(s\) of \d{3} tests", log), log


def test_the_core_needs_no_app():
    """What ``./dev run`` installs without ``--with-apps`` is as little as before."""
    status, said = shell('setup; needed "$(core_addons)"')
    assert status == 0, said
    assert not {"product", "stock", "purchase", "sale_management"} & set(
        re.split(r"\W+", said)
    )


def test_they_come_by_themselves():
    """Odoo installs them where what they join is installed, and what they need."""
    manifests = [Manifest.for_addon(addon) for addon in joining()]
    come = [manifest for manifest in manifests if manifest["auto_install"]]
    needed = {name for manifest in come for name in manifest["depends"]}
    assert set(joining()) <= needed | {manifest.name for manifest in come}


def test_they_come_and_go(make_database):
    """E4: with their demo data, which tell one story from the purchase to the renewal,
    also to who has applied keys of the demo already, they come, are upgraded, and go
    without a trace."""
    database = make_database("joining")
    # Odoo loads demo data where the addons below have theirs.
    database.execute("UPDATE ir_module_module SET demo = true")
    database.odoo("-i", PRODUCT, "--with-demo", "--skip-auto-install")
    database.odoo("shell", stdin=TRIED)
    before = traces(database)
    database.odoo("-i", ",".join(joining()), "--with-demo", "--skip-auto-install")
    installed = traces(database)
    assert database.count(STORY) == 1
    database.odoo("-u", ",".join(joining()))
    assert_same(installed, traces(database))
    database.uninstall(*joining())
    assert_same(before, traces(database))


@pytest.mark.skipif(not HISTORY, reason="no history: git fetch --unshallow")
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
    new = make_database("new", installed=True)
    assert_stored_alike(traces(database), traces(new))
