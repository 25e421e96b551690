from odoo.tests import HttpCase, tagged

from .common import ADDON, SoftwareKeyCommon, SoftwareKeyMixin


class OverviewMixin(SoftwareKeyMixin):
    def setUp(self):
        super().setUp()
        # What stands in the database beside the test's own is not counted.
        self.env["client.equipment.software.key"].search(
            []
        ).company_id = self.other_company
        self.antivirus.write({"user_id": self.manager.id, "minimum_available": 5})
        self._enter_subscriptions("SOON-1", end=5)
        self._enter_subscriptions("LATE-1", end=300)

    def _remind(self):
        software = self.env["client.equipment.software"].with_user(self.manager)
        software.sudo()._cron_remind()


@tagged("post_install", "-at_install")
class TestOverview(OverviewMixin, HttpCase):
    """People whose only app this is begin where their day does."""

    def test_manager(self):
        """S5: what ends, what is low; numbers open what they count, the clock too."""
        self._remind()
        self.start_tour("/odoo", "overview_manager", login="sk_manager")

    def test_auditor(self):
        """L5: when the trails were verified, by whom, with what result."""
        self.env["client.equipment.verification"].search([]).unlink()
        self.start_tour("/odoo", "overview_auditor", login="sk_auditor")

    def test_technician(self):
        """A1: a technician begins with the equipment."""
        self.start_tour("/odoo", "first_screen_equipment", login="sk_technician")


@tagged("post_install", "-at_install")
class TestOverviewOnPhone(OverviewMixin, HttpCase):
    browser_size = "390x844"
    touch_enabled = True

    def test_clock(self):
        """S5: what the clock opens is not cut off."""
        self._remind()
        self.start_tour("/odoo", "clock_phone", login="sk_manager")


@tagged("post_install", "-at_install")
class TestTasks(SoftwareKeyCommon):
    def test_numbers(self):
        """S5: each number opens as many records as it counts, whoever added it."""
        self._apply(self._enter_subscriptions("SOON-1", "SOON-2", end=5))
        self.antivirus.minimum_available = 5
        tasks = self._enter("KEY-1").get_overview()["tasks"]
        self.assertTrue(any(task["count"] for task in tasks))
        for task in tasks:
            with self.subTest(task=task["name"]):
                opened = self._count_opened(task, self.manager)
                self.assertEqual(opened, task["count"])


@tagged("post_install", "-at_install")
class TestVerificationNoted(SoftwareKeyCommon):
    """L5: what was verified is noted by the verification itself."""

    def _verified(self):
        return (
            self.env["client.equipment.verification"]
            .with_user(self.auditor)
            .search([("user_id", "=", self.auditor.id)])
        )

    def _verify(self, skipped=0):
        Key = self.env["client.equipment.software.key"].with_user(self.auditor)
        after_id = 0
        while (batch := Key.verify_next_audit_trails(after_id, 2))["count"]:
            after_id = batch["last_id"] + skipped

    def test_complete(self):
        """L5: who, how many, and how many are broken."""
        keys = self._enter(*(f"NOTED-{number}" for number in range(5)))
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE client_equipment_audit_log SET user_name = 'X'"
            " WHERE software_key_id = %s",
            [keys[0].id],
        )
        self._verify()
        count = (
            self.env["client.equipment.software.key"]
            .with_user(self.auditor)
            .search_count([])
        )
        verified = self._verified()
        self.assertTrue(verified.date)
        self.assertEqual((verified.key_count, verified.broken_count), (count, 1))

    def test_left_out(self):
        """L5: a verification that leaves keys out is not one."""
        self._enter(*(f"NOTED-{number}" for number in range(5)))
        self._verify(skipped=1)
        self.assertFalse(self._verified().date)

    def test_nobody_writes_it(self):
        """L4: nobody notes a verification that did not take place."""
        for user in (self.manager, self.auditor):
            Verification = self.env["client.equipment.verification"].with_user(user)
            for operation in ("create", "write", "unlink"):
                self.assertFalse(Verification.has_access(operation))

    def test_other_apps(self):
        """Where there are other apps, the user's own choice stands."""
        http = self.env["ir.http"]
        self.assertEqual(
            http.with_user(self.manager)._get_software_key_home(),
            self.env.ref(f"{ADDON}.overview_action").id,
        )
        action = self.env.ref(f"{ADDON}.overview_action")
        self.env["ir.ui.menu"].create(
            {"name": "Other App", "action": f"ir.actions.client,{action.id}"}
        )
        self.assertFalse(http.with_user(self.manager)._get_software_key_home())
