"""Writing an XLSX of any size: rows become XML one by one and are forgotten.

A file is put together of pieces that may have been made long before, by another
process; the library that Odoo brings needs all rows in one go.
"""

import re
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from html import escape
from itertools import chain
from typing import IO, Any, Self

MAX_ROWS = 1_000_000
MAX_TEXT = 32767
MAX_NAME = 31
MIN_WIDTH, MAX_WIDTH = 8, 60
PIECE_ROWS = 1000
# Spreadsheets count days from 1900 on, and know no day before.
FIRST_YEAR = 1901
DAY_ZERO = datetime(1899, 12, 30)
NOT_IN_NAME = re.compile(r"[\[\]:*?/\\]|^'|'$")
# What XML cannot hold, and what would be taken for such a thing that was replaced.
CODED = re.compile(r"_(?=x[0-9a-fA-F]{4}_)|[\x00-\x08\x0b-\x1f\ufffe\uffff]")
# Kinds of cells in the order of their styles; those of a bold row follow.
KINDS = [str, float, date, datetime]
STYLES = """<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">
<numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/>
<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts>
<fonts count="2"><font><sz val="11"/><name val="Calibri"/><family val="2"/></font>
<font><b/><sz val="11"/><name val="Calibri"/><family val="2"/></font></fonts>
<fills count="3"><fill><patternFill patternType="none"/></fill>
<fill><patternFill patternType="gray125"/></fill>
<fill><patternFill patternType="solid"><fgColor rgb="FFE9ECEF"/></patternFill></fill>
</fills>
<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>
<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>
</cellStyleXfs>
<cellXfs count="8">{styles}</cellXfs>
<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>
</styleSheet>"""
STYLE = (
    '<xf numFmtId="{number}" fontId="{bold}" fillId="{fill}" borderId="0" xfId="0"'
    ' applyNumberFormat="1" applyFont="1" applyFill="1"{wrapped}'
)
WRAPPED = ' applyAlignment="1"><alignment vertical="top" wrapText="1"/></xf>'
NUMBER_FORMATS = [0, 4, 164, 165]
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
CONTENT = "application/vnd.openxmlformats-officedocument.spreadsheetml"


class XlsxRows:
    """Rows as XML, how many they are, and how wide their texts are."""

    def __init__(self) -> None:
        self.xml = []
        self.widths = []

    def __len__(self) -> int:
        return len(self.xml)

    def append(self, values: Iterable, bold: bool = False) -> None:
        """Add a row: numbers, dates and booleans as such, all else as text.

        Texts are never taken for formulas.
        """
        cells = []
        for column, value in enumerate(values):
            xml, width = _cell(value, bold)
            cells.append(xml)
            if column == len(self.widths):
                self.widths.append(MIN_WIDTH)
            if width > self.widths[column]:
                self.widths[column] = min(width, MAX_WIDTH)
        self.xml.append(f"<row>{''.join(cells)}</row>")

    def content(self) -> bytes:
        """Return the rows as bytes."""
        return "\n".join(self.xml).encode()


class XlsxSheet:
    """A worksheet, of pieces of rows: given ones, or those that are appended."""

    def __init__(self, name: str, headers: Iterable[str] = ()) -> None:
        self.name = name
        self.headers = list(headers)
        self.rows = XlsxRows()
        self.row_count = 0
        self.widths = []
        self.pieces = []
        self.file = None

    def append(self, values: Iterable, bold: bool = False) -> None:
        """Write the next row."""
        self.rows.append(values, bold)
        if len(self.rows) >= PIECE_ROWS:
            self.flush()

    def flush(self) -> None:
        """Put the rows that were appended to disk."""
        if not len(self.rows):
            return
        if self.file is None:
            self.file = tempfile.TemporaryFile()
        content, start = self.rows.content(), self.file.tell()
        self.file.write(content)
        self.add_piece(
            len(self.rows),
            self.rows.widths,
            lambda: self._read(start, len(content)),
        )
        self.rows = XlsxRows()

    def add_piece(
        self, count: int, widths: list[int], read: Callable[[], bytes]
    ) -> None:
        """Add rows that were made before.

        :param read: function that returns them as bytes
        """
        self.row_count += count
        self.pieces.append((count, read))
        missing = len(widths) - len(self.widths)
        self.widths += [MIN_WIDTH] * missing
        for column, width in enumerate(widths):
            self.widths[column] = max(self.widths[column], width)

    def _read(self, start: int, length: int) -> bytes:
        self.file.seek(start)
        content = self.file.read(length)
        self.file.seek(0, 2)
        return content

    def parts(self) -> Iterator[tuple[str, int, list[Callable[[], bytes]]]]:
        """Yield ``(name, pieces)`` of the worksheets that this one takes: spreadsheets
        hold a million rows in each."""
        self.flush()
        most = max(MAX_ROWS - bool(self.headers), 1)
        number, count, pieces = 1, 0, []
        for rows, read in self.pieces:
            if pieces and count + rows > most:
                yield self._part_name(number), count, pieces
                number, count, pieces = number + 1, 0, []
            pieces.append(read)
            count += rows
        yield self._part_name(number), count, pieces

    def _part_name(self, number: int) -> str:
        name = NOT_IN_NAME.sub(" ", self.name)
        if number == 1:
            return name[:MAX_NAME]
        suffix = f" ({number})"
        return name[: MAX_NAME - len(suffix)] + suffix


class XlsxFile:
    """An XLSX. After the ``with`` block, ``content`` is the file."""

    def __init__(self) -> None:
        self.content = None
        self.sheets = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: type[BaseException] | None, *_details: Any) -> None:
        if error is None:
            with tempfile.TemporaryFile() as output:
                self.write(output)
                output.seek(0)
                self.content = output.read()
        for sheet in self.sheets:
            if sheet.file is not None:
                sheet.file.close()

    def add_sheet(self, name: str, headers: Iterable[str] = ()) -> XlsxSheet:
        """Return a new sheet; sheets may be written by turns."""
        sheet = XlsxSheet(name, headers)
        self.sheets.append(sheet)
        return sheet

    def write(self, output: IO[bytes]) -> None:  # pylint: disable=method-required-super
        """Write the file.

        :param output: binary file object
        """
        parts = list(
            chain.from_iterable(
                ((sheet, *part) for part in sheet.parts()) for sheet in self.sheets
            )
        )
        with zipfile.ZipFile(
            output, "w", zipfile.ZIP_DEFLATED, compresslevel=4
        ) as pack:
            for name, text in self._skeleton(parts):
                pack.writestr(name, HEAD + text)
            for number, (sheet, _name, count, pieces) in enumerate(parts, 1):
                path = f"xl/worksheets/sheet{number}.xml"
                with pack.open(path, "w", force_zip64=True) as file:
                    for text in self._worksheet(sheet, count, pieces, number == 1):
                        file.write(text)

    def _worksheet(
        self,
        sheet: XlsxSheet,
        count: int,
        pieces: list[Callable[[], bytes]],
        is_first: bool,
    ) -> Iterator[bytes]:
        """Yield a worksheet's XML: landscape, as wide as a page, its headings on top of
        each page and of the screen."""
        frozen, filters = "", ""
        if sheet.headers:
            frozen = (
                '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft"'
                ' state="frozen"/>'
            )
            area = f"A1:{_letters(len(sheet.headers))}{count + 1}"
            filters = f'<autoFilter ref="{area}"/>'
        head = XlsxRows()
        if sheet.headers:
            head.append(sheet.headers, bold=True)
        widths = [
            max(pair)
            for pair in zip(
                sheet.widths + [MIN_WIDTH] * (len(head.widths) - len(sheet.widths)),
                # Beside a heading stands the arrow of its filter.
                [min(width + 3, MAX_WIDTH) for width in head.widths]
                + [MIN_WIDTH] * (len(sheet.widths) - len(head.widths)),
                strict=True,
            )
        ]
        columns = "".join(
            f'<col min="{n}" max="{n}" width="{width + 1.5}" customWidth="1"/>'
            for n, width in enumerate(widths, 1)
        )
        selected = ' tabSelected="1"' if is_first else ""
        yield (
            f'{HEAD}<worksheet xmlns="{MAIN}">'
            '<sheetPr><pageSetUpPr fitToPage="1"/></sheetPr>'
            f'<sheetViews><sheetView workbookViewId="0"{selected}>{frozen}</sheetView>'
            '</sheetViews><sheetFormatPr defaultRowHeight="15"/>'
            f"{f'<cols>{columns}</cols>' if columns else ''}<sheetData>"
        ).encode()
        yield head.content()
        for read in pieces:
            yield read()
        yield (
            f"</sheetData>{filters}"
            '<pageMargins left="0.4" right="0.4" top="0.5" bottom="0.6" header="0.3"'
            ' footer="0.3"/><pageSetup paperSize="9" orientation="landscape"'
            ' fitToWidth="1" fitToHeight="0"/><headerFooter><oddFooter>'
            "&amp;L&amp;F&amp;C&amp;A&amp;R&amp;P / &amp;N"
            "</oddFooter></headerFooter></worksheet>"
        ).encode()

    def _skeleton(self, parts: list[tuple]) -> Iterator[tuple[str, str]]:
        """Yield ``(path, XML)`` of all but the worksheets."""
        numbers = range(1, len(parts) + 1)
        overrides = "".join(
            f'<Override PartName="/xl/worksheets/sheet{n}.xml"'
            f' ContentType="{CONTENT}.worksheet+xml"/>'
            for n in numbers
        )
        yield (
            "[Content_Types].xml",
            f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels"'
            ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            '<Override PartName="/xl/workbook.xml"'
            f' ContentType="{CONTENT}.sheet.main+xml"/>'
            '<Override PartName="/xl/styles.xml"'
            f' ContentType="{CONTENT}.styles+xml"/>{overrides}</Types>',
        )
        yield (
            "_rels/.rels",
            f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1"'
            f' Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
            "</Relationships>",
        )
        sheets = "".join(
            f'<sheet name="{escape(name)}" sheetId="{n}" r:id="rId{n}"/>'
            for n, (_sheet, name, *_rest) in enumerate(parts, 1)
        )
        yield (
            "xl/workbook.xml",
            f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{sheets}</sheets>'
            f"{self._defined_names(parts)}</workbook>",
        )
        targets = "".join(
            f'<Relationship Id="rId{n}" Type="{OFFICE}/worksheet"'
            f' Target="worksheets/sheet{n}.xml"/>'
            for n in numbers
        )
        yield (
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{PACKAGE}/relationships">{targets}'
            f'<Relationship Id="rId{len(parts) + 1}" Type="{OFFICE}/styles"'
            ' Target="styles.xml"/></Relationships>',
        )
        styles = "".join(
            STYLE.format(
                number=number,
                bold=int(bold),
                fill=2 * bold,
                wrapped="/>" if bold or number else WRAPPED,
            )
            for bold in (False, True)
            for number in NUMBER_FORMATS
        )
        yield "xl/styles.xml", STYLES.format(styles=styles)

    def _defined_names(self, parts: list[tuple]) -> str:
        """Return the XML that has the headings repeated on each page, and the filters
        known."""
        names = ""
        for number, (sheet, name, count, _pieces) in enumerate(parts):
            if not sheet.headers:
                continue
            quoted = "'{}'".format(escape(name.replace("'", "''")))
            last = f"${_letters(len(sheet.headers))}${count + 1}"
            names += (
                f'<definedName name="_xlnm._FilterDatabase" localSheetId="{number}"'
                f' hidden="1">{quoted}!$A$1:{last}</definedName>'
                f'<definedName name="_xlnm.Print_Titles" localSheetId="{number}">'
                f"{quoted}!$1:$1</definedName>"
            )
        return f"<definedNames>{names}</definedNames>" if names else ""


def _cell(value: Any, bold: bool) -> tuple[str, int]:
    """Return the XML of a cell and the width that it needs, in characters."""
    first = len(KINDS) * bold
    if value is None or value == "":
        return f'<c s="{first}"/>', 0
    if isinstance(value, bool):
        return f'<c s="{first}" t="b"><v>{int(value)}</v></c>', 6
    if isinstance(value, int):
        return f'<c s="{first}"><v>{value}</v></c>', len(str(value))
    if isinstance(value, float):
        style = first + KINDS.index(float)
        return f'<c s="{style}"><v>{value!r}</v></c>', len(f"{value:,.2f}")
    if isinstance(value, date) and value.year >= FIRST_YEAR:
        is_moment = isinstance(value, datetime)
        style = first + KINDS.index(datetime if is_moment else date)
        if not is_moment:
            value = datetime(value.year, value.month, value.day)
        serial = (value - DAY_ZERO).total_seconds() / 86400
        return f'<c s="{style}"><v>{serial!r}</v></c>', 19 if is_moment else 10
    text = _text(value)
    width = len(text) if "\n" not in text else max(map(len, text.split("\n")))
    text = escape(CODED.sub(_code, text), quote=False)
    return (
        f'<c s="{first}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>',
        width,
    )


def _text(value: Any) -> str:
    """Return a value as text that fits into a cell; one that was cut says so."""
    text = value.decode() if isinstance(value, bytes) else str(value)
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"


def _code(found: re.Match[str]) -> str:
    """Return how XLSX writes a character that it cannot hold."""
    return f"_x{ord(found[0]):04X}_"


def _letters(column: int) -> str:
    """Return the letters of a column, counted from 1.

    >>> _letters(1), _letters(26), _letters(27), _letters(703)
    ('A', 'Z', 'AA', 'AAA')
    """
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
