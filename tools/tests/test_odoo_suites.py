"""What Odoo tests of its own addons, with ours: its lints, and its robot that clicks
on every menu, view and filter."""

from pathlib import Path
from unittest.mock import patch

import pytest

from odoo.modules import Manifest
from odoo.tools import convert_file

from odoo.addons.test_lint.tests import (
    test_dunderinit,
    test_index,
    test_naming,
    test_onchange_domains,
    test_orm_import,
    test_override_signatures,
    test_pofile,
    test_test_holes,
)
from odoo.addons.web.tests import test_click_everywhere

ROOT = Path(__file__).parents[2]
ADDONS = [path.parent.name for path in ROOT.glob("client_equipment*/__manifest__.py")]


@pytest.fixture(scope="module", autouse=True)
def only_ours():
    """What is linted: nobody could mend the rest."""
    ours = [Manifest.for_addon(addon) for addon in ADDONS]
    with patch.object(Manifest, "all_addon_manifests", lambda: ours):
        yield


class TestIndex(test_index.TestIndex):
    pass


class TestNaming(test_naming.TestNaming):
    pass


class TestOverrideSignatures(test_override_signatures.TestLintOverrideSignatures):
    pass


class TestHoles(test_test_holes.TestTestHoles):
    pass


class TestTemplates(test_pofile.PotLinter):
    pass


class TestOnchange(test_onchange_domains.TestOnchangeDomains):
    pass


class TestInit(test_dunderinit.TestDunderinit):
    pass


class TestImports(test_orm_import.TestDunderinit):
    pass


class TestRobot(test_click_everywhere.TestMenusAdmin):
    """The robot, as administrator, amid the demo data."""

    # What Odoo gives to the tests that it finds in addons.
    test_module = "client_equipment_software_key"
    test_class = "TestRobot"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for addon in ADDONS:
            for file in Manifest.for_addon(addon).get("demo", []):
                convert_file(cls.env, addon, file, {}, "init", noupdate=True)
