import base64
import json
import random
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count
from threading import Event
from unittest.mock import patch

from freezegun import freeze_time

from odoo import api, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import HttpCase, tagged
from odoo.tools import html2plaintext

from .. import merkle
from ..models.client_equipment_audit_checkpoint import EMAILS
from ..models.client_equipment_audit_checkpoint_verify import Walk
from .common import ADDON, CommittedCase, SoftwareKeyCommon, SoftwareKeyMixin

CHECKPOINT = "client.equipment.audit.checkpoint"


@tagged("post_install", "-at_install")
class TestCheckpoint(SoftwareKeyCommon):
    """L8: whoever keeps three lines sees every later change."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.keys = cls._enter("POINT-1", "POINT-2", "POINT-3")
        cls._apply(cls.keys[0])
        cls.Checkpoint = cls.env[CHECKPOINT].with_user(cls.auditor)

    def _hashes(self):
        entries = self.env["client.equipment.audit.log"].search(
            [], order="action_date, id"
        )
        return [bytes.fromhex(entry.hash) for entry in entries]

    def test_make(self):
        """L8: three lines over all entries; the next goes on from the frontier."""
        uuid = self.env["ir.config_parameter"].get_param("database.uuid")
        for number in range(3):
            checkpoint = self.Checkpoint.make()
            hashes = self._hashes()
            root = base64.b64encode(merkle.root(hashes)).decode()
            self.assertEqual(
                checkpoint.text.split("\n"),
                [f"client-equipment/{uuid}", str(len(hashes)), root],
            )
            self.assertEqual((checkpoint.size, checkpoint.root), (len(hashes), root))
            self.assertEqual(len(checkpoint.frontier.split()), len(hashes).bit_count())
            self.assertEqual(
                self.Checkpoint.verify(checkpoint.text),
                {
                    "intact": True,
                    "problem": False,
                    "until": checkpoint.until,
                    "size": len(hashes),
                },
            )
            self._enter(f"NEXT-{number}")

    def test_earlier_one(self):
        """L8: what has happened since, by the system itself, is no finding."""
        first = self.Checkpoint.make()
        self._enter("LATER-1")
        second = self.Checkpoint.make()
        self._apply(self.keys[1])
        self.keys[2].with_user(self.manager).revoke("lost")
        for checkpoint in (first, second):
            found = self.Checkpoint.verify(checkpoint.text)
            self.assertTrue(found["intact"], found)
            self.assertEqual(found["until"], checkpoint.until)

    def test_quiet_nights(self):
        """L8: where nothing has happened between two, whoever kept either is told of
        the first; what is put in between is found."""
        first = self.Checkpoint.make()
        second = self.Checkpoint._make(first.until, 10, nightly=True)
        self.assertNotEqual(first, second)
        self.assertEqual(first.text, second.text)
        found = self.Checkpoint.verify(second.text)
        self.assertEqual((found["intact"], found["until"]), (True, first.until))
        self.env.cr.execute(
            "UPDATE client_equipment_audit_checkpoint"
            " SET until = until + interval '1 day' WHERE id = %s",
            [second.id],
        )
        self._enter("BETWEEN-1")
        self.env.invalidate_all()
        found = self.Checkpoint.verify(first.text)
        self.assertRegex(found["problem"], "dated it back")

    def test_nothing_new(self):
        """L8: where nothing has happened since the last one, that is it, and whoever
        asks is told; no row, no mail."""
        self.env["ir.config_parameter"].set_param(EMAILS, "eve@example.com")
        first = self.Checkpoint.make()
        mails = self.env["mail.mail"].search_count([("model", "=", CHECKPOINT)])
        for _again in range(3):
            self.assertEqual(self.Checkpoint.make(), first)
        action = self.Checkpoint.action_make()
        self.assertEqual(action["res_id"], first.id)
        self.assertIn("nothing new", action["name"])
        self._enter("SOMETHING-1")
        action = self.Checkpoint.action_make()
        self.assertNotEqual(action["res_id"], first.id)
        self.assertEqual(action["name"], "New Checkpoint")
        # One has just gone out.
        found = self.env["mail.mail"].search_count([("model", "=", CHECKPOINT)])
        self.assertEqual(found, mails)

    def test_as_it_was_kept(self):
        """L8: the lines are found in whatever they were kept in."""
        lines = self.Checkpoint.make().text
        for text in (
            f"\n  {lines}\n\n",
            lines.replace("\n", "\r\n"),
            lines.replace("\n", " \n\n"),
            "> On Monday somebody wrote:\n>> " + lines.replace("\n", "\n>> "),
            f"Keep this mail.\n\n{lines}\n\nWith it you find out …",
            "Received: from mail.example\n" * 100 + f"\n{lines}\n" + "Bye\n" * 99,
            lines.replace("\n", "\xa0\n"),
            f"Keep this mail.\n{lines} With it you find out …",
        ):
            with self.subTest(text):
                self.assertTrue(self.Checkpoint.verify(text)["intact"])

    def test_step_by_step(self):
        """L8: however many entries there are, no call looks at more than a portion, and
        all together find what one does."""
        for number in range(3):
            self._enter(f"STEP-{number}")
            text = self.Checkpoint.make().text
        size = int(text.split("\n")[1])
        module = f"odoo.addons.{ADDON}.models.client_equipment_audit_checkpoint_verify"
        attacks = (
            "",
            "UPDATE {} SET user_name = 'x'",
            "UPDATE {} SET hash = md5(hash)",
        )
        for attack in attacks:
            with self.subTest(attack), self.cr.savepoint() as savepoint:
                if attack:
                    where = " WHERE software_key_id = %s AND number = 1"
                    table = "client_equipment_audit_log"
                    self.cr.execute(attack.format(table) + where, [self.keys[1].id])
                    self.env.invalidate_all()
                expected = self.Checkpoint.verify(text)
                self.assertEqual(expected["intact"], not attack)
                with patch(f"{module}.STEP", 2), patch(f"{module}.VERIFY_BATCH", 1):
                    steps = [{"state": "", "found": False}]
                    while not steps[-1]["found"]:
                        state = steps[-1]["state"]
                        steps.append(self.Checkpoint.verify_next(text, state))
                self.assertEqual(steps[-1]["found"], expected)
                self.assertGreaterEqual(len(steps), size // 2)
                progress = [step["progress"] for step in steps[1:]]
                self.assertEqual(progress, sorted(progress))
                self.assertEqual((progress[0] < 50, progress[-1]), (True, 100))
                savepoint.rollback()
                self.env.invalidate_all()

    def test_state_is_sealed(self):
        """L8, E1: with a state that was no answer to the same lines nobody has anything
        verified that was not looked at, nor learns from where others' entries are."""
        origin, size, root = self.Checkpoint.make().text.split("\n")
        text, other = f"{origin}\n{size}\n{root}", f"{origin}\n1\n{root}"
        state = self.Checkpoint.verify_next(text)["state"]
        self.assertGreater(self.Checkpoint.verify_next(text, state)["progress"], 50)
        seal, _, walk = state.partition(" ")
        forged = (
            *("x", "[]", "1", "{", "é", " ", seal, walk, f"{seal} ", f" {walk}"),
            f"{seal} {json.dumps([*json.loads(walk)[:-1], 2**31 - 1])}",
            f"{seal[:-1]}{'01'[seal[-1] == '0']} {walk}",
        )
        for lines, given in ((text, each) for each in forged):
            with self.subTest(given), self.assertRefused(UserError, "Begin anew"):
                self.Checkpoint.verify_next(lines, given)
        with self.assertRefused(UserError, "Begin anew"):
            self.Checkpoint.verify_next(other, state)

    def test_state_of_a_long_trail(self):
        """L8: however many nodes the tree of a trail has on the way, it goes on."""
        origin, _size, root = self.Checkpoint.make().text.split("\n")
        text = f"{origin}\n{2**30}\n{root}"
        walk = Walk(2**30 - 1, " ".join(["0" * 64] * 30), "2026-11-26T12:00:00", 1)
        kept = self.Checkpoint._parse(text)
        state = self.Checkpoint._sealed(kept, json.dumps(walk))
        self.assertFalse(self.Checkpoint.verify_next(text, state)["found"]["intact"])

    def test_no_checkpoint(self):
        """L8, E2: what is none is told in words; one of another database, too."""
        origin, size, root = self.Checkpoint.make().text.split("\n")
        for text in (
            "",
            "abc",
            f"{origin}\n{size}",
            f"{origin}\n-1\n{root}",
            f"{origin}\n{size}\n{root[:-2]}",
        ):
            with self.subTest(text), self.assertRefused(UserError, "three"):
                self.Checkpoint.verify(text)
        start = time.process_time()
        for text in (
            f"{origin}" + "\n" * 1_000_000,
            f"{origin}\n{size}" + "\n> |" * 300_000,
            f"{origin}\n" * 40_000,
            f"{origin}" + " " * 1_000_000,
            " " * 1_000_000,
        ):
            with self.assertRefused(UserError, "three"):
                self.Checkpoint.verify(text)
        self.assertLess(time.process_time() - start, 10)
        for kind in (None, 1.5, ["a"], b"a"):
            with self.assertRaises(ValidationError):
                self.Checkpoint.verify(kind)
        found = self.Checkpoint.verify(f"{origin[:-1]}x\n{size}\n{root}")
        self.assertFalse(found["intact"])
        self.assertRegex(found["problem"], "of another database")

    def test_who(self):
        """E1: auditors and managers make and verify them; others learn nothing."""
        text = self.Checkpoint.make().text
        for user in (self.auditor, self.manager, self.env.ref("base.user_admin")):
            self.assertTrue(self.env[CHECKPOINT].with_user(user).verify(text)["intact"])
        for user in (self.technician, self.internal, self.portal):
            Checkpoint = self.env[CHECKPOINT].with_user(user)
            for act in (
                Checkpoint.make,
                Checkpoint.action_make,
                lambda Checkpoint=Checkpoint: Checkpoint.verify(text),
                lambda Checkpoint=Checkpoint: Checkpoint.verify_next(text),
                lambda Checkpoint=Checkpoint: Checkpoint.search([]),
            ):
                with self.assertRaises(AccessError):
                    act()

    def test_closed(self):
        """L1: nobody makes, changes or deletes one by the ORM, whatever his rights and
        the context."""
        checkpoint = self.Checkpoint.make()
        self.env["ir.model.access"].create(
            {
                "name": "everything",
                "model_id": self.env["ir.model"]._get_id(CHECKPOINT),
                "perm_read": True,
                "perm_write": True,
                "perm_create": True,
                "perm_unlink": True,
            }
        )
        before = checkpoint.read()
        forged = {"text": "forged", "size": 1, "root": "x", "until": "2020-01-01"}
        for user in (self.env.user, self.env.ref("base.user_admin"), self.auditor):
            for context in ({}, {"_force_unlink": True, "install_mode": True}):
                mine = checkpoint.with_user(user).with_context(**context)
                for act in (
                    lambda mine=mine: mine.unlink(),
                    lambda mine=mine: mine.sudo().unlink(),
                    lambda mine=mine: mine.write({"text": "forged"}),
                    lambda mine=mine: mine.sudo().write({"text": "forged"}),
                    lambda mine=mine: mine._write_fixed({"text": "forged"}),
                    lambda mine=mine: mine.create(forged),
                    lambda mine=mine: mine.sudo().create([forged]),
                    lambda mine=mine: mine._create([forged]),
                    lambda mine=mine: mine.copy(),
                    lambda mine=mine: mine.web_save({"text": "forged"}, {}),
                ):
                    with self.assertRaises(UserError):
                        act()
        self.env.invalidate_all()
        self.assertEqual(checkpoint.read(), before)

    def test_altered_entry_of_another_company(self):
        """E1, L8: that it was altered everybody learns, which key it is of only its
        company's people."""
        key = self._enter(
            "HIDDEN-1", user=self.env.user, company_id=self.other_company.id
        )
        text = self.Checkpoint.make().text
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE client_equipment_audit_log SET user_name = 'x'"
            " WHERE software_key_id = %s",
            [key.id],
        )
        problem = self.Checkpoint.verify(text)["problem"]
        self.assertRegex(problem, "you may not read")
        self.assertNotIn("HIDDEN", problem)
        self.assertRegex(
            self.env[CHECKPOINT].verify(text)["problem"], "HIDDEN-1.*No. 1 was altered"
        )

    def test_costs_as_the_day(self):
        """L8: a checkpoint reads what has come since the last one, and no more."""
        self.Checkpoint.make()
        hashes = self._hashes()
        # Nobody is told of this: were the old entries read again, the root would be
        # another one.
        self.env.cr.execute("UPDATE client_equipment_audit_log SET hash = md5(hash)")
        self.env.invalidate_all()
        entry = self._enter("NEXT-DAY-1").audit_log_ids
        root = merkle.root([*hashes, bytes.fromhex(entry.hash)])
        self.assertEqual(base64.b64decode(self.Checkpoint.make().root), root)

    def test_job(self):
        """L8: every night one up to midnight, in UTC; once."""
        job = self.env.ref(f"{ADDON}.ir_cron_make_checkpoint")
        self.env[CHECKPOINT].make()
        self.env.cr.execute(
            "UPDATE client_equipment_audit_log"
            " SET action_date = action_date - interval '1 day'"
            " WHERE software_key_id = ANY(%s)",
            [self.keys.ids],
        )
        before = self.env[CHECKPOINT].search([])
        for _twice in range(2):
            with self.enter_registry_test_mode():
                job.method_direct_trigger()
        made = self.env[CHECKPOINT].search([]) - before
        self.assertEqual(len(made), 1)
        until = made.until
        self.env.cr.execute("SELECT date_trunc('day', now() AT TIME ZONE 'UTC')")
        self.assertEqual(until, self.env.cr.fetchone()[0])
        old = self._hashes()[: made.size]
        self.assertGreaterEqual(len(old), 4)
        self.assertEqual(base64.b64decode(made.root), merkle.root(old))


@tagged("post_install", "-at_install")
class TestCheckpointMail(SoftwareKeyCommon):
    """L8, S6: checkpoints go out by mail, and managers learn where they do not."""

    def _set(self, emails):
        self.env["res.config.settings"].create(
            {"software_key_checkpoint_emails": emails}
        ).execute()

    def _make(self):
        checkpoint = self.env[CHECKPOINT].with_user(self.auditor).make()
        return checkpoint, self.env["mail.mail"].search(
            [("model", "=", CHECKPOINT), ("res_id", "=", checkpoint.id)]
        )

    def _problem(self):
        keys = self.env["client.equipment.software.key"].with_user(self.manager)
        return keys.get_job_health()["checkpoint_problem"]

    def test_mail(self):
        """L8: each address gets the three lines, without a name or key in them."""
        key = self._enter("MAILED-1")
        self._set("Eve <eve@example.com>, bob@example.com")
        checkpoint, mails = self._make()
        self.assertEqual(
            set(mails.mapped("email_to")),
            {'"Eve" <eve@example.com>', "bob@example.com"},
        )
        for mail in mails:
            self.assertIn(f"<pre>{checkpoint.text}</pre>", mail.body_html)
            # Also as a mail program without HTML shows it.
            shown = html2plaintext(mail.body_html)
            self.assertIn(f"\n{checkpoint.text}\n", shown)
            self.assertTrue(checkpoint.verify(shown)["intact"])
            self.assertEqual(mail.state, "outgoing")
            for secret in (key.license_key, self.manager.name, self.office.name):
                self.assertNotIn(secret, mail.body_html + mail.subject)
        self._set(False)
        self._enter("MAILED-2")
        self.assertFalse(self._make()[1])

    def test_addresses(self):
        """E2: what is no address is told at once, naming it."""
        with self.assertRefused(ValidationError, "bob@ is not an e-mail address"):
            self._set("eve@example.com, bob@")

    def test_health(self):
        """S6: a mail that fails, or waits for hours, is told, with its address and
        reason; a job that is late or off, too."""
        self._set("eve@example.com")
        checkpoint, mail = self._make()
        job = self.env.ref(f"{ADDON}.ir_cron_make_checkpoint")
        job.nextcall = fields.Datetime.now() + timedelta(days=9)
        self.assertFalse(self._problem())
        settings = self.env["res.config.settings"].create({})
        self.assertEqual(settings.software_key_last_checkpoint, checkpoint.until)
        self.assertFalse(settings.software_key_checkpoint_problem)
        with freeze_time(fields.Datetime.now() + timedelta(hours=7)):
            self.assertRegex(self._problem(), "eve@example.com.*still waiting")
        mail.write({"state": "exception", "failure_reason": "No such server."})
        self.assertRegex(self._problem(), "eve@example.com.*No such server")
        # One without a mail does not hide that the last mail did not arrive.
        self._enter("MAILED-3")
        self.assertFalse(self._make()[1])
        self.assertRegex(self._problem(), "No such server")
        checkpoint._make(fields.Datetime.now(), 10, nightly=True)
        self.assertFalse(self._problem())
        with freeze_time(fields.Datetime.now() + timedelta(hours=31)):
            self.assertRegex(self._problem(), "overdue")
        job.nextcall = fields.Datetime.now() - timedelta(hours=2)
        self.assertRegex(self._problem(), "overdue")
        self.assertRegex(self._problem(), "overdue")
        settings = self.env["res.config.settings"].create({})
        self.assertRegex(settings.software_key_checkpoint_problem, "overdue")
        keys = self.env["client.equipment.software.key"].with_user(self.auditor)
        self.assertEqual(keys.get_job_health(), {})


@tagged("post_install", "-at_install")
class TestCheckpointScreens(SoftwareKeyMixin, HttpCase):
    def test_keep_and_verify(self):
        """L8: the auditor makes a checkpoint, copies it, and verifies with it; later
        on, an entry is missing."""
        self._enter("TOUR-POINT-1")
        self.start_tour(
            "/odoo/software-keys", "software_key_checkpoint_intact", login="sk_auditor"
        )
        key = self._enter("TOUR-POINT-2")
        self.env[CHECKPOINT].make()
        self.env.flush_all()
        self.env.cr.execute(
            "DELETE FROM client_equipment_audit_log WHERE software_key_id = %s",
            [key.id],
        )
        self.env.invalidate_all()
        self.start_tour(
            "/odoo/software-keys", "software_key_checkpoint_broken", login="sk_auditor"
        )


@tagged("post_install", "-at_install")
class TestCheckpointRaces(CommittedCase):
    """L8: a checkpoint is never of less than what there was: no false alarms."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.numbers = count(1)

    def _write(self, cr):
        """Enter a key in the transaction of ``cr``; return its entry's id."""
        env = api.Environment(cr, self.manager.id, {})
        key = env["client.equipment.software.key"].create(
            {
                "license_key": f"ACROSS-{next(self.numbers):05}",
                "software_id": self.office.id,
            }
        )
        return key.audit_log_ids.id

    def _make(self, patience=None, until=None):
        with self.registry.cursor() as cr:
            Checkpoint = api.Environment(cr, self.manager.id, {})[CHECKPOINT]
            if patience is None:
                return Checkpoint.make().text
            if not until:
                until = Checkpoint._get_database_time().replace(microsecond=0)
                until += timedelta(seconds=1)
            return Checkpoint._make(until, patience).text

    def _verify(self, text):
        with self.registry.cursor() as cr:
            return api.Environment(cr, self.manager.id, {})[CHECKPOINT].verify(text)

    def test_writers_across_the_cut(self):
        """L8: people who enter keys while checkpoints are made, some of them slowly."""
        done = Event()

        def work(seed):
            dice = random.Random(seed)
            while not done.is_set():
                with self.registry.cursor() as cr:
                    cr.execute("SELECT 1")  # the transaction has begun
                    time.sleep(dice.random() * dice.choice((0.05, 1.5)))
                    self._write(cr)
                    cr.flush()
                    time.sleep(dice.random() * dice.choice((0.05, 1.5)))

        with ThreadPoolExecutor(6) as pool:
            working = [pool.submit(work, seed) for seed in range(6)]
            try:
                texts = []
                for _round in range(5):
                    texts.append(self._make())
                    time.sleep(0.3)
            finally:
                done.set()
            for each in working:
                each.result()
        for text in texts:
            self.assertEqual(self._verify(text)["problem"], False)

    def _sleep_until(self, moment):
        """Sleep on the database's clock, in a transaction that is over then."""
        self.cr.execute("SELECT pg_sleep_until(%s AT TIME ZONE 'UTC')", [moment])
        self.cr.rollback()

    def test_begun_and_not_written_yet(self):
        """L8: a transaction that had only read at the cut writes afterwards, and its
        entry, dated before, is waited for; those that begin after it are not."""
        with self.registry.cursor() as slow, ThreadPoolExecutor(1) as pool:
            slow.execute("SELECT clock_timestamp() AT TIME ZONE 'UTC'")
            (now,) = slow.fetchone()
            until = now.replace(microsecond=0) + timedelta(seconds=1)
            making = pool.submit(self._make, patience=60, until=until)
            self._sleep_until(until)
            with self.registry.cursor() as later:
                later.execute("SELECT 1")
                self._wait_until_somebody("starts_with(query, 'SELECT pg_sleep(')")
                self._write(slow)
                slow.commit()
                slow.execute("SELECT 1")
                text = making.result(timeout=30)
                self._write(later)
        self.assertEqual(self._verify(text)["problem"], False)

    def test_at_once(self):
        """L8: where nothing has been entered in this second nobody waits for its end;
        where something has, it is in the checkpoint."""
        Checkpoint = self.env[CHECKPOINT]
        second = Checkpoint._get_database_time().replace(microsecond=0)
        self._sleep_until(second + timedelta(seconds=1.3))
        asked = second + timedelta(seconds=1.2)
        with (
            self.registry.cursor() as cr,
            patch.object(type(Checkpoint), "_get_database_time", lambda _: asked),
        ):
            quiet = api.Environment(cr, self.manager.id, {})[CHECKPOINT].make()
            self.assertLess(quiet.until, asked)
            size = quiet.size
        with self.registry.cursor() as cr:
            self._write(cr)
        self.assertEqual(int(self._make().split("\n")[1]), size + 1)

    def test_two_at_once(self):
        """L8, E5: of two people who make a checkpoint at the same moment one gets it,
        the other is told at once; neither waits for the other."""
        with self.registry.cursor() as first:
            api.Environment(first, self.manager.id, {})[CHECKPOINT].make()
            start = time.monotonic()
            with self.assertRefused(UserError, "Somebody else is making a checkpoint"):
                self._make()
            self.assertLess(time.monotonic() - start, 5)
        self.cr.rollback()  # it has begun a transaction, too
        self._make()

    def test_waits_only_so_long(self):
        """L8, E2: a transaction without an end is told of, and nobody is held up."""
        with self.registry.cursor() as slow:
            slow.execute("SELECT pg_backend_pid()")
            (pid,) = slow.fetchone()
            with self.assertRefused(UserError, f"going on for too long.*{pid}"):
                self._make(patience=0)
        self.cr.rollback()  # it has begun one, too

    def test_wrong_clock_of_a_server(self):
        """L8: entries bear the database's time, whatever the servers think it is."""
        for moment in ("2001-01-01 00:00:00", "2099-01-01 00:00:00"):
            with freeze_time(moment), self.registry.cursor() as cr:
                entry_id = self._write(cr)
            with self.registry.cursor() as cr:
                cr.execute(
                    "SELECT now() AT TIME ZONE 'UTC' - action_date"
                    " FROM client_equipment_audit_log WHERE id = %s",
                    [entry_id],
                )
                self.assertLess(abs(cr.fetchone()[0]), timedelta(minutes=1))
            with freeze_time(moment):
                text = self._make()
            with self.registry.cursor() as cr:
                self._write(cr)
            self.assertEqual(self._verify(text)["problem"], False)
