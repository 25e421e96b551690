#!/usr/bin/env python3
"""Verify the JSON of an evidence pack, without Odoo and without its database.

    python3 -I verify_evidence.py PACK.json [KEPT ...]

PACK.json is the file of the pack. KEPT are checkpoints that were kept from earlier:
text files with the three lines, mails that hold them, or the JSON of older packs.

It computes the hash of every entry that is told, follows each key's chain to the
entries of which the checkpoint in the pack has a proof, and looks whether that
checkpoint begins with everything that the kept ones cover. The exit code is

    0  all of it is so
    1  something is not: the file was tampered with, or the trail
    2  this is no evidence pack, or it cannot be read
    3  nothing contradicts, but something is not covered: see what is said

It needs Python 3.9 or later and nothing else. Nothing can vouch for what stands under
"about" in the file, nor for keys and entries that it leaves out.
"""

# pylint: disable=print-used

from __future__ import annotations  # for Python 3.9

import base64
import codecs
import gzip
import hashlib
import json
import re
import sys
import zlib
from email import message_from_bytes
from typing import Any

FORMAT, VERSION = "client-equipment-evidence", 1
# So many keys are named in one line.
NAMED = 20
KEY_SHA = "license_key_sha256"
ORIGIN = re.compile("client-equipment/[!-~]+")
# The facts of entries of version 1, in the order of their hash.
VERSION_1 = (
    "id software_key_id license_key number action action_date user_id user_name"
    " equipment_ref equipment_name equipment_serial_no customer_name status_before"
    " status_after validity_end_before validity_end_after reason"
).split()
LINES = re.compile(
    r"^[ \t>|]*(client-equipment/\S+)\s*\n[\s>|]*(\d{1,10})\s*\n"
    r"[\s>|]*([A-Za-z0-9+/]{43}=)(?!\S)",
    re.MULTILINE,
)


class Damaged(Exception):
    """The file is not built as an evidence pack is."""


# ---------------------------------------------------------------------------
# Hashes of entries
# ---------------------------------------------------------------------------


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def entry_hash(facts: dict, previous_hash: str | None, key: dict) -> str | None:
    """Return the hash of an entry, or None where it cannot be computed."""
    if facts["version"] == 1:
        if "license_key" not in key:
            return None
        told = dict(facts, license_key=key["license_key"])
        array = [previous_hash] + [told.get(name) for name in VERSION_1]
        if told.get("equipment_company_ref") is not None:
            array.append(told["equipment_company_ref"])
        return sha256(json.dumps(array, ensure_ascii=False))
    told = dict(facts, previous_hash=previous_hash)
    told[KEY_SHA] = key[KEY_SHA]
    names = sorted(told, key=lambda name: (len(name), name))
    text = {name: told[name] for name in names if told[name] is not None}
    return sha256(json.dumps(text, ensure_ascii=False))


# ---------------------------------------------------------------------------
# The tree of RFC 9162, section 2.1
# ---------------------------------------------------------------------------


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def is_included(
    index: int, size: int, leaf: bytes, proof: list[bytes], root: bytes
) -> bool:
    if not 0 <= index < size:
        return False
    first, last, node = index, size - 1, leaf_hash(leaf)
    for sibling in proof:
        if not last:
            return False
        if first & 1 or first == last:
            node = node_hash(sibling, node)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        first, last = first >> 1, last >> 1
    return not last and node == root


def is_consistent(
    first: int, second: int, proof: list[bytes], old_root: bytes, new_root: bytes
) -> bool:
    if not 0 <= first <= second:
        return False
    if first == second:
        return not proof and old_root == new_root
    if not first:
        return not proof and old_root == hashlib.sha256().digest()
    nodes = list(proof)
    if not first & (first - 1):
        nodes.insert(0, old_root)
    if not nodes:
        return False
    index, last = first - 1, second - 1
    while index & 1:
        index, last = index >> 1, last >> 1
    old = new = nodes[0]
    for node in nodes[1:]:
        if not last:
            return False
        if index & 1 or index == last:
            old, new = node_hash(node, old), node_hash(node, new)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            new = node_hash(new, node)
        index, last = index >> 1, last >> 1
    return not last and old == old_root and new == new_root


# ---------------------------------------------------------------------------
# Reading
# ---------------------------------------------------------------------------


def parts(value: Any, *names: str, **optional: bool) -> dict:
    """Return a JSON object that has these names and no others."""
    if not isinstance(value, dict):
        raise Damaged("an object is missing")
    wrong = (set(names) - set(value)) | (set(value) - set(names) - set(optional))
    if wrong:
        raise Damaged(
            "missing or unknown: {}".format(", ".join(map(ascii, sorted(wrong))))
        )
    return value


def several(value: Any) -> list:
    """Return what has to be a list."""
    if not isinstance(value, list):
        raise Damaged("a list is missing")
    return value


def whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise Damaged(f"not a number: {value!a}")
    return value


def hex_hash(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch("[0-9a-f]{64}", value):
        raise Damaged(f"not a SHA-256: {value!a}")
    return value


def node(value: Any) -> bytes:
    if not isinstance(value, str) or not re.fullmatch("[A-Za-z0-9+/]{43}=", value):
        raise Damaged(f"not a hash in base64: {value!a}")
    return base64.b64decode(value)


def nodes(value: Any) -> list[bytes] | None:
    return None if value is None else [node(each) for each in several(value)]


def once(pairs: list[tuple[str, Any]]) -> dict:
    """Refuse a name that is there twice: a reader may see the other one."""
    if len(dict(pairs)) < len(pairs):
        raise Damaged("a name stands twice in one object")
    return dict(pairs)


def read_pack(text: str) -> dict:
    pack = parts(
        json.loads(text, object_pairs_hook=once),
        *("format", "version", "about", "checkpoint", "checkpoints", "keys"),
    )
    if pack["format"] != FORMAT or whole(pack["version"]) != VERSION:
        raise Damaged("it is of another format, or a later version")
    return pack


def read_checkpoint(value: dict) -> tuple[str, int, bytes]:
    """Return ``(origin, size, root)``."""
    origin = value["origin"]
    # It is printed: a terminal does what the characters of control say.
    if not isinstance(origin, str) or not ORIGIN.fullmatch(origin):
        raise Damaged(f"not the origin of a checkpoint: {origin!a}")
    return origin, whole(value["size"]), node(value["root"])


def read_file(path: str) -> bytes:
    """Return what is in a file; the JSON of a pack is packed where it is large."""
    with gzip.open(path) if path.endswith(".gz") else open(path, "rb") as file:
        return file.read()


def as_text(content: bytes) -> str:
    """Return the text of a file, as the editors of any system save it."""
    if content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return content.decode("utf-16")
    return content.decode("utf-8-sig")


def texts_of_mail(content: bytes) -> list[str]:
    """Return the texts of a mail that was saved as a file, without their markup."""
    parts = message_from_bytes(content).walk()
    texts = [each for each in parts if each.get_content_maintype() == "text"]
    return [
        re.sub(
            "<[^<>]*>", "\n", each.get_payload(decode=True).decode("utf-8", "replace")
        )
        for each in texts
    ]


def read_kept(path: str) -> tuple[str, int, bytes] | None:
    """Return the checkpoint of a kept file, or None where it has none."""
    content = read_file(path)
    try:
        text = as_text(content)
    except ValueError:  # a mail in some other encoding
        text = ""
    if text.lstrip().startswith("{"):
        checkpoint = read_pack(text)["checkpoint"]
        return checkpoint and read_checkpoint(checkpoint)
    for each in (text, *texts_of_mail(content)):
        if match := LINES.search(each.replace("\r", "")):
            return match.group(1), int(match.group(2)), node(match.group(3))
    raise Damaged(f"{path} holds no checkpoint")


# ---------------------------------------------------------------------------
# Verifying
# ---------------------------------------------------------------------------


class Verifier:
    def __init__(self, pack: dict) -> None:
        self.pack = pack
        self.wrong, self.open, self.nameless = [], [], []
        self.counts = dict.fromkeys(("keys", "entries", "told", "proofs"), 0)
        self.checkpoint = None
        if pack["checkpoint"] is None:
            self.open.append("The pack holds no checkpoint: only chains were verified.")
        else:
            value = parts(pack["checkpoint"], "origin", "size", "root")
            self.checkpoint = read_checkpoint(value)

    def verify(self, kept: list[tuple]) -> None:
        seen = set()
        for key in several(self.pack["keys"]):
            key = parts(
                *(key, "software_key_id", KEY_SHA, "head", "entries", "inclusions"),
                license_key=True,
            )
            name = "Key {}".format(whole(key["software_key_id"]))
            if key["software_key_id"] in seen:
                self.wrong.append(f"{name} is there twice.")
            seen.add(key["software_key_id"])
            self.verify_key(name, key)
        if self.nameless:
            self.open.append(
                "Keys of which no entry is told, so that nothing vouches for whose"
                " chains these are: {} ({})".format(
                    len(self.nameless), ", ".join(self.nameless[:NAMED])
                )
            )
        earlier = self.verify_earlier()
        for path, checkpoint in kept:
            self.verify_kept(path, checkpoint, earlier)

    def verify_key(self, name: str, key: dict) -> None:
        self.counts["keys"] += 1
        hex_hash(key[KEY_SHA])
        if "license_key" in key and sha256(key["license_key"]) != key[KEY_SHA]:
            self.wrong.append(f"{name}: the license key is not that of its SHA-256.")
        previous, told = None, self.counts["told"]
        for number, entry in enumerate(several(key["entries"]), 1):
            self.counts["entries"] += 1
            parts(entry, "hash", facts=True)
            hex_hash(entry["hash"])
            if "facts" in entry:
                self.verify_entry(
                    f"{name}, entry No. {number}", number, entry, previous, key
                )
            previous = entry["hash"]
        if self.counts["told"] == told:
            self.nameless.append(name)
        head = parts(key["head"], "number", "hash")
        if (whole(head["number"]), head["hash"]) != (len(key["entries"]), previous):
            self.wrong.append(f"{name}: the last entry is not the one it remembers.")
        self.verify_covered(name, key)

    def verify_entry(
        self, name: str, number: int, entry: dict, previous: str | None, key: dict
    ) -> None:
        facts = entry["facts"]
        self.counts["told"] += 1
        parts(facts, "version", **dict.fromkeys(facts, True))
        if {"previous_hash", "license_key", KEY_SHA} & set(facts):
            raise Damaged(f"{name} tells what is no fact")
        if whole(facts["version"]) == 1 and set(facts) - {
            *VERSION_1,
            "version",
            "equipment_company_ref",
        }:
            raise Damaged(f"{name} tells what its version does not")
        if facts.get("number") != number:
            self.wrong.append(f"{name} does not bear this number.")
        if facts.get("software_key_id") != key["software_key_id"]:
            self.wrong.append(f"{name} is of another key.")
        computed = entry_hash(facts, previous, key)
        if computed is None:
            self.open.append(
                f"{name}: its hash cannot be computed without the license key."
            )
        elif computed != entry["hash"]:
            self.wrong.append(f"{name}: its facts are not those of its hash.")

    def verify_covered(self, name: str, key: dict) -> None:
        """Follow each entry, by those after it that tell of it, into the checkpoint."""
        entries, proved = key["entries"], set()
        for each in several(key["inclusions"]):
            parts(each, "number", "index", "proof")
            number, index = whole(each["number"]), whole(each["index"])
            proof = nodes(each["proof"])
            self.counts["proofs"] += 1
            if not 1 <= number <= len(entries) or number in proved:
                self.wrong.append(f"{name} has no entry No. {number} to prove.")
            elif (
                self.checkpoint is None
                or proof is None
                or not is_included(
                    index,
                    self.checkpoint[1],
                    bytes.fromhex(entries[number - 1]["hash"]),
                    proof,
                    self.checkpoint[2],
                )
            ):
                self.wrong.append(
                    f"{name}, entry No. {number} is not in the checkpoint."
                )
            proved.add(number)
        if self.checkpoint is None:
            return
        bound = False
        for number in range(len(entries), 0, -1):
            told_after = number < len(entries) and "facts" in entries[number]
            bound = number in proved or (bound and told_after)
            if not bound:
                self.open.append(
                    f"{name}, entry No. {number} is not covered by the checkpoint."
                )

    def verify_earlier(self) -> dict[int, bytes]:
        """Return the earlier checkpoints that the newest one begins with."""
        earlier = {}
        for value in several(self.pack["checkpoints"]):
            value = parts(value, "origin", "size", "root", "consistency")
            origin, size, root = read_checkpoint(value)
            proof = nodes(value["consistency"])
            if self.checkpoint is None or origin != self.checkpoint[0]:
                self.wrong.append("An earlier checkpoint is of another database.")
            elif proof is None or not is_consistent(
                size, self.checkpoint[1], proof, root, self.checkpoint[2]
            ):
                self.wrong.append(
                    f"The newest checkpoint does not begin with the {size} entries of"
                    " an earlier one."
                )
            earlier[size] = root
        return earlier

    def verify_kept(
        self, path: str, kept: tuple | None, earlier: dict[int, bytes]
    ) -> None:
        if kept is None or self.checkpoint is None:
            self.open.append(f"{path}: there is no checkpoint to compare.")
            return
        origin, size, root = kept
        if origin != self.checkpoint[0]:
            self.wrong.append(f"{path} is a checkpoint of another database.")
        elif size > self.checkpoint[1]:
            self.wrong.append(
                f"{path} covers {size} entries, the pack's checkpoint only"
                f" {self.checkpoint[1]}: entries are missing, or the pack is the older"
                " one."
            )
        elif size == self.checkpoint[1]:
            if root != self.checkpoint[2]:
                self.wrong.append(f"{path}: its entries are not those of the pack.")
        elif size not in earlier:
            self.wrong.append(
                f"{path}: the pack knows of no checkpoint of {size} entries: it is"
                " missing from the list, or the pack is the older one."
            )
        elif earlier[size] != root:
            self.wrong.append(
                f"{path}: the first {size} entries are not those that it covers."
            )


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0].startswith("-"):
        print(__doc__)
        return 2
    try:
        verifier = Verifier(read_pack(as_text(read_file(arguments[0]))))
        verifier.verify([(path, read_kept(path)) for path in arguments[1:]])
    except (
        Damaged,
        EOFError,
        OSError,
        zlib.error,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
    ) as error:
        print(f"NOT VERIFIED: this is no evidence pack, or it is damaged: {error}")
        return 2
    counts, checkpoint = verifier.counts, verifier.checkpoint
    print(
        "{keys} keys with {entries} entries, {told} of them told, the others"
        " by their hash alone; {proofs} proofs of inclusion.".format(**counts)
    )
    if checkpoint:
        print(
            f"Checkpoint of the pack: {checkpoint[0]}, {checkpoint[1]} entries,"
            f" {base64.b64encode(checkpoint[2]).decode()}"
        )
        print(
            "It proves something to whoever has kept it, or one before it, elsewhere."
        )
    for line in verifier.wrong + verifier.open:
        print(line)
    if verifier.wrong:
        print(f"NOT INTACT: {len(verifier.wrong)} findings.")
        return 1
    if verifier.open:
        print(
            "Nothing contradicts, but not everything is covered:"
            f" {len(verifier.open)} notes."
        )
        return 3
    print("INTACT: every hash, proof and kept checkpoint agrees.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
