import ast
import io
import json
import subprocess
import sys
from contextlib import redirect_stdout
from copy import deepcopy
from email.message import EmailMessage
from functools import reduce
from hashlib import sha256
from io import BytesIO, TextIOWrapper
from operator import getitem
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory

from odoo.exceptions import AccessError
from odoo.tests import tagged

from ..report.evidence_json import EvidenceJson
from . import test_versions  # not its class, which would run here, too
from .common import SoftwareKeyCommon

CHECKPOINT = "client.equipment.audit.checkpoint"
VERIFIER = Path(__file__).parents[1] / "static" / "evidence" / "verify_evidence.py"
INTACT, TAMPERED, UNREADABLE, OPEN = range(4)


class EvidenceJsonMixin:
    """What becomes of a pack's JSON in the hands of somebody who has no Odoo."""

    def _pack(self, keys, user=None, **options):
        """Return what the file says, as JSON."""
        file = io.StringIO()
        EvidenceJson(keys.with_user(user or self.auditor), **options).write(file)
        return json.loads(file.getvalue())

    def _run(self, pack, *kept):
        """Run the verifier; return its exit code and what it says."""
        with TemporaryDirectory() as folder:
            paths = []
            for number, each in enumerate((pack, *kept)):
                path = Path(folder, f"{number}.txt")
                if not isinstance(each, bytes):
                    each = each if isinstance(each, str) else json.dumps(each)
                    each = each.encode()
                path.write_bytes(each)
                paths.append(str(path))
            run = subprocess.run(
                [sys.executable, "-I", str(VERIFIER), *paths],
                capture_output=True,
                text=True,
            )
        self.assertEqual(run.stderr, "")
        return run.returncode, run.stdout

    def assertExit(self, code, pack, *kept):
        result, said = self._run(pack, *kept)
        self.assertEqual(result, code, said)
        return said


@tagged("post_install", "-at_install")
class TestEvidenceJson(EvidenceJsonMixin, SoftwareKeyCommon):
    """L9: chains and proofs verify without Odoo and without its database."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.key, cls.other, cls.bystander = cls._enter_subscriptions(
            "OFFLINE-1", "OFFLINE-2", "OFFLINE-3", software=cls.office
        )
        feature = cls._apply(cls.key)
        cls.key.validity_end = cls._in_days(60)
        cls.kept = cls.env[CHECKPOINT].make().text
        feature.unlink()
        cls._apply(cls.other, cls.spare_laptop)
        cls.bystander.revoke('lost – "Ümläut"\n\\ \u0001 \u2028')
        cls.newest = cls.env[CHECKPOINT].make()
        cls.keys = cls.key + cls.other + cls.bystander
        cls.both = cls.key + cls.other

    def test_intact(self):
        """L9: what the system wrote is intact, with license keys or without."""
        for whole in (False, True):
            pack = self._pack(self.keys, whole=whole)
            said = self.assertExit(INTACT, pack, self.kept, self.newest.text)
            self.assertIn(self.newest.root, said)
            self.assertEqual("OFFLINE-1" in json.dumps(pack), whole)
        older = self._pack(self.both)
        self._enter("OFFLINE-4")
        self.env[CHECKPOINT].make()
        self.assertExit(INTACT, self._pack(self.keys), older, self.kept)
        mail = f"Subject: Checkpoint\n\n> {self.kept}".replace("\n", "\n> ")
        self.assertExit(INTACT, self._pack(self.keys), mail)

    def test_kept_anyhow(self):
        """L9: a checkpoint is found in what a mail program or an editor of any system
        has saved, a pack in what an editor has; another one is still another one."""
        pack = self._pack(self.keys)
        forged = self.newest.text[:-44] + "A" * 43 + "="
        for text, code in ((self.newest.text, INTACT), (forged, TAMPERED)):
            for name, saved in self._saved(text).items():
                with self.subTest(name, code=code):
                    self.assertExit(code, pack, saved)
        saved = json.dumps(pack).encode("utf-8-sig")
        self.assertExit(INTACT, saved, self.kept)
        self.assertExit(UNREADABLE, pack, b"\xff\xfe\0")
        self.assertExit(UNREADABLE, pack, EmailMessage().as_bytes() + b"Nothing")

    def _saved(self, text):
        """Return the lines as they come to lie in files."""
        lines = f"Grüße,\n\n{text}\n\nMüller".replace("\n", "\r\n")
        found = {code: lines.encode(code) for code in ("utf-8-sig", "utf-16", "cp1252")}
        html = f"<p>Grüße</p><pre>{text}</pre><p>Müller</p>"
        plain = f"Grüße\n{text} Müller"  # as Odoo makes it of that
        for coding in ("quoted-printable", "base64", "8bit"):
            mail = EmailMessage()
            mail.set_content(html, subtype="html", cte=coding)
            found[f"HTML, {coding}"] = mail.as_bytes()
            mail = EmailMessage()
            mail.set_content(plain, cte=coding)
            mail.add_alternative(html, subtype="html", cte=coding)
            found[f"both, {coding}"] = mail.as_bytes()
        return found

    def test_some_entries(self):
        """L9: of what does not belong there is the hash alone, and still all that is
        told is vouched for."""
        told = [("equipment_ref", "=", False)]
        pack = self._pack(self.keys, told=told)
        self.assertNotIn(self.laptop.serial_no, json.dumps(pack))
        self.assertExit(INTACT, pack, self.kept)
        self.assertEqual(
            ["facts" in entry for entry in pack["keys"][0]["entries"]],
            [True, False, False, False],
        )
        forged = deepcopy(pack)
        self._forge_first(forged)
        self.assertExit(TAMPERED, forged)

    def test_whose_chain(self):
        """L9: which key a chain is of is vouched for, also where all that happened to
        it was long ago; and where it cannot be, that is said."""
        pack = self._pack(self.both, told=[("id", "=", 0)], whole=True)
        said = self.assertExit(INTACT, pack)
        self.assertIn("2 of them told", said)
        fake = sha256(b"FAKE-1").hexdigest()
        for forged in (
            {"software_key_id": 7777},
            {"license_key": "FAKE-1", "license_key_sha256": fake},
        ):
            copy = deepcopy(pack)
            copy["keys"][0] |= forged
            self.assertExit(TAMPERED, copy)
            del copy["keys"][0]["entries"][0]["facts"]
            self.assertIn("whose chains these are: 1 (", self.assertExit(OPEN, copy))

    def _forge_first(self, pack):
        """Write an entry anew, with its right hash."""
        namespace = {}
        exec(compile(VERIFIER.read_text(), "verifier", "exec"), namespace)
        key = pack["keys"][0]
        entry = key["entries"][0]
        entry["facts"]["user_name"] = "Somebody"
        entry["hash"] = namespace["entry_hash"](entry["facts"], None, key)

    def test_who(self):
        """E1: what its maker may not read is no more than a hash."""
        elsewhere = self.env["client.equipment"].create(
            {"name": "Secret Place", "company_id": self.other_company.id}
        )
        key = self._enter("SHARED-1", company_id=False)
        self._apply(key, elsewhere, user=self.env.user)
        self.env[CHECKPOINT].make()
        pack = self._pack(key)
        self.assertEqual(
            ["facts" in entry for entry in pack["keys"][0]["entries"]], [True, False]
        )
        self.assertNotIn("Secret", json.dumps(pack))
        self.assertExit(INTACT, pack)
        with self.assertRaises(AccessError):
            self._pack(key, user=self.technician)
        hidden = self._enter(
            "HIDDEN-1", user=self.env.user, company_id=self.other_company.id
        )
        with self.assertRaises(AccessError):
            self._pack(hidden)

    def test_masked_words(self):
        """K16: where license keys are not told, no words that name one are."""
        self.other.equipment_feature_ids.unlink()
        self.other.revoke("OFFLINE-2 was stolen")
        self.env[CHECKPOINT].make()
        pack = self._pack(self.other)
        self.assertNotIn("OFFLINE-2", json.dumps(pack))
        self.assertNotIn("facts", pack["keys"][0]["entries"][-1])
        self.assertExit(INTACT, pack)

    def _places(self, value, path=()):
        """Yield where something stands in the file, and what."""
        yield path, value
        items = value.items() if isinstance(value, dict) else ()
        items = enumerate(value) if isinstance(value, list) else items
        for name, each in items:
            if path or name != "about":
                yield from self._places(each, (*path, name))

    def _others(self, value):
        """Yield what may be put in the place of a value."""
        yield from (None, [], {}, "x", -1, 10**30, 0.5)
        match value:
            case int():
                yield from (value + 1, value - 1, str(value), float(value))
            case str():
                yield from (value[:-1], value + " ", value[::-1], value.swapcase())
                yield "A" + value[1:]

    def test_tampered_everywhere(self):
        """L9: whatever is changed in the file, it does not verify any more."""
        pack = self._pack(self.both, whole=True)
        verify = self._in_process()
        self.assertEqual(verify(pack), INTACT)
        tried = 0
        for path, value in list(self._places(pack)):
            if not path:
                continue
            for other in self._others(value):
                if type(other) is type(value) and other == value:
                    continue
                tampered = deepcopy(pack)
                place = tampered
                for name in path[:-1]:
                    place = place[name]
                place[path[-1]] = other
                # A proof of one more earlier checkpoint, or a selection of keys, may be
                # left out: that there are others nothing can tell.
                if path in (("checkpoints",), ("keys",)) and other == []:
                    continue
                with self.subTest(path=path, other=other):
                    self.assertNotEqual(verify(tampered), INTACT)
                tried += 1
        self.assertGreater(tried, 1000)

    def _namespace(self):
        namespace = {"__name__": "verifier"}
        exec(compile(VERIFIER.read_text(), "verifier", "exec"), namespace)
        return namespace

    def _in_process(self):
        namespace = self._namespace()

        def verify(pack):
            try:
                verifier = namespace["Verifier"](
                    namespace["read_pack"](json.dumps(pack))
                )
                verifier.verify([])
            except namespace["Damaged"]:
                return UNREADABLE
            except (ValueError, KeyError, TypeError, AttributeError):
                return UNREADABLE
            return TAMPERED if verifier.wrong else OPEN if verifier.open else INTACT

        return verify

    def test_cut_extended_mixed(self):
        """L9: entries or names taken away, put in, or from another file."""
        pack = self._pack(self.both)
        key = pack["keys"][0]

        def tampered(act):
            copy = deepcopy(pack)
            act(copy, copy["keys"][0], copy["keys"][1])
            return self._run(copy, self.kept)[0]

        for act in (
            lambda pack, key, other: key["entries"].pop(),
            lambda pack, key, other: key["entries"].pop(0),
            lambda pack, key, other: key["entries"].pop(1),
            lambda pack, key, other: key["entries"].append(key["entries"][-1]),
            lambda pack, key, other: key["entries"].insert(1, key["entries"][0]),
            lambda pack, key, other: key["entries"].reverse(),
            lambda pack, key, other: key["inclusions"].pop(),
            lambda pack, key, other: key.update(entries=other["entries"]),
            lambda pack, key, other: key.update(inclusions=other["inclusions"]),
            lambda pack, key, other: pack["keys"].append(key),
            lambda pack, key, other: pack.pop("checkpoint"),
            lambda pack, key, other: pack.update(checkpoint=pack["checkpoints"][0]),
            lambda pack, key, other: pack.update(more=1),
            lambda pack, key, other: key["entries"][0]["facts"].update(more=1),
        ):
            self.assertNotEqual(tampered(act), INTACT)
        for name in key["entries"][1]["facts"]:
            with self.subTest(name):
                self.assertNotEqual(
                    tampered(
                        lambda pack, key, _other, name=name: key["entries"][1][
                            "facts"
                        ].pop(name)
                    ),
                    INTACT,
                )
        self._enter("OFFLINE-5")
        self.env[CHECKPOINT].make()
        newer = self._pack(self.both)
        for name in ("checkpoint", "checkpoints", "keys"):
            mixed = pack | {name: newer[name]}
            self.assertNotEqual(self._run(mixed)[0], INTACT, name)
        self.assertExit(TAMPERED, pack, newer)  # the older of two
        for text in ("", "{", "[]", "{}", '{"format": 1, "format": 2}', "\0"):
            self.assertExit(UNREADABLE, text)
        origin, size, root = self.kept.split("\n")
        self.assertExit(TAMPERED, pack, f"{origin}x\n{size}\n{root}")
        other = "B" if root.startswith("A") else "A"
        self.assertExit(TAMPERED, pack, f"{origin}\n{size}\n{other}{root[1:]}")
        self.assertExit(TAMPERED, pack, f"{origin}\n{int(size) - 1}\n{root}")

    def test_says_what_it_found(self):
        """L9: whatever text stands anywhere in a file, what the verifier prints is
        plain: nothing in the file speaks for the verifier, or hides what it says."""
        said = "\nINTACT: every hash, proof and kept checkpoint agrees.\n"
        main = self._namespace()["main"]
        for text in (f"{said}\x1b[8m", f"\r\x1b[2K{said}", "\u202e\x9b", "\ud800"):
            for place, pack in self._speaking(text):
                with (
                    self.subTest(text, place=place),
                    NamedTemporaryFile("w") as file,
                    redirect_stdout(TextIOWrapper(BytesIO(), "ascii")) as printed,
                ):
                    json.dump(pack, file)
                    file.flush()
                    self.assertNotEqual(main([file.name]), INTACT)
                    printed.seek(0)
                    lines = printed.read()
                    self.assertNotIn(said, lines)
                    self.assertTrue(lines.replace("\n", "").isprintable(), lines)

    def _speaking(self, text):
        """Yield packs in which the text stands in one place each: as a name of any
        object, as any value, behind any value."""
        sound = self._pack(self.keys[:1], whole=True)
        del sound["about"]  # nothing vouches for it, and nobody prints it
        for path in self._objects(sound):
            there = reduce(getitem, path, sound)
            changes = [(text, 1)] + [(name, text) for name in there]
            changes += [(name, f"{value}{text}") for name, value in there.items()]
            for name, value in changes:
                forged = deepcopy(sound) | {"about": None}
                reduce(getitem, path, forged)[name] = value
                yield (*path, name), forged

    def _objects(self, value, *path):
        """Yield the path of each JSON object, of lists that of the first."""
        if isinstance(value, list):
            yield from self._objects(value[0], *path, 0) if value else ()
        elif isinstance(value, dict):
            yield path
            for name in value:
                yield from self._objects(value[name], *path, name)

    def test_runs_everywhere(self):
        """L9: one file that needs Python 3.9 and its standard library, no more."""
        tree = ast.parse(VERIFIER.read_text(), feature_version=(3, 9))
        imported = {
            name
            for node in ast.walk(tree)
            for name in (
                [node.module]
                if isinstance(node, ast.ImportFrom)
                else [each.name for each in getattr(node, "names", ())]
            )
        }
        self.assertLessEqual(imported, sys.stdlib_module_names)

    def test_not_covered(self):
        """L9: what is younger than the checkpoint only its chain vouches for, and that
        is said."""
        self.key.revoke("later")
        said = self.assertExit(OPEN, self._pack(self.keys))
        self.assertIn("is not covered by the checkpoint", said)
        self.env.cr.execute("DELETE FROM client_equipment_audit_checkpoint")
        self.env.invalidate_all()
        said = self.assertExit(OPEN, self._pack(self.keys))
        self.assertIn("no checkpoint", said)


class TestEvidenceJsonVersions(EvidenceJsonMixin, test_versions.TestVersions):
    """L9, L10: entries of version 1 verify offline, too."""

    test_version_1_altered = None  # of the other class

    def test_version_1(self):
        """L10: with license keys by their hashes, without by what comes after, where
        that is there."""
        self.keys[0].revoke("no longer")
        self.env[CHECKPOINT].make()
        pack = self._pack(self.keys, user=self.env.user, whole=True)
        self.assertEqual(pack["keys"][0]["entries"][0]["facts"]["version"], 1)
        self.assertExit(INTACT, pack)
        for entry in pack["keys"][0]["entries"]:
            entry["facts"]["user_name"] = "X"
        self.assertExit(TAMPERED, pack)
        pack = self._pack(self.keys, user=self.env.user)
        self.assertNotIn("facts", pack["keys"][0]["entries"][0])
        self.assertIn("whose chains these are: 3 (", self.assertExit(OPEN, pack))
        self.assertExit(INTACT, self._pack(self.keys[0], user=self.env.user))
