# The rules, the steps and what goes out after them are committed.
# pylint: disable=invalid-commit
import json
import re
import unittest
from pathlib import Path

from freezegun import freeze_time

from odoo import Command

from odoo.addons.client_equipment_software_key.tests.common import CommittedCase

from .common import AUDIT_LOG, KEY, ListenerMixin, RuleMixin

GUIDE = Path(__file__).parents[2] / "docs" / "admin.md"


class TestWebhook(ListenerMixin, RuleMixin, CommittedCase):
    """H2: Odoo's own action *Send Webhook Notification* tells of each step."""

    def _webhook(self, model, trigger, *fields):
        """Return a rule whose action posts these fields to the listener."""
        rule = self._rule(
            model,
            trigger,
            action={
                "state": "webhook",
                "webhook_url": self.webhook_url,
                "webhook_field_ids": [
                    Command.link(self.env["ir.model.fields"]._get(model, name).id)
                    for name in fields
                ],
            },
        )
        self.cr.commit()
        return rule

    def _forget(self, rule):
        self.cr.rollback()
        rule.unlink()
        self.cr.commit()

    def _entered(self, license_key, end):
        """Return a subscription, entered and committed ten days ago."""
        with freeze_time(self._in_days(-10)):
            key = self._enter(
                license_key, key_type="subscription", validity_end=self._in_days(end)
            )
        self.cr.commit()
        return key

    def _take_steps(self, valid, ended):
        """Let a technician apply one key, and the job expire the other one."""
        self._apply(valid)
        self.cr.commit()
        job = self.env.ref("client_equipment_software_key.ir_cron_expire")
        job.method_direct_trigger()
        self.cr.commit()
        self.assertEqual((valid.status, ended.status), ("applied", "expired"))

    def test_audit_log(self):
        """H2: the webhook gets *applied* and *expired*, each with its key."""
        valid, ended = self._entered("HOOK-1", 30), self._entered("HOOK-2", -2)
        rule = self._webhook(
            AUDIT_LOG, "on_create", "action", "software_key_id", "description"
        )
        self.addCleanup(self._forget, rule)
        self._take_steps(valid, ended)
        told = self._told(2, "_model", "action", "software_key_id", "description")
        by = self.technician.name
        self.assertEqual(
            told,
            [
                (
                    AUDIT_LOG,
                    "applied",
                    valid.id,
                    f"Applied to Equipment {self.laptop.name} by {by}",
                ),
                (AUDIT_LOG, "expired", ended.id, "Expired"),
            ],
        )

    @unittest.skipUnless(GUIDE.exists(), "the addon stands alone, without the guide")
    def test_guide(self):
        """H2: the guide's example is what another program gets, by the fields that the
        guide names."""
        guide = GUIDE.read_text()
        example = json.loads(re.search(r"^```json\n(.*?)^```", guide, re.S | re.M)[1])
        fields = [name for name in example if not name.startswith("_") and name != "id"]
        words = " ".join(guide.split())
        for name in fields:
            label = self.env[AUDIT_LOG]._fields[name].get_description(self.env)
            self.assertIn(f"*{label['string']}*", words)
        self.laptop.serial_no = "HOOK-LAPTOP"
        valid, ended = self._entered("HOOK-5", 30), self._entered("HOOK-6", -2)
        rule = self._webhook(AUDIT_LOG, "on_create", *fields)
        self.addCleanup(self._forget, rule)
        self._take_steps(valid, ended)
        applied, _expired = self._told(2)
        self.assertEqual(
            {name: type(value) for name, value in applied.items()},
            {name: type(value) for name, value in example.items()},
        )

    def test_key(self):
        """H2: so does one that listens to the status of keys, as they are then."""
        valid, ended = self._entered("HOOK-3", 30), self._entered("HOOK-4", -2)
        rule = self._webhook(KEY, "on_create_or_write", "license_key_hint", "status")
        rule.trigger_field_ids = self.env["ir.model.fields"]._get(KEY, "status")
        self.cr.commit()
        self.addCleanup(self._forget, rule)
        self._take_steps(valid, ended)
        self.assertEqual(
            self._told(2, "_id", "license_key_hint", "status"),
            [
                (valid.id, valid.license_key_hint, "applied"),
                (ended.id, ended.license_key_hint, "expired"),
            ],
        )
