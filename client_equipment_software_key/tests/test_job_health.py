from datetime import timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.tests import HttpCase, tagged

from .common import ADDON, SoftwareKeyCommon, SoftwareKeyMixin


@tagged("post_install", "-at_install")
class TestJobHealth(SoftwareKeyCommon):
    """S6: the expiration job shows that it works."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cron = cls.env.ref(f"{ADDON}.ir_cron_expire")
        cls.now = fields.Datetime.now()

    def _health(self, user=None):
        return (
            self.env["client.equipment.software.key"]
            .with_user(user or self.manager)
            .get_job_health()
        )

    def test_run(self):
        """S6: Settings shows when the job last ran and how many keys it expired."""
        keys = self._enter_subscriptions("DUE-1", "DUE-2", end=1)
        later = self.now + timedelta(days=3)
        with freeze_time(later), self.enter_registry_test_mode():
            self.cron.method_direct_trigger()
        self.assertEqual(keys.mapped("status"), ["expired"] * 2)
        self.env.invalidate_all()
        with freeze_time(later):
            settings = self.env["res.config.settings"].create({})
        self.assertGreaterEqual(settings.software_key_last_expired, 2)
        self.assertEqual(settings.software_key_last_run, self.cron.lastcall)
        self.assertTrue(settings.software_key_last_run)

    def test_check(self):
        """S7: Settings shows when the nightly check last reached the end, how far it is
        in this round, and leads to what it found."""
        check = self.env["client.equipment.software.key.check"]._get()
        last = self._enter(*[f"CHECK-{number}" for number in range(9)])[-1]
        check._write_fixed({"checked_id": last.id // 2, "completed": self.now})
        settings = self.env["res.config.settings"].create({})
        self.assertEqual(settings.software_key_last_check, self.now)
        self.assertAlmostEqual(settings.software_key_check_progress, 50, delta=10)
        action = settings.action_view_software_keys_attention()
        self.assertIn("needs_attention", action["domain"])

    def test_overdue(self):
        """S6: overdue are a job that should have run an hour ago, one that fails and
        one that is switched off; on time is everything else."""
        hour = timedelta(hours=1)
        for vals, overdue in (
            ({"nextcall": self.now + hour}, False),
            ({"nextcall": self.now - hour / 2}, False),
            ({"nextcall": self.now - 2 * hour}, True),
            ({"nextcall": self.now + hour, "failure_count": 1}, True),
            ({"failure_count": 0, "active": False}, True),
            ({"active": True}, False),
        ):
            with self.subTest(vals=vals):
                self.cron.write(vals)
                health = self._health()
                self.assertIs(health["overdue"], overdue)
                self.assertEqual("is overdue" in health["message"], overdue)
        self.cron.unlink()
        self.assertTrue(self._health()["overdue"])

    def test_who(self):
        """S6: managers are told; technicians and auditors, who cannot help, are not."""
        self.assertIn("overdue", self._health())
        for user in (self.technician, self.auditor):
            self.assertEqual(self._health(user), {})


@tagged("post_install", "-at_install")
class TestJobHealthBanner(SoftwareKeyMixin, HttpCase):
    def test_banner(self):
        """S6: managers see a banner on the key list when the job is overdue."""
        self._enter("BANNER-1")
        cron = self.env.ref(f"{ADDON}.ir_cron_expire")
        cron.nextcall = fields.Datetime.now() - timedelta(days=1)
        self.start_tour("/odoo/software-keys", "job_overdue_banner", login="sk_manager")
        cron.nextcall = fields.Datetime.now() + timedelta(hours=1)
        self.start_tour("/odoo/software-keys", "job_on_time", login="sk_manager")
