"""Another addon finds a seam for each thing that it may want (H1).

``addons/client_equipment_seams`` does each once and has the tests; the equipment is in
another table there, as a register of somebody else's would keep it.
"""

import os

import pytest
from test_install import STATE
from throwaway import ROOT, Database

ADDONS = ROOT / "tools" / "tests" / "addons"


@pytest.fixture
def database():
    database = Database(f"ce_seams_{os.getpid()}")
    yield database
    database.drop()


def test_another_addon(database):
    log = database.odoo(
        f"--addons-path={ROOT},{ADDONS}",
        *("-i", "client_equipment_elsewhere,client_equipment_seams"),
        "--test-tags=/client_equipment_seams",
        "--log-handler=odoo.tests.result:INFO",
    )
    assert "0 failed, 0 error(s)" in log, log
    # Automation has come by itself, where Odoo's Automation Rules are (H2).
    assert database.execute(STATE) == [("installed",)]
