import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

from odoo.tests import HttpCase, get_db_name, new_test_user, tagged
from odoo.tools import mute_logger

from .common import SoftwareKeyMixin, api_key

API_GUIDE = Path(__file__).parents[2] / "docs" / "api.md"


@tagged("post_install", "-at_install")
@unittest.skipUnless(API_GUIDE.exists(), "the addon stands alone, without the guide")
class TestApi(HttpCase):
    """The examples of the API guide, run as an integrator would run them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user = new_test_user(
            cls.env,
            "integrator",
            groups="client_equipment_software_key.group_software_key_manager",
        )
        cls.api_key = api_key(cls.user)

    def _examples(self, language):
        return "\n".join(
            re.findall(
                rf"^```{language}\n(.*?)^```",
                API_GUIDE.read_text(),
                re.DOTALL | re.MULTILINE,
            )
        )

    def _run(self, *command, text, **env):
        # The server answers in this process, so the examples run in another one.
        with self.allow_requests(all_requests=True):
            result = subprocess.run(
                command,
                input=text,
                capture_output=True,
                text=True,
                timeout=120,
                env=os.environ
                | {
                    "ODOO_URL": self.base_url(),
                    "ODOO_DATABASE": get_db_name(),
                    "ODOO_LOGIN": self.user.login,
                    "ODOO_API_KEY": self.api_key,
                }
                | env,
            )
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result.stdout

    def test_examples(self):
        """Every example of the guide runs, in Python, curl and odoorpc (section 1)."""
        self._run(sys.executable, text=self._examples("python"))
        key = self.env["client.equipment.software.key"].search(
            [("license_key", "=", "AVENT-API-00004")]
        )
        self.assertEqual(key.replaces_id.license_key, "AVENT-API-00001")
        self._run("bash", "-euo", "pipefail", text=self._examples("bash"))
        self.env.invalidate_all()
        self.assertEqual(key.status, "revoked")
        printed = self._run(sys.executable, text=self._examples("python odoorpc"))
        self.assertIn("AVENT-API-00004", printed)

    def test_unknown_database(self):
        """E2: a page of HTML, as the server answers where it does not know the
        database, ends the guide's example in words."""
        function = self._examples("python").partition("[software_id]")[0]
        attempt = (
            "try:\n    call(KEY, 'search', domain=[])\n"
            "except RuntimeError as error:\n    print(error)\n"
        )
        with mute_logger("odoo.http"):
            said = self._run(
                sys.executable, text=function + attempt, ODOO_DATABASE="no_such"
            )
        self.assertIn("/search answers 404 with no JSON", said)


@tagged("post_install", "-at_install")
class TestApiErrors(SoftwareKeyMixin, HttpCase):
    """The errors that a client gets over ``/json/2``: status, name, words."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.key, cls.applied_key = cls._enter("API-1", "API-2")
        cls.feature = cls._apply(cls.applied_key)

    def _call(self, user, path, **arguments):
        """Call ``model/method`` as the user; return the status and the answer."""
        bearer = api_key(user) if user else "nobody's"
        answer = self.url_open(
            f"/json/2/client.equipment{path}",
            json=arguments,
            headers={"Authorization": f"bearer {bearer}"},
        )
        return answer.status_code, answer.json()

    def _assert_error(self, status, name, words, user, path, **arguments):
        with mute_logger("odoo.http", "odoo.sql_db"):
            found, answer = self._call(user, path, **arguments)
        self.assertEqual((found, answer["name"]), (status, name))
        self.assertRegex(answer["message"], words)

    def test_not_allowed(self):
        """E1: an unknown API key, and what the role may not do."""
        self._assert_error(
            401,
            "werkzeug.exceptions.Unauthorized",
            "Invalid apikey",
            None,
            ".software.key/search",
            domain=[],
        )
        values = {"license_key": "API-3", "software_id": self.office.id}
        for user, path, arguments in (
            (self.auditor, ".feature/unlink", {"ids": self.feature.ids}),
            (self.technician, ".software.key/revoke", {"ids": self.key.ids}),
            (self.technician, ".software.key/create", {"vals_list": [values]}),
            (self.manager, ".audit.log/create", {"vals_list": [{}]}),
            (self.manager, ".audit.log/unlink", {"ids": self.key.audit_log_ids.ids}),
        ):
            with self.subTest(path):
                self._assert_error(
                    403,
                    "odoo.exceptions.AccessError",
                    "not allowed|Private methods|cannot be called remotely",
                    user,
                    path,
                    **arguments,
                )

    def test_not_there(self):
        """E2: a record, a method or an argument that does not exist."""
        gone = self._enter("API-GONE")
        gone.unlink()
        self._assert_error(
            404,
            "odoo.exceptions.MissingError",
            "does not exist or has been deleted",
            self.manager,
            ".software.key/revoke",
            ids=gone.ids,
        )
        self._assert_error(
            404,
            "werkzeug.exceptions.NotFound",
            "no_such_method",
            self.manager,
            ".software.key/no_such_method",
            ids=self.key.ids,
        )
        self._assert_error(
            422,
            "werkzeug.exceptions.UnprocessableEntity",
            "no_such_argument",
            self.manager,
            ".software.key/revoke",
            ids=self.key.ids,
            no_such_argument=1,
        )

    def test_broken_rules(self):
        """K2, K5: data that break a rule."""
        values = {"license_key": "API-1", "software_id": self.office.id}
        trial = {"license_key": "API-3", "key_type": "trial"}
        for words, path, arguments in (
            ("The license key must be unique!", "create", {"vals_list": [values]}),
            ("API-3", "create", {"vals_list": [values | trial]}),
            (
                "Line 1: API-1: in the system already",
                "bulk_enter",
                {"license_keys": ["API-1"], "values": {"software_id": self.office.id}},
            ),
        ):
            with self.subTest(words):
                self._assert_error(
                    422,
                    "odoo.exceptions.ValidationError",
                    words,
                    self.manager,
                    f".software.key/{path}",
                    **arguments,
                )

    def test_steps_not_allowed(self):
        """A4, A5, A9, K3, K10: steps that the status or the equipment forbids."""
        apply_again = {
            "software_key_id": self.applied_key.id,
            "equipment_id": self.spare_laptop.id,
        }
        for words, path, arguments in (
            ("API-2 is .*applied to", ".feature/create", {"vals_list": [apply_again]}),
            (
                "license key .*cannot be changed",
                ".software.key/write",
                {"ids": self.key.ids, "vals": {"license_key": "API-9"}},
            ),
            (
                "Remove .*first",
                ".software.key/revoke",
                {"ids": self.applied_key.ids},
            ),
            ("API-2", ".software.key/unlink", {"ids": self.applied_key.ids}),
            ("API-2", "/unlink", {"ids": self.laptop.ids}),
            (
                "never be changed",
                ".audit.log/write",
                {"ids": self.key.audit_log_ids.ids, "vals": {"reason": "?"}},
            ),
        ):
            with self.subTest(words):
                self._assert_error(
                    422,
                    "odoo.exceptions.UserError",
                    words,
                    self.manager,
                    path,
                    **arguments,
                )
        self._assert_error(
            422,
            "odoo.addons.client_equipment_software_key.models.client_equipment"
            ".SoftwareKeysLeftError",
            "still carries software keys: .*API-2",
            self.technician,
            "/write",
            ids=self.laptop.ids,
            vals={"state": "returned"},
        )
        self.assertEqual(self.laptop.state, "in_service")
        self.assertEqual(self.applied_key.status, "applied")
