# Other connections see only what is committed.
# pylint: disable=invalid-commit
import subprocess
import sys
import time
from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import get_db_name, tagged
from odoo.tools import config, mute_logger

from ..models import client_equipment_software_key_expiry as expiry
from .common import CommittedCase, SoftwareKeyCommon

LAST_DAY = fields.Date.to_date("2031-03-10")


@tagged("post_install", "-at_install")
class TestExpiration(SoftwareKeyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cron = cls.env.ref("client_equipment_software_key.ir_cron_expire")
        cls.east, cls.west = cls.company, cls.other_company
        cls.east.partner_id.tz = "Australia/Brisbane"  # UTC+10, no summer time
        cls.west.partner_id.tz = "Etc/GMT+8"  # UTC-8
        Key = cls.env["client.equipment.software.key"]
        with freeze_time("2031-03-01 12:00:00"):  # what demo data brought, is over
            due = Key.search([("status", "in", ("available", "applied"))])
            due._filtered_past_end().write({"status": "expired"})
            cls.east_key, cls.west_key, cls.shared_key = Key.create(
                [
                    {
                        "license_key": f"LAST-DAY-{name}",
                        "software_id": cls.antivirus.id,
                        "key_type": "subscription",
                        "validity_end": LAST_DAY,
                        "company_id": company.id,
                    }
                    for name, company in (
                        ("east", cls.east),
                        ("west", cls.west),
                        ("shared", cls.env["res.company"]),
                    )
                ]
            )

    def _run_job(self):
        """Let the scheduled action run as the scheduler would, and return its last
        record of progress."""
        with self.enter_registry_test_mode():
            self.cron.method_direct_trigger()
        return self.env["ir.cron.progress"].search(
            [("cron_id", "=", self.cron.id)], order="id desc", limit=1
        )

    def _trail(self):
        return self.env["client.equipment.audit.log"].search_count([])

    def _due_keys(self, count):
        """Return keys of the company that are due, entered while they were not."""
        with freeze_time("2031-03-01 12:00:00"):
            keys = self._enter(
                *[f"DUE-{number}" for number in range(count)],
                key_type="trial",
                validity_end="2031-03-05",
            )
            self._apply(keys[::2])
        return keys

    def test_the_job_is_there(self):
        """S1: the scheduled action is active and runs every hour."""
        self.assertTrue(self.cron.active)
        self.assertEqual(
            (self.cron.interval_number, self.cron.interval_type), (1, "hours")
        )

    def test_day_before_last_day_and_day_after(self):
        """S1: not before the last day is over where the key's company is."""
        # When the last day ends: in Brisbane at 14:00 UTC, here at midnight, on the
        # west coast at 08:00 UTC of the day after.
        for moment, expired in (
            ("2031-03-09 12:00:00", ""),  # the day before
            ("2031-03-10 00:00:01", ""),  # the last day, 10:00 in Brisbane
            ("2031-03-10 13:59:00", ""),  # 23:59 in Brisbane
            ("2031-03-10 14:00:01", "east"),  # the day after in Brisbane
            ("2031-03-10 23:59:00", "east"),  # the last day everywhere else
            ("2031-03-11 00:00:01", "east shared"),
            ("2031-03-11 07:59:00", "east shared"),  # 23:59 on the west coast
            ("2031-03-11 08:00:01", "east shared west"),
        ):
            with self.subTest(moment=moment), freeze_time(moment):
                self._run_job()
                for name in ("east", "west", "shared"):
                    key = getattr(self, f"{name}_key")
                    status = "expired" if name in expired.split() else "available"
                    self.assertEqual(key.status, status, name)
                    self.assertEqual(key.can_be_applied, status == "available", name)
        for key in self.east_key + self.west_key + self.shared_key:
            self.assertEqual(self._steps(key), ["created", "expired"])

    def test_what_the_job_writes(self):
        """S1, table 4: one entry for each key, an assignment stays where it is."""
        keys = self._due_keys(4)
        installed = keys[::2]
        with freeze_time("2031-03-06 12:00:00"):
            self._run_job()
        self.assertEqual(set(keys.mapped("status")), {"expired"})
        self.assertEqual(installed.equipment_id, self.laptop)
        self.assertEqual(len(installed.equipment_feature_ids), 2)
        for key in keys:
            entry = key.audit_log_ids.sorted("number")[-1]
            self.assertEqual(entry.action, "expired")
            self.assertEqual(entry.description, "Expired")
            self.assertEqual(entry.user_id, self.env.ref("base.user_root"))
            self.assertEqual(
                entry.equipment_id,
                self.laptop if key in installed else self.laptop.browse(),
            )
            self.assertEqual(
                entry.status_before, "applied" if key in installed else "available"
            )

    def test_second_run_writes_nothing(self):
        """S1: what has expired does not expire again."""
        keys = self._due_keys(3)
        with freeze_time("2031-03-06 12:00:00"):
            self._run_job()
            entries, dates = self._trail(), keys.mapped("write_date")
            progress = self._run_job()
        self.assertEqual(self._trail(), entries)
        self.assertEqual(keys.mapped("write_date"), dates)
        self.assertEqual((progress.done, progress.remaining), (0, 0))

    def test_batches_and_progress(self):
        """S1: the job works in batches and reports how far it is."""
        keys = self._due_keys(7)
        reported = []
        write = type(self.env["ir.cron.progress"]).write

        def record(progress, vals):
            if "done" in vals:
                reported.append((vals["done"], vals["remaining"]))
            return write(progress, vals)

        with (
            patch.object(expiry, "EXPIRE_BATCH", 3),
            patch.object(type(self.env["ir.cron.progress"]), "write", record),
            freeze_time("2031-03-06 12:00:00"),
        ):
            progress = self._run_job()
        self.assertEqual(reported, [(0, 7), (3, 4), (6, 1), (7, 0)])
        self.assertEqual((progress.done, progress.remaining), (7, 0))
        self.assertEqual(set(keys.mapped("status")), {"expired"})

    def test_time_runs_out(self):
        """S1: a job whose time is up stops between two batches; the next goes on."""
        keys = self._due_keys(6)
        with (
            patch.object(expiry, "EXPIRE_BATCH", 2),
            freeze_time("2031-03-06 12:00:00"),
            self.enter_registry_test_mode(),
        ):
            # As the scheduler does, with no time left from the start.
            progress = self.env["ir.cron.progress"].create({"cron_id": self.cron.id})
            job = self.env["client.equipment.software.key"].with_context(
                ir_cron_progress_id=progress.id, cron_id=self.cron.id, cron_end_time=0
            )
            with self.env.registry.cursor() as cr:
                job.with_env(job.env(cr=cr))._cron_expire()
            self.env.invalidate_all()
            self.assertEqual(set(keys.mapped("status")), {"available", "applied"})
            self.assertEqual(progress.remaining, 6)
            self.cron.method_direct_trigger()
        self.assertEqual(set(keys.mapped("status")), {"expired"})
        for key in keys:
            self.assertEqual(self._steps(key).count("expired"), 1)

    def test_due_keys_are_refused_before_the_job_ran(self):
        """A3, design 6: between the last day and the job's run, the day counts."""
        keys = self._due_keys(2)
        free = keys[1]
        self.assertEqual(free.status, "available")
        with freeze_time("2031-03-06 12:00:00"):
            self.env.invalidate_all()
            self.assertFalse(free.can_be_applied)
            found = free.search([("can_be_applied", "=", True)])
            self.assertNotIn(free, found)
            found = free.search([("can_be_applied", "=", False)])
            self.assertIn(free, found)

    def test_renewed_in_time(self):
        """S1: a key that was renewed before its last day is left alone."""
        keys = self._due_keys(2)
        with freeze_time("2031-03-04 12:00:00"):
            keys[0].validity_end += timedelta(days=365)
        with freeze_time("2031-03-06 12:00:00"):
            self._run_job()
        self.assertEqual(keys.mapped("status"), ["applied", "expired"])

    def test_changed_since_it_was_found(self):
        """S1: what was renewed or revoked after the job had found it and before it
        came to it is left alone."""
        keys = self._due_keys(4)
        Key = self.env["client.equipment.software.key"]
        with freeze_time("2031-03-06 12:00:00"):
            due = Key._due_domain()
            found = Key.browse(key_id for _end, key_id in Key._find_due(due, None))
            self.assertEqual(found, keys)
            keys[0].validity_end += timedelta(days=365)
            keys[1].with_user(self.manager).revoke()
            self.assertEqual(Key._lock_due(due, found.ids), keys[2:])


# The job in a server of its own, in small batches, so that there is a middle; there it
# stays, with the work of one batch half done.
JOB = """
import time
from odoo.addons.client_equipment_software_key.models import (
    client_equipment_software_key_expiry as module
)
module.EXPIRE_BATCH = 2
Key = type(env["client.equipment.software.key"])
expire_due, batches = Key._expire_due, iter(range(100))

def expire_some(self, due, key_ids):
    count = expire_due(self, due, key_ids)
    self.env.flush_all()
    time.sleep(600 * (next(batches) > 5))
    return count

Key._expire_due = expire_some
env.ref("client_equipment_software_key.ir_cron_expire").method_direct_trigger()
"""


@tagged("post_install", "-at_install")
class TestKilledJob(CommittedCase):
    def _expired(self, keys):
        self.cr.rollback()
        self.env.invalidate_all()
        return keys.filtered(lambda key: key.status == "expired")

    def _due_keys(self, count):
        """Return keys that were entered in time and are due by now."""
        with freeze_time(self._in_days(-10)):
            keys = self._enter_subscriptions(
                *[f"KILL-{self._testMethodName}-{number}" for number in range(count)],
                end=-3,
            )
            self._apply(keys[::2])
            self.env.flush_all()
        self.cr.commit()
        return keys

    def _run_job(self):
        """Run the job here, as soon as the killed one has let go of it."""
        cron = self.env.ref("client_equipment_software_key.ir_cron_expire")
        for _attempt in range(100):
            try:
                cron.method_direct_trigger()
                break
            except UserError:  # already executing
                self.cr.rollback()
                time.sleep(0.1)
        self.cr.commit()

    def test_killed_in_the_middle(self):
        """S1, E5: killed at any point, the next run loses and repeats nothing."""
        keys = self._due_keys(40)
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "odoo", "shell", "-d", get_db_name()),
                *("--no-http", "--log-level=warn"),
                f"--addons-path={','.join(map(str, config['addons_path']))}",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        self.addCleanup(server.kill)
        server.stdin.write(JOB.encode())
        server.stdin.close()
        deadline = time.monotonic() + 120
        while not self._expired(keys):
            self.assertLess(time.monotonic(), deadline, "the job does not start")
            time.sleep(0.01)
        server.kill()
        server.stderr.read()
        server.wait()
        expired = self._expired(keys)
        self.assertTrue(0 < len(expired) < len(keys), "killed in the middle")
        for key in keys:
            self.assertEqual(self._steps(key).count("expired"), int(key in expired))
        self._run_job()
        self.assertEqual(self._expired(keys), keys)
        for key in keys:
            self.assertEqual(self._steps(key).count("expired"), 1)
        self.assertEqual(keys.verify_audit_trail(), [])
        entries = sum(keys.mapped("audit_number"))
        self._run_job()
        self._expired(keys)
        self.assertEqual(sum(keys.mapped("audit_number")), entries)

    @mute_logger("odoo.sql_db")
    def test_people_work_beside_the_job(self):
        """S1, E5: the job leaves out what people hold, and takes it the next time."""
        keys = self._due_keys(10)
        held = keys[:3]
        with self.registry.cursor() as cr:
            held.with_env(self.env(cr=cr)).lock_for_update(allow_referencing=True)
            self._run_job()
            self.assertEqual(self._expired(keys), keys - held)
        self._run_job()
        self.assertEqual(self._expired(keys), keys)
        for key in keys:
            self.assertEqual(self._steps(key).count("expired"), 1)
