# pylint: disable=context-overridden
import base64
import hashlib
import io
import random
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import openpyxl
from freezegun import freeze_time
from lxml import html
from pypdf import PdfReader

from odoo import SUPERUSER_ID, Command, api, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from ..report.evidence import Evidence
from .common import ADDON, SoftwareKeyCommon, SoftwareKeyMixin, api_key


class EvidencePackMixin(SoftwareKeyMixin):
    def _make(self, user=None, context=None, **values):
        """Make a pack as the auditor and return it."""
        pack = (
            self.env["client.equipment.evidence.pack"]
            .with_user(user or self.auditor)
            .with_context(**context or {})
            .create(values)
        )
        pack.action_make()
        self._run_job()
        self.assertEqual(pack.state, "done", pack.note)
        return pack

    def _run_job(self):
        """Let the job make what waits, as the server's own user."""
        self.env.flush_all()
        with ExitStack() as stack:
            if not isinstance(self, HttpCase):
                stack.enter_context(self.enter_registry_test_mode())
            with self.registry.cursor() as cr:
                env = api.Environment(cr, SUPERUSER_ID, {})
                env["client.equipment.evidence.pack"]._cron_make()
        self.env.invalidate_all()

    def _file(self, pack, kind="xlsx"):
        """Return the content of a file of the pack."""
        file = pack.file_ids.filtered(lambda file: file.name.endswith(f".{kind}"))
        content = base64.b64decode(file.content)
        self.assertEqual(hashlib.sha256(content).hexdigest(), file.sha256)
        self.assertEqual(len(content), file.size)
        return content

    def _tables(self, pack):
        return pack.file_ids.filtered(lambda file: file.name.endswith(".xlsx"))

    def _report(self, pack):
        return self._file(pack, "html").decode()

    def _open(self, pack):
        """Return ``{sheet: [{header: value}]}`` of the XLSX; the summary as a dict."""
        workbook = openpyxl.load_workbook(io.BytesIO(self._file(pack)))
        sheets = {}
        for sheet in workbook:
            headers, *rows = sheet.iter_rows(values_only=True)
            if sheet.title == "Summary":
                sheets["Summary"] = dict([headers[:2], *(row[:2] for row in rows)])
            else:
                sheets[sheet.title] = [
                    dict(zip(headers, row, strict=True)) for row in rows
                ]
        return sheets

    def _texts(self, pack):
        """Return every text of the XLSX in one."""
        workbook = openpyxl.load_workbook(io.BytesIO(self._file(pack)))
        return "\n".join(
            str(value)
            for sheet in workbook
            for row in sheet.iter_rows(values_only=True)
            for value in row
        )


class TestEvidencePack(EvidencePackMixin, SoftwareKeyCommon):
    """L7: what is handed over at a licence audit."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with freeze_time("2026-01-15 10:00:00"):
            cls.keys = cls._enter("PACK-OFFICE-00001", "PACK-OFFICE-00002")
            cls.expired = cls._enter_subscriptions("PACK-ANTIVIRUS-3")
        cls.elsewhere = cls.env["client.equipment"].create(
            {
                "name": "Harbour Terminal",
                "serial_no": "TERM-1",
                "partner_id": cls.other_customer.id,
                "company_id": cls.company.id,
            }
        )
        with freeze_time("2026-02-01 10:00:00"):
            feature = cls._apply(cls.keys[0], cls.elsewhere)
        with freeze_time("2026-02-10 10:00:00"):
            feature.unlink()
        with freeze_time("2026-03-01 10:00:00"):
            cls._apply(cls.keys[0] | cls.expired)
        cls.expired.validity_end = cls._in_days(-1)

    def test_equipment(self):
        """L7: for one equipment: its installations, their keys and their trail, but
        nothing of the other equipment that the same key was on."""
        pack = self._make(equipment_ids=self.laptop.ids, license_keys="whole")
        sheets = self._open(pack)
        self.assertEqual(
            [
                (line["License Key"], line["Serial Number"], line["Customer"])
                for line in sheets["Installations"]
            ],
            [
                ("PACK-ANTIVIRUS-3", "LAPTOP-12345", "Tour Dental Practice"),
                ("PACK-OFFICE-00001", "LAPTOP-12345", "Tour Dental Practice"),
            ],
        )
        self.assertEqual(
            {line["License Key"]: line["Status"] for line in sheets["Keys"]},
            {"PACK-OFFICE-00001": "Applied", "PACK-ANTIVIRUS-3": "Expired"},
        )
        self.assertEqual(
            [
                (line["No."], line["Action"])
                for line in sheets["Trail"]
                if line["License Key"] == "PACK-OFFICE-00001"
            ],
            [(1, "Created"), (4, "Applied")],
        )
        self.assertEqual(
            [(line["Gap"], line["License Key"]) for line in sheets["Gaps"]],
            [("Expired, but still installed", "PACK-ANTIVIRUS-3")],
        )
        self.assertEqual([line["Feature"] for line in sheets["Integrity"]], ["None"])
        self.assertRegex(
            sheets["Summary"]["Result"], "^Intact: audit trails verified: 2;"
        )
        self.assertEqual(sheets["Summary"]["Made by"], "Auditor Tester")
        made_on = fields.Datetime.context_timestamp(
            pack.with_user(self.auditor), fields.Datetime.now()
        )
        age = made_on.replace(tzinfo=None) - sheets["Summary"]["Made on"]
        self.assertLess(abs(age.total_seconds()), 60)
        self.assertEqual(
            sheets["Summary"]["Equipment"],
            self.laptop.with_user(self.auditor).display_name,
        )
        self.assertNotIn("Harbour", self._texts(pack))

    def test_heads_of_the_chains(self):
        """L5, L7: the pack carries number and hash of each key's last entry."""
        (line,) = [
            line
            for line in self._open(
                self._make(software_ids=self.office.ids, license_keys="whole")
            )["Keys"]
            if line["License Key"] == "PACK-OFFICE-00001"
        ]
        self.assertEqual(line["Number of Audit Logs"], 4)
        self.assertEqual(line["Last Audit Hash"], self.keys[0].audit_hash)

    def test_customer_at_that_time(self):
        """L7: for a customer: what stood there at that time, wherever the key and the
        equipment are now, also under a former name; never what stood elsewhere."""
        sheets = self._open(self._make(partner_ids=self.other_customer.ids))
        self.assertEqual(
            [line["Equipment"] for line in sheets["Installations"]],
            ["Harbour Terminal"],
        )
        self.assertEqual(
            [(line["Equipment"], line["Customer"]) for line in sheets["Keys"]],
            [(None, None)],
        )
        self.laptop.partner_id = self.other_customer
        pack = self._make(partner_ids=self.other_customer.ids)
        self.assertNotIn("Tour Dental", self._texts(pack).replace("…", ""))
        self.assertEqual(len(self._open(pack)["Installations"]), 1)
        self.other_customer.name = "Harbour Works Holding"
        self.assertEqual(
            len(
                self._open(self._make(partner_ids=self.other_customer.ids))[
                    "Installations"
                ]
            ),
            1,
        )
        self.assertEqual(
            [
                line["Equipment"]
                for line in self._open(self._make(partner_ids=self.customer.ids))[
                    "Installations"
                ]
            ],
            ["Reception Laptop"] * 2,
        )

    def test_namesakes(self):
        """L7: a customer of the same name gets nothing of the other's equipment."""
        namesake = self.customer.copy({"name": self.customer.name})
        with self.assertRaisesRegex(UserError, "nothing to put into the pack"):
            self._make(partner_ids=namesake.ids)
        self.assertEqual(
            len(self._open(self._make(partner_ids=self.customer.ids))["Installations"]),
            2,
        )

    def test_software_and_period(self):
        """L7: for a software and a period: all its keys, and what was installed at
        some time in the period."""
        sheets = self._open(
            self._make(
                software_ids=self.office.ids,
                date_from="2026-02-05",
                date_to="2026-02-20",
            )
        )
        self.assertEqual(len(sheets["Keys"]), 2)
        self.assertEqual(
            [line["Equipment"] for line in sheets["Installations"]],
            ["Harbour Terminal"],
        )
        self.assertEqual([line["Action"] for line in sheets["Trail"]], ["Revoked"])
        with self.assertRaisesRegex(UserError, "before it begins"):
            self._make(date_from="2026-02-05", date_to="2026-02-04")

    def test_last_five_characters(self):
        """L7: license keys by their last five characters only, in every cell and in
        the report."""
        self.env.cr.execute(
            "UPDATE client_equipment_software_key SET status = 'revoked' WHERE id = %s",
            [self.keys[1].id],
        )
        self.env.invalidate_all()
        pack = self._make(software_ids=(self.office | self.antivirus).ids)
        texts = self._texts(pack)
        self.assertIn("…00001", texts)
        self.assertNotIn("PACK-", texts)
        self.assertRegex(texts, r"…00002: Status is Revoked")
        self.assertNotIn("PACK-", self._report(pack))
        whole = self._make(software_ids=self.office.ids, license_keys="whole")
        self.assertIn("PACK-OFFICE-00001", self._report(whole))

    def test_tampering_is_told(self):
        """L5, L7: a broken trail is named in the pack."""
        self.env.cr.execute(
            "UPDATE client_equipment_audit_log SET user_name = 'X'"
            " WHERE software_key_id = %s AND number = 2",
            [self.keys[0].id],
        )
        self.env.invalidate_all()
        pack = self._make(software_ids=self.office.ids)
        sheets = self._open(pack)
        (line,) = sheets["Integrity"]
        self.assertIn("No. 2 was altered", line["Finding"])
        self.assertRegex(sheets["Summary"]["Result"], "^Not intact: 1 of 2")
        self.assertIn("Not intact", self._report(pack))

    def test_formulas(self):
        """L7: a text that looks like a formula stays a text."""
        formula = '=HYPERLINK("http://x","y")'
        self.spare_laptop.name = formula
        self._apply(self.keys[1], self.spare_laptop)
        workbook = openpyxl.load_workbook(
            io.BytesIO(self._file(self._make(equipment_ids=self.spare_laptop.ids)))
        )
        cell = workbook["Installations"]["E2"]
        self.assertEqual((cell.value, cell.data_type), (formula, "s"))
        self.assertEqual(
            {
                cell.data_type
                for sheet in workbook
                for row in sheet.iter_rows()
                for cell in row
            }
            & {"f", "e"},
            set(),
        )

    def test_noted_on_the_chatter(self):
        """L7: the SHA-256 of the file is noted on what was chosen, else on the
        software, although the auditor may write nowhere."""
        pack = self._make(equipment_ids=self.laptop.ids, partner_ids=self.customer.ids)
        sha256 = hashlib.sha256(self._file(pack)).hexdigest()
        for record in (self.laptop, self.customer):
            message = record.message_ids[0]
            self.assertIn(sha256, message.body)
            self.assertEqual(message.author_id, self.auditor.partner_id)
        pack = self._make(date_from="2026-02-05")
        for software in (self.office, self.antivirus):
            self.assertIn(self._tables(pack).sha256, software.message_ids[0].body)
            # The catalogue is common; who made a pack is his company's.
            self.assertEqual(software.message_ids[0].record_company_id, self.company)

    def test_equipment_deleted(self):
        """L7, A10: installations on an equipment that is gone are in the pack of its
        customer."""
        self.elsewhere.unlink()
        sheets = self._open(self._make(partner_ids=self.other_customer.ids))
        self.assertEqual(
            [line["Serial Number"] for line in sheets["Installations"]], ["TERM-1"]
        )

    def test_contacts(self):
        """L7: a company and its contacts are one customer, whichever is chosen: one
        pack, one part of the report."""
        contact = self.env["res.partner"].create(
            {"name": "Mia Keller", "parent_id": self.customer.id}
        )
        self.spare_laptop.partner_id = contact
        self._apply(self.keys[1], self.spare_laptop)
        for chosen in (contact, self.customer):
            with self.subTest(chosen=chosen.name):
                pack = self._make(partner_ids=chosen.ids)
                self.assertEqual(len(self._open(pack)["Installations"]), 3)
                page = html.fromstring(self._report(pack)).xpath("//h3/text()")
                self.assertEqual(page, ["License Position", self.customer.name])

    def test_dated_back(self):
        """L7: an installation that was recorded later is told by its day, and when it
        was recorded."""
        with freeze_time("2026-04-10 10:00:00"):
            self._apply(self.keys[1], self.spare_laptop, applied_date="2026-04-01")
        (line,) = (
            line
            for line in self._open(
                self._make(equipment_ids=self.spare_laptop.ids, date_to="2026-04-05")
            )["Installations"]
        )
        self.assertEqual(str(line["Installed"])[:10], "2026-04-01")
        self.assertEqual(str(line["Recorded"])[:10], "2026-04-10")

    def test_page_of_each_customer(self):
        """L7: the report has a page for each customer, with nothing of the other;
        for chosen equipment one for each equipment."""
        for values, titles in (
            (
                {"software_ids": self.office.ids},
                ["Tour Dental Practice", "Tour Harbour Works"],
            ),
            (
                {"equipment_ids": (self.laptop | self.elsewhere).ids},
                ["Reception Laptop (LAPTOP-12345)", "Harbour Terminal (TERM-1)"],
            ),
        ):
            report = self._report(self._make(**values))
            _first, *pages = html.fromstring(report).xpath("//div[@class='page']")
            self.assertEqual([page.findtext(".//h3") for page in pages], titles)
            for page, other in zip(pages, ("TERM-1", "LAPTOP-12345"), strict=True):
                self.assertNotIn(other, page.text_content())

    def test_queries_do_not_grow(self):
        """L7: fifty keys on as many equipment of as many customers take no more
        queries than two."""
        few, many = self.env["client.equipment.software"].create(
            [{"name": "Tour Few"}, {"name": "Tour Many"}]
        )
        places = self.env["client.equipment"].create(
            [
                {
                    "name": f"Laptop {number}",
                    "partner_id": self.env["res.partner"].create({"name": number}).id,
                    "company_id": self.company.id,
                }
                for number in range(50)
            ]
        )
        for software, count in ((few, 2), (many, 50)):
            names = [f"{software.name}-{number:04}" for number in range(count)]
            keys = self._enter(*names, software=software)
            for key, place in zip(keys, places[:count], strict=True):
                self._apply(key, place)

        def queries(software):
            self.env.flush_all()
            # Each makes one anew, not only whoever comes in another second.
            self.cr.execute("DELETE FROM client_equipment_audit_checkpoint")
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self._make(software_ids=software.ids)
            self.env.flush_all()
            return self.cr.sql_log_count - before

        for software in (few, many):
            queries(software)  # fills caches
        self.assertLessEqual(queries(many), queries(few))

    def test_memory_does_not_grow(self):
        """L7: however much the history tells, no more of it than a portion is kept in
        memory, and what the keys are costs one question."""
        key = self._enter("PACK-BUSY")
        for _time in range(8):
            self._apply(key).unlink()
        self.env.flush_all()
        self.env.invalidate_all()
        pack = self.env["client.equipment.evidence.pack"].with_user(self.auditor)
        evidence = Evidence(pack.create({"software_ids": self.office.ids}))
        line, entry = (
            self.env[model]._fields["equipment_name"]
            for model in (
                "client.equipment.usage.history",
                "client.equipment.audit.log",
            )
        )
        self.assertIn(key, evidence.keys)
        self.assertFalse(line._get_cache(pack.env))
        self.env.invalidate_all()
        with patch(f"odoo.addons.{ADDON}.report.evidence.BATCH", 3):
            found = []
            for portion in evidence.batches(evidence.entries):
                found += portion.mapped("equipment_name")
                self.assertLessEqual(len(entry._get_cache(pack.env)), 3)
            self.assertGreater(len(found), 16)
            for portion in evidence.batches(evidence.installations):
                portion.mapped("equipment_name")
                self.assertLessEqual(len(line._get_cache(pack.env)), 3)

    def test_any_dates(self):
        """L7, E2: a period may begin and end on any day of the calendar, in any time
        zone; one that ends before it begins is refused in words."""
        first, last = "0001-01-01", "9999-12-31"
        for tz, zone in (
            ("Europe/Berlin", "Europe/Berlin"),
            ("GMT+02:00", "UTC"),
            (5, "UTC"),
        ):
            for period, found in (
                ({"date_from": first}, 3),
                ({"date_to": last}, 3),
                ({"date_from": first, "date_to": last}, 3),
                ({"date_from": last}, 2),  # installed still
                ({"date_from": first, "date_to": first}, None),
                ({"date_to": first}, None),
            ):
                with self.subTest(period=period, tz=tz):
                    software = self.office | self.antivirus
                    values = {"software_ids": software.ids} | period
                    if found is None:  # no key had been entered
                        with self.assertRaisesRegex(UserError, "nothing to put"):
                            self._make(context={"tz": tz}, **values)
                        continue
                    pack = self._make(context={"tz": tz}, **values)
                    sheets = self._open(pack)
                    self.assertEqual(len(sheets["Installations"]), found)
                    self.assertIn(
                        str(sheets["Summary"]["From"])[:10],
                        (period.get("date_from", "All"), "All"),
                    )
                    self.assertEqual(sheets["Summary"]["Time zone"], zone)
        for start, end in ((last, first), ("2026-02-02", "2026-02-01")):
            with self.assertRaisesRegex(UserError, "before it begins"):
                self._make(date_from=start, date_to=end)

    def test_without_wkhtmltopdf(self):
        """L7: where wkhtmltopdf is missing the report comes as HTML, and says why."""
        with patch.object(
            type(self.env["ir.actions.report"]),
            "get_wkhtmltopdf_state",
            return_value="install",
        ):
            pack = self._make(equipment_ids=self.laptop.ids)
        self.assertIn("ask the administrator to install", pack.note)
        self.assertIn("Reception Laptop", self._report(pack))

    def test_access(self):
        """E1, L7: auditors and managers only; only what the user may see."""
        self._make(user=self.manager, software_ids=self.office.ids)
        for user in (self.technician, self.internal, self.portal):
            with self.assertRaises(AccessError):
                self._make(user=user, software_ids=self.office.ids)
        self._enter("PACK-FAR", user=self.env.user, company_id=self.other_company.id)
        pack = self._make(software_ids=self.office.ids, license_keys="whole")
        self.assertNotIn("PACK-FAR", self._texts(pack))

    def test_default_choice(self):
        """L7: opened from equipment, customers or software it is about these."""
        for records, field_name in (
            (self.laptop, "equipment_ids"),
            (self.customer, "partner_ids"),
            (self.office, "software_ids"),
        ):
            Pack = self.env["client.equipment.evidence.pack"].with_user(self.auditor)
            pack = Pack.with_context(
                active_model=records._name, active_ids=records.ids
            ).create({})
            self.assertEqual(pack[field_name], records)


class TestEvidencePackMaking(EvidencePackMixin, SoftwareKeyCommon):
    """L7: a pack is made in the background, step by step, for its maker alone."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.keys = cls._enter("MAKING-00001", "MAKING-00002", "MAKING-00003")
        cls._apply(cls.keys[0])

    def _ask(self, **values):
        """Ask for a pack of the office software as the auditor."""
        pack = (
            self.env["client.equipment.evidence.pack"]
            .with_user(self.auditor)
            .create({"software_ids": self.office.ids} | values)
        )
        pack.action_make()
        self.env.flush_all()
        return pack

    def _steps(self, pack, count):
        """Let a job make some steps of a pack, and be killed."""
        job = self.env["client.equipment.evidence.pack"].with_user(SUPERUSER_ID)
        for _step in range(count):
            self.assertTrue(job.with_context({})._make_step(pack.id))
            self.env.flush_all()
            self.env.invalidate_all()

    def test_in_the_background(self):
        """L7: whoever asks for a pack has no files yet, starts the job, and sees how
        far it is; it is told in Odoo's notifications when it is made, never by mail."""
        self.auditor.notification_type = "email"
        triggers = self.env["ir.cron.trigger"].search_count([])
        mails = self.env["mail.mail"].search_count([])
        pack = self._ask()
        self.assertEqual((pack.state, pack.progress), ("waiting", 0))
        self.assertFalse(pack.file_ids)
        self.assertEqual(self.env["ir.cron.trigger"].search_count([]), triggers + 1)
        self._steps(pack, 4)
        self.assertEqual(pack.state, "making")
        self.assertTrue(0 < pack.progress < 100, pack.progress)
        self._run_job()
        self.assertEqual((pack.state, pack.progress), ("done", 100))
        notice = self.env["mail.notification"].search(
            [("res_partner_id", "=", self.auditor.partner_id.id)], limit=1
        )
        self.assertEqual(notice.notification_type, "inbox")
        self.assertIn("is ready", notice.mail_message_id.body)
        self.assertEqual(notice.mail_message_id.res_id, pack.id)
        self.assertEqual(self.env["mail.mail"].search_count([]), mails)

    def test_killed_and_run_again(self):
        """L7: a job that is killed at any point, and another one that goes on, make the
        pack that one job makes."""
        whole = self._make(software_ids=self.office.ids)
        for steps in range(1, 9):
            with self.subTest(steps=steps):
                pack = self._ask()
                self._steps(pack, steps)
                self._run_job()
                self.assertEqual(pack.state, "done", pack.note)
                self.assertEqual(
                    pack.file_ids.mapped("name"), whole.file_ids.mapped("name")
                )
                expected, found = self._open(whole), self._open(pack)
                for sheets in (expected, found):
                    for told in ("Made on", "License position as of"):
                        del sheets["Summary"][told]
                self.assertEqual(found, expected)
                self.assertFalse(
                    self.env["client.equipment.evidence.piece"].search(
                        [("pack_id", "=", pack.id)]
                    )
                )

    def test_portions(self):
        """L7: a pack that is made in many portions tells what one portion tells."""
        whole = self._make(software_ids=self.office.ids)
        making = f"odoo.addons.{ADDON}.report.client_equipment_evidence_making.BATCH"
        with patch(making, 1):
            pack = self._make(software_ids=self.office.ids)
        for sheet in ("License Position", "Installations", "Keys", "Trail"):
            self.assertEqual(self._open(pack)[sheet], self._open(whole)[sheet])

    def test_changed_meanwhile(self):
        """L7: what happens while a pack is made is not told; what is deleted while it
        is made is told no more, and stops nothing."""
        pack = self._ask()
        self._steps(pack, 2)
        with freeze_time(fields.Datetime.add(pack.asked_on, minutes=5)):
            self._apply(self.keys[1], self.spare_laptop)
            self._enter("MAKING-00004")
            self.keys[2].with_user(self.manager).unlink()
        self.env.flush_all()
        self._run_job()
        sheets = self._open(pack)
        self.assertEqual(
            [(line["Key No."], line["Status"]) for line in sheets["Keys"]],
            [(self.keys[0].id, "Applied"), (self.keys[1].id, "Available")],
        )
        self.assertEqual(len(sheets["Installations"]), 1)
        self.assertNotIn("LAPTOP-67890", self._texts(pack))

    def test_rights_lost_meanwhile(self):
        """E1, L7: a pack of somebody who is no auditor any more, has left, or may not
        see the company any more is not made, and the reason is told."""
        groups = self.auditor.group_ids
        was = {
            "active": True,
            "group_ids": [Command.set(groups.ids)],
            "company_ids": [Command.set(self.company.ids)],
            "company_id": self.company.id,
        }
        internal = self.env.ref("base.group_user")
        elsewhere = {
            "company_ids": [Command.set(self.other_company.ids)],
            "company_id": self.other_company.id,
        }
        for steps in (0, 3):
            for lost, words in (
                ({"group_ids": [Command.set(internal.ids)]}, "not allowed"),
                ({"group_ids": [Command.clear()]}, "not allowed"),
                ({"active": False}, "no longer see"),
                (elsewhere, "no longer see"),
            ):
                with self.subTest(steps=steps, lost=lost):
                    pack = self._ask()
                    self._steps(pack, steps)
                    self.auditor.write(lost)
                    self._run_job()
                    pack = pack.sudo().with_context({})
                    self.assertEqual(pack.state, "failed")
                    self.assertIn(words, pack.note)
                    self.assertFalse(pack.file_ids)
                self.auditor.write(was)

    def test_companies(self):
        """E1, L7: a pack tells of the companies that were switched on when it was asked
        for, whichever are when it is made and read; who loses one of them loses it."""
        both = self.company | self.other_company
        self.auditor.company_ids = both
        self._enter("MAKING-FAR", user=self.env.user, company_id=self.other_company.id)
        pack = self._make(
            context={"allowed_company_ids": self.company.ids},
            software_ids=self.office.ids,
            license_keys="whole",
        )
        self.assertNotIn("MAKING-FAR", self._texts(pack))
        wide = self._make(
            context={"allowed_company_ids": both.ids},
            software_ids=self.office.ids,
            license_keys="whole",
        )
        self.assertIn("MAKING-FAR", self._texts(wide))
        notes = self.office.message_ids.filtered(
            lambda note: self._tables(wide).sha256 in (note.body or "")
        )
        self.assertEqual(notes.record_company_id, both)
        self.auditor.company_id = self.company
        self.auditor.company_ids = self.company
        for records, told in ((pack, True), (wide, False)):
            records = self.env[records._name].browse(records.id)
            for record in (records, records.file_ids):
                record = record.with_user(self.auditor)
                self.assertEqual(record.has_access("read"), told)
                self.assertEqual(bool(record.search([("id", "in", record.ids)])), told)

    def test_kept_for_a_while(self):
        """L7: a pack is kept for 30 days and then deleted with its files; one that was
        never asked for goes after a day."""
        pack = self._make(software_ids=self.office.ids)
        file = self._tables(pack)
        self.assertEqual(pack.kept_until, fields.Date.add(pack.made_on.date(), days=30))
        Pack = self.env["client.equipment.evidence.pack"]
        draft = Pack.with_user(self.auditor).create({})
        self.env.flush_all()
        Pack._gc_packs()
        self.assertEqual((pack | draft).exists(), pack | draft)
        with freeze_time(fields.Datetime.add(fields.Datetime.now(), days=31)):
            Pack._gc_packs()
        self.assertFalse((pack | draft).exists() or file.exists())
        self.assertFalse(
            self.env["ir.attachment"].search(
                [("res_model", "=", file._name), ("res_id", "=", file.id)]
            )
        )

    def test_deleted_meanwhile(self):
        """L7: a pack that its maker deletes while it is made is made no more."""
        pack = self._ask()
        self._steps(pack, 3)
        pack.unlink()
        self._run_job()
        self.assertFalse(pack.exists())
        self.assertFalse(self.env["client.equipment.evidence.piece"].search([]))

    def test_verified_offline(self):
        """L9: the JSON of a pack is verified by the program beside it, also where it is
        packed; one that was changed is not."""
        making = f"odoo.addons.{ADDON}.report.client_equipment_evidence_making"
        for most, kind in ((10**9, "json"), (1, "json.gz")):
            with self.subTest(kind=kind), tempfile.TemporaryDirectory() as folder:
                with patch(f"{making}.MAX_JSON", most):
                    pack = self._make(software_ids=self.office.ids)
                program = Path(folder, "verify_evidence.py")
                program.write_bytes(self._file(pack, "py"))
                content = self._file(pack, kind)
                path = Path(folder, f"pack.{kind}")
                path.write_bytes(content)
                self.assertEqual(self._verify(program, path), 0)
                command = (
                    f"python3 -I verify_evidence.py {pack._get_file_name()}.{kind}"
                )
                self.assertEqual(self._open(pack)["Summary"]["To verify"], command)
                self.assertIn(f">{command}<", self._report(pack))
                if kind == "json":
                    path.write_text(
                        content.decode().replace("Reception Laptop", "Other Laptop")
                    )
                    self.assertEqual(self._verify(program, path), 1)
                else:
                    path.write_bytes(content[:-100])
                    self.assertEqual(self._verify(program, path), 2)

    def _verify(self, program, path):
        """Return the exit code of the program that verifies a pack."""
        command = [sys.executable, "-I", str(program), str(path)]
        return subprocess.run(command, capture_output=True, check=False).returncode

    def test_print_setup(self):
        """L7: each sheet is printed landscape, as wide as a page, its headings on each;
        columns are as wide as what is in them."""
        workbook = openpyxl.load_workbook(
            io.BytesIO(self._file(self._make(software_ids=self.office.ids)))
        )
        self.assertEqual(workbook.sheetnames[:2], ["Summary", "License Position"])
        for sheet in workbook:
            self.assertEqual(sheet.page_setup.orientation, "landscape")
            self.assertEqual(sheet.page_setup.fitToWidth, 1)
            self.assertTrue(sheet.sheet_properties.pageSetUpPr.fitToPage)
            if sheet.title != "Summary":
                self.assertEqual(sheet.freeze_panes, "A2")
                self.assertEqual(sheet.print_title_rows, "$1:$1")
                self.assertTrue(sheet.auto_filter.ref.startswith("A1:"))
            for column in sheet.iter_cols():
                longest = max(
                    len(cell.value) if isinstance(cell.value, str) else 8
                    for cell in column
                )
                width = sheet.column_dimensions[column[0].column_letter].width
                self.assertGreaterEqual(width, min(longest, 60))
                self.assertLess(width, max(longest, 19) + 8)


class TestLicensePosition(EvidencePackMixin, SoftwareKeyCommon):
    """L7: the license position as of the end of the period."""

    def _position(self, **values):
        """Return the row of the office software in the license position."""
        sheet = self._open(self._make(**values))["License Position"]
        (row,) = (line for line in sheet if line["Feature"] == self.office.name)
        return {name: count for name, count in row.items() if name != "Feature"}

    def test_at_the_end_of_the_period(self):
        """L7: every seat is counted once, as it stood at the end of the period."""
        with freeze_time("2026-01-10 10:00:00"):
            keys = self._enter("POSITION-1", "POSITION-2", "POSITION-3", "POSITION-4")
            volume = self._enter("POSITION-VOLUME", seats=5)
        with freeze_time("2026-02-10 10:00:00"):
            feature = self._apply(keys[0])
            self._apply(volume)
            keys[1].with_user(self.manager).revoke()
        with freeze_time("2026-03-10 10:00:00"):
            feature.unlink()
            keys[2].with_user(self.manager).revoke()
        software = {"software_ids": self.office.ids}
        for end, owned, applied, revoked in (
            ("2026-01-31", 9, 0, 0),
            ("2026-02-28", 9, 2, 1),
            ("2026-03-31", 9, 1, 2),
            (False, 9, 1, 2),
        ):
            with self.subTest(end=end):
                self.assertEqual(
                    self._position(date_to=end, **software),
                    {
                        "Owned": owned,
                        "Applied": applied,
                        "Free": owned - applied - revoked,
                        "Expired": 0,
                        "Expired but Installed": 0,
                        "Revoked": revoked,
                        "Deleted Since": 0,
                    },
                )
        with self.assertRaisesRegex(UserError, "nothing to put"):
            self._make(date_to="2026-01-09", **software)

    def test_deleted(self):
        """L7, K10: what was owned at the end of the period is told also where it has
        been deleted since; so is who deleted it, and why."""
        with freeze_time("2026-01-10 10:00:00"):
            kept, gone = (
                self._enter("POSITION-KEPT-1"),
                self._enter("POSITION-GONE-2", seats=4),
            )
        with freeze_time("2026-03-10 10:00:00"):
            number = gone.id
            gone.with_user(self.manager).delete("bought twice")
        software = {"software_ids": self.office.ids}
        position = self._position(date_to="2026-02-28", **software)
        self.assertEqual(
            (position["Owned"], position["Free"], position["Deleted Since"]), (5, 1, 4)
        )
        position = self._position(**software)
        self.assertEqual((position["Owned"], position["Deleted Since"]), (1, 0))
        for period, told in (
            ({}, True),
            ({"date_to": "2026-02-28"}, True),
            ({"date_from": "2026-03-01"}, True),
            ({"date_from": "2026-03-11"}, False),
        ):
            (line,) = self._open(self._make(**software, **period))["Deleted Keys"]
            with self.subTest(period=period):
                if not told:
                    self.assertEqual(line["Feature"], "None")
                    continue
                self.assertEqual(
                    (line["Key No."], line["Seats"], line["Reason"]),
                    (number, 4, "bought twice"),
                )
                self.assertEqual(line["License Key"], "…ONE-2")
                self.assertEqual(line["Deleted By"], self.manager.name)
        self._apply(kept)
        pack = self._make(partner_ids=self.customer.ids)
        self.assertEqual(self._open(pack)["Deleted Keys"][0]["Feature"], "None")
        kept.equipment_feature_ids.unlink()
        kept.with_user(self.manager).unlink()
        self.assertEqual(len(self._open(self._make(**software))["Deleted Keys"]), 2)

    def test_expired_but_installed(self):
        """L7: what has expired is counted as such, and what of it is installed."""
        with freeze_time("2026-01-10 10:00:00"):
            keys = self._enter(
                *("EXPIRED-1", "EXPIRED-2"),
                key_type="subscription",
                validity_end="2026-02-10",
            )
            self._apply(keys[0], applied_date="2026-01-10")
        with freeze_time("2026-02-12 10:00:00"):
            keys._transition("expired", dict.fromkeys(keys.ids, "expired"))
        position = self._position(software_ids=self.office.ids)
        self.assertEqual(
            (position["Expired"], position["Expired but Installed"]), (2, 1)
        )
        self.assertEqual((position["Owned"], position["Applied"]), (2, 0))

    def test_only_theirs(self):
        """L7: for a customer: the seats that are installed there, and the keys that
        were bought for him, free ones too; nothing of the common stock."""
        pool = self._enter("THEIRS-1", "THEIRS-2", "THEIRS-3")
        self._enter("THEIRS-OWN", owner_id=self.customer.id)
        self._apply(pool[0])
        elsewhere = self.env["client.equipment"].create(
            {
                "name": "Harbour",
                "partner_id": self.other_customer.id,
                "company_id": self.company.id,
            }
        )
        self._apply(pool[1], elsewhere)
        position = self._position(partner_ids=self.customer.ids)
        self.assertEqual(
            (position["Owned"], position["Applied"], position["Free"]), (2, 1, 1)
        )

    def test_key_then(self):
        """L7, K17: what a key was, and whom it was bought for, is told as it was."""
        with freeze_time("2026-01-10 10:00:00"):
            key = self._enter(
                "KEY-THEN",
                key_type="trial",
                validity_start="2026-01-01",
                validity_end="2099-01-01",
                owner_id=self.customer.id,
            )
        with freeze_time("2026-03-10 10:00:00"):
            key.with_user(self.manager).write(
                {
                    "key_type": "subscription",
                    "validity_start": "2026-02-02",
                    "owner_id": self.other_customer.id,
                }
            )
        self._assert_then()
        # Entries of version 2 did not tell it; what was changed since then tells it.
        self.env.cr.execute(
            "UPDATE client_equipment_audit_log SET version = 2, key_type = NULL,"
            " validity_start = NULL, owner_ref = NULL"
            " WHERE software_key_id = %s AND number = 1",
            [key.id],
        )
        self.env.invalidate_all()
        self._assert_then()

    def _assert_then(self):
        for end, key_type, start, owner in (
            ("2026-02-28", "Trial", "2026-01-01", self.customer),
            ("2026-03-31", "Subscription", "2026-02-02", self.other_customer),
        ):
            pack = self._make(software_ids=self.office.ids, date_to=end)
            (line,) = self._open(pack)["Keys"]
            self.assertEqual(
                (
                    line["Key Type"],
                    str(line["Validity Start"])[:10],
                    line["Bought for Customer"],
                ),
                (key_type, start, owner.name),
            )

    def test_seats_then(self):
        """L7, K17: how many seats a key had is told as it was."""
        with freeze_time("2026-01-10 10:00:00"):
            key = self._enter("SEATS-THEN", seats=5)
        with freeze_time("2026-03-10 10:00:00"):
            key.with_user(self.manager).seats = 8
        with freeze_time("2026-04-10 10:00:00"):
            key.with_user(self.manager).seats = 3
        software = {"software_ids": self.office.ids}
        for end, seats in (
            ("2026-02-28", 5),
            ("2026-03-31", 8),
            ("2026-04-30", 3),
            (False, 3),
        ):
            self.assertEqual(self._position(date_to=end, **software)["Owned"], seats)

    def test_replay(self):
        """L7: at any moment the position is what replaying the trail gives."""
        dice = random.Random(7)
        keys = self.env["client.equipment.software.key"]
        places = self.laptop | self.spare_laptop
        day = fields.Datetime.to_datetime("2025-01-01 09:00:00")
        for number in range(60):
            day = fields.Datetime.add(day, hours=dice.randint(1, 60))
            with freeze_time(day):
                free = keys.filtered(lambda key: key.status == "available")
                installed = keys.filtered(lambda key: key.status == "applied")
                match dice.choice(["enter", "apply", "apply", "remove", "revoke"]):
                    case "enter":
                        keys |= self._enter(f"REPLAY-{number}")
                    case "apply" if free:
                        self._apply(dice.choice(free), dice.choice(places))
                    case "remove" if installed:
                        dice.choice(installed).equipment_feature_ids.unlink()
                    case "revoke" if free:
                        dice.choice(free).with_user(self.manager).revoke()
        entries = keys.sudo().audit_log_ids.sorted("id")
        for days in (15, 40, 80, 200):
            end = fields.Date.add(fields.Date.to_date("2025-01-01"), days=days)
            statuses = {}
            for entry in entries:
                if entry.action_date.date() <= end:
                    statuses[entry.software_key_id] = entry.status_after
            count = Counter(statuses.values())
            with self.subTest(end=end):
                position = self._position(
                    context={"tz": "UTC"}, software_ids=self.office.ids, date_to=end
                )
                self.assertEqual(
                    [position[name] for name in ("Applied", "Free", "Revoked")],
                    [count["applied"], count["available"], count["revoked"]],
                )
                self.assertEqual(position["Owned"], len(statuses))


@tagged("post_install", "-at_install")
class TestEvidencePackFiles(EvidencePackMixin, HttpCase):
    def test_pdf(self):
        """L7: one PDF made by wkhtmltopdf, with numbered pages: for each customer as
        many as he needs, whose text can be searched and copied, every line whole."""
        long_key = "LONG-" + "0123456789" * 30
        keys = self._enter(*(f"PDF-OFFICE-{number:05}" for number in range(200)))
        keys |= self._enter(long_key)
        self._apply(keys)
        self.spare_laptop.partner_id = self.other_customer
        self._apply(self._enter("PDF-ELSEWHERE"), self.spare_laptop)
        pack = (
            self.env["client.equipment.evidence.pack"]
            .with_user(self.auditor)
            .create({"software_ids": self.office.ids, "license_keys": "whole"})
        )
        pack.action_make()
        # Step by step in this transaction, whose server wkhtmltopdf asks.
        job = pack.with_user(SUPERUSER_ID).with_context(force_report_rendering=True)
        self.env.flush_all()
        while job._make_step(pack.id):
            self.assertEqual(pack.state, "making")
        self.assertEqual(pack.state, "done", pack.note)
        pdf = PdfReader(io.BytesIO(self._file(pack, "pdf")))
        self.assertEqual(pdf.metadata.title, "Software Licenses")
        pages = [" ".join(page.extract_text().split()) for page in pdf.pages]
        self.assertGreater(len(pages), 4)
        for number, text in enumerate(pages, 1):
            self.assertIn(f"{number} / {len(pages)}", text)
        text = "".join(pages).replace(" ", "")
        for key in keys:
            self.assertEqual(text.count(key.license_key), 1, key.license_key)
        self.assertIn("Software Licenses", pages[0])
        self.assertRegex(
            pages[0], "Intact: audit trails verified: 202;.*License Position"
        )
        for page in pages[1:-1]:
            # Headings and the equipment's name stand on every page.
            self.assertRegex(page, r"Reception Laptop \(LAPTOP-12345\).*Removed")
            self.assertNotIn("ELSEWHERE", page)
        self.assertIn("PDF-ELSEWHERE", pages[-1])

    def test_screens(self):
        """L7: the auditor makes a pack of one equipment from its action menu and
        downloads it."""
        self._apply(self._enter("TOUR-PACK-00001"))
        self.start_tour(
            f"/odoo/client-equipment/{self.laptop.id}",
            "software_key_evidence_pack",
            login="sk_auditor",
        )
        pack = self.env["client.equipment.evidence.pack"].search([], limit=1)
        self.assertEqual(pack.equipment_ids, self.laptop)
        self.assertEqual(pack.create_uid, self.auditor)
        self.assertEqual(pack.state, "waiting")
        self._run_job()
        self.assertEqual(len(self._open(pack)["Installations"]), 1)
        self.start_tour(
            "/odoo/software-key-evidence-packs",
            "software_key_evidence_pack_made",
            login="sk_auditor",
        )


@tagged("post_install", "-at_install")
class TestEvidencePackDoors(EvidencePackMixin, HttpCase):
    """E1: over HTTP, as people whom a pack or what it tells is not meant for."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stranger = cls._new_user("stranger", f"{ADDON}.group_software_key_auditor")
        cls.stranger.write(
            {
                "company_ids": [Command.set(cls.other_company.ids)],
                "company_id": cls.other_company.id,
            }
        )
        cls.key = cls._enter("DOORS-00001", company_id=False)
        cls.laptop.user_id = cls.technician
        cls._apply(cls.key)

    def _call(self, user, method, **arguments):
        """Call a method of the dialog over ``/json/2``; return status and answer."""
        self.authenticate(None, None)
        with mute_logger("odoo.http", "odoo.addons.base.models.ir_model"):
            answer = self.url_open(
                f"/json/2/client.equipment.evidence.pack/{method}",
                json=arguments,
                headers={"Authorization": f"bearer {api_key(user)}"},
            )
        return answer.status_code, answer.json()

    def _made(self, user, **values):
        """Return the pack that a user makes over HTTP."""
        status, (pack_id,) = self._call(user, "create", vals_list=[values])
        self.assertEqual(status, 200)
        status, answer = self._call(user, "action_make", ids=[pack_id])
        self.assertEqual(status, 200, answer)
        self._run_job()
        return self.env["client.equipment.evidence.pack"].browse(pack_id)

    def test_equipment_of_another_company(self):
        """E1, L7: of a shared key on equipment of another company its pack says that it
        is, and neither where, nor whose, nor by whom; the chain's head stays."""
        pack = self._made(self.stranger, license_keys="whole")
        sheets = self._open(pack)
        (line,) = (
            line for line in sheets["Keys"] if line["License Key"] == "DOORS-00001"
        )
        self.assertEqual(line["Equipment"], "Equipment of another company")
        self.assertFalse(line["Customer"])
        self.assertEqual(line["Status"], "Applied")
        self.assertEqual(line["Last Audit Hash"], self.key.audit_hash)
        self.assertEqual(sheets["Installations"][0]["Feature"], "None")
        self.assertEqual([line["Action"] for line in sheets["Trail"]], ["Created"])
        self.assertRegex(sheets["Summary"]["Result"], "^Intact: ")
        texts = self._texts(pack)
        for secret in (
            self.laptop.name,
            self.laptop.serial_no,
            self.customer.name,
            self.technician.name,
            self.company.name,
        ):
            self.assertNotIn(secret, texts)
        own = self._texts(self._made(self.auditor, license_keys="whole"))
        self.assertIn(self.laptop.serial_no, own)
        self.assertNotIn("another company", own)

    def test_customers_of_another_company(self):
        """E1, L7: customers of another company are no reason to fail, nor told."""
        self._enter("DOORS-00002", company_id=False, owner_id=self.customer.id)
        # As a database may have it from before: today Odoo asks the key's company.
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE res_partner SET company_id = %s WHERE id = %s",
            [self.company.id, self.customer.id],
        )
        self.env.invalidate_all()
        pack = self._made(self.stranger, license_keys="whole")
        self.assertIn("DOORS-00002", self._texts(pack))
        self.assertNotIn(self.customer.name, self._texts(pack))
        status, _answer = self._call(
            self.stranger, "create", vals_list=[{"partner_ids": self.customer.ids}]
        )
        self.assertEqual(status, 403)

    def test_findings_of_another_company(self):
        """E1, L5: a trail that is broken while the key is on another company's
        equipment is told as broken, and no more."""
        self.env.cr.execute(
            "UPDATE client_equipment_software_key SET status = 'expired' WHERE id = %s",
            [self.key.id],
        )
        self.env.invalidate_all()
        pack = self._made(self.stranger)
        self.assertRegex(self._open(pack)["Summary"]["Result"], "^Not intact: 1 of")
        self.assertNotIn(self.laptop.serial_no, self._texts(pack))

    def test_whose_it_is(self):
        """E1: nobody but its maker reads, makes, changes or deletes a pack."""
        pack = self._made(self.auditor, software_ids=self.office.ids)
        file = self._tables(pack)
        draft_id = self._call(self.auditor, "create", vals_list=[{}])[1][0]
        colleague = self._new_user("colleague", f"{ADDON}.group_software_key_auditor")
        for user in (self.stranger, colleague, self.manager, self.technician):
            with self.subTest(user=user.login):
                for method, arguments in (
                    ("read", {"ids": pack.ids, "fields": ["verdict", "file_ids"]}),
                    ("web_read", {"ids": pack.ids, "specification": {"note": {}}}),
                    ("write", {"ids": [draft_id], "vals": {"license_keys": "whole"}}),
                    ("action_make", {"ids": [draft_id]}),
                    ("action_make", {"ids": pack.ids}),
                    ("unlink", {"ids": pack.ids}),
                ):
                    status, answer = self._call(user, method, **arguments)
                    self.assertEqual(status, 403, (method, answer))
                if user != self.technician:
                    self.assertEqual(
                        self._call(user, "search_read", domain=[]), (200, [])
                    )
                self.assertNotEqual(self._download(user, file).status_code, 200)
        response = self._download(self.auditor, file)
        self.assertEqual(hashlib.sha256(response.content).hexdigest(), file.sha256)
        self.assertEqual(pack.state, "done")

    def _download(self, user, file):
        """Let the user download a file of a pack, as the web client does."""
        self.authenticate(user.login, user.login)
        return self.url_open(f"/web/content/{file._name}/{file.id}/content")

    def test_files_are_made(self):
        """E1, L7: not even its maker sets a pack's files and sums, by no route."""
        forged = {
            "state": "done",
            "verdict": "Intact",
            "note": "forged",
            "made_on": "2026-01-01 00:00:00",
            "company_ids": [Command.clear()],
            "file_ids": [Command.create({"name": "forged.xlsx"})],
        }
        pack = self._made(self.auditor, software_ids=self.office.ids)
        content = self._file(pack)
        for name, value in forged.items():
            with self.subTest(field=name):
                value = value if name != "state" else "draft"
                for method, arguments in (
                    ("write", {"vals": {name: value}}),
                    ("web_save", {"vals": {name: value}, "specification": {}}),
                ):
                    status, answer = self._call(
                        self.auditor, method, ids=pack.ids, **arguments
                    )
                    self.assertIn(status, (403, 422), answer)
                status, answer = self._call(
                    self.auditor, "create", vals_list=[{name: forged[name]}]
                )
                self.assertEqual(status, 422, answer)
        # nor what was asked for
        status, answer = self._call(
            self.auditor, "write", ids=pack.ids, vals={"license_keys": "whole"}
        )
        self.assertEqual(status, 403, answer)
        self.assertEqual(self._file(pack), content)

    def test_attachments(self):
        """E1, L7: a file of a pack is not changed, nor another one put into its place,
        by way of the attachment that holds it."""
        pack = self._made(self.auditor, software_ids=self.office.ids)
        file = self._tables(pack)
        held = self.env["ir.attachment"].search(
            [
                ("res_model", "=", file._name),
                ("res_field", "=", "content"),
                ("res_id", "=", file.id),
            ]
        )
        self.assertTrue(held)
        values = {
            "name": "content",
            "res_model": file._name,
            "res_field": "content",
            "res_id": file.id,
            "raw": b"forged",
        }
        for user in (self.auditor, self.stranger, self.env.ref("base.user_admin")):
            attachment = held.with_user(user)
            for step in (
                lambda some: some.write({"raw": b"forged"}),
                lambda some: some.unlink(),
                lambda some: some.create(values),
            ):
                with self.subTest(user=user.login), self.assertRaises(AccessError):
                    step(attachment)
        for user in (self.stranger, self.env.ref("base.user_admin")):
            with self.assertRaises(AccessError):
                held.with_user(user).read(["raw"])
