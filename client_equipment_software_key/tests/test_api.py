import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

from odoo.tests import HttpCase, get_db_name, new_test_user, tagged

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
        cls.api_key = (
            cls.env["res.users.apikeys"]
            .with_user(cls.user)
            .sudo()
            ._generate("rpc", "guide", None)
        )

    def _examples(self, language):
        return "\n".join(
            re.findall(
                rf"^```{language}\n(.*?)^```",
                API_GUIDE.read_text(),
                re.DOTALL | re.MULTILINE,
            )
        )

    def _run(self, *command, text):
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
                },
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
