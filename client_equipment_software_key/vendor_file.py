"""Reading vendors' lists of license keys: CSV, XLSX and ODS, and pasted columns.

Plain Python: what is read is a table of texts as the sheet shows them, with the cells
that cannot be a license key; which sheet, heading and column hold the keys is proposed.
Others show that, have it chosen otherwise, and put what is wrong into words.
"""

import csv
import io
import re
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache, lru_cache
from typing import IO, NamedTuple

from lxml import etree
from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format
from openpyxl.utils import column_index_from_string, get_column_letter

from .license_key import ROUNDED, as_stored, is_file

Element = etree._Element
# How bad a proposal is, the least bad first.
Score = tuple[float, float, float]

# More than a vendor has ever sent: what is larger is a mistake, or an attack.
UNPACKED_MAX, NODES_MAX, TEXTS_MAX = 300_000_000, 1_000_000, 2_000_000
ROWS_MAX, COLUMNS_MAX = 200_000, 256
# The characters of all cells; each cell takes so much more room.
ROOM, ROOM_OF_CELL = 40_000_000, 10
# Excel takes no longer formats, and nobody longer headings.
FORMAT_MAX, HEADING_MAX = 255, 200
# Headings stand within so many rows of the top.
TOP = 60


class Unreadable(Exception):
    """A file that holds no table. ``reason`` says why: ``empty``, ``pdf``, ``html``,
    ``old_excel``, ``license_file``, ``damaged``, ``large`` or ``binary``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass
class Sheet:
    """A table: texts as the sheet shows them, and what of them cannot be read.

    ``problems`` names by row and column (counted from 0) the cells that are no text:
    ``rounded``, ``date``, ``boolean``, ``formula`` or ``error``.
    """

    name: str
    rows: list[list[str]] = field(default_factory=list)
    problems: dict[tuple[int, int], str] = field(default_factory=dict)
    hidden: bool = False
    hidden_columns: set[int] = field(default_factory=set)

    def text(self, row: int, column: int) -> str:
        cells = self.rows[row]
        return cells[column] if column < len(cells) else ""

    @property
    def width(self) -> int:
        return max(map(len, self.rows), default=0)


class Choice(NamedTuple):
    """Where the license keys stand; ``heading`` is -1 where there is none, ``column``
    is -1 where none can be proposed."""

    sheet: int
    heading: int
    column: int


class Cell(NamedTuple):
    name: str
    text: str
    problem: str | None


# ----------------------------------------------------------------------
# Headings
# ----------------------------------------------------------------------

# What the column of the license keys is called, the surest first.
KEY_HEADINGS = (
    # exactly that
    "license key|licence key|license keys|licence keys|lizenzschlussel|lizenz schlussel"
    "|lizenzkey|cle de licence|cles de licence|clave de licencia|claves de licencia"
    "|clave licencia|cle licence",
    # another name of it
    "product key|product keys|activation key|activation keys|cd key|cd keys"
    "|registration key|subscription key|software key|keycode|key code|installation key"
    "|install key|setup key|serial key|unlock key|volume license key|mak key|mak|vlk"
    "|produktschlussel|produktkey|aktivierungsschlussel|registrierungsschlussel"
    "|installationsschlussel|freischaltschlussel|cle de produit|cle produit"
    "|cle d activation|cle activation|cle d enregistrement|cle d installation"
    "|clave de producto|clave del producto|clave de activacion|clave de registro"
    "|clave de instalacion",
    # a code that does the same
    "activation code|activation codes|registration code|license code|licence code"
    "|authorization code|authorisation code|auth code|unlock code|voucher|voucher code"
    "|redemption code|redeem code|entitlement key|token|license token|aktivierungscode"
    "|lizenzcode|freischaltcode|registrierungscode|gutscheincode|code d activation"
    "|code de licence|code d enregistrement|code d autorisation|code de deblocage"
    "|codigo de activacion|codigo de licencia|codigo de registro"
    "|codigo de autorizacion",
    "key|keys|schlussel|cle|cles|clave|claves",
    "code|codes|license|licence|licenses|licences|lizenz|lizenzen|licencia|licencias",
    # a number that stands for it, where nothing else does
    "license id|licence id|activation id|entitlement id|lizenz id|id de licence"
    "|id de licencia|id licence",
    "license number|licence number|license no|licence no|lizenznummer|lizenz nr"
    "|numero de licence|numero de licencia|n de licence",
    "serial number|serial no|serial|serials|serial numbers|s n|sn|seriennummer"
    "|seriennummern|serien nr|numero de serie|n de serie|no de serie|num serie",
)
RANKS = {
    heading: rank
    for rank, headings in enumerate(KEY_HEADINGS)
    for heading in headings.split("|")
}
# A heading that is similar to a sure one, such as "Office license key (MAK)".
SIMILAR = re.compile(
    r"\b(licen[cs]e|product|activation|cd|registration|subscription) keys?\b"
    r"|\w*(lizenz|produkt|aktivierungs)schlussel\w*"
    r"|\bcles? (de |d )?(licence|produit|activation)\b"
    r"|\bclaves? (de |del )?(licencia|producto|activacion)\b"
)
# From this rank on a column is only taken where its cells look like license keys.
WEAK = 4
# As bad as no proposal at all.
NONE = 50
# What else a list has: who has such headings above their columns is a heading.
OTHER_HEADINGS = re.compile(
    r"\b(product|produkt\w*|produit|producto|article|artikel\w*|articulo|item|sku"
    r"|description|beschreibung|bezeichnung|descripcion|designation|name|nombre|nom"
    r"|quantity|qty|menge|anzahl|quantite|cantidad|seats?|users?|benutzer|platze|puestos"
    r"|postes|devices?|gerate|order|bestell\w*|commande|pedido|invoice|rechnung\w*"
    r"|facture|factura|po|customer|kunde\w*|client|cliente|organi[sz]ation|company|firma"
    r"|date|datum|fecha|start|end|ende|expir\w*|ablauf\w*|gultig\w*|valid\w*|fin"
    r"|vencimiento|caducidad|status|price|preis|prix|precio|email|e mail|version"
    r"|edition|type|typ|tipo|no|nr|id|part|vendor|publisher|hersteller|notes?|remarks?"
    r"|bemerkung|remarque|notas|number|nummer|numero|contract|vertrag\w*|contrat|contrato|laptop"
    r"|computer|hostname|asset|pc|months|monate|mois|meses|pos|position|term|laufzeit)\b"
)


def plain(heading: str) -> str:
    """Return a heading without case, accents, punctuation and camel's humps.

    >>> plain("License_Key")
    'license key'
    >>> plain("LicenseKey (MAK)")
    'license key mak'
    >>> plain("Cl\\xe9 d'activation :")
    'cle d activation'
    """
    heading = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", heading).casefold()
    if not heading.isascii():
        heading = unicodedata.normalize("NFKD", heading)
        heading = "".join(c for c in heading if not unicodedata.combining(c))
    return " ".join(re.findall(r"[^\W_]+", heading))


def rank(heading: str, names: Iterable[str] = ()) -> int | None:
    """Return how sure a heading stands above license keys: 0 is surest, None not.

    :param names: plain names of the license key in the reader's languages
    """
    if len(heading) > HEADING_MAX:
        return None
    text = plain(heading)
    if text in names:
        return 0
    if text in RANKS:
        return RANKS[text]
    without = plain(re.sub(r"[(\[].*?[)\]]", "", heading))
    if without in RANKS:
        return RANKS[without]
    return 1 if len(text) <= 60 and SIMILAR.search(text) else None


# ----------------------------------------------------------------------
# Proposals
# ----------------------------------------------------------------------


def propose(sheets: list[Sheet], names: Iterable[str] = ()) -> Choice:
    """Return where the license keys seem to stand.

    :param sheets: what :func:`read` gave
    :param names: names of the license key in the reader's languages
    """
    names = {plain(name) for name in names}
    proposals = []
    for number, sheet in enumerate(sheets):
        score, heading, column = _propose_in(sheet, names)
        proposals.append((sheet.hidden, *score, number, heading, column))
    *_score, number, heading, column = min(proposals)
    return Choice(number, heading, column)


def propose_in(sheets: list[Sheet], number: int, names: Iterable[str] = ()) -> Choice:
    """Return where in one sheet the license keys seem to stand."""
    _score, heading, column = _propose_in(sheets[number], {plain(n) for n in names})
    return Choice(number, heading, column)


def _propose_in(sheet: Sheet, names: set[str]) -> tuple[Score, int, int]:
    """Return ``(score, heading, column)`` of the best proposal; a low score is good."""
    best = ((NONE, 0, 0), -1, -1)
    for heading in _heading_rows(sheet, names):
        for column, text in enumerate(sheet.rows[heading]):
            found = rank(text, names) if text else None
            if found is None:
                continue
            score = _score(sheet, heading, column, found)
            best = min(best, (score, heading, column))
    if best[0][0] < WEAK:
        return best
    heading = next(iter(_heading_rows(sheet, names)), -1)
    for column in range(sheet.width):
        if _is_other(sheet, heading, column):
            continue
        share = _key_share(_cells_below(sheet, heading, column))
        if share > 0.5:
            score = (WEAK, column in sheet.hidden_columns, 1 - share)
            best = min(best, (score, heading, column))
    if best[2] < 0 and sheet.width == 1 and _cells_below(sheet, heading, 0):
        return (NONE - 1, 0, 0), -1, 0
    return best


def _is_other(sheet: Sheet, heading: int, column: int) -> bool:
    """Tell whether a column is called something that is no license key."""
    if heading < 0:
        return False
    text = sheet.text(heading, column)
    return bool(OTHER_HEADINGS.search(plain(text))) and rank(text) is None


def _heading_rows(sheet: Sheet, names: set[str]) -> list[int]:
    """Return the rows that may hold the headings, the likeliest first."""
    found = []
    for number, row in enumerate(sheet.rows[:TOP]):
        filled = [text for text in row if text]
        known = sum(_is_heading(text, names) for text in filled)
        if known and known * 2 >= len(filled):
            found.append((-known, number))
    return [number for _known, number in sorted(found)]


def _is_heading(text: str, names: set[str]) -> bool:
    """Tell whether a text may be the heading of a column."""
    return len(text) <= 60 and (
        rank(text, names) is not None or bool(OTHER_HEADINGS.search(plain(text)))
    )


def _score(sheet: Sheet, heading: int, column: int, found: int) -> Score:
    """Return how bad it would be to take this column, by heading and cells."""
    cells = _cells_below(sheet, heading, column)
    if not cells:
        return (NONE + 1, 1, 0.0)
    share = _key_share(cells)
    penalty = 0
    if found >= WEAK:
        penalty = 1 if share > 0.5 else 2
    elif len(cells) > 3 and len(set(cells)) * 4 < len(cells):
        penalty = NONE // 2  # the same in all rows: a product's key
    elif share < 0.2 and len(cells) > 1:
        penalty = 2
    neighbours = -sum(bool(text) for text in sheet.rows[heading])
    return (found + penalty, column in sheet.hidden_columns, neighbours + 1 - share)


def _cells_below(sheet: Sheet, heading: int, column: int, most: int = 500) -> list[str]:
    """Return the first texts of a column below its heading."""
    called = sheet.text(heading, column) if heading >= 0 else None
    rows = range(heading + 1, min(len(sheet.rows), heading + 1 + most))
    texts = (sheet.text(row, column) for row in rows)
    return [text for text in texts if text and text != called]


LIKE_KEY = re.compile(
    r"(?=.*\d)[\w+/=-]{6,}(?:[ .][\w+/=-]+)*|[A-Z]{3,}(?:-[A-Z]{3,})+"
)
DATE = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}(?:[ T].*)?|[\d.,]+|.*@.*\..*")


def _key_share(texts: list[str]) -> float:
    """Return which part of these texts looks like license keys, all different."""
    if not texts:
        return 0.0
    like = {
        text
        for text in texts
        if LIKE_KEY.fullmatch(text) and (not DATE.fullmatch(text) or len(text) > 12)
    }
    return len(like) / len(texts)


def column_name(number: int) -> str:
    """Return what a spreadsheet calls a column (counted from 0)."""
    return get_column_letter(number + 1)


def cells(sheet: Sheet, choice: Choice) -> list[Cell]:
    """Return the cells of the chosen column, blank ones and its heading left out.

    One cell is one license key, line breaks in it included.
    """
    if choice.column < 0:
        return []
    letter = column_name(choice.column)
    heading = (
        plain(sheet.text(choice.heading, choice.column)) if choice.heading >= 0 else ""
    )
    found = []
    for number in range(choice.heading + 1, len(sheet.rows)):
        text = sheet.text(number, choice.column)
        problem = sheet.problems.get((number, choice.column))
        if not text and not problem or heading and plain(text) == heading:
            continue
        if not problem and "\t" in text.strip():
            problem = "columns"
        if not problem and ROUNDED.fullmatch(text):
            problem = "rounded"
        found.append(Cell(f"{letter}{number + 1}", as_stored(text), problem))
    return found


# ----------------------------------------------------------------------
# Reading
# ----------------------------------------------------------------------


class _Room:
    """How much more a file may hold: a small one can unfold to a very large one."""

    def __init__(self) -> None:
        self.cells, self.bytes = ROOM, UNPACKED_MAX

    def take(self, texts: Collection[str], times: int = 1) -> None:
        """Take the room of so many rows of these texts.

        :raises Unreadable: where there is not enough
        """
        room = ROOM_OF_CELL + sum(len(text) + ROOM_OF_CELL for text in texts)
        self.cells -= room * times
        if self.cells < 0:
            raise Unreadable("large")


class _Part:
    """A part of an archive, read as XML; what is read counts, not what its header says.

    The tree of many small elements, attributes and entities takes far more room than
    its text.
    """

    def __init__(self, file: IO[bytes], room: _Room) -> None:
        self.file, self.room, self.nodes = file, room, 0

    def read(self, size: int = -1) -> bytes:  # pylint: disable=method-required-super
        content = self.file.read(size)
        self.room.bytes -= len(content)
        self.nodes += sum(map(content.count, (b"<", b"=", b"&")))
        if self.room.bytes < 0 or self.nodes > NODES_MAX:
            raise Unreadable("large")
        return content


def read(content: bytes) -> list[Sheet]:
    """Return the sheets of a vendor's file, at least one with a text in it.

    :raises Unreadable: where there is none
    """
    if content[:4] == b"PK\x03\x04":
        sheets = _read_archive(content)
    else:
        if reason := _refusal(content):
            raise Unreadable(reason)
        sheets = [read_text(_decode(content))]
    sheets = [sheet for sheet in sheets if any(map(any, sheet.rows)) or sheet.problems]
    if not sheets:
        raise Unreadable("empty")
    return sheets


def _refusal(content: bytes) -> str | None:
    """Return why a file that is no archive holds no table, or None."""
    start = content[:2000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        return "empty"
    if start.startswith(b"%PDF-"):
        return "pdf"
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        return "old_excel"
    lower = start.lower()
    if lower.startswith((b"<!doctype html", b"<html", b"<table", b"<head", b"<meta")):
        return "html"
    if lower.startswith(b"<") and b"<html" in lower:
        return "html"
    if lower.startswith(
        (b"{\\rtf", b"\x89png", b"\xff\xd8\xff", b"gif8", b"7z\xbc\xaf", b"rar!")
    ):
        return "binary"
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return None
    if b"\0" in content[:10000] and not _looks_utf16(content):
        return "binary"
    text = start.decode("utf-8", "replace")
    if is_file(text) and not re.search(r"[;,\t]", text.splitlines()[0]):
        return "license_file"
    return None


def _looks_utf16(content: bytes) -> bool:
    head = content[:2000]
    return head[::2].count(0) > len(head) // 4 or head[1::2].count(0) > len(head) // 4


def _decode(content: bytes) -> str:
    """Return the text of a file in one of the usual encodings."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content[: len(content) & ~1].decode("utf-16", "replace")
    if b"\0" in content[:10000]:
        little = content[1:2000:2].count(0) > content[:2000:2].count(0)
        return content.decode("utf-16-le" if little else "utf-16-be", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def read_text(text: str) -> Sheet:
    """Return the table of a CSV file's text, or of what was pasted.

    >>> read_text("sep=;\\nKey;Seats\\nA-1;5").rows
    [['Key', 'Seats'], ['A-1', '5']]
    """
    text = text.lstrip("\ufeff")
    delimiter = None
    if told := re.match(r'"?sep=(.)"?\s*?(\r\n|\r|\n|$)', text, re.IGNORECASE):
        delimiter, text = told[1], text[told.end() :]
    rows = _parse(text, delimiter or _delimiter(text))
    if rows and max(map(len, rows)) == 1:
        # Each line as a whole was put into quotes once more.
        inner = "\n".join(row[0] if row else "" for row in rows)
        if text.lstrip().startswith('"') and (again := _delimiter(inner)):
            rows = _parse(inner, again)
    return Sheet("", [[_unquoted(cell) for cell in row] for row in rows])


def _unquoted(cell: str) -> str:
    """Return a cell without what kept a spreadsheet from making a number of it."""
    cell = cell.strip(" \xa0\r\n")
    quoted = re.fullmatch(r'="(.*)"', cell, re.DOTALL)
    return quoted[1] if quoted else cell


def _parse(text: str, delimiter: str | None) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter or "\x1f")
    rows = []
    try:
        room = _Room()
        for row in reader:
            row = row[:COLUMNS_MAX]
            room.take(row)
            rows.append(row)
            if len(rows) > ROWS_MAX:
                raise Unreadable("large")
    except csv.Error as error:
        raise Unreadable("damaged") from error
    return rows


def _delimiter(text: str) -> str | None:
    """Return what separates the columns of most lines alike, or None."""
    best = (0.0, 0, None)
    start = text[:20000]
    for delimiter in "\t;,|":
        if delimiter not in start:
            continue
        widths = [len(row) for row in _parse(start, delimiter) if any(row)][:200]
        widths = widths[:-1] if len(start) < len(text) else widths
        counts = Counter(width for width in widths if width > 1)
        if counts:
            width, count = counts.most_common(1)[0]
            best = max(
                best, (count / len(widths), width, delimiter), key=lambda b: b[:2]
            )
    # Cover pages have other widths; a key with a comma in it is no table.
    return best[2] if best[0] >= 0.5 else None


def _read_archive(content: bytes) -> list[Sheet]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
            if "xl/workbook.xml" in names:
                return _Xlsx(archive).sheets()
            if "content.xml" in names:
                return _read_ods(archive)
    except Unreadable:
        raise
    except Exception as error:  # a file can be wrong in more ways than one can name
        raise Unreadable("damaged") from error
    raise Unreadable("damaged" if any(n.startswith("xl/") for n in names) else "binary")


# (In another encoding what makes a node could not be counted.)
PARSER = {"resolve_entities": False, "no_network": True, "encoding": "utf-8"}


def _parse_xml(part: _Part) -> Element:
    return etree.parse(part, etree.XMLParser(**PARSER)).getroot()


def _each(part: _Part, *tags: str) -> Iterator[Element]:
    """Yield each element of these names when it has been read, and forget it then: of
    a large table there is never more than a row."""
    for _event, element in etree.iterparse(
        part, tag=[f"{{*}}{tag}" for tag in tags], **PARSER
    ):
        yield element
        element.clear()
        part.nodes = 0
        while element.getprevious() is not None:
            del element.getparent()[0]


@lru_cache
def _without_namespace(tag: str) -> str:
    return tag.rpartition("}")[2]


def _local(element: Element) -> str:
    return _without_namespace(element.tag) if isinstance(element.tag, str) else ""


@cache
def _column(letters: str) -> int:
    return column_index_from_string(letters) - 1


class _Xlsx:
    """The sheets of an XLSX file, as they are shown."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive, self.room = archive, _Room()
        self.strings = self._read_strings()
        self.formats = self._read_formats()

    def _tree(self, name: str) -> Element:
        with self.archive.open(name) as file:
            return _parse_xml(_Part(file, self.room))

    def _read_strings(self) -> list[str]:
        if "xl/sharedStrings.xml" not in self.archive.namelist():
            return []
        found = []
        with self.archive.open("xl/sharedStrings.xml") as file:
            for item in _each(_Part(file, self.room), "si"):
                if len(found) == TEXTS_MAX:
                    raise Unreadable("large")
                texts = (
                    text.text or ""
                    for text in item.iter("{*}t")
                    if _local(text.getparent()) != "rPh"
                )
                found.append("".join(texts))
        return found

    def _read_formats(self) -> list[str]:
        if "xl/styles.xml" not in self.archive.namelist():
            return []
        root = self._tree("xl/styles.xml")
        own = {
            int(each.get("numFmtId")): each.get("formatCode")
            for each in root.iterfind("{*}numFmts/{*}numFmt")
        }
        ids = [int(x.get("numFmtId") or 0) for x in root.iterfind("{*}cellXfs/{*}xf")]
        return [
            (own.get(each) or BUILTIN_FORMATS.get(each, "General"))[:FORMAT_MAX]
            for each in ids
        ]

    def sheets(self) -> list[Sheet]:
        targets = {
            each.get("Id"): each.get("Target")
            for each in self._tree("xl/_rels/workbook.xml.rels")
        }
        found = []
        for each in self._tree("xl/workbook.xml").iterfind("{*}sheets/{*}sheet"):
            relation = next(v for k, v in each.attrib.items() if k.endswith("}id"))
            target = targets[relation].removeprefix("/").removeprefix("xl/")
            if target.startswith("worksheets/"):
                sheet = Sheet(each.get("name"))
                sheet.hidden = each.get("state", "visible") != "visible"
                self._read_sheet(sheet, f"xl/{target}")
                found.append(sheet)
        return found

    def _read_sheet(self, sheet: Sheet, name: str) -> None:
        with self.archive.open(name) as file:
            for element in _each(_Part(file, self.room), "col", "row"):
                if _local(element) == "row":
                    self._read_row(sheet, element)
                elif element.get("hidden") in ("1", "true"):
                    last = min(int(element.get("max")), COLUMNS_MAX)
                    sheet.hidden_columns.update(
                        range(int(element.get("min")) - 1, last)
                    )

    def _read_row(self, sheet: Sheet, element: Element) -> None:
        number = int(element.get("r") or len(sheet.rows) + 1) - 1
        if number >= ROWS_MAX:
            raise Unreadable("large")
        new = number + 1 - len(sheet.rows)
        self.room.take([], max(new, 1))
        sheet.rows.extend([] for _each in range(new))
        row = sheet.rows[number]
        for cell in element:
            place = cell.get("r")
            column = _column(place.rstrip("0123456789")) if place else len(row)
            if column >= COLUMNS_MAX:
                break
            text, problem = self._read_cell(cell)
            if problem:
                sheet.problems[number, column] = problem
            if text:
                row.extend([""] * (column - len(row)))
                row.append(text)
        self.room.take(row)

    def _read_cell(self, cell: Element) -> tuple[str, str | None]:
        """Return a cell's text as it is shown, and what keeps it from being a key."""
        value = formula = None
        for part in cell:
            match _local(part):
                case "v":
                    value = part.text
                case "f":
                    formula = True
                case "is":
                    value = "".join(text.text or "" for text in part.iter("{*}t"))
        if value is None:
            return ("", "formula") if formula else ("", None)
        match cell.get("t", "n"):
            case "s":
                return self.strings[int(value)].strip(), None
            case "b":
                return ("TRUE" if value == "1" else "FALSE"), "boolean"
            case "e":
                return value, "error"
            case "d":
                return value, "date"
            case "n":
                style = int(cell.get("s") or 0)
                shown_as = self.formats[style] if style < len(self.formats) else ""
                if value.isdigit() and len(value) < 16 and shown_as == "General":
                    return value, None
                return shown(value, shown_as or "General")
        return value.strip(), None


def shown(value: str, shown_as: str) -> tuple[str, str | None]:
    """Return how a spreadsheet shows a number, and what keeps it from being a key.

    :param value: the number, as the file has it
    :param shown_as: the format of the cell

    >>> shown("123", "00000")
    ('00123', None)
    >>> shown("123456789", "000-000-000")
    ('123-456-789', None)
    >>> shown("1.2345678901234568E+18", "0")
    ('1234567890123460000', 'rounded')
    >>> shown("45660", "dd.mm.yyyy")
    ('45660', 'date')
    """
    if is_date_format(shown_as):
        return value, "date"
    number = float(value)
    if not number.is_integer():
        return value, None
    # A spreadsheet shows 15 digits, and zeros for the rest.
    digits = str(int(Decimal(f"{abs(number):.15g}")))
    if len(digits) > 15:
        return digits, "rounded"
    sign = "-" if number < 0 else ""
    pattern = re.sub(
        r'"([^"]*)"|\\(.)|\[[^\]]*\]|[_*].', _literal, shown_as.split(";")[0]
    )
    if re.fullmatch(r"[0#\-/ .\w]*0[0#\-/ ]*", pattern) and "E" not in pattern:
        return sign + _filled(pattern, digits), None
    return sign + digits, None


def _literal(found: re.Match[str]) -> str:
    return found[1] or found[2] or ""


def _filled(pattern: str, digits: str) -> str:
    """Return digits in the places of a pattern such as ``000-000``."""
    left, out = list(digits), []
    for place in reversed(pattern):
        if place == "0":
            out.append(left.pop() if left else "0")
        elif place == "#":
            out.append(left.pop() if left else "")
        else:
            out.append(place)
    return "".join(left) + "".join(reversed(out))


def _read_ods(archive: zipfile.ZipFile) -> list[Sheet]:
    room, hidden_styles = _Room(), set()
    found: dict[Element, Sheet] = {}
    columns: Counter[Element] = Counter()
    with archive.open("content.xml") as file:
        part = _Part(file, room)
        for element in _each(part, "style", "table-column", "table-row", "table"):
            kind = _local(element)
            if kind == "style":
                if any(_attribute(each, "display") == "false" for each in element):
                    hidden_styles.add(_attribute(element, "name"))
            elif (table := _ods_table(element)) is not None:
                if table not in found:
                    hidden = _attribute(table, "style-name") in hidden_styles
                    found[table] = Sheet(_attribute(table, "name") or "", hidden=hidden)
                sheet = found[table]
                if kind == "table-column":
                    columns[table] += _read_ods_column(sheet, element, columns[table])
                elif kind == "table-row":
                    _read_ods_row(sheet, element, room)
    return list(found.values())


def _ods_table(element: Element) -> Element | None:
    """Return the table, of a sheet and not within one, that this is or belongs to."""
    around = (element, *element.iterancestors())
    table = next((each for each in around if _local(each) == "table"), None)
    if table is None or _local(table.getparent()) != "spreadsheet":
        return None
    return table


def _attribute(element: Element, name: str) -> str | None:
    for key, value in element.attrib.items():
        if key.rpartition("}")[2] == name:
            return value
    return None


def _repeated(element: Element, name: str) -> int:
    return int(_attribute(element, f"number-{name}-repeated") or 1)


def _read_ods_column(sheet: Sheet, column: Element, number: int) -> int:
    """Read what stands for some columns from a number on; return how many."""
    count = _repeated(column, "columns")
    if _attribute(column, "visibility") in ("collapse", "filter"):
        sheet.hidden_columns.update(range(number, min(number + count, COLUMNS_MAX)))
    return count


def _read_ods_row(sheet: Sheet, element: Element, room: _Room) -> None:
    row, problems = [], {}
    for cell in element:
        if _local(cell) not in ("table-cell", "covered-table-cell"):
            continue
        text, problem = _read_ods_cell(cell)
        for _each in range(min(_repeated(cell, "columns"), COLUMNS_MAX - len(row))):
            if problem:
                problems[len(row)] = problem
            row.append(text)
    while row and not row[-1]:
        row.pop()
    count = _repeated(element, "rows")
    if len(sheet.rows) + count > ROWS_MAX:
        if row:
            raise Unreadable("large")
        return  # the empty rest of the sheet
    room.take(row, count)
    for _each in range(count):
        for column, problem in problems.items():
            sheet.problems[len(sheet.rows), column] = problem
        sheet.rows.append(list(row))


def _read_ods_cell(cell: Element) -> tuple[str, str | None]:
    """Return a cell's text as it is shown, and what keeps it from being a key."""
    paragraphs = [part for part in cell if _local(part) == "p"]
    text = "\n".join(_ods_text(part) for part in paragraphs).strip()
    kind = _attribute(cell, "value-type")
    if kind in ("date", "time"):
        return text, "date"
    if kind == "boolean":
        return text, "boolean"
    if kind == "float" and (value := _attribute(cell, "value")):
        number = float(value)
        if number.is_integer() and len(str(abs(int(number)))) > 15:
            return text, "rounded"
    if not text and _attribute(cell, "formula"):
        return text, "formula"
    if text.startswith(("#", "Err:")) and _attribute(cell, "formula"):
        return text, "error"
    return text, None


def _ods_text(element: Element) -> str:
    parts = [element.text or ""]
    for part in element:
        match _local(part):
            case "s":
                parts.append(" " * min(int(_attribute(part, "c") or 1), 20))
            case "tab":
                parts.append("\t")
            case "line-break":
                parts.append("\n")
            case _:
                parts.append(_ods_text(part))
        parts.append(part.tail or "")
    return "".join(parts)
