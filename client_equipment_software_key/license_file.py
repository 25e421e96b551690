"""What a license file is (K15): bytes, whatever they look like, and their name.

Plain Python: the model puts into words what is found here.
"""

import base64
import binascii
import hashlib

from odoo.addons.client_equipment.text import as_seen

# Such files have 2 to 64 kB. Far larger ones are something else: an installer, a scan.
FILE_MAX = 2**20
DEFAULT_NAME = "license"
NO_BASE64, TOO_LARGE, EMPTY = "no base64", "too large", "empty"


def encoded(value: str | bytes) -> tuple[bytes, str | None]:
    """Return a file's base64 as it is stored, or what is wrong with it.

    :param value: as a client has sent it, in one line or in many
    :return: the base64 and the problem

    >>> encoded("bGlj\\nZW5z")
    (b'bGljZW5z', None)
    >>> encoded(b"12.5 kB")
    (b'', 'no base64')
    >>> encoded("")
    (b'', 'empty')
    """
    try:
        text = value.encode("ascii") if isinstance(value, str) else bytes(value)
        text = b"".join(text.split())
        if len(text) > FILE_MAX * 4 // 3 + 4:
            return b"", TOO_LARGE
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b"", NO_BASE64
    if len(content) > FILE_MAX:
        return b"", TOO_LARGE
    if not content:
        return b"", EMPTY
    return base64.b64encode(content), None


def fingerprint(value: bytes) -> str:
    """Return the SHA-256 of a file, as ``sha256sum`` shows it.

    :param value: the file in base64

    >>> fingerprint(b"bGljZW5z")[:16]
    'b5926fc916155c98'
    """
    return hashlib.sha256(base64.b64decode(value)).hexdigest()


def base_name(name: str) -> str:
    """Return the name of a file without the folders that it lay in.

    >>> base_name("C:\\\\Licenses\\\\tour.lic")
    'tour.lic'
    >>> base_name("../../")
    ''
    """
    return as_seen(name.replace("\\", "/").rsplit("/", 1)[-1]).strip(". ") or ""
