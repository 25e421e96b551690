import re
from datetime import date, datetime

MAX_ROWS = 1_048_576
MAX_TEXT = 32767
NOT_IN_NAME = re.compile(r"[\[\]:*?/\\]|^'|'$")


class XlsxSheet:
    """A worksheet that is written row by row; texts are never taken for formulas.

    Meant for workbooks of constant memory, whose rows go to disk as they are written.
    """

    def __init__(self, workbook, name, headers):
        self.sheet = workbook.add_worksheet(NOT_IN_NAME.sub(" ", name[:31]))
        self.bold = workbook.add_format({"bold": True, "bg_color": "#e9ecef"})
        self.moment = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self.day = workbook.add_format({"num_format": "yyyy-mm-dd"})
        self.headers = headers
        self.row = 0
        self.sheet.set_column(0, max(len(headers) - 1, 1), 22)
        if headers:
            self.sheet.freeze_panes(1, 0)
            self.append(headers, self.bold)

    def append(self, values, style=None):
        for column, value in enumerate(values):
            if isinstance(value, str):
                self.sheet.write_string(self.row, column, value[:MAX_TEXT], style)
            elif isinstance(value, datetime):
                self.sheet.write_datetime(self.row, column, value, self.moment)
            elif isinstance(value, date):
                self.sheet.write_datetime(self.row, column, value, self.day)
            elif value is not False and value is not None:
                self.sheet.write_number(self.row, column, value, style)
        self.row += 1

    def close(self):
        self.sheet.autofilter(0, 0, max(self.row - 1, 0), len(self.headers) - 1)
