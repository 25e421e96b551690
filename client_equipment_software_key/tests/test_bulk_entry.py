import base64
import io
import time

from openpyxl import Workbook

from odoo import api
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, HttpCase, tagged
from odoo.tools import html2plaintext

from ..license_key import looks
from .common import CommittedCase, SoftwareKeyCommon, SoftwareKeyMixin

KEY = "client.equipment.software.key"
WIZARD = "client.equipment.software.key.bulk.entry"


class TestBulkEntry(SoftwareKeyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Key = cls.env["client.equipment.software.key"].with_user(cls.manager)
        cls.values = {"software_id": cls.office.id, "purchase_reference": "PO00042"}

    def _verdicts(self, *license_keys):
        return [
            found["verdict"] for found in self.Key._inspect_license_keys(license_keys)
        ]

    def _queries(self, count, call):
        """Return how many queries ``call`` takes for ``count`` license keys."""
        license_keys = [f"BUDGET-{count}-{number:05}" for number in range(count)]
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.cr.sql_log_count
        call(license_keys)
        self.env.flush_all()
        return self.cr.sql_log_count - before

    def test_enter(self):
        """A list is entered with common values; blanks around a key go (K11, K2)."""
        keys = self.Key.bulk_enter(
            ["BULK-1", "  BULK-2\t", "", "BULK-3\n"], self.values
        )
        self.assertRecordValues(
            keys,
            [
                {
                    "license_key": f"BULK-{number}",
                    "software_id": self.office.id,
                    "purchase_reference": "PO00042",
                    "key_type": "permanent",
                    "status": "available",
                    "company_id": self.company.id,
                }
                for number in (1, 2, 3)
            ],
        )
        for key in keys:
            self.assertEqual(self._steps(key), ["created"])

    def test_all_or_nothing(self):
        """One error names every offending line, and nothing is entered (K2, K11)."""
        old = self._enter("BULK-OLD")
        old.revoke()
        with self.assertRaises(ValidationError) as caught:
            self.Key.bulk_enter(
                ["BULK-1", "BULK-OLD", "BULK-2", "", "BULK-1 ", "X" * 1001],
                self.values,
            )
        self.assertEqual(
            str(caught.exception).splitlines(),
            [
                "The license key must be unique!",
                "3 of 5 license keys cannot be entered, so none was. Take them out of "
                "the list, or correct them:",
                "Line 2: BULK-OLD: in the system already (Revoked)",
                "Line 5: BULK-1: repeated: line 1 has it already",
                f"Line 6: {'X' * 40}…: longer than 1000 characters: check what was "
                "pasted",
            ],
        )
        self.assertFalse(self.Key.search([("license_key", "in", ["BULK-1", "BULK-2"])]))

    def test_many_offending_lines(self):
        """An error stays readable, however many lines offend (E2)."""
        with self.assertRaises(ValidationError) as caught:
            self.Key.bulk_enter(["BULK-1"] * 1000, self.values)
        lines = str(caught.exception).splitlines()
        self.assertEqual(len(lines), 53)
        self.assertEqual(lines[-1], "… and 949 more")

    def test_empty_list(self):
        """A list without any license key is refused in words (E2)."""
        with self.assertRaisesRegex(UserError, "no license key in the list"):
            self.Key.bulk_enter(["", "  "], self.values)

    def test_other_companies_key(self):
        """A key that the manager cannot see is in the system all the same (K2)."""
        self.env["client.equipment.software.key"].create(
            {
                "license_key": "BULK-FOREIGN",
                "software_id": self.office.id,
                "company_id": self.other_company.id,
            }
        )
        with self.assertRaisesRegex(
            ValidationError, "Line 1: BULK-FOREIGN: in the system already"
        ):
            self.Key.bulk_enter(["BULK-FOREIGN"], self.values)

    def test_similar(self):
        """Keys that differ in case, hyphens or blanks only are pointed out (K11)."""
        self._enter("Bulk-Abc-1")
        self.assertEqual(
            self._verdicts(
                "BULKABC1", "bulk abc\u20131", "Bulk-Abc-1", "BULK-ABC-2", "bulkabc2"
            ),
            ["similar", "similar", "existing", "new", "similar"],
        )
        in_system, in_list = (
            self.Key._verdict_text(found)
            for found in self.Key._inspect_license_keys(["BULKABC1", "N-1", "n1"])
            if found["verdict"] == "similar"
        )
        self.assertIn("looks like Bulk-Abc-1 in the system (Available)", in_system)
        self.assertIn("looks like N-1 in line 2", in_list)
        self.assertEqual(len(self.Key.bulk_enter(["BULKABC1"], self.values)), 1)

    def test_similar_in_another_company(self):
        """K2, E1: what looks like a key of another company of one's own is pointed out,
        also while one works in one company only; of a foreign company's nothing is."""
        for name in ("SIMILAR-ONE", "SIMILAR-TWO"):
            self._enter(name, user=self.env.user, company_id=self.other_company.id)
        self.manager.company_ids = self.company
        self.assertEqual(self._verdicts("similar one"), ["new"])
        self.manager.company_ids = self.company | self.other_company
        Key = self.Key.with_context(allowed_company_ids=self.company.ids)
        (found,) = Key._inspect_license_keys(["similar one"])
        self.assertEqual((found["verdict"], found["other"]), ("similar", "SIMILAR-ONE"))
        told = Key.onchange(
            {"license_key": "similar two"}, ["license_key"], {"license_key": {}}
        )
        self.assertIn("looks like SIMILAR-TWO", told["warning"]["message"])

    def test_similar_by_index(self):
        """The look-up of similar keys has an index that fits it (K11)."""
        self.env.cr.execute("SET LOCAL enable_seqscan = off")
        self.env.cr.execute(
            "EXPLAIN SELECT id FROM client_equipment_software_key"
            f" WHERE {looks('license_key')} = 'abc'"
        )
        plan = "\n".join(line for (line,) in self.env.cr.fetchall())
        self.assertIn("license_key_folded", plan)

    def test_rights(self):
        """Technicians and auditors enter no keys, by the method or the dialog (E1)."""
        for user in (self.technician, self.auditor):
            with self.subTest(user=user.login):
                with self.assertRaises(AccessError):
                    self.Key.with_user(user).bulk_enter(["BULK-1"], self.values)
                with self.assertRaises(AccessError):
                    self.env[WIZARD].with_user(user).create(
                        {"software_id": self.office.id, "license_keys": "BULK-1"}
                    )

    def test_queries(self):
        """A hundred keys take no more queries than ten (K11)."""

        def enter(license_keys):
            self.Key.bulk_enter(license_keys, self.values)

        self._queries(5, enter)
        self.assertEqual(self._queries(100, enter), self._queries(10, enter))

    def test_dialog_values(self):
        """The dialog takes type and validity from the catalogue (K11, K12)."""
        dialog = Form(
            self.env[WIZARD]
            .with_user(self.manager)
            .with_context(default_software_id=self.antivirus.id)
        )
        self.assertEqual(dialog.key_type, "subscription")
        self.assertEqual(dialog.validity_start, self.today)
        self.assertEqual(
            dialog.validity_end, self.antivirus._get_validity_end(self.today)
        )
        dialog.key_type = "permanent"
        self.assertFalse(dialog.validity_end)
        dialog.key_type = "trial"
        dialog.validity_end = self._in_days(14)
        dialog.license_keys = "BULK-1\n\nBULK-2"
        dialog.purchase_reference = "PO00077"
        dialog.save().action_enter()
        self.assertRecordValues(
            self.Key.search([("license_key", "in", ("BULK-1", "BULK-2"))]),
            [
                {
                    "key_type": "trial",
                    "validity_start": self.today,
                    "validity_end": self._in_days(14),
                    "purchase_reference": "PO00077",
                    "software_id": self.antivirus.id,
                }
            ]
            * 2,
        )

    def test_dialog_preview(self):
        """Counts and verdicts stand in the dialog before anything is saved (K11)."""
        self._enter("BULK-OLD")
        dialog = Form(self.env[WIZARD].with_user(self.manager))
        dialog.software_id = self.office
        dialog.license_keys = "BULK-1\nBULK-1\nBULK-OLD\nbulk old\n<b>BULK</b>"
        self.assertEqual((dialog.new_count, dialog.refused_count), (3, 2))
        preview = " ".join(html2plaintext(dialog.preview).split())
        for text in (
            "New: 3",
            "Repeated in the list: 1",
            "Already in the system: 1",
            "Similar to another key: 1",
            "3 BULK-OLD in the system already (Available)",
            "5 <b>BULK</b> new",
        ):
            self.assertIn(text, preview)
        entry = dialog.save()
        with self.assertRaisesRegex(ValidationError, "The license key must be unique!"):
            entry.action_enter()
        entry.leave_out = True
        told = entry.action_enter()["params"]
        self.assertIn("Lines left out: 2", told["message"])
        self.assertEqual(
            self.Key.search(told["next"]["domain"], order="id").mapped("license_key"),
            ["BULK-1", "bulk old", "<b>BULK</b>"],
        )

    def test_line_breaks_of_word_processors(self):
        """K11: one line is one license key, whatever character ends a line where the
        list was copied."""
        for number, line_break in enumerate("\n\v\f\r\x85\u2028\u2029"):
            wizard = self.env[WIZARD].with_user(self.manager)
            wizard = wizard.create(
                {
                    "software_id": self.office.id,
                    "license_keys": f"BREAK-{number}A{line_break}BREAK-{number}B",
                }
            )
            with self.subTest(line_break=ascii(line_break)):
                self.assertEqual(wizard.new_count, 2)
        wizard.action_enter()
        keys = self.Key.search([("license_key", "=like", "BREAK-6_")])
        self.assertEqual(len(keys), 2)

    def test_button_counts(self):
        """K11: the button says how many keys it enters."""
        dialog = Form(self.env[WIZARD].with_user(self.manager))
        for license_keys, label in (
            ("BULK-1", "Enter 1 Key"),
            ("BULK-1\nBULK-2\nBULK-2", "Enter 2 Keys"),
        ):
            dialog.license_keys = license_keys
            self.assertEqual(dialog.enter_label, label)

    def test_dialog_preview_is_short(self):
        """Of a long list the lines with a problem are shown first (K11)."""
        dialog = Form(self.env[WIZARD].with_user(self.manager))
        dialog.license_keys = "\n".join([f"BULK-{n}" for n in range(500)] + ["BULK-3"])
        self.assertEqual(dialog.preview.count("data-verdict"), 100)
        self.assertIn("repeated: line 4 has it already", dialog.preview)

    def _read_file(self, content):
        dialog = Form(self.env[WIZARD].with_user(self.manager))
        dialog.file = base64.b64encode(content)
        return (dialog.license_keys or "").split("\n")

    def test_csv(self):
        """A vendor's CSV is read: by heading or first column, any delimiter (K11)."""
        for content in (
            b"BULK-1\r\nBULK-2\r\n",
            b"Product;License Key;Seats\nOffice;BULK-1;5\nOffice;BULK-2;5\n",
            b'\xef\xbb\xbfNo.,"License Code"\n1,"BULK-1"\n2,"BULK-2"\n',
            b"BULK-1,first\nBULK-2,second\n",
            "Kunde\tLicence key\nM\u00fcller\tBULK-1\n\tBULK-2\n".encode("cp1252"),
            "Customer\tProduct key\nA\tBULK-1\nB\tBULK-2\n".encode("utf-16"),
        ):
            with self.subTest(content=content):
                self.assertEqual(self._read_file(content), ["BULK-1", "BULK-2"])

    def test_xlsx(self):
        """A vendor's XLSX is read: the column that speaks of license keys (K11)."""
        book = Workbook()
        for row in (("Seats", "Activation Key"), (5, "BULK-1"), (), (5, 4711)):
            book.active.append(row)
        content = io.BytesIO()
        book.save(content)
        self.assertEqual(self._read_file(content.getvalue()), ["BULK-1", "4711"])

    def _upload(self, content, name="vendor.csv", choice=None):
        """Return what the dialog shows after an upload, and the choice of a user."""
        entry = self.env[WIZARD].with_user(self.manager)
        values = {"file": base64.b64encode(content).decode(), "file_name": name}
        spec = dict.fromkeys(
            ("license_keys", "table", "choice", "unread_cells", "refused_count"), {}
        )
        result = entry.onchange(values, ["file"], spec)
        if choice:
            values |= result["value"] | {"choice": choice}
            result = entry.onchange(values, ["choice"], spec)
        return result

    def test_large_xlsx(self):
        """K11: a file of 50,000 lines is previewed in a few seconds: not in many times
        what it took to write it."""
        started = time.process_time()
        book = Workbook(write_only=True)
        sheet = book.create_sheet()
        sheet.append(["Order 4711"])
        sheet.append(["Product", "License Key", "Seats"])
        for number in range(50000):
            sheet.append(["Office", f"LONG-{number:05}-KLMNO-PQRST", 1])
        content = io.BytesIO()
        book.save(content)
        written = time.process_time()
        shown = self._upload(content.getvalue(), "vendor.xlsx")["value"]
        self.assertLess(time.process_time() - written, 6 * (written - started))
        self.assertEqual(shown["license_keys"].count("\n"), 49999)

    def test_unreadable_files(self):
        """K11: what holds no table is refused in words."""
        for content, words in (
            (b"", None),
            (b" \n", "is empty"),
            (b"%PDF-1.7", "is a PDF"),
            (b"<html><table></table></html>", "HTML page"),
            (b"\xd0\xcf\x11\xe0\x00\x00", "old Excel format"),
            (b"[license]\nname=A\nkey=B\n", "license file itself"),
            (b"\x89PNG\r\n\0", "neither CSV, XLSX nor ODS"),
            (b"PK\x03\x04 broken", "is damaged"),
        ):
            with self.subTest(content=content):
                result = self._upload(content)
                self.assertEqual(bool(words), "warning" in result)
                if words:
                    self.assertIn(words, result["warning"]["message"])

    def test_choice(self):
        """K11: what is read is proposed, shown, and chosen otherwise."""
        content = b"Product;License Key;Code\nAV;BULK-1;C-1\nAV;BULK-2;C-2\n"
        value = self._upload(content)["value"]
        self.assertEqual(value["license_keys"], "BULK-1\nBULK-2")
        self.assertEqual(value["choice"], [0, 0, 1])
        self.assertEqual(value["table"]["columns"], ["A", "B", "C"])
        self.assertEqual(value["table"]["rows"][1], [1, ["AV", "BULK-1", "C-1"]])
        value = self._upload(content, choice=[0, 0, 2])["value"]
        self.assertEqual(value["license_keys"], "C-1\nC-2")
        value = self._upload(content, choice=[0, -1, 2])["value"]
        self.assertEqual(value["license_keys"], "Code\nC-1\nC-2")

    def test_unread_cells(self):
        """K11: a number that was rounded is refused, with the name of its cell."""
        dialog = Form(self.env[WIZARD].with_user(self.manager))
        dialog.software_id = self.office
        dialog.file = base64.b64encode(b"License Key;X\n1,23E+18;1\nBULK-1;2\n")
        self.assertEqual((dialog.new_count, dialog.refused_count), (1, 1))
        self.assertIn("A2", dialog.preview)
        self.assertIn("rounded this number", dialog.preview)
        entry = dialog.save()
        with self.assertRefused(ValidationError, "A2: 1,23E.18: .*rounded"):
            entry.action_enter()
        entry.leave_out = True
        told = entry.action_enter()["params"]
        self.assertIn("Lines left out: 1", told["message"])
        keys = self.Key.search(told["next"]["domain"])
        self.assertEqual(keys.mapped("license_key"), ["BULK-1"])

    def test_pasted_columns(self):
        """K11: columns copied from a spreadsheet are read as columns."""
        dialog = Form(self.env[WIZARD].with_user(self.manager))
        dialog.license_keys = "License Key\tProduct\nAAA-1\tOffice\nAAA-2\tOffice"
        self.assertEqual(dialog.license_keys, "AAA-1\nAAA-2")
        self.assertEqual(dialog.new_count, 2)
        entry = self.env[WIZARD].with_user(self.manager)
        entry = entry.create(
            {"software_id": self.office.id, "license_keys": "AAA-1\tOffice"}
        )
        self.assertEqual((entry.new_count, entry.refused_count), (0, 1))


@tagged("post_install", "-at_install")
class TestBulkEntryTour(SoftwareKeyMixin, HttpCase):
    def test_tour(self):
        """From the key list, a manager pastes a list, sees what is wrong with it,
        has the bad lines left out and enters the rest (K11)."""
        self._enter("BULK-OLD")
        self.start_tour(
            "/odoo/software-keys", "software_key_bulk_entry", login="sk_manager"
        )
        self.assertRecordValues(
            self.env["client.equipment.software.key"].search(
                [("license_key", "like", "BULK-NEW-")], order="license_key"
            ),
            [
                {
                    "license_key": f"BULK-NEW-{number}",
                    "software_id": self.antivirus.id,
                    "key_type": "subscription",
                    "validity_end": self.antivirus._get_validity_end(self.today),
                    "purchase_reference": "PO00042",
                    "status": "available",
                }
                for number in (1, 2, 3)
            ],
        )

    def test_vendor_table(self):
        """K11: pasted columns are shown as a table, proposed and chosen otherwise."""
        self.start_tour(
            "/odoo/software-keys", "software_key_vendor_table", login="sk_manager"
        )
        self.assertEqual(
            self.env[KEY]
            .search([("license_key", "like", "TABLE-")], order="id")
            .mapped("license_key"),
            ["TABLE-1", "TABLE-2"],
        )

    def test_many(self):
        """A long list is entered behind a bar that shows how far it is (K11)."""
        self.start_tour(
            "/odoo/software-keys", "software_key_bulk_entry_many", login="sk_manager"
        )
        self.assertEqual(
            self.env["client.equipment.software.key"].search_count(
                [("license_key", "like", "BULK-MANY-")]
            ),
            2000,
        )


@tagged("post_install", "-at_install")
class TestBulkEntryProgress(CommittedCase):
    def test_progress(self):
        """Who waits can read how many keys have been entered, while none of them is
        there for anybody before the last one is (K11)."""
        entry = self.env[WIZARD].with_user(self.manager)
        entry = entry.create(
            {
                "software_id": self.office.id,
                "license_keys": "\n".join(f"PROGRESS-{i}" for i in range(1200)),
            }
        )
        self.addCleanup(self.cr.commit)
        self.addCleanup(entry.unlink)
        self.cr.commit()  # pylint: disable=invalid-commit
        entry.action_enter()
        keys = [("license_key", "like", "PROGRESS-")]
        self.assertEqual(self.env[KEY].search_count(keys), 1200)
        with self.registry.cursor() as cr:
            env = api.Environment(cr, self.manager.id, {})
            self.assertEqual(env[WIZARD].browse(entry.id).entered_count, 1200)
            self.assertFalse(env[KEY].search_count(keys))
        self.cr.rollback()
        self.env.invalidate_all()
        self.assertFalse(self.env[KEY].search_count(keys))
