import doctest
import json
import time

from odoo.tests import tagged
from odoo.tests.common import BaseCase
from odoo.tools import file_open

from .. import vendor_file
from .common import ADDON

FOLDER = f"{ADDON}/tests/vendor_files"


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
