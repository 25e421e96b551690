import doctest
import io
import json
import time
import zipfile

from odoo.tests import tagged
from odoo.tests.common import BaseCase
from odoo.tools import file_open

from .. import vendor_file
from .common import ADDON

FOLDER = f"{ADDON}/tests/vendor_files"
BOOK = """<workbook xmlns:r="r"><sheets>%s</sheets></workbook>"""
SHEET = """<worksheet><sheetData>%s</sheetData></worksheet>"""
TABLE = """<office xmlns:office="o" xmlns:t="t" xmlns:x="x"><office:spreadsheet>
<t:table>%s</t:table></office:spreadsheet></office>"""
RELATION = """<R><Relationship Id="1" %s/></R>"""
TARGET = 'Target="worksheets/1.xml"'


def archive(**parts):
    """Return a ZIP archive of texts, each under its name."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in parts.items():
            file.writestr(name, text)
    return content.getvalue()


def book(rows, sheets='<sheet name="a" r:id="1"/>', relation=TARGET, **parts):
    """Return an XLSX file of the parts that are needed."""
    named = {
        "xl/workbook.xml": BOOK % sheets,
        "xl/_rels/workbook.xml.rels": RELATION % relation,
        "xl/worksheets/1.xml": SHEET % rows,
    }
    return archive(**named, **{f"xl/{name}.xml": text for name, text in parts.items()})


@tagged("post_install", "-at_install")
class TestVendorFile(BaseCase):
    """K11: files in the styles of vendors, with what must come of them."""

    def _read(self, name):
        """Return what is proposed for a file, in the shape of ``expected.json``."""
        with file_open(f"{FOLDER}/{name}", "rb") as file:
            content = file.read()
        try:
            sheets = vendor_file.read(content)
        except vendor_file.Unreadable as error:
            return {"says": error.reason}
        choice = vendor_file.propose(sheets, ["License Key"])
        cells = vendor_file.cells(sheets[choice.sheet], choice)
        problems = {cell.name: cell.problem for cell in cells if cell.problem}
        keys = [cell.text for cell in cells if not cell.problem]
        return {"keys": keys} | ({"problems": problems} if problems else {})

    def test_examples(self):
        """K11: what is read how says itself."""
        self.assertEqual(doctest.testmod(vendor_file).failed, 0)

    def test_files(self):
        """K11: of every file come its keys, or the reason why none can."""
        with file_open(f"{FOLDER}/expected.json") as file:
            expected = json.load(file)
        self.assertGreaterEqual(len(expected), 30)
        for name, outcome in expected.items():
            with self.subTest(file=name):
                self.assertEqual(self._read(name), outcome)

    def test_numbers_as_shown(self):
        """K11: a number is read as its format shows it."""
        for value, shown_as, text in (
            ("123", "General", "123"),
            ("123", "00000", "00123"),
            ("123456789", '000"-"000"-"000', "123-456-789"),
            ("123", "[Red]00000", "00123"),
            ("123", "#,##0", "123"),
        ):
            self.assertEqual(vendor_file.shown(value, shown_as), (text, None), shown_as)

    def test_damaged(self):
        """K11, E2: whatever is wrong in an archive is said to be the file's fault."""
        cell = '<row r="1"><c r="A1" t="s"><v>9</v></c></row>'
        whole = book(cell)
        for damaged in (
            whole,  # no such text
            book(cell, sheets='<sheet name="a"/>'),
            book(cell, relation=""),
            book('<row r="0"><c><v>1</v></c></row>'),
            book('<row><c s="-9"><v>1</v></c></row>'),
            book(cell, styles="<s><numFmts><numFmt/></numFmts></s>"),
            whole[:300],
            whole[:60] + b"\xff" * 30 + whole[90:],
            whole.replace(b"\x08\x00", b"\x63\x00"),  # another compression
            b"PK\x03\x04",
        ):
            with (
                self.subTest(content=damaged[:90]),
                self.assertRaises(vendor_file.Unreadable) as caught,
            ):
                vendor_file.read(damaged)
            self.assertEqual(caught.exception.reason, "damaged")

    def test_bombs(self):
        """K11, E2: a small file that unfolds to a very large one is refused at once."""
        cells = "<t:table-cell %s><x:p>%s</x:p></t:table-cell>"
        row = "<t:table-row t:number-rows-repeated='199999'>%s</t:table-row>"
        dates = cells % ('office:value-type="date" t:number-columns-repeated="256"', 1)
        last_row = '<row r="200000"><c><v>1</v></c></row>'
        many = "<a/>" * 2_000_000
        named = " ".join(f'a{number}=""' for number in range(1000))
        shared = '<row><c t="s"><v>0</v></c></row>' * 20_000
        for name, bomb in {
            "repeated cells": archive(**{"content.xml": TABLE % (row % dates)}),
            "repeated text": archive(
                **{"content.xml": TABLE % (row % (cells % ("", "x" * 1000)))}
            ),
            "elements": archive(**{"content.xml": TABLE % many}),
            "elements of a row": book(f"<row>{many}</row>"),
            "attributes": archive(**{"content.xml": TABLE % (f"<a {named}/>" * 2000)}),
            "entities": archive(
                **{
                    "content.xml": '<!DOCTYPE a [<!ENTITY b "c">]><a>'
                    + "&b;" * 2_000_000
                    + "</a>"
                }
            ),
            "texts": book(last_row, sharedStrings=f"<sst>{many}</sst>"),
            "blank texts": book(
                last_row, sharedStrings=f"<sst>{'<si/>' * 2_100_000}</sst>"
            ),
            "one text": book(
                shared, sharedStrings=f"<sst><si><t>{'k' * 10**6}</t></si></sst>"
            ),
            "one sheet": book(last_row, sheets='<sheet name="a" r:id="1"/>' * 3000),
        }.items():
            with (
                self.subTest(bomb=name),
                self.assertRaises(vendor_file.Unreadable) as caught,
            ):
                start = time.process_time()
                vendor_file.read(bomb)
            # (The library that reads XML refuses some before us.)
            self.assertIn(caught.exception.reason, ("large", "damaged"))
            self.assertLess(time.process_time() - start, 10)

    def test_proposed_at_once(self):
        """K11, E2: no text of a file makes the proposal think for ever."""
        start = time.process_time()
        for text in ("A1B2C3-" + "-".join(["AB"] * 40) + "!", "@1" * 60_000):
            self._propose(f"License Key\n{text}\n{text}".encode())
        self._propose(("License Key\tName\t" + "(" * 100_000 + "\nA1\tB\tC").encode())
        self._propose(",".join(["License Key"] * 20_000).encode())
        fmt = f'<numFmt numFmtId="200" formatCode="{"[" * 50_000}"/>'
        styles = (
            f'<s><numFmts>{fmt}</numFmts><cellXfs><xf numFmtId="200"/></cellXfs></s>'
        )
        self._propose(book('<row><c s="0"><v>12</v></c></row>' * 9, styles=styles))
        self.assertLess(time.process_time() - start, 5)

    def _propose(self, content):
        return vendor_file.propose(vendor_file.read(content), ["License Key"])

    def test_many_lines(self):
        """K11: a long list is read at once."""
        text = "Product;License Key\n" + "".join(
            f"Office;LONG-{number:06}\n" for number in range(50000)
        )
        start = time.process_time()
        sheets = vendor_file.read(text.encode())
        cells = vendor_file.cells(sheets[0], vendor_file.propose(sheets))
        self.assertEqual(len(cells), 50000)
        self.assertLess(time.process_time() - start, 5)
