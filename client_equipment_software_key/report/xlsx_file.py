import io
import re
from datetime import date, datetime

import xlsxwriter

from odoo.exceptions import UserError

MAX_ROWS = 1_000_000
MAX_TEXT = 32767
# Spreadsheets count days from 1900 on, and know no day before.
FIRST_YEAR = 1901
NOT_IN_NAME = re.compile(r"[\[\]:*?/\\]|^'|'$")
NUMBER_FORMATS = {
    str: "General",
    float: "#,##0.00",
    date: "yyyy-mm-dd",
    datetime: "yyyy-mm-dd hh:mm:ss",
}


class XlsxFile:
    """An XLSX of any size: rows go to disk as they are written.

    Sheets may be written by turns. After the ``with`` block, ``content`` is the file.
    """

    def __init__(self, env):
        self.env = env
        self.content = None

    def __enter__(self):
        self.output = io.BytesIO()
        self.workbook = xlsxwriter.Workbook(self.output, {"constant_memory": True})
        self.plain, self.bold = (
            {
                kind: self.workbook.add_format({"num_format": number, **style})
                for kind, number in NUMBER_FORMATS.items()
            }
            for style in ({}, {"bold": True, "bg_color": "#e9ecef"})
        )
        return self

    def __exit__(self, *_error):
        self.workbook.close()
        self.content = self.output.getvalue()

    def add_sheet(self, name, headers=()):
        return XlsxSheet(self, name, headers)


class XlsxSheet:
    """A worksheet that is written row by row; texts are never taken for formulas."""

    def __init__(self, file, name, headers):
        self.file = file
        self.name = name
        self.sheet = file.workbook.add_worksheet(NOT_IN_NAME.sub(" ", name[:31]))
        self.sheet.set_column(0, max(len(headers) - 1, 1), 22)
        self.row = 0
        if headers:
            self.sheet.freeze_panes(1, 0)
            self.append(headers, bold=True)

    def append(self, values, bold=False):
        """Write the next row.

        :raises UserError: where there are too many
        """
        if self.row >= MAX_ROWS:
            raise UserError(
                self.file.env._(
                    "There is too much for one file: the sheet %(sheet)s "
                    "would have more than %(max)s rows. Choose less "
                    "software, fewer customers or a shorter period.",
                    sheet=self.name,
                    max=MAX_ROWS,
                )
            )
        formats = self.file.bold if bold else self.file.plain
        for column, value in enumerate(values):
            self._write(column, value, formats)
        self.row += 1

    def _write(self, column, value, formats):
        """Write a cell: numbers, dates and booleans as such, all else as text."""
        if value is None or value == "":
            self.sheet.write_blank(self.row, column, None, formats[str])
        elif isinstance(value, bool):
            self.sheet.write_boolean(self.row, column, value, formats[str])
        elif isinstance(value, int):
            self.sheet.write_number(self.row, column, value, formats[str])
        elif isinstance(value, float):
            self.sheet.write_number(self.row, column, value, formats[float])
        elif isinstance(value, date) and value.year >= FIRST_YEAR:
            style = formats[datetime if isinstance(value, datetime) else date]
            self.sheet.write_datetime(self.row, column, value, style)
        else:
            self.sheet.write_string(self.row, column, self._text(value), formats[str])

    def _text(self, value):
        """Return a value as text that fits into a cell; one that was cut says so."""
        text = value.decode() if isinstance(value, bytes) else str(value)
        return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"

    def offer_filters(self, columns):
        """Let the reader filter the rows below the headers."""
        self.sheet.autofilter(0, 0, max(self.row - 1, 0), columns - 1)
