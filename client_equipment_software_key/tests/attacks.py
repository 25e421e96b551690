"""What somebody with SQL does to the trail, and who finds it: the table of the guide.

Plain Python, so that ``tools/lifecycle.py`` can write the table; ``test_attacks``
carries each of them out and looks.
"""

from typing import NamedTuple


class Attack(NamedTuple):
    """``verify``, ``checkpoint`` and ``offline``: whether *Verify*, *Verify with a
    Checkpoint* (one kept from before) and ``verify_evidence.py`` (a pack made
    afterwards, beside that checkpoint) find it."""

    code: str
    told: str
    verify: bool
    checkpoint: bool
    offline: bool


ATTACKS = (
    Attack("fact", "a fact of an entry changed", True, True, True),
    Attack("middle", "an entry taken out of the middle", True, True, True),
    Attack("swap", "two keys' trails swapped", True, True, True),
    Attack("license_key", "the license key of a key changed", True, True, True),
    Attack(
        "tail",
        "the last entries deleted, and the key set to fit the one that is the last now",
        False,
        True,
        True,
    ),
    Attack(
        "rewrite_one",
        "a fact changed, and the hashes of the whole trail written anew",
        False,
        True,
        True,
    ),
    Attack(
        "rewrite_all",
        "the same with all trails, and with all checkpoints in the list",
        False,
        True,
        True,
    ),
    Attack(
        "backdated",
        "a key put in with a trail that is dated back, all its hashes right",
        False,
        True,
        True,
    ),
    Attack("delete_key", "a key deleted together with its trail", False, True, True),
    Attack(
        "delete_leaving_hashes",
        "the same, its hashes left in *Deleted Keys* (so Odoo itself deletes keys): "
        "it stands there",
        False,
        False,
        False,
    ),
    Attack(
        "erase_deletion",
        "a line of *Deleted Keys* erased, with the hashes that it kept",
        False,
        True,
        True,
    ),
    Attack(
        "old_backup",
        "an old backup put in place, in which the last entries are not yet there",
        False,
        True,
        True,
    ),
    Attack(
        "status",
        "a key's status, validity end or equipment changed without an entry",
        True,
        False,
        False,
    ),
    Attack(
        "key_fact",
        "what else a key is (key type, seats, owner …) changed without an entry",
        True,
        False,
        False,
    ),
    Attack(
        "license_file",
        "the license file of a key changed, in the database or on the disk",
        True,
        False,
        False,
    ),
    Attack(
        "link",
        "an entry linked to another equipment than the one that it tells of",
        True,
        False,
        False,
    ),
    Attack(
        "younger",
        "any of these to entries younger than the last checkpoint that was kept, with "
        "hashes written anew",
        False,
        False,
        False,
    ),
    Attack(
        "in_anothers_name",
        "a step carried out in another person's name by a program: a true entry, which "
        "names that person",
        False,
        False,
        False,
    ),
)


def table() -> str:
    """Return the attacks as a table in Markdown, for the documentation."""
    lines = [
        "| what | *Verify* | *Verify with a Checkpoint* | `verify_evidence.py` |",
        "|---|---|---|---|",
    ]
    lines += [
        "| "
        + " | ".join(
            [
                attack.told,
                *("finds it" if found else "**no**" for found in attack[2:]),
            ]
        )
        + " |"
        for attack in ATTACKS
    ]
    return "\n".join(lines)
