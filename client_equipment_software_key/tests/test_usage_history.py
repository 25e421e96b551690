from datetime import date

from freezegun import freeze_time
from lxml import etree

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .common import ADDON, SoftwareKeyCommon, SoftwareKeyMixin, api_key


class TestUsageHistory(SoftwareKeyCommon):
    """L6: what was installed where, from when to when, and by whom."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.technician.tz = cls.auditor.tz = "Europe/Berlin"
        cls.key = cls._enter("HISTORY-1")
        with freeze_time("2026-03-10 09:00:00"):
            feature = cls._apply(cls.key)
        with freeze_time("2026-03-20 09:00:00"):
            feature.with_user(cls.technician_2).unlink()
        with freeze_time("2026-04-01 21:30:00"):
            cls._apply(cls.key, cls.spare_laptop)
        cls.History = cls.env["client.equipment.usage.history"].with_user(cls.auditor)

    def _on(self, *conditions):
        """Return the names of the equipment found by conditions on Installed On."""
        lines = self.History.search(
            [
                ("software_key_id", "=", self.key.id),
                *(("installed_on", operator, day) for operator, day in conditions),
            ],
            order="date_from",
        )
        return lines.mapped("equipment_serial_no")

    def test_pages(self):
        """L1, L6: a page of very many lines does not wait until ten thousand have been
        counted; a click on *1000+* has all of them counted."""
        for model in (
            "client.equipment.audit.log",
            "client.equipment.feature",
            self.History._name,
        ):
            for kind in ("list", "kanban"):
                arch = etree.fromstring(
                    self.env[model].get_view(view_type=kind)["arch"]
                )
                self.assertEqual(arch.get("count_limit"), "1000", (model, kind))

    def test_lines(self):
        """L6: one line for each installation, with its ends and its people."""
        lines = self.History.search([("software_key_id", "=", self.key.id)])
        self.assertRecordValues(
            lines,
            [
                {
                    "software_id": self.office.id,
                    "equipment_id": self.spare_laptop.id,
                    "equipment_serial_no": "LAPTOP-67890",
                    "customer_name": "Tour Dental Practice",
                    "company_id": self.company.id,
                    "date_to": False,
                    "applied_by_id": self.technician.id,
                    "removed_by_id": False,
                },
                {
                    "software_id": self.office.id,
                    "equipment_id": self.laptop.id,
                    "equipment_serial_no": "LAPTOP-12345",
                    "customer_name": "Tour Dental Practice",
                    "company_id": self.company.id,
                    "date_to": lines[1].date_to,
                    "applied_by_id": self.technician.id,
                    "removed_by_id": self.technician_2.id,
                },
            ],
        )
        self.assertEqual(str(lines[1].date_from), "2026-03-10 09:00:00")
        self.assertEqual(str(lines[1].date_to), "2026-03-20 09:00:00")
        self.assertEqual(lines[1].duration, 10)
        self.assertGreater(lines[0].duration, 0)
        self.assertIn("HISTORY-1 on Reception Laptop", lines[1].display_name)

    def test_installed_on(self):
        """L6: what was installed at the end of any past day, by filter."""
        self.assertEqual(self._on(("=", "2026-03-09")), [])
        self.assertEqual(self._on(("=", "2026-03-10")), ["LAPTOP-12345"])
        self.assertEqual(self._on(("=", date(2026, 3, 19))), ["LAPTOP-12345"])
        self.assertEqual(self._on(("=", "2026-03-20")), [])
        self.assertEqual(
            self._on(("in", ["2026-03-11", "2026-03-25"])), ["LAPTOP-12345"]
        )
        self.assertEqual(self._on(("=", "today")), ["LAPTOP-67890"])
        self.assertEqual(self._on(("!=", "today")), ["LAPTOP-12345"])
        self.assertEqual(self._on(("=", False)), [])

    def test_day_of_the_reader(self):
        """L6: a day is one of the reader's time zone: half past nine in the evening
        by UTC is the same day in Berlin, but half past eleven is not."""
        self.assertEqual(self._on(("=", "2026-04-01")), ["LAPTOP-67890"])
        with freeze_time("2026-04-02 22:30:00"):
            self.key.equipment_feature_ids.with_user(self.technician).unlink()
        self.assertEqual(self._on(("=", "2026-04-02")), ["LAPTOP-67890"])
        self.assertEqual(self._on(("=", "2026-04-03")), [])
        self.History = self.History.with_context(tz="UTC")
        self.assertEqual(self._on(("=", "2026-04-02")), [])

    def test_night_of_the_clock_change(self):
        """L6: a day begins at its first midnight, where the clock is set back at one
        o'clock, and where it leaps over midnight, at one."""
        for zone, day, start in (
            ("America/Havana", date(2026, 11, 1), "2026-11-01 04:00:00"),
            ("America/Havana", date(2026, 3, 8), "2026-03-08 05:00:00"),
            ("Pacific/Apia", date(2011, 12, 30), "2011-12-30 10:00:00"),
            ("Europe/Berlin", date(2026, 3, 29), "2026-03-28 23:00:00"),
        ):
            with self.subTest(zone=zone, day=day):
                history = self.History.with_context(tz=zone)
                self.assertEqual(str(history._start_of(day)), start)

    def test_installed_in_a_period(self):
        """L6: what was installed at some time from one day to another."""
        for start, end, found in (
            ("2026-03-01", "2026-03-09", []),
            ("2026-03-01", "2026-03-10", ["LAPTOP-12345"]),
            ("2026-03-20", "2026-03-31", ["LAPTOP-12345"]),
            ("2026-03-21", "2026-03-31", []),
            ("2026-03-15", "2026-05-31", ["LAPTOP-12345", "LAPTOP-67890"]),
        ):
            with self.subTest(start=start, end=end):
                self.assertEqual(self._on((">=", start), ("<=", end)), found)
        self.assertEqual(
            self._on((">", "2026-03-19"), ("<", "2026-04-01")), ["LAPTOP-12345"]
        )
        self.assertEqual(self._on((">", "2026-03-20"), ("<", "2026-04-01")), [])

    def test_grouped(self):
        """L6: lines group by feature, customer and month."""
        groups = self.History._read_group(
            [("software_key_id", "=", self.key.id)],
            ["software_id", "customer_name", "date_from:month"],
            ["__count"],
        )
        self.assertEqual(
            [(software, name, count) for software, name, _month, count in groups],
            [(self.office, "Tour Dental Practice", 1)] * 2,
        )

    def test_deleted_equipment_and_key(self):
        """L6, A10: the history of a deleted equipment stays readable; that of a
        deleted key goes with it."""
        self.laptop.unlink()
        line = self.History.search(
            [("software_key_id", "=", self.key.id), ("equipment_id", "=", False)]
        )
        self.assertEqual(line.equipment_name, "Reception Laptop")
        self.key.equipment_feature_ids.with_user(self.technician).unlink()
        self.key.unlink()
        self.assertFalse(self.History.search([("software_id", "=", self.office.id)]))

    def test_dated_back(self):
        """L6, F14: a line begins on the day of installation, where that was given as an
        earlier one, and tells when it was recorded."""
        self.technician.tz = "America/Los_Angeles"
        keys = self._enter("BACK-1", "BACK-2")
        with freeze_time("2026-05-20 04:00:00"):  # the evening of the 19th there
            self._apply(keys[0], applied_date="2026-05-10")
            self._apply(keys[1], self.spare_laptop, applied_date="2026-05-19")
        back, same_day = (
            self.History.search([("software_key_id", "=", key.id)]) for key in keys
        )
        self.assertEqual(str(back.date_from), "2026-05-10 07:00:00")
        self.assertEqual(str(back.date_recorded), "2026-05-20 04:00:00")
        self.assertEqual(str(same_day.date_from), "2026-05-20 04:00:00")
        for day, found in (("2026-05-09", 0), ("2026-05-10", 1), ("2026-05-15", 1)):
            domain = [("software_key_id", "=", keys[0].id), ("installed_on", "=", day)]
            self.assertEqual(self.History.search_count(domain), found, day)
        entry = keys[0].audit_log_ids.sorted("number")[-1]
        self.assertEqual(str(entry.installed_on), "2026-05-10")
        self.assertEqual(keys.verify_audit_trail(), [])

    def test_customers_keep_their_past(self):
        """L6, F3: a customer who is renamed, merged into another or gives a unit away
        keeps its past, and gets nobody else's."""
        feature = self.key.equipment_feature_ids.with_user(self.technician)
        feature.unlink()
        self.customer.name = "New Name"
        (self.laptop | self.spare_laptop).partner_id = self.other_customer
        key = self._enter("HISTORY-3")
        self._apply(key, self.laptop)
        domain = self.customer.action_view_software_key_history()["domain"]
        lines = self.History.search(domain)
        self.assertEqual(lines.software_key_id, self.key)
        self.assertEqual(
            lines.mapped("equipment_name"), ["Spare Laptop", "Reception Laptop"]
        )
        heir = self.env["res.partner"].create({"name": "Heir", "is_company": True})
        merging = self.env["base.partner.merge.automatic.wizard"].create({})
        merging._merge((self.customer | heir).ids, heir)
        self.assertFalse(self.customer.exists())
        domain = heir.action_view_software_key_history()["domain"]
        self.assertEqual(self.History.search(domain), lines)
        self.assertEqual(set(lines.mapped("customer_name")), {"Tour Dental Practice"})
        self.assertEqual((self.key | key).verify_audit_trail(), [])

    def test_software_of_that_time(self):
        """L6, F13: a key that licenses another feature now keeps what it was."""
        self.key.software_id = self.antivirus
        lines = self.History.search([("software_key_id", "=", self.key.id)])
        self.assertEqual(lines.software_id, self.office)

    def test_expired_stays_installed(self):
        """L6: expiry and renewal do not end an installation; a repair of the status
        does."""
        key = self._enter_subscriptions("HISTORY-2")
        self._apply(key)
        key.validity_end = self._in_days(-3)
        key.validity_end = self._in_days(90)
        line = self.History.search([("software_key_id", "=", key.id)])
        self.assertFalse(line.date_to)
        self.env.cr.execute(
            "DELETE FROM client_equipment_feature WHERE software_key_id = %s", [key.id]
        )
        self.env.invalidate_all()
        key.status = "available"
        self.assertTrue(self.History.browse(line.id).date_to)

    def test_access(self):
        """L6, E1: read-only for everybody, by company, and nothing for others."""
        for user in (self.auditor, self.technician, self.manager):
            history = self.History.with_user(user)
            line = history.search([("software_key_id", "=", self.key.id)], limit=1)
            self.assertTrue(line)
            for method, args in (("write", [{}]), ("unlink", []), ("create", [[{}]])):
                with self.assertRaises(AccessError):
                    getattr(line, method)(*args)
        for user in (self.internal, self.portal):
            with self.assertRaises(AccessError):
                self.History.with_user(user).search([])
        self.auditor.write(
            {
                "company_ids": [Command.set(self.other_company.ids)],
                "company_id": self.other_company.id,
            }
        )
        self.assertFalse(self.History.search([("software_key_id", "=", self.key.id)]))


class TestUsageHistoryOfCompanies(SoftwareKeyCommon):
    """E1: a shared key that has been at several companies."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.key = cls._enter("TRAVELLER", company_id=False)
        cls.theirs, cls.shared = cls.env["client.equipment"].create(
            [
                {"name": "Their Server", "company_id": cls.other_company.id},
                {"name": "Shared Server", "company_id": False},
            ]
        )
        cls.everywhere = cls._new_user(
            "everywhere", f"{ADDON}.group_software_key_manager"
        )
        cls.everywhere.company_ids |= cls.other_company
        for place in (cls.laptop, cls.theirs, cls.shared):
            feature = cls._apply(
                cls.key.with_context(
                    allowed_company_ids=cls.everywhere.company_ids.ids
                ),
                place,
                user=cls.everywhere,
            )
            feature.unlink()
        cls.stranger = cls._new_user("stranger", f"{ADDON}.group_software_key_auditor")
        cls.stranger.write(
            {
                "company_ids": [Command.set(cls.other_company.ids)],
                "company_id": cls.other_company.id,
            }
        )

    def test_each_sees_its_own(self):
        """L6, E1: each company sees the lines of its equipment and of shared one, and
        learns nothing of the others', by list, count, group or search; also after the
        equipment has gone to another company, or was deleted."""
        all_companies = {"allowed_company_ids": self.everywhere.company_ids.ids}
        self.laptop.company_id = self.other_company
        self.theirs.unlink()
        for user, context, expected in (
            (self.auditor, {}, {"Reception Laptop", "Shared Server"}),
            (self.stranger, {}, {"Their Server", "Shared Server"}),
            (
                self.everywhere,
                all_companies,
                {"Reception Laptop", "Their Server", "Shared Server"},
            ),
        ):
            with self.subTest(user=user.login):
                History = (
                    self.env["client.equipment.usage.history"]
                    .with_user(user)
                    .with_context(**context)
                )
                domain = [("software_key_id", "=", self.key.id)]
                lines = History.search(domain)
                self.assertEqual(set(lines.mapped("equipment_name")), expected)
                self.assertEqual(History.search_count(domain), len(expected))
                groups = History.formatted_read_group(
                    domain, ["equipment_name", "applied_by_id"], ["__count"]
                )
                self.assertEqual(
                    {group["equipment_name"] for group in groups}, expected
                )
                for name in ("Reception Laptop", "Their Server", "Shared Server"):
                    found = bool(History.name_search(name))
                    self.assertEqual(found, name in expected, name)
                entries = History.env["client.equipment.audit.log"].search(domain)
                self.assertEqual(
                    set(filter(None, entries.mapped("equipment_name"))), expected
                )
                hidden = History.sudo().search(domain) - lines
                if hidden:
                    with self.assertRaises(AccessError):
                        hidden.with_user(user).read(["equipment_name"])


@tagged("post_install", "-at_install")
class TestUsageHistoryInput(SoftwareKeyMixin, HttpCase):
    """E2: whatever is asked of the usage history, over HTTP."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with freeze_time("2026-03-10 09:00:00"):
            cls.feature = cls._apply(cls._enter("INPUT-1"))
        cls.headers = {"Authorization": f"bearer {api_key(cls.auditor)}"}

    def _domain(self, operator, day):
        return [
            ("software_key_id", "=", self.feature.software_key_id.id),
            ("installed_on", operator, day),
        ]

    def _ask(self, operator, day, method="search_count", tz="UTC", **arguments):
        """Return status and answer of a search over ``/json/2``."""
        arguments |= {"domain": self._domain(operator, day), "context": {"tz": tz}}
        with mute_logger("odoo.http"):
            answer = self.url_open(
                f"/json/2/client.equipment.usage.history/{method}",
                json=arguments,
                headers=self.headers,
            )
        return answer.status_code, answer.json()

    def test_far_dates(self):
        """L6, E2: any day of any calendar can be asked for, by any operator."""
        first, last = "0001-01-01", "9999-12-31"
        History = self.env["client.equipment.usage.history"].with_user(self.auditor)
        for zone in ("UTC", "Europe/Berlin", "America/Havana", "Pacific/Kiritimati"):
            for operator, day, found in (
                ("=", first, 0),
                ("=", last, 1),
                ("!=", first, 1),
                ("!=", last, 0),
                ("<", first, 0),
                ("<=", first, 0),
                (">", first, 1),
                (">=", first, 1),
                ("<", last, 1),
                ("<=", last, 1),
                (">", last, 1),  # installed still
                (">=", last, 1),
                ("<", "0001-01-02", 0),
                (">", "9999-12-30", 1),
            ):
                with self.subTest(zone=zone, operator=operator, day=day):
                    domain = self._domain(operator, day)
                    count = History.with_context(tz=zone).search_count(domain)
                    self.assertEqual(count, found)
            self.assertEqual(self._ask("=", last, tz=zone), (200, 1))

    def test_no_dates(self):
        """E2: what is no day is answered in words, or finds what is not installed."""
        for value in (
            *("abc", "", "2026-13-45", "2026-02-30", "10000-01-01", "today +9999999y"),
            *(True, False, None, 0, 5, -1, 10**400, [], ["abc"], [None], [[1]]),
            *({"a": 1}, [{"a": 1}], ["2026-03-10", "x"], "\x00", "2026-03-10 10:00:00"),
        ):
            for operator in ("=", "!=", "in", "<=", ">", "like"):
                with self.subTest(value=value, operator=operator):
                    status, answer = self._ask(operator, value)
                    if status == 200:
                        self.assertIn(answer, (0, 1))
                    else:
                        self.assertEqual(status, 422, answer)
                        self.assertRegex(answer["message"], "search|Unsupported")
        _status, answer = self._ask("=", "abc")
        self.assertIn("'abc'", answer["message"])

    def test_unknown_zones(self):
        """E2: an unknown time zone counts as UTC, in every question; what cannot be one
        is refused in words, where Odoo cannot do without it."""
        for tz in ("GMT+02:00", "", 5, True, None, ["UTC"], {"a": 1}):
            for method, arguments in (
                ("search_count", {}),
                ("web_search_read", {"specification": {"date_from": {}}}),
                (
                    "formatted_read_group",
                    {"groupby": ["date_from:month"], "aggregates": ["__count"]},
                ),
            ):
                with self.subTest(tz=tz, method=method):
                    status, answer = self._ask(
                        "=", "2026-03-10", method, tz, **arguments
                    )
                    if "group" in method and isinstance(tz, list | dict):
                        self.assertEqual(status, 422, answer)
                        self.assertIn("cannot be understood", answer["message"])
                    else:
                        self.assertEqual(status, 200, answer)
                        self.assertTrue(answer)


@tagged("post_install", "-at_install")
class TestUsageHistoryScreens(SoftwareKeyMixin, HttpCase):
    def test_installed_on(self):
        """L6: the auditor types a date into the search bar and sees what was
        installed at the end of that day."""
        self.env.user.tz = self.auditor.tz = "UTC"
        keys = self._enter("TOUR-THEN", "TOUR-NOW")
        with freeze_time("2026-02-02 10:00:00"):
            feature = self._apply(keys[0])
        with freeze_time("2026-02-20 10:00:00"):
            feature.unlink()
            self._apply(keys[1])
        self.start_tour(
            "/odoo/software-key-usage-history",
            "software_key_usage_history",
            login="sk_auditor",
        )
