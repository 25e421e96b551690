import json
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

from odoo.tests import HttpCase, get_db_name, new_test_user

from odoo.addons.client_equipment_software_key.tests.common import (
    SoftwareKeyMixin,
    api_key,
)

from .common import AUDIT_LOG, ListenerMixin, RuleMixin

API_GUIDE = Path(__file__).parents[2] / "docs" / "api.md"


@unittest.skipUnless(API_GUIDE.exists(), "the addon stands alone, without the guide")
class TestApiGuide(ListenerMixin, RuleMixin, SoftwareKeyMixin, HttpCase):
    """The example of the API guide, run as an administrator would run it."""

    def test_example(self):
        """H2: the rule that the guide makes over the API posts what it says."""
        guide = API_GUIDE.read_text()
        blocks = re.findall(r"^```(python.*?)\n(.*?)^```", guide, re.DOTALL | re.M)
        call, _, _ = next(text for name, text in blocks if "call(" in text).partition(
            "[software_id]"
        )
        (example,) = (text for name, text in blocks if name == "python automation")
        self._run(call + example)
        rule = self.env["base.automation"].search([], order="id desc", limit=1)
        key = self._enter("GUIDE-1")
        self.env.cr.postcommit.clear()
        self._apply(key)
        self.env.cr.postcommit.run()  # a test never commits
        entry = self.env[AUDIT_LOG].search([], order="id desc", limit=1)
        (told,) = re.findall(r"^```json\n(.*?)^```", guide, re.DOTALL | re.M)
        self.assertEqual(
            self._told(1),
            [
                json.loads(told)
                | {
                    "_action": f"Post it(#{rule.action_server_ids.id})",
                    "_id": entry.id,
                    "id": entry.id,
                    "software_key_id": key.id,
                }
            ],
        )

    def _run(self, program):
        admin = new_test_user(self.env, "sk_admin", "base.group_system")
        environment = os.environ | {
            "ODOO_URL": self.base_url(),
            "ODOO_DATABASE": get_db_name(),
            "ODOO_API_KEY": api_key(admin),
            "WEBHOOK_URL": self.webhook_url,
        }
        # The server answers in this process, so the example runs in another one.
        with self.allow_requests(all_requests=True):
            done = subprocess.run(
                [sys.executable],
                input=program,
                capture_output=True,
                text=True,
                timeout=120,
                env=environment,
                check=False,
            )
        self.assertEqual(done.returncode, 0, done.stderr)
