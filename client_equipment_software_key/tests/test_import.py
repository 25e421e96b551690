import csv
import io

from openpyxl import Workbook, load_workbook

from odoo.tests import HttpCase, tagged
from odoo.tools import file_open, mute_logger

from .common import SoftwareKeyCommon, SoftwareKeyMixin

HEADERS = [
    "Product Key ",
    "Article",
    "Licence model",
    "Valid  from",
    "Expires on",
    "Our PO",
]
FIELDS = [
    "license_key",
    "software_id",
    "key_type",
    "validity_start",
    "validity_end",
    "purchase_reference",
]
EXISTING, REPEATED = 123, 400
UNIQUE = "The license key must be unique!"


@tagged("post_install", "-at_install")
class TestImportTour(SoftwareKeyMixin, HttpCase):
    def test_import(self):
        """K2, E2: the import screen says of each bad row why."""
        self._enter("IMPORT-OLD")
        self.start_tour(
            "/odoo/software-keys", "software_key_import", login="sk_manager"
        )


@tagged("post_install", "-at_install")
class TestImport(SoftwareKeyCommon):
    """A vendor's list of 500 product keys through Odoo's own import (K2, K11)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._enter("VND-KNOWN-2024-0001")
        cls.rows = [cls._row(number) for number in range(500)]
        cls.bad_rows = [list(row) for row in cls.rows]
        cls.bad_rows[EXISTING][0] = " VND-KNOWN-2024-0001\xa0"
        cls.bad_rows[REPEATED][0] = cls.rows[20][0].strip() + "  "

    @classmethod
    def _row(cls, number):
        """Return a row as a vendor's clerk types it, with a blank here and there."""
        license_key = f"VND-{number:05}-K7QX-{number * 7919 % 10000:04}"
        if number % 7 == 0:
            license_key = f"  {license_key} "
        if number % 50 == 0:
            license_key = f"{license_key.strip()}\n"
        return [
            license_key,
            "tour antivirus  enterprise " if number % 11 == 0 else cls.antivirus.name,
            "Subscription",
            cls._in_days(-1),
            cls._in_days(364),
            "PO 2026/118",
        ]

    def _xlsx(self, rows):
        workbook = Workbook()
        for row in [HEADERS, *rows]:
            workbook.active.append(row)
        content = io.BytesIO()
        workbook.save(content)
        return (
            content.getvalue(),
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            {},
        )

    def _csv(self, rows):
        text = io.StringIO()
        writer = csv.writer(text, delimiter=";", quoting=csv.QUOTE_ALL)
        writer.writerow(HEADERS)
        for row in rows:
            writer.writerow(
                [
                    value if isinstance(value, str) else value.strftime("%d.%m.%Y")
                    for value in row
                ]
            )
        return (
            text.getvalue().encode("cp1252"),
            "text/csv",
            {"separator": ";", "encoding": "windows-1252", "date_format": "%d.%m.%Y"},
        )

    def _import(self, content, mimetype, options, dryrun=False):
        """Do what the import screen does, and return what it gets."""
        wizard = (
            self.env["base_import.import"]
            .with_user(self.manager)
            .create(
                {
                    "res_model": "client.equipment.software.key",
                    "file": content,
                    "file_type": mimetype,
                }
            )
        )
        options = {
            "has_headers": True,
            "quoting": '"',
            "separator": "",
            "encoding": "",
            "date_format": "%Y-%m-%d",
            "datetime_format": "",
            "float_thousand_separator": ",",
            "float_decimal_separator": ".",
        } | options
        preview = wizard.parse_preview(dict(options))
        self.assertNotIn("error", preview)
        self.assertEqual(
            [header.strip() for header in preview["headers"]],
            [header.strip() for header in HEADERS],
        )
        return wizard.execute_import(FIELDS, HEADERS, options, dryrun=dryrun)

    def _keys(self):
        return self.env["client.equipment.software.key"].search(
            [("license_key", "like", "VND-")]
        )

    def _check_refused(self, result):
        """The two bad rows are named, each with its license key; nothing is in."""
        self.assertFalse(result["ids"])
        self.assertEqual(
            {
                message["rows"]["from"]: message["type"]
                for message in result["messages"]
            },
            {EXISTING: "error", REPEATED: "error"},
        )
        existing, repeated = result["messages"]
        self.assertIn(UNIQUE, existing["message"])
        self.assertIn("VND-KNOWN-2024-0001 is in the inventory", existing["message"])
        self.assertIn(UNIQUE, repeated["message"])
        self.assertIn("VND-00020-K7QX-8380 stands in the file", repeated["message"])
        self.assertEqual(self._keys().mapped("license_key"), ["VND-KNOWN-2024-0001"])

    def _check_entered(self, result):
        self.assertFalse(result["messages"])
        keys = self._keys() - self._keys().filtered(
            lambda key: "KNOWN" in key.license_key
        )
        self.assertEqual(len(keys), 500)
        self.assertEqual(sorted(keys.ids), sorted(result["ids"]))
        self.assertEqual(
            set(keys.mapped("license_key")), {row[0].strip() for row in self.rows}
        )
        self.assertEqual(keys.software_id, self.antivirus)
        self.assertEqual(set(keys.mapped("status")), {"available"})
        self.assertEqual(set(keys.mapped("validity_end")), {self._in_days(364)})
        self.assertEqual(set(keys.audit_log_ids.mapped("action")), {"created"})
        self.assertEqual(len(keys.audit_log_ids), 500)
        self.assertEqual(keys.audit_log_ids.user_id, self.manager)

    def test_xlsx(self):
        """K2, K11: an XLSX file is refused as a whole; corrected, it is entered."""
        self._check_refused(self._import(*self._xlsx(self.bad_rows)))
        self._check_entered(self._import(*self._xlsx(self.rows)))

    def test_csv(self):
        """K2, K11: the same for CSV with semicolons and the vendor's dates."""
        self._check_refused(self._import(*self._csv(self.bad_rows), dryrun=True))
        self._check_refused(self._import(*self._csv(self.bad_rows)))
        self._check_entered(self._import(*self._csv(self.rows)))

    def test_other_errors(self):
        """E2: a row without end, an unknown feature and a blank key: named, too, and
        no good row is."""
        rows = [list(row) for row in self.rows]
        rows[3][4] = ""
        rows[8][1] = "Tour Antivirus Enterprize"
        rows[9][0] = " "
        for row, words in (
            (3, "needs a validity end"),
            (8, "No matching record found"),
            (9, "license key is empty"),
        ):
            self.antivirus.default_validity_months = 0
            with self.subTest(row=row):
                content = self._xlsx([rows[number] for number in (1, 2, row)])
                with mute_logger("odoo.sql_db"):
                    result = self._import(*content)
                self.assertFalse(result["ids"])
                self.assertEqual(
                    {message["rows"]["from"] for message in result["messages"]}, {2}
                )
                self.assertIn(
                    words,
                    "".join(message["message"] for message in result["messages"]),
                )
                self.assertEqual(len(self._keys()), 1)

    def test_import_cannot_change_a_license_key(self):
        """K3: an import that names existing keys cannot give them other ones."""
        key = self._keys()
        result = key.with_user(self.manager).load(
            [".id", "license_key"], [[str(key.id), "VND-OTHER"]]
        )
        self.assertFalse(result["ids"])
        self.assertIn("cannot be changed", result["messages"][0]["message"])
        self.assertEqual(key.license_key, "VND-KNOWN-2024-0001")

    def test_template(self):
        """K11: the template of the import screen has columns that Odoo recognises."""
        (template,) = (
            self.env["client.equipment.software.key"]
            .with_user(self.manager)
            .get_import_templates()
        )
        with file_open(template["template"].removeprefix("/"), "rb") as file:
            content = file.read()
        header = [cell.value for cell in load_workbook(io.BytesIO(content)).active[1]]
        wizard = (
            self.env["base_import.import"]
            .with_user(self.manager)
            .create(
                {
                    "res_model": "client.equipment.software.key",
                    "file": content,
                    "file_type": "application/vnd.openxmlformats-officedocument"
                    ".spreadsheetml.sheet",
                }
            )
        )
        preview = wizard.parse_preview({"has_headers": True})
        self.assertEqual(
            [preview["matches"].get(column) for column in range(len(header))],
            [[name] for name in (*FIELDS[:-1], "seats", *FIELDS[-1:], "remarks")],
        )
