from datetime import timedelta

from freezegun import freeze_time
from psycopg2 import IntegrityError

from odoo import Command, fields
from odoo.exceptions import AccessError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .common import ADDON, SoftwareKeyCommon

DAY = fields.Date.to_date("2031-01-01")


@tagged("post_install", "-at_install")
class TestReminders(SoftwareKeyCommon):
    """S5: the responsible is reminded once per software product and period."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.antivirus.user_id = cls.manager
        cls.expiring = cls.env.ref(f"{ADDON}.mail_activity_type_expiring")
        cls.low = cls.env.ref(f"{ADDON}.mail_activity_type_low")

    def _subscriptions(self, *license_keys, end, **values):
        return self._enter_subscriptions(
            *license_keys, validity_start="2030-01-01", validity_end=end, **values
        )

    def _activities(self, software=None):
        return self.env["mail.activity"].search(
            [
                ("res_model", "=", "client.equipment.software"),
                ("res_id", "=", (software or self.antivirus).id),
            ],
            order="id",
        )

    def _remind(self, day):
        """Run the nightly job as on that day."""
        with freeze_time(f"{day} 03:10:00"):
            self.env["client.equipment.software"]._cron_remind()

    def test_scheduled_nightly(self):
        """S5: a scheduled action runs it every night."""
        cron = self.env.ref(f"{ADDON}.ir_cron_remind")
        self.assertEqual((cron.interval_number, cron.interval_type), (1, "days"))
        with freeze_time(f"{DAY} 03:10:00"):
            self._subscriptions("CRON", end="2031-01-10")
        with freeze_time(f"{DAY} 03:10:00"), self.enter_registry_test_mode():
            cron.method_direct_trigger()
        self.assertEqual(len(self._activities()), 1)

    def test_one_year(self):
        """S5: over a year, each night: one activity per period in which keys end, for
        all of them, 30 days ahead of the first; none for keys renewed in time."""
        with freeze_time(DAY):
            march = self._subscriptions("M1", "M2", "M3", end="2031-03-20")
            self._subscriptions("M4", end="2031-03-31")
            self._subscriptions("A1", end="2031-08-05")
            renewed = self._subscriptions("N1", end="2031-11-15")
            created = self._live_a_year(march, renewed)
        self.assertEqual(
            created,
            {
                "2031-02-18": ["Software keys that end until 03/31/2031: 4"],
                "2031-07-06": ["Software keys that end until 08/05/2031: 1"],
            },
        )

    def _live_a_year(self, march, renewed):
        """Let the job run each night, and people do what they do; return what it told
        on which day."""
        created, seen = {}, self.env["mail.activity"]
        for number in range(365):
            day = DAY + timedelta(days=number)
            if day == fields.Date.to_date("2031-03-10"):
                march.with_user(self.manager).renew("2032-03-20")
            if day == fields.Date.to_date("2031-10-01"):
                renewed.with_user(self.manager).renew("2032-11-15")
            self._remind(day)
            if news := self._activities() - seen:
                created[str(day)] = news.mapped("summary")
                seen |= news
            if day.day == 25:
                self._activities().action_done()  # done, and gone
        return created

    def test_who_and_when(self):
        """S5: it goes to the responsible, due while there is time to act; where
        nobody is responsible, or no longer, a manager gets it."""
        with freeze_time(DAY):
            self._subscriptions("W1", end="2031-01-20")
            self._subscriptions("W2", end="2031-01-12")
        self._remind(DAY)
        self.assertRecordValues(
            self._activities(),
            [
                {
                    "user_id": self.manager.id,
                    "activity_type_id": self.expiring.id,
                    "date_deadline": DAY,
                }
            ],
        )
        with freeze_time(DAY):
            self._subscriptions("O1", end="2031-01-12", software=self.office)
        self.office.user_id = self.internal  # may not even see the catalogue
        self._remind(DAY)
        user = self._activities(self.office).user_id
        self.assertTrue(user.has_group(f"{ADDON}.group_software_key_manager"))

    def test_no_reminder(self):
        """S5: not for revoked or permanent keys, nor before the lead time; the lead
        time is the company's."""
        with freeze_time(DAY):
            self._subscriptions("R1", end="2031-01-10").revoke()
            self._enter("P1", software=self.antivirus, key_type="permanent")
            late = self._subscriptions("L1", end="2031-02-15")
            self.assertFalse(late.expires_soon)
        self._remind(DAY)
        self.assertFalse(self._activities())
        self.company.software_key_lead_days = 60
        with freeze_time(DAY):
            late.invalidate_recordset()
            self.assertTrue(late.expires_soon)
        self._remind(DAY)
        self.assertEqual(len(self._activities()), 1)

    def test_minimum(self):
        """S5: one activity when the available keys fall below the minimum, none more
        until they have recovered and fall again."""
        self.antivirus.minimum_available = 2
        with freeze_time(DAY):
            keys = self._subscriptions("S1", "S2", "S3", end="2031-12-31")
            self._remind(DAY)
            self.assertFalse(self._activities())
            features = self._apply(keys[:2])
            for _night in range(3):
                self._remind(DAY)
            self.assertRecordValues(
                self._activities(),
                [
                    {
                        "activity_type_id": self.low.id,
                        "user_id": self.manager.id,
                        "summary": "Software keys available: 1, fewer than 2",
                    }
                ],
            )
            self._activities().action_done()
            features.unlink()
            self._remind(DAY)
            self.assertFalse(self._activities())
            self._apply(keys[:2])
            self._remind(DAY)
            self.assertEqual(len(self._activities()), 1)

    def _two_companies(self):
        """Give the other company a manager and keys of the same software."""
        outsider = self._new_user("outsider", f"{ADDON}.group_software_key_manager")
        outsider.write(
            {
                "company_id": self.other_company.id,
                "company_ids": [Command.set(self.other_company.ids)],
            }
        )
        with freeze_time(DAY):
            self._subscriptions("C1", "C2", end="2031-01-20")
            self._subscriptions(
                "C3", end="2031-01-15", user=outsider, company_id=self.other_company.id
            )
        return outsider

    def test_each_company_for_itself(self):
        """S5: each company is reminded of its own keys and of shared ones, its own
        people are told, and one company's reminder does not stand for another's."""
        outsider = self._two_companies()
        self._remind(DAY)
        self.assertRecordValues(
            self._activities().sorted("user_id"),
            [
                {
                    "user_id": self.manager.id,
                    "software_key_company_id": self.company.id,
                    "summary": "Software keys that end until 01/20/2031: 2",
                    "date_deadline": fields.Date.to_date(DAY),
                },
                {
                    "user_id": outsider.id,
                    "software_key_company_id": self.other_company.id,
                    "summary": "Software keys that end until 01/15/2031: 1",
                    "date_deadline": fields.Date.to_date(DAY),
                },
            ],
        )
        self._remind(DAY)
        self.assertEqual(len(self._activities()), 2)
        with freeze_time(DAY):
            self._subscriptions("C4", end="2031-02-05", company_id=False)
        self._remind("2031-01-07")
        news = self._activities()[2:]
        self.assertEqual(
            news.mapped("summary"), ["Software keys that end until 02/05/2031: 1"] * 2
        )
        self.assertEqual(
            news.software_key_company_id, self.company + self.other_company
        )

    def test_minimum_of_each_company(self):
        """S5: one company's stock does not hide another's shortage; shared keys count
        for both."""
        outsider = self._two_companies()
        self.antivirus.minimum_available = 2
        self._remind(DAY)
        low = self._activities().filtered(
            lambda activity: activity.activity_type_id == self.low
        )
        self.assertEqual(low.user_id, outsider)
        self.assertEqual(low.summary, "Software keys available: 1, fewer than 2")
        with freeze_time(DAY):
            self._subscriptions("C5", end="2031-12-31", company_id=False)
        self._remind(DAY)
        self.assertFalse(low.exists())

    def test_nothing_of_another_company(self):
        """E1: what stands at the common catalogue entry about one company's keys, as an
        activity or as a note, is unknown to the people of another one, by every way."""
        outsider = self._two_companies()
        self._remind(DAY)
        secret = self._enter(
            "SECRET-00001", software=self.antivirus, key_type="permanent"
        )
        secret.unlink()
        self.env.flush_all()
        mine = self._activities().filtered(
            lambda activity: activity.user_id == self.manager
        )
        note = self.antivirus.message_ids.filtered(
            lambda message: "00001" in message.body
        )
        self.assertEqual(note.record_company_id, self.company)
        for user, sees in ((self.manager, True), (outsider, False)):
            self.env.invalidate_all()  # another request
            with self.subTest(user=user.name):
                software = self.antivirus.with_user(user)
                activities = mine.with_user(user)
                messages = note.with_user(user)
                self.assertEqual(mine in software.activity_ids, sees)
                self.assertEqual(note in software.message_ids, sees)
                self.assertEqual(bool(activities._filtered_access("read")), sees)
                self.assertEqual(bool(messages._filtered_access("read")), sees)
                for records in (activities, messages):
                    domain = [("id", "in", records.ids)]
                    self.assertEqual(bool(records.search(domain)), sees)
                    self.assertEqual(records.search_count(domain), int(sees))
                    self.assertEqual(
                        records.formatted_read_group(domain, [], ["__count"]),
                        [{"__count": int(sees), "__extra_domain": [(1, "=", 1)]}],
                    )
                for domain in (
                    [("message_ids.body", "ilike", "00001")],
                    [("activity_ids.summary", "=", mine.summary)],
                    [("activity_summary", "=", mine.summary)],
                ):
                    self.assertEqual(bool(software.search(domain)), sees, domain)
                (shown,) = software.read(["activity_summary", "activity_date_deadline"])
                self.assertEqual(shown["activity_summary"] == mine.summary, sees)
                found = (
                    self.env["mail.message"]
                    .with_user(user)
                    ._message_fetch([], thread=software)
                )
                self.assertEqual(note in found["messages"], sees)
                for change in (
                    lambda activities=activities: activities.write({"summary": "X"}),
                    lambda activities=activities: activities.action_done(),
                    lambda activities=activities: activities.unlink(),
                ):
                    if not sees:
                        with self.assertRaises(AccessError):
                            change()

    def test_the_responsible_leaves(self):
        """S5: what is still due goes to the next one when the responsible leaves."""
        with freeze_time(DAY):
            self._subscriptions("G1", end="2031-01-12")
        self._remind(DAY)
        activity = self._activities()
        self.assertEqual(activity.user_id, self.manager)
        successor = self._new_user("successor", f"{ADDON}.group_software_key_manager")
        self.manager.action_archive()
        self.assertEqual(activity.exists().user_id, successor)
        third = self._new_user("third", f"{ADDON}.group_software_key_manager")
        successor.group_ids = self.env.ref("base.group_user")
        self._remind(DAY)
        self.assertEqual(activity.user_id, third)

    def test_never_lost_with_a_user(self):
        """S5: what is due goes to the next one, too, where who was told is deleted."""
        with freeze_time(DAY):
            self._subscriptions("Y1", end="2031-01-20")
        self.office.user_id = self.antivirus.user_id = False
        self.manager.action_archive()
        user = self._new_user("short_stay", f"{ADDON}.group_software_key_manager")
        self._remind(DAY)
        activity = self._activities()
        self.assertEqual(activity.user_id, user)
        successor = self._new_user("successor", f"{ADDON}.group_software_key_manager")
        user.unlink()
        self.assertEqual(activity.exists().user_id, successor)

    def test_closes_itself(self):
        """S5: an activity whose keys have been renewed, replaced or revoked is closed;
        while one of them is left, or has ended, it stays."""
        with freeze_time(DAY):
            keys = self._subscriptions("Z1", "Z2", "Z3", end="2031-01-20")
        self._remind(DAY)
        with freeze_time(DAY):
            keys[0].with_user(self.manager).renew("2032-01-20")
            keys[1].with_user(self.manager).revoke()
        self._remind("2031-01-10")
        self.assertEqual(len(self._activities()), 1)
        with freeze_time("2031-01-22"), self.enter_registry_test_mode():
            self.env.ref(f"{ADDON}.ir_cron_expire").method_direct_trigger()
        self._remind("2031-01-22")
        self.assertEqual(len(self._activities()), 1)
        with freeze_time("2031-01-22"):
            keys[2].with_user(self.manager).renew("2032-01-20")
        self._remind("2031-01-23")
        self.assertFalse(self._activities())

    def test_needs(self):
        """H1, S5: another addon that orders what is missing learns how many seats that
        are: to the minimum, and of the keys that the company is reminded of."""
        self.antivirus.minimum_available = 9
        day = self._in_days
        self._enter_subscriptions("N1", "N2", end=400, seats=2)
        soon = self._enter_subscriptions("N3", end=9, seats=3)
        later = self._enter_subscriptions("N4", end=31)
        self._enter_subscriptions("N5", end=10, company_id=False)
        self._enter_subscriptions(
            *("N6", "N7"),
            user=self.env.user,
            company_id=self.other_company.id,
        )
        self._apply(soon)
        software = self.antivirus.with_user(self.manager)
        self.assertEqual(
            software.get_needs(), {"missing": 1, "ending": 4, "last_end": day(10)}
        )
        software.sudo()._write_fixed({"expiry_reminded_until": day(40)})
        later.sudo().seats = 4
        self.assertEqual(
            software.get_needs(), {"missing": 0, "ending": 8, "last_end": day(31)}
        )
        self.assertEqual(
            self.office.with_user(self.manager).get_needs(),
            {"missing": 0, "ending": 0, "last_end": False},
        )

    def test_queries(self):
        """S5: queries do not grow with the number of keys."""
        counts = []
        for number, software in ((2, self.office), (120, self.antivirus)):
            with freeze_time(DAY):
                self._subscriptions(
                    *[f"{software.id}-{each}" for each in range(number)],
                    end="2031-01-10",
                    software=software,
                )
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self._remind(DAY)
            counts.append(self.env.cr.sql_log_count - before)
            self.assertEqual(len(self._activities(software)), 1)
        self.assertLessEqual(counts[1], counts[0] + 3)

    def test_settings(self):
        """S5: lead time and minimum are set in Settings, per company; new software
        takes the minimum; nonsense is refused in words."""
        settings = self.env["res.config.settings"].create({})
        settings.software_key_lead_days = 45
        settings.software_key_minimum_available = 7
        settings.execute()
        self.assertEqual(self.env.company.software_key_lead_days, 45)
        software = Form(self.env["client.equipment.software"])
        self.assertEqual(software.minimum_available, 7)
        self.assertEqual(self.other_company.software_key_lead_days, 30)
        with (
            mute_logger("odoo.sql_db"),
            self.assertRefused(IntegrityError, "check_software_key_lead_days"),
        ):
            self.company.software_key_lead_days = -1
            self.env.flush_all()
