# Other connections see only what is committed.
# pylint: disable=invalid-commit
import inspect
import threading
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from odoo.addons.client_equipment.exceptions import ChangedMeanwhile

from ..models import client_equipment_software_key_life as key_life
from .common import CommittedHttpCase

ROUNDS = 20
FEATURE = "client.equipment.feature"
KEY = "client.equipment.software.key"


@tagged("post_install", "-at_install")
class TestConcurrency(CommittedHttpCase):
    def _applying(self, key, equipment):
        """Return the call of a technician who applies the key to the equipment."""
        vals = {"software_key_id": key.id, "equipment_id": equipment.id}
        return self.technician, FEATURE, "create", {"vals_list": [vals]}

    def _writing(self, keys, **vals):
        """Return the call of a manager who writes these values to the keys."""
        return self.manager, KEY, "write", {"ids": keys.ids, "vals": vals}

    @mute_logger("odoo.http", "odoo.sql_db", "odoo.service.model")
    def test_eight_apply_one_key(self):
        """A4: of eight people at once one succeeds; the others learn who has it."""
        key = self._enter("RACE-1")
        self.cr.commit()
        for number in range(ROUNDS):
            with self.subTest(round=number):
                outcomes = self._call_at_once(
                    *(self._applying(key, laptop) for laptop in self.equipment)
                )
                winners = [
                    laptop
                    for laptop, (status, _answer) in zip(
                        self.equipment, outcomes, strict=True
                    )
                    if status == 200
                ]
                self.assertEqual(len(winners), 1, outcomes)
                (laptop,) = winners
                for status, answer in outcomes:
                    if status != 200:
                        self.assertIn(
                            f"RACE-1 is applied to {laptop.name} already.",
                            answer["message"],
                        )
                self.assertEqual(key.equipment_feature_ids.equipment_id, laptop)
                self.assertEqual((key.status, key.equipment_id), ("applied", laptop))
                key.equipment_feature_ids.with_user(self.technician).unlink()
                self.cr.commit()
        self.assertEqual(
            self._steps(key), ["created"] + ["applied", "revoked"] * ROUNDS
        )
        self.assertEqual(key.verify_audit_trail(), [])

    @mute_logger("odoo.http", "odoo.sql_db", "odoo.service.model")
    def test_apply_against_revoke(self):
        """A4, table 4: a key that is revoked while it is applied is never both."""
        for number in range(ROUNDS):
            key = self._enter(f"DUEL-{number}")
            self.cr.commit()
            revoking = self.manager, KEY, "revoke", {"ids": key.ids}
            with self.subTest(round=number):
                outcomes = self._call_at_once(
                    *(
                        call
                        for laptop in self.equipment[:4]
                        for call in (self._applying(key, laptop), revoking)
                    )
                )
                self.assertLessEqual(
                    {status for status, _answer in outcomes}, {200, 422}
                )
                assigned = key.equipment_feature_ids.equipment_id
                if key.status == "applied":
                    self.assertEqual(len(assigned), 1)
                    self.assertEqual(self._steps(key), ["created", "applied"])
                else:
                    self.assertEqual(key.status, "revoked")
                    self.assertFalse(assigned)
                    self.assertEqual(self._steps(key), ["created", "revoked"])
                self.assertEqual(key.equipment_id, assigned)

    @mute_logger("odoo.http", "odoo.sql_db", "odoo.service.model")
    def test_apply_against_expiring_and_deleting(self):
        """E5: somebody moves the end, somebody deletes, somebody applies: one order."""
        for number in range(5):
            key = self._enter_subscriptions(f"MIX-{number}")
            self.cr.commit()
            with self.subTest(round=number):
                self._call_at_once(
                    self._applying(key, self.equipment[0]),
                    self._applying(key, self.equipment[1]),
                    self._writing(key, validity_end=str(self._in_days(-1))),
                    self._writing(key, remarks="Seen"),
                )
                self.assertEqual(key.status, "expired")
                self.assertEqual(key.remarks, "Seen")
                steps = ["created", "expired"]
                if key.equipment_feature_ids:
                    steps.insert(1, "applied")
                self.assertEqual(self._steps(key), steps)
                self.assertEqual(key.verify_audit_trail(), [])

    @mute_logger("odoo.http", "odoo.sql_db", "odoo.service.model")
    def test_eight_keys_on_one_equipment(self):
        """A6, E5: people who apply different keys do not get in each other's way."""
        keys = self._enter(*[f"SIDE-{number}" for number in range(8)])
        self.cr.commit()
        outcomes = self._call_at_once(
            *(self._applying(key, self.laptop) for key in keys)
        )
        self.assertEqual({status for status, _answer in outcomes}, {200}, outcomes)
        self.assertEqual(set(keys.mapped("status")), {"applied"})
        self.assertEqual(keys.equipment_id, self.laptop)

    @contextmanager
    def _manager_who_looked_before(self, key):
        """Give the key as a request of the manager's sees it who looked at it before
        somebody else changed it."""
        with self.registry.cursor() as cr:
            seen = key.with_env(api.Environment(cr, self.manager.id, {}))
            self.assertEqual(seen.status, key.status)
            key.write({"remarks": "Changed meanwhile"})
            self.cr.commit()
            yield seen

    @mute_logger("odoo.sql_db")
    def test_old_view(self):
        """E5, E6: nobody acts upon an old view of a key; the transaction of whoever
        tried goes on, with its savepoints, its hooks and what it had written."""
        key = self._enter("SECOND-2")
        self.cr.commit()
        heard = []
        with self._manager_who_looked_before(key) as seen:
            cr = seen.env.cr
            cr.precommit.add(lambda: heard.append("precommit"))
            cr.postcommit.add(lambda: heard.append("postcommit"))
            seen.env["client.equipment"].browse(self.laptop.id).note = "Half the work"
            for step in (seen.revoke, lambda: seen.write({"status": "revoked"})):
                with self.assertRefused(ChangedMeanwhile, "SECOND-2"), cr.savepoint():
                    step()
            cr.commit()
        self.assertEqual(heard, ["precommit", "postcommit"])
        self.cr.rollback()
        self.env.invalidate_all()
        self.assertIn("Half the work", self.laptop.note)
        self.assertEqual(key.status, "available")
        self.assertEqual(self._steps(key), ["created"])

    def test_waiting_for_one_of_three(self):
        """E6: a step on several keys waits no longer than somebody else holds one of
        them, and leaves the caller's own limit as it was."""
        keys = self._enter("HELD-1", "HELD-2", "HELD-3")
        self.cr.commit()
        apply = [
            {"software_key_id": k.id, "equipment_id": self.laptop.id} for k in keys
        ]
        for step in (
            lambda keys: keys.env[FEATURE].create(apply),
            lambda keys: (
                keys.env[FEATURE].search([("software_key_id", "in", keys.ids)]).unlink()
            ),
            lambda keys: keys.revoke(),
        ):
            with self.registry.cursor() as cr:
                cr.execute("SET LOCAL lock_timeout = '17s'")
                # Who waits in the database goes on as soon as he can.
                with self._held_until_somebody_waits(keys[1]):
                    step(keys.with_env(api.Environment(cr, self.manager.id, {})))
                cr.execute("SHOW lock_timeout")
                self.assertEqual(cr.fetchone()[0], "17s")
        self.cr.rollback()
        self.env.invalidate_all()
        self.assertEqual(set(keys.mapped("status")), {"revoked"})

    @mute_logger("odoo.sql_db")
    def test_held_for_too_long(self):
        """E6, E2: whoever waits in vain is told which key is busy, and goes on."""
        key = self._enter("HELD-4")
        self.cr.commit()
        with (
            patch.object(key_life, "LOCK_TIMEOUT", "200ms"),
            self.registry.cursor() as holder,
            self.registry.cursor() as cr,
        ):
            holder.execute(
                "SELECT FROM client_equipment_software_key WHERE id = %s FOR UPDATE",
                [key.id],
            )
            held = key.with_env(api.Environment(cr, self.manager.id, {}))
            with self.assertRefused(UserError, "else is working on .*HELD-4"):
                held.revoke()
            self.assertEqual(held.status, "available")

    @mute_logger("odoo.sql_db")
    def test_installation_has_the_tables_for_itself(self):
        """E6: what an addon does while it is installed waits for no other connection,
        which could not even look at the tables that are being changed."""
        self.cr.rollback()  # a test before has looked at them
        with (
            patch.object(self.registry, "ready", False),
            self.registry.cursor() as cr,
            self._nobody_waits(),
        ):
            for table in ("", "_feature", "_software", "_software_key"):
                cr.execute(
                    SQL("LOCK TABLE %s", SQL.identifier(f"client_equipment{table}"))
                )
            env = api.Environment(cr, SUPERUSER_ID, {})
            mother, customer = env["res.partner"].create(
                [{"name": "Alone Mother"}, {"name": "Alone"}]
            )
            unit, software = self.laptop.with_env(env), self.office.with_env(env)
            unit.partner_id = customer
            values = {"software_id": software.id, "company_id": unit.company_id.id}
            key, _other = env[KEY].create(
                [values | {"license_key": f"ALONE-{number}"} for number in "12"]
            )
            applying = {"software_key_id": key.id, "equipment_id": unit.id}
            env[FEATURE].create(applying)
            with self.assertRefused(UserError, "ALONE-1 is applied"), cr.savepoint():
                env[FEATURE].create(applying)
            software.apply_next_available(unit.id)
            software.reassignment = "bound"
            customer.parent_id = mother
            customer.company_id = unit.company_id
            cr.rollback()

    def test_other_views_have_one_place(self):
        """E6: nothing of ours opens a second connection on its own, but for the jobs,
        which have transactions of their own, and checkpoints, which wait for others.
        """
        files = {
            Path(inspect.getsourcefile(cls))
            for model in self.registry.values()
            for cls in model.mro()
            if cls.__module__.startswith("odoo.addons.client_equipment")
        }
        opening = {
            file.stem for file in files if "registry.cursor()" in file.read_text()
        }
        self.assertEqual(
            opening,
            {
                "client_equipment_audit_checkpoint",
                "client_equipment_job",
                "client_equipment_mixin",
            },
        )

    @contextmanager
    def _nobody_waits(self):
        """Have whoever waits for a lock fail after a while, instead of for ever."""

        def cancel():
            with self.registry.cursor() as cr:
                cr.execute(
                    "SELECT pg_cancel_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
                )

        timer = threading.Timer(5, cancel)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()

    def test_crossing_steps(self):
        """E6: steps on the same keys, named in different orders, do not block each
        other."""
        keys = self._enter(*[f"CROSS-{number}" for number in range(6)])
        self.cr.commit()
        outcomes = self._call_at_once(
            *(self._writing(each, status="revoked") for each in (keys, keys[::-1]))
        )
        self.assertEqual(outcomes, [(200, True)] * 2)
        self.assertEqual(self.delays, [])
        self.assertEqual(set(keys.mapped("status")), {"revoked"})

    @mute_logger("odoo.sql_db")
    def test_import_meets_somebody(self):
        """E2: an import that changes a key which somebody else has just changed says
        so of its row, in plain words, and imports nothing."""
        key = self._enter("SECOND-3")
        self.cr.commit()
        columns = [".id", "key_type", "validity_end"]
        row = [str(key.id), "Subscription", str(self._in_days(9))]
        with self._manager_who_looked_before(key) as seen:
            result = seen.browse().load(columns, [row])
            self.assertFalse(result["ids"])
            (message,) = result["messages"]
            self.assertIn("Somebody else is working on", message["message"])
            self.assertIn("SECOND-3", message["message"])
            seen.env.cr.commit()
        self.cr.rollback()
        self.env.invalidate_all()
        self.assertRecordValues(key, [{"status": "available", "validity_end": False}])
