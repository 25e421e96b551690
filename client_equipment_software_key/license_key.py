"""What a license key is: its normal form, what is none, and what looks like one.

Plain Python: the model puts into words what is found here, and PostgreSQL computes
looks, by an expression that stands here.
"""

import json
import re

from odoo.addons.client_equipment.text import HYPHENS, as_seen

# What the first characters of a text say that it is a file of.
PEM = re.compile(r"-{3,} ?(?:BEGIN|START) [\w .]+-{3,}", re.IGNORECASE)
MARKUP = re.compile(r"<(?:\?xml|!|[A-Za-z][\w.:-]*(?:>\s*<|\s+[\w.:-]+\s*=))")
TAG = re.compile(r"<[A-Za-z][^<>]*>")
SECTION = re.compile(r"\[[^\[\]\r\n]+\]\s*(?:[\r\n]|$)")
# A line of a file of settings, or of a license manager.
SETTING = re.compile(
    r"[\w .-]{1,60}(?:=\s*[^=\s]|: )"
    r"|(?:SERVER|VENDOR|DAEMON|FEATURE|INCREMENT|USE_SERVER)\b"
)
LINE_BREAK = re.compile(r"[\r\n]")
# A number that a spreadsheet has rounded, as it shows it.
ROUNDED = re.compile(r"[+-]?\d(?:[.,]\d+)?E\+?\d+")

# What a hint begins with, and how many characters of the license key it shows.
HINT, HINT_LENGTH = "…", 5
# Of a deleted one that is no longer than this nothing is kept.
SHORT = 10

FILE, COLUMNS, ROUNDED_NUMBER = "file", "columns", "rounded"

# Letters of other scripts that look like those of license keys (Unicode Technical
# Standard 39), what looks like them in pairs. Full-width and other variants are made
# plain before (NFKC).
LOOK_ALIKES = dict(
    A="АΑᎪ", B="ВΒᏴ", C="СᏟ", D="Ꭰ", E="ЕΕᎬ", F="Ϝ", G="Ԍ", H="НΗᎻ", I="ІΙ", J="ЈͿᎫ",
    K="КΚᏦ", L="Ꮮ", M="МΜᎷ", N="Ν", O="ОΟՕ", P="РΡᏢ", Q="Ԛ", R="Ꭱ", S="ЅՏᏚ", T="ТΤᎢ",
    U="Ս", V="ѴᏙ", W="ԜᎳ", X="ХΧ", Y="УҮΥ", Z="ΖᏃ",
    a="аɑα", c="сς", d="ԁ", e="е", g="ɡց", h="һհ", i="іıιᎥ", j="јϳ", l="ӏӀǀ", n="ո",
    o="оοσօ", p="рρ", q="ԛզ", r="г", s="ѕ", u="υս", v="νѵ", w="ԝա", x="хχ", y="уүγ",
)  # fmt: skip
_FROM = "".join(LOOK_ALIKES.values())
_TO = "".join(plain * len(others) for plain, others in LOOK_ALIKES.items())


def looks(column: str) -> str:
    """Return the SQL expression of what a license key looks like.

    Two license keys for which it is the same differ at most in case, blanks, kind of
    hyphen, width, or in letters and digits that look alike (O and 0, I, l and 1).

    :param column: SQL of the license key
    """
    # What is ASCII, as nearly all are, needs none of the long look-ups.
    return (
        f"translate(lower(CASE WHEN octet_length({column}) = length({column})"
        f" THEN {column} ELSE translate(normalize({column}, NFKC),"
        f" '{_FROM}{HYPHENS}', '{_TO}') END), '0i1|-_ ', 'olll')"
    )


def hint(license_key: str) -> str:
    """Return what tells a license key from others: its last characters.

    Five at most, and half of a short one.

    >>> hint("ABCDE-12345"), hint("ABCDEF"), hint("A")
    ('…12345', '…DEF', '…A')
    """
    return HINT + license_key[-min(HINT_LENGTH, len(license_key) // 2 or 1) :]


def as_stored(text: str) -> str:
    """Return a license key as it is stored.

    >>> as_stored(" ABCDE-1\\r\\n  KLMNO\\u200e ")
    'ABCDE-1KLMNO'
    """
    return as_seen(text, line_break="")


def problem(text: str) -> str | None:
    """Return what a text is instead of a license key, or None where it may be one.

    :param text: as it was pasted

    >>> problem("AAA-1\\tOffice")
    'columns'
    >>> problem("<license\\n name='A'/>")
    'file'
    >>> problem("1,23457E+18")
    'rounded'
    >>> problem("ABCDE-1\\nKLMNO")
    """
    if text.isalnum():
        return ROUNDED_NUMBER if "E" in text and ROUNDED.fullmatch(text) else None
    text = text.strip()
    if not text:
        return None
    if is_file(text):
        return FILE
    if "\t" in text:
        return COLUMNS
    return ROUNDED_NUMBER if ROUNDED.fullmatch(text) else None


def seems_rounded(text: str) -> bool:
    """Tell whether a text may be a number of which a spreadsheet kept 15 digits.

    >>> seems_rounded("1234567890123460096")
    True
    >>> seems_rounded("1234567890123456789")
    False
    >>> seems_rounded("123456789012345")
    False
    """
    if not (15 < len(text) < 300 and text.isascii() and text.isdigit()):
        return False
    number = float(text)
    return int(number) == int(text) and float(f"{number:.15g}") == number


def is_file(text: str) -> bool:
    """Tell whether a text is the content of a license file.

    >>> is_file("-----BEGIN LICENSE-----\\nMIIB\\n-----END LICENSE-----")
    True
    >>> is_file('{"id": 7, "seats": 5}')
    True
    >>> is_file("[license]\\nname=Tour\\nkey=ABC")
    True
    >>> is_file("SERVER this_host ANY\\nFEATURE cad vendor 1.0")
    True
    >>> is_file("A=B-1")
    False
    >>> is_file("QUJDREVGRw==\\nQUJDREVGRg==")
    False
    """
    if not text.startswith(tuple("-<[{")) and not LINE_BREAK.search(text):
        return False
    if PEM.match(text) or MARKUP.match(text):
        return True
    if text[0] in "{[" and _is_json(text):
        return True
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) < 2:
        return False
    if SECTION.match(text) or TAG.match(text):
        return True
    settings = sum(bool(SETTING.match(line)) for line in lines)
    return settings >= 2 and settings * 2 > len(lines)


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False
