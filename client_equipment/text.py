"""What a text of one line is that people read off, type and paste: a name, a number, a
key. Plain Python: the field :class:`~.fields.Label` has it used for entry and search.
"""

import re
import unicodedata

# Of Unicode's Default_Ignorable_Code_Point what the categories do not tell, and the
# blank pattern of Braille: letters, marks and symbols without a shape.
SHAPELESS = frozenset(
    (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0)
    + (*range(0x180B, 0x1810), 0x2065, *range(0xFE00, 0xFE10), *range(0xFFF0, 0xFFF9))
    + (*range(0xE0000, 0xE1000),)
)
# Unicode's line separators; what else ends a line is a control character.
LINE_BREAKS = frozenset("\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029")
# Unicode's dashes (category Pd), the minus sign, and the bullet that looks like them.
HYPHENS = (
    "-\u058a\u05be\u1400\u1806\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\u2e17"
    "\u2e1a\u2e3a\u2e3b\u2e40\u2e5d\u301c\u3030\u30a0\ufe31\ufe32\ufe58\ufe63\uff0d"
    "\U00010ead"
)
# Two of what Odoo's drop-downs take for markup: --muted--, **bold**.
DOUBLED = re.compile(r"(?<=([-*]))(?=\1)")


class _Seen(dict):
    """For ``str.translate``: what people see of a character, found out once each.

    A line break stays one (``\\n``), a tab and any other space is a blank.
    """

    def __missing__(self, code: int) -> int | None:
        character = chr(code)
        category = unicodedata.category(character)
        if character in LINE_BREAKS:
            seen = "\n"
        elif character == "\t" or category == "Zs":
            seen = " "
        elif category in ("Cc", "Cf") or code in SHAPELESS:
            seen = ""
        else:
            seen = character
        self[code] = seen
        return seen


_seen = _Seen()


def as_seen(text: str, line_break: str = " ") -> str:
    """Return a text of one line as people see it.

    What nobody sees does not make two texts of one: control and format characters and
    those without a shape go, any number of spaces of any kind is one blank, and a
    letter with its accents is one character.

    :param text: what somebody typed, pasted or sent
    :param line_break: what stands for a line break and the blanks around it

    >>> as_seen("  Office\\u200b\\xa0365\\u200e ")
    'Office 365'
    >>> as_seen("Cafe\\u0301") == "Caf\\xe9"
    True
    >>> as_seen("ABCDE-1 \\r\\n  KLMNO", line_break="")
    'ABCDE-1KLMNO'
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split()) if "  " in text else text.strip()
    text = text.translate(_seen).strip()
    if "\n" in text:
        text = line_break.join(filter(None, map(str.strip, text.split("\n"))))
    return unicodedata.normalize("NFC", " ".join(text.split()))


def in_drop_down(name: str) -> str:
    """Return a name that a drop-down shows as it stands, its details apart.

    Odoo's web client takes ``--``, ``**`` and backticks there for markup, also where
    they belong to a license key; it has no way to write them but markup.

    :param name: a name, and behind it the details, each ``\\t--like this--``

    >>> in_drop_down("A--B\\t--until 1/1--") == "A-\\u2060-B\\t--until 1/1--"
    True
    """
    name, *details = name.split("\t")
    details = [text.removeprefix("--").removesuffix("--") for text in details]
    return "\t".join([_plain(name), *(f"--{_plain(text)}--" for text in details)])


def _plain(text: str) -> str:
    """Keep two of a kind apart, by what nobody sees (word joiner), and write another
    accent for a backtick."""
    return DOUBLED.sub("\u2060", text).replace("`", "\u02cb")
