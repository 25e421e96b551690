# Other connections see only what is committed.
# pylint: disable=invalid-commit
import threading
from itertools import product

import psycopg2

from odoo import Command
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from ..models.client_equipment_software_key_count import ASKED, COUNTS, KINDS, TRIGGERS
from .common import ADDON, CommittedCase, SoftwareKeyCommon

KEY = "client.equipment.software.key"
COUNT = f"{KEY}.count"
SUMMED = """
    SELECT company_id, software_id, status, sum(amount), sum(seats), sum(seats_used),
           sum(seats_kept)
      FROM client_equipment_software_key_count GROUP BY 1, 2, 3
    HAVING sum(amount) <> 0 ORDER BY 1, 2, 3
"""
THERE = """
    SELECT company_id, software_id, status, count(*), sum(seats), sum(seats_used),
           sum(seats_kept)
      FROM client_equipment_software_key GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
# A condition that changes nothing, but makes Odoo look at each key.
EACH = Domain("id", ">", 0)


def counted(cr):
    """Return what the counts and what the keys say there is."""
    answers = []
    for query in (SUMMED, THERE):
        cr.execute(query)
        answers.append(cr.fetchall())
    return answers


@tagged("post_install", "-at_install")
class TestCounts(SoftwareKeyCommon):
    """Speed: how many keys there are is known without looking at each of them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Keys = cls.env[KEY].with_user(cls.manager)
        # Tests that commit may have changed keys with the triggers switched off.
        cls.env[COUNT]._correct()
        cls.both = cls._new_user(
            "both", "client_equipment_software_key.group_software_key_manager"
        )
        cls.both.company_ids = [Command.link(cls.other_company.id)]
        cls.free = cls._enter("COUNT-1", "COUNT-2", seats=2)
        cls.subscribed = cls._enter_subscriptions("COUNT-3", "COUNT-4", "COUNT-5")
        cls.shared = cls._enter("COUNT-6", company_id=False)
        cls.foreign = cls._enter(
            *("COUNT-7", "COUNT-8"), user=cls.both, company_id=cls.other_company.id
        )
        cls._apply(cls.free[0])
        cls._apply(cls.subscribed[:2])

    def _assert_exact(self):
        self.env.flush_all()
        summed, there = counted(self.env.cr)
        self.assertEqual(summed, there)

    def test_each_step(self):
        """Speed: the counts are exact after each step, also of what SQL does."""
        self._assert_exact()
        unit = self.laptop
        steps = [
            lambda: self._enter("COUNT-10", "COUNT-11"),
            lambda: self._apply(self.free[1], self.spare_laptop),
            lambda: self.free.equipment_feature_ids.unlink(),
            lambda: self.free[0].write({"seats": 5}),
            lambda: self.subscribed.renew(self._in_days(500)),
            lambda: self.subscribed[2].revoke("Lost"),
            lambda: self.free.write({"software_id": self.antivirus.id}),
            lambda: self.antivirus.write({"reassignment": "bound"}),
            lambda: self.antivirus.apply_next_available(unit.id),
            lambda: self.shared.write({"company_id": self.company.id}),
            lambda: self.foreign.with_user(self.both).unlink(),
            lambda: self.env.cr.execute(
                "UPDATE client_equipment_software_key SET seats = 7, status = 'revoked'"
                " WHERE seats_used = 0"
            ),
            lambda: self.env[COUNT]._fold(),
        ]
        for number, step in enumerate(steps):
            with self.subTest(step=number):
                before = counted(self.env.cr)[1]
                step()
                self._assert_exact()
                if step not in (steps[4], steps[-1]):
                    self.assertNotEqual(counted(self.env.cr)[1], before)
        self.env.invalidate_all()

    def test_very_many_seats(self):
        """K14, S1: keys "without a limit" have as many seats as a number can say; the
        sum of them is counted, the jobs run, and their seats can be taken."""
        most = 2**31 - 1
        self.antivirus.reassignment = "bound"
        keys = self._enter("MOST-1", "MOST-2", "MOST-3", seats=most)
        keys += self._enter_subscriptions("MOST-4", "MOST-5")
        keys[-2:].seats = most
        self._apply(keys)
        self._apply(keys[:2], self.spare_laptop)
        keys[-1].equipment_feature_ids.unlink()
        self._apply(keys[-1], self.spare_laptop)
        self._assert_exact()
        with self.enter_registry_test_mode():
            self.env.ref(f"{ADDON}.ir_cron_expire").method_direct_trigger()
        self.env.invalidate_all()
        self._assert_exact()
        self.assertGreater(self.office.seats, 3 * most)
        self.assertEqual(keys[-1].equipment_feature_ids.seat, 2)
        self.assertFalse(keys.verify_audit_trail())

    def test_a_row_of_each(self):
        """Speed: the jobs put the rows of a kind together."""
        self.env.flush_all()
        self.env[COUNT]._fold()
        _summed, there = counted(self.env.cr)
        self.assertEqual(self.env[COUNT].search_count([]), len(there))
        self.free[1].revoke()
        self.env.flush_all()
        self.assertEqual(self.env[COUNT].search_count([]), len(there) + 2)
        cron = self.env.ref("client_equipment_software_key.ir_cron_expire")
        with self.enter_registry_test_mode():
            cron.method_direct_trigger()
        _summed, there = counted(self.env.cr)
        self.assertEqual(self.env[COUNT].search_count([]), len(there))

    def _domains(self):
        status, software = Domain("status", "=", "applied"), self.office
        return [
            Domain.TRUE,
            Domain.FALSE,
            status,
            ~status,
            Domain("status", "in", ["available", "applied"]) & EACH,
            Domain("software_id", "=", software.id),
            Domain("software_id", "in", [software.id, self.antivirus.id]) & ~status,
            Domain("software_id", "ilike", "office"),
            Domain("software_id.name", "=", software.name) | status,
            Domain("company_id", "=", False),
            Domain("company_id", "!=", self.company.id),
            Domain("company_id", "child_of", self.company.id),
            Domain("key_type", "=", "permanent"),
            Domain("expires_soon", "=", True) | status,
            ~(status & Domain("company_id", "=", False)),
            Domain.custom(
                to_sql=lambda _model, alias, _query: SQL(
                    "%s > 5", SQL.identifier(alias, "seats")
                )
            ),
        ]

    def test_as_odoo_counts(self):
        """Speed, E1: each role, in one company or in two, learns what he would learn by
        looking at each key that he may see; in the same order."""
        people = [
            (user, user.company_ids.ids)
            for user in (self.technician, self.auditor, self.manager, self.both)
        ]
        people += [(self.both, self.other_company.ids), (self.env.user, [])]
        groupings = [
            *(["status"], ["software_id", "status"], ["company_id", "software_id"]),
            *([*KINDS], ["key_type"]),
        ]
        for (user, companies), domain, by in product(
            people, self._domains(), groupings
        ):
            keys = self.env[KEY].with_user(user)
            keys = keys.with_context(allowed_company_ids=companies)
            backwards = ", ".join(f"{name} desc" for name in by)
            for what, order in (
                ([], None),
                ([*ASKED], f"__count desc, {backwards}"),
                (["seats:sum"], backwards),
                (["seats:max", "__count"], None),
            ):
                known = keys._read_group(domain, by, what, order=order)
                looked_at = keys._read_group(domain & EACH, by, what, order=order)
                self.assertEqual(known, looked_at, (user.login, domain, by, what))
                for value in known and known[0]:
                    if isinstance(value, type(keys.software_id)):
                        self.assertEqual(value.env, keys.env)

    def test_pages(self):
        """Speed: a page of groups is the same as where each key is looked at."""
        for limit, offset in product((1, 2, None), (0, 1)):
            found = [
                self.Keys.web_read_group(
                    domain, ["software_id"], ["seats:sum"], limit=limit, offset=offset
                )
                for domain in (Domain.TRUE, EACH)
            ]
            known, looked_at = (
                [
                    (group["software_id"], group["__count"], group["seats:sum"])
                    for group in each["groups"]
                ]
                for each in found
            )
            self.assertEqual(known, looked_at)
            self.assertEqual(found[0]["length"], found[1]["length"])

    def test_used(self):
        """Speed: what is asked of software and status is answered from the counts, what
        is asked of anything else is not. Who may see nothing learns nothing."""
        self.env.flush_all()
        self.env.cr.execute(f"UPDATE {COUNTS} SET amount = 1000 * amount")
        (count,) = [
            count
            for software, count in self.Keys._read_group(
                [], ["software_id"], ["__count"]
            )
            if software == self.office
        ]
        self.assertEqual(count, 3000)
        self.assertEqual(self.office.with_user(self.manager).software_key_count, 3000)
        self.assertEqual(
            self.Keys._read_group(
                [("software_id", "=", self.office.id), ("key_type", "=", "permanent")],
                ["software_id"],
                ["__count"],
            ),
            [(self.office.with_user(self.manager), 3)],
        )
        for user in (self.internal, self.portal):
            with self.assertRaises(AccessError):
                self.Keys.with_user(user)._read_group([], ["status"], ["__count"])
        for user in (self.technician, self.manager):
            with self.assertRaises(AccessError):
                self.env[COUNT].with_user(user).search([])

    def test_own_rule(self):
        """E1: a rule of the house that speaks of more than the counts know holds."""
        self.env["ir.rule"].create(
            {
                "name": "Permanent keys only",
                "model_id": self.env["ir.model"]._get_id(KEY),
                "domain_force": "[('key_type', '=', 'permanent')]",
            }
        )
        self.assertEqual(
            self.Keys._read_group([], ["software_id"], ["__count"]),
            [(self.office.with_user(self.manager), 3)],
        )

    def test_repaired(self):
        """S7: wrong counts are corrected by the check, whoever starts it."""
        cron = self.env.ref("client_equipment_software_key.ir_cron_check_consistency")

        def by_night():
            with self.enter_registry_test_mode():
                cron.method_direct_trigger()

        for check in (self.Keys.check_consistency, by_night):
            for wrong in (
                f"DELETE FROM {COUNTS} WHERE status = 'applied'",
                f"UPDATE {COUNTS} SET seats_used = seats_used + 1",
                f"INSERT INTO {COUNTS} (software_id, status, amount, seats, seats_used,"
                f" seats_kept) SELECT id, 'lost', 5, 5, 0, 0 FROM"
                f" client_equipment_software LIMIT 1",
            ):
                with self.subTest(check=check, wrong=wrong):
                    self.env.flush_all()
                    self.env.cr.execute(wrong)
                    self.assertNotEqual(*counted(self.env.cr))
                    check()
                    self._assert_exact()

    def test_trigger_is_back(self):
        """S7: an upgrade brings a missing trigger back and counts anew."""
        for event in TRIGGERS:
            with self.subTest(event=event):
                self.env.cr.execute(
                    f"DROP TRIGGER {COUNTS}_{event} ON client_equipment_software_key"
                )
                (key,) = self._enter(f"UNCOUNTED-{event}")
                key.revoke()
                key.with_user(self.manager).unlink()
                self._enter(f"UNCOUNTED-{event}-2").revoke()
                self.env.flush_all()
                self.assertNotEqual(*counted(self.env.cr))
                self.env[COUNT]._begin_to_count()
                self._assert_exact()
                self._enter(f"COUNTED-{event}").revoke()
                self._assert_exact()
        self.assertEqual(self.Keys.get_missing_guarantees(), [])


@tagged("post_install", "-at_install")
class TestCountsAtOnce(CommittedCase):
    """Speed: the counts are exact whoever works at the same time."""

    def setUp(self):
        super().setUp()
        self.env[COUNT]._correct()
        self.cr.commit()

    def test_view(self):
        """Speed: a transaction's counts are of the moment of its view of the keys, also
        where others enter keys and put rows together meanwhile."""
        key = self._enter("VIEW-1")
        self.cr.commit()
        with self.registry.cursor() as other:
            before = counted(other)
            self.assertEqual(*before)
            self._enter("VIEW-2")
            key.revoke()
            self.env[COUNT]._fold()
            self.cr.commit()
            self.assertEqual(counted(other), before)
        with self.registry.cursor() as other:
            now = counted(other)
            self.assertEqual(*now)
            self.assertNotEqual(now, before)

    @mute_logger("odoo.sql_db")
    def test_many_writers(self):
        """Speed: nobody waits for who works on other keys of the same software, or puts
        rows together, and nothing is counted twice or not at all."""
        keys = self._enter(*[f"WRITER-{number}" for number in range(40)])
        self.cr.commit()
        failures, waits = [], []

        def write(mine):
            for key_id in mine:
                with self.registry.cursor() as cr:
                    key = self.env[KEY].with_env(self.env(cr=cr)).browse(key_id)
                    cr.execute("SET LOCAL lock_timeout = '2s'")
                    try:
                        key.revoke()
                        key.copy({"license_key": f"COPY-{key_id}"})
                    except psycopg2.Error as error:
                        waits.append(error)
                        raise

        def fold():
            for _number in range(15):
                self.env[COUNT]._in_own_transaction("_fold")

        def noting(function, *args):
            try:
                function(*args)
            except Exception as error:  # pylint: disable=broad-except
                failures.append(error)

        threads = [
            threading.Thread(target=noting, args=(write, keys.ids[start::4]))
            for start in range(4)
        ]
        threads += [threading.Thread(target=noting, args=(fold,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((failures, waits), ([], []))
        self.cr.rollback()
        self.assertEqual(*counted(self.cr))
        self.env.invalidate_all()
        groups = dict(
            self.env[KEY]._read_group(
                [("software_id", "=", self.office.id)], ["status"], ["__count"]
            )
        )
        self.assertEqual(groups["revoked"], 40)
