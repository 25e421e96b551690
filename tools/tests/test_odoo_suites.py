"""What Odoo tests of its own addons, with ours: its lints, and its robot that clicks
on every menu, view and filter."""

from pathlib import Path
from unittest.mock import patch

import pytest

from odoo.modules import Manifest
from odoo.tests import HttpCase
from odoo.tools import SQL, convert_file

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

ROOT = Path(__file__).parents[2]
ADDONS = [path.parent.name for path in ROOT.glob("client_equipment*/__manifest__.py")]
OUR_APP = "client_equipment.menu_client_equipment_root"
SETTINGS = "base.menu_administration"


@pytest.fixture(scope="module", autouse=True)
def only_ours():
    """What is linted: nobody could mend the rest."""
    ours = [Manifest.for_addon(addon) for addon in ADDONS]
    with patch.object(Manifest, "all_addon_manifests", lambda: ours):
        yield


class TestIndex(test_index.TestIndex):
    def test_enforce_index_on_one2many_inverse(self):
        """Another index that begins with the field will do."""
        covered = self.env.execute_query(
            SQL(
                """
                SELECT relname, attname FROM pg_index
                  JOIN pg_class ON pg_class.oid = indrelid
                  JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
                 WHERE indpred IS NULL
                """
            )
        )
        tables = {model._table: model for model in self.registry.values()}
        fields = {
            str(tables[table]._fields[column])
            for table, column in covered
            if table in tables
        }
        known = test_index.BTREE_INDEX_IGNORE_FIELDS
        with patch.object(test_index, "BTREE_INDEX_IGNORE_FIELDS", known | fields):
            super().test_enforce_index_on_one2many_inverse()


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


class TestRobot(HttpCase):
    """The robot, as administrator, amid the demo data."""

    # What Odoo gives to the tests that it finds in addons.
    test_tags = {"post_install"}
    test_module = "client_equipment_software_key"
    test_class = "TestRobot"
    allow_end_on_form = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for addon in filter(cls.registry._init_modules.__contains__, sorted(ADDONS)):
            for file in Manifest.for_addon(addon).get("demo", []):
                convert_file(cls.env, addon, file, {}, "init", noupdate=True)
        cls.env.ref("base.user_admin").tour_enabled = False

    def _click_everywhere(self, app, light=False):
        loader = "odoo.loader.modules.get('@web/webclient/clickbot/clickbot_loader')"
        self.browser_js(
            "/odoo",
            f"{loader}.startClickEverywhere('{app}', {str(light).lower()})",
            "odoo.isReady === true",
            login="admin",
            timeout=600,
            success_signal="clickbot test succeeded",
        )

    def test_our_app(self):
        self._click_everywhere(OUR_APP)

    def test_settings(self):
        self._click_everywhere(SETTINGS)

    def test_first_screens_of_other_apps(self):
        """What is ours changes nothing there, so their first screens are enough."""
        apps = self.env["ir.ui.menu"].load_menus(False)
        for app_id in apps["root"]["children"]:
            app = apps[app_id]["xmlid"]
            if app not in (OUR_APP, SETTINGS):
                with self.subTest(app=app):
                    self._click_everywhere(app, light=True)
