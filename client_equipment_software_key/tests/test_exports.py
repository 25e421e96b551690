import csv
import io
import json
import re
import zipfile

import openpyxl

from odoo.http import Request
from odoo.tests import HttpCase, tagged
from odoo.tools import SQL

from ..models.client_equipment_export_mixin import guard, unguard
from .common import SoftwareKeyCommon, SoftwareKeyMixin

# Beginnings that some spreadsheet takes for a formula's.
STARTS = [
    *("=", "+", "-", "@", "\t", "\r", "\n"),
    *("＝", "＋", "－", "＠"),
    *(" =", "\t=", '"=', "'=", "' @", "\xa0+"),
]
# … and where one that expects semicolons tears a text apart.
TORN = ["a;=", "a\n=", "a\r\n @", "a;;-"]
DANGEROUS = re.compile(r"(?:.*[;\r\n]|^)[\s\"]*[=+\-@＝＋－＠]|[\t\r\n]", re.DOTALL)
NUMBERS = ("integer", "float", "monetary")


def download(case, address, login="sk_auditor", **data):
    """Return what the web client downloads as a user."""
    case.authenticate(login, login)
    response = case.url_open(
        address,
        data={"data": json.dumps(data), "csrf_token": Request.csrf_token(case)},
    )
    response.raise_for_status()
    return response.content


def rows_of(kind, content):
    """Return the rows of an exported file, as a program reads them."""
    if kind == "csv":
        return list(csv.reader(io.StringIO(content.decode(), newline="")))
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    return list(sheet.iter_rows(values_only=True))


def formulas(xlsx):
    """Return what an XLSX has of formulas and links."""
    with zipfile.ZipFile(io.BytesIO(xlsx)) as archive:
        return re.findall(
            r"<f[ >].*?</f>|<hyperlink\b.*?>",
            "".join(
                archive.read(name).decode()
                for name in archive.namelist()
                if name.startswith("xl/worksheets/")
            ),
        )


@tagged("post_install", "-at_install")
class TestExportsAreText(SoftwareKeyMixin, HttpCase):
    """L3: what a cell of an exported list holds is text, whoever typed it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.texts = [f"{start}1+{n}" for n, start in enumerate(STARTS + TORN)]
        cls.texts += ["http://x.example/", "internal:Sheet1!A1"]
        software = cls.env["client.equipment.software"].create(
            [{"name": f"Formula {n}"} for n, _text in enumerate(cls.texts)]
        )
        places = cls.env["client.equipment"].create(
            [
                {"name": f"Formula {n}", "company_id": cls.company.id}
                for n, _text in enumerate(cls.texts)
            ]
        )
        cls.env["client.equipment.category"].create(
            [{"name": f"Formula {n}"} for n, _text in enumerate(cls.texts)]
        )
        for n, (one, place) in enumerate(zip(software, places, strict=True)):
            cls._apply(cls._enter(f"FORMULA-{n:02}", software=one), place)
        cls._enter(*(f"GONE-{n:02}" for n, _text in enumerate(cls.texts))).unlink()
        Checkpoint = cls.env["client.equipment.audit.checkpoint"]
        until = Checkpoint.make().until
        for _text in cls.texts:
            Checkpoint._make(until, 10, nightly=True)
        # (nobody but its maker sees a pack)
        Pack = cls.env["client.equipment.evidence.pack"].with_user(cls.auditor)
        packs = Pack.create([{} for _text in cls.texts])
        File = cls.env["client.equipment.evidence.file"].with_user(cls.auditor)
        File.sudo().create([{"pack_id": pack.id, "name": "Formula"} for pack in packs])
        cls.models = {
            name: fields
            for name in cls.env.registry
            if name.startswith("client.equipment")
            and not cls.env[name]._abstract
            and not cls.env[name]._transient
            and cls.env[name].with_user(cls.auditor).has_access("read")
            and (cls._stored_texts(name) or not cls.env[name]._auto)
            and (fields := cls._text_fields(name))
        }
        for name in cls.models:
            cls._write_texts(name)
        cls.env.invalidate_all()

    @classmethod
    def _text_fields(cls, name):
        """Return the fields of a model that an export tells as text."""
        shown = cls.env[name].with_user(cls.auditor).fields_get()
        return [
            field
            for field, about in shown.items()
            if about["type"] in ("char", "text", "html", "many2one")
            and about.get("exportable", True)
        ]

    @classmethod
    def _stored_texts(cls, name):
        return [
            field
            for field in cls.env[name]._fields.values()
            if field.store and field.column_type and field.type in ("char", "text")
        ]

    @classmethod
    def _write_texts(cls, name):
        """Have one record bear each of the texts in every stored field of text."""
        Model = cls.env[name]
        if not Model._auto:
            return
        texts = cls._stored_texts(name)
        cls.env.flush_all()
        records = Model.search([], order="id desc", limit=len(cls.texts))
        for record, text in zip(records, cls.texts, strict=True):
            for field in texts:
                # A license key never begins or ends with blanks.
                value = text.strip() if field.name == "license_key" else text
                cls.env.cr.execute(
                    SQL(
                        "UPDATE %s SET %s = %s WHERE id = %s",
                        SQL.identifier(Model._table),
                        SQL.identifier(field.name),
                        value,
                        record.id,
                    )
                )

    def _export(self, kind, name, fields, groupby=()):
        return download(
            self,
            f"/web/export/{kind}",
            model=name,
            fields=[
                {
                    "name": field,
                    "label": f"=1+1 {field}",
                    "type": self.env[name]._fields[field].type,
                }
                for field in fields
            ],
            ids=False,
            domain=[],
            groupby=list(groupby),
            import_compat=False,
            context={"lang": "en_US"},
        )

    def _groupings(self, name, fields):
        """Return: not grouped at all, and grouped by a text and by a link."""
        groupable = [
            field
            for field in fields
            if self.env[name]._fields[field]._description_groupable(self.env)
        ]
        by_type = {self.env[name]._fields[field].type: field for field in groupable}
        return [(), *((field,) for field in by_type.values())]

    def test_every_list(self):
        """L3: every text of every list of ours, grouped or not: no formula and no link
        in the XLSX, whose cells are the very texts; nothing in the CSV that begins as
        a formula does."""
        self.assertGreaterEqual(
            self.models.keys(),
            {
                "client.equipment",
                "client.equipment.category",
                "client.equipment.software",
                "client.equipment.software.key",
                "client.equipment.feature",
                "client.equipment.audit.log",
                "client.equipment.usage.history",
            },
        )
        for name, fields in self.models.items():
            for groupby in self._groupings(name, fields):
                with self.subTest(model=name, groupby=groupby):
                    content = self._export("xlsx", name, fields, groupby)
                    self.assertEqual(formulas(content), [])
                    cells = {cell for row in rows_of("xlsx", content) for cell in row}
                    self.assertTrue(cells & set(self.texts), cells)
                    rows = rows_of("csv", self._export("csv", name, fields, groupby))
                    cells = {cell for row in rows for cell in row}
                    self.assertEqual(list(filter(DANGEROUS.match, cells)), [])
                    self.assertTrue({f"'{text}" for text in self.texts} & cells, cells)
                    torn = f"a;'=1+{len(STARTS)}"
                    self.assertTrue({torn, f"{torn} (1)"} & cells, cells)

    def test_pivot(self):
        """L3: headings of a pivot are no formulas in its XLSX."""
        content = download(
            self,
            "/web/pivot/export_xlsx",
            title="Audit Logs",
            model="client.equipment.audit.log",
            measure_count=1,
            col_group_headers=[[{"title": "=1+1", "width": 1, "height": 1}]],
            measure_headers=[{"title": "=1+2", "is_bold": False}],
            rows=[
                {
                    "title": "=1+3",
                    "indent": 0,
                    "values": [{"value": 4, "is_bold": False}],
                }
            ],
        )
        self.assertEqual(formulas(content), [])
        cells = {cell for row in rows_of("xlsx", content) for cell in row}
        self.assertEqual(cells - {None, ""}, {"'=1+1", "'=1+2", "'=1+3", 4})

    def test_types(self):
        """L3: in the XLSX numbers, dates and booleans are what they are, grouped or
        not; a date before any calendar of a spreadsheet is a text."""
        self.office.default_validity_months = 7
        feature = self._apply(self._enter("TYPES-1"))
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE client_equipment_feature SET applied_date = '0001-01-01'"
            " WHERE id = %s",
            [feature.id],
        )
        self.env.invalidate_all()
        for groupby in ((), ("name",)):
            rows = rows_of(
                "xlsx",
                self._export(
                    "xlsx",
                    "client.equipment.software",
                    ["name", "default_validity_months", "active", "create_date"],
                    groupby,
                ),
            )
            (row,) = (row for row in rows if row[0] == self.office.name)
            self.assertEqual(row[1:3], (7, True))
            self.assertEqual(row[3].date().year, self.office.create_date.year)
            rows = rows_of(
                "xlsx",
                self._export(
                    "xlsx",
                    "client.equipment.software.key",
                    ["license_key", "expires_soon", "validity_end"],
                    groupby and ("license_key",),
                ),
            )
            self.assertIn(("TYPES-1", False, None), rows)
        rows = rows_of(
            "xlsx",
            self._export(
                "xlsx", "client.equipment.feature", ["applied_date", "software_key_id"]
            ),
        )
        self.assertIn(("0001-01-01", feature.software_key_id.display_name), rows)
        (duration,) = {
            type(row[0])
            for row in rows_of(
                "xlsx",
                self._export("xlsx", "client.equipment.usage.history", ["duration"]),
            )[1:]
        }
        self.assertIn(duration, (int, float))


@tagged("post_install", "-at_install")
class TestReimport(SoftwareKeyMixin, HttpCase):
    """L3: a license key comes back from a re-import as it went out."""

    LICENSE_KEYS = (
        *("+aB3/cD=", "-----KEY-----", "=X", "=1+1", "@x", "＝1", "－2"),
        *(
            "'quoted",
            "'",
            "''two",
            "'\"x",
            '"=x',
            '"quoted"',
            "a,b;c",
            "a'=b",
            "a;=b",
            "a;-b",
        ),
        *("00123", "2026-01-01", "1234567890123456789", "TRUE", "1,5", "#REF!"),
    )

    def _export(self, kind, keys):
        return download(
            self,
            f"/web/export/{kind}",
            login="sk_manager",
            model=keys._name,
            fields=[
                {"name": name, "label": name, "type": "char"}
                for name in (".id", "license_key", "software_id", "remarks")
            ],
            ids=keys.ids,
            domain=[],
            groupby=[],
            import_compat=False,
            context={"lang": "en_US"},
        )

    def _import(self, kind, content, fields):
        """Import as the import dialog does."""
        wizard = (
            self.env["base_import.import"]
            .with_user(self.manager)
            .create(
                {
                    "res_model": "client.equipment.software.key",
                    "file": content,
                    "file_type": "text/csv"
                    if kind == "csv"
                    else "application/vnd.openxmlformats-officedocument"
                    ".spreadsheetml.sheet",
                }
            )
        )
        options = {"has_headers": True, "quoting": '"', "separator": ","}
        options |= {"encoding": "utf-8", "float_thousand_separator": ","}
        options |= {"float_decimal_separator": ".", "date_format": "", "sheet": ""}
        preview = wizard.parse_preview(dict(options))
        self.assertNotIn("error", preview)
        return wizard.execute_import(
            fields, preview["headers"], preview["options"] | {"datetime_format": ""}
        )

    def test_every_shape(self):
        """L3: by XLSX and by CSV, as an update of the same keys and as new ones in an
        inventory that lacks them."""
        software = self.env["client.equipment.software"].create({"name": "=Office"})
        for kind in ("xlsx", "csv"):
            for update in (True, False):
                with self.subTest(kind=kind, update=update):
                    keys = self._enter(
                        *self.LICENSE_KEYS, software=software, remarks="Old"
                    )
                    self.assertEqual(
                        keys.mapped("license_key"), list(self.LICENSE_KEYS)
                    )
                    content = self._export(kind, keys)
                    columns = [".id", "license_key", "software_id", "remarks"]
                    keys.remarks = "New"
                    if not update:
                        keys.unlink()
                        columns[0] = False
                    result = self._import(kind, content, columns)
                    self.assertFalse(result["messages"])
                    back = keys.browse(result["ids"])
                    self.assertEqual(
                        back.mapped("license_key"), list(self.LICENSE_KEYS)
                    )
                    self.assertEqual(back.software_id, software)
                    self.assertEqual(set(back.mapped("remarks")), {"Old"})
                    back.unlink()


class TestGuard(SoftwareKeyCommon):
    def test_apostrophe_of_a_csv(self):
        """L3, K2: by any route a key with the apostrophe that a CSV has before it is
        the key without; other apostrophes are the key's own."""
        Key = self.env["client.equipment.software.key"].with_user(self.manager)
        for text, expected in (
            ("'+aB3", "+aB3"),
            ("'-----BEGIN", "-----BEGIN"),
            ("' =X", "=X"),
            ("'@x", "@x"),
            ("'quoted", "'quoted"),
            ("A'+B", "A'+B"),
        ):
            with self.subTest(text=text):
                keys = Key.bulk_enter([text], {"software_id": self.office.id})
                self.assertEqual(keys.license_key, expected)
                keys.license_key = text
                keys.unlink()
                keys = Key.create({"license_key": text, "software_id": self.office.id})
                self.assertEqual(keys.license_key, expected)
                keys.unlink()

    def test_long_texts(self):
        """L3: however many blanks, quotes and lines a text has, its export is quick."""
        for text, guarded in (
            ("\n" * 10**6, "'" + "\n" * 10**6),
            ("\n" * 10**6 + "=", "'\n" * 10**6 + "'="),
            ('"' * 10**6 + "=", "'" + '"' * 10**6 + "="),
            ("a" + "'" * 10**6, "a" + "'" * 10**6),
            ("a;" * 10**6 + "=", "a;" * 10**6 + "'="),
        ):
            with self.subTest(text=text[:5]):
                self.assertEqual(guard(text), guarded)
                self.assertEqual(unguard(guarded), text)
