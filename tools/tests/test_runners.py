"""The tests pass elsewhere, too (E7): under Odoo's own runner, after the demo data,
beside an addon that has its own idea of users and partners, and without hypothesis."""

import os
from importlib import import_module
from inspect import getmembers, isclass
from pathlib import Path

import pytest
from test_setup import shell, shell_here
from throwaway import ROOT, TEMPLATE, Database

from odoo.tests import BaseCase

ADDONS = [path.parent.name for path in ROOT.glob("client_equipment*/__manifest__.py")]
# Some of each kind: of one transaction, with requests, of real connections, with a
# browser, and those that once counted what demo data brought.
QUICK = """
    /client_equipment:TestAccess
    /client_equipment:TestEquipment
    :TestApiErrors
    :TestAuditLog
    :TestConcurrency.test_eight_keys_on_one_equipment
    :TestEvidencePack.test_page_of_each_customer
    :TestExpiration
    :TestJobHealthBanner
    :TestNextAvailableAtOnce
    :TestReplay
"""


@pytest.fixture
def database():
    """What our addons need, and website: kept, since that takes longest to install."""
    status, said = shell_here(
        "setup; keep_database website $template website $template; echo $kept",
    )
    assert TEMPLATE and status == 0, said
    database = Database(f"ce_runners_{os.getpid()}", said.split()[-1])
    yield database
    database.drop()


def test_odoo_runner(database, tmp_path):
    """Odoo's own runner finds nothing."""
    (tmp_path / "hypothesis.py").write_text("raise ImportError")
    # Odoo loads demo data where the addons below have theirs.
    database.execute("UPDATE ir_module_module SET demo = true")
    _status, core = shell("core_addons")
    log = database.odoo(
        *("-i", core.strip(), "--with-demo"),
        f"--test-tags={','.join(QUICK.split())}",
        "--log-handler=odoo.tests.result:INFO",
        PYTHONPATH=f"{tmp_path}:{os.environ['PYTHONPATH']}",
    )
    assert "0 failed, 0 error(s) of " in log
    assert "of 0 tests" not in log


@pytest.mark.parametrize("addon", ADDONS)
def test_after_installation(addon):
    """Every test runs when all addons are installed: what others require of a user or
    a partner has its default value only then."""
    early = []
    for path in Path(ROOT, addon, "tests").glob("test_*.py"):
        module = import_module(f"odoo.addons.{addon}.tests.{path.stem}")
        early += [
            f"{path.stem}.{name}"
            for name, case in getmembers(module, isclass)
            if issubclass(case, BaseCase)
            and case.__module__ == module.__name__
            and not {"standard", "post_install"} <= case.test_tags - {"at_install"}
        ]
    assert not early
