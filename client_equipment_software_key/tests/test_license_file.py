import base64
import hashlib
import json
import os
import tempfile
from io import BytesIO
from subprocess import run
from sys import executable

from PIL import Image

from odoo import Command, http
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import HttpCase, tagged
from odoo.tools import file_path, mute_logger
from odoo.tools.misc import limited_field_access_token

from odoo.addons.client_equipment.values import is_ours

from ..license_file import FILE_MAX
from ..report.evidence import Evidence
from ..report.evidence_json import EvidenceJson
from .common import SoftwareKeyCommon, SoftwareKeyMixin, api_key

KEY = "client.equipment.software.key"
PAGE = b"<html><script>alert(1)</script></html>"
PICTURE = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
PROGRAM = b"MZ\x90\x00\x03" + bytes(range(256)) * 20
FILE = b"SERVER tour ANY\nFEATURE cad vendor 1.0 permanent 5 SIGN=00D7\n"


def in_base64(content):
    return base64.b64encode(content).decode()


def sha256(content):
    return hashlib.sha256(content).hexdigest()


class LicenseFiles(SoftwareKeyMixin):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Key = cls.env[KEY].with_user(cls.manager)
        cls.key = cls._enter_file("FILE-1")

    @classmethod
    def _enter_file(cls, license_key, content=FILE, name="tour.lic", **values):
        values = {
            "license_file": in_base64(content),
            "license_file_name": name,
        } | values
        return cls._enter(license_key, **values)

    def _last(self, key=None):
        return (key or self.key).sudo().audit_log_ids.sorted("number")[-1]

    def _attachment(self, key=None):
        return (
            self.env["ir.attachment"]
            .sudo()
            .search(
                [
                    ("res_model", "=", KEY),
                    ("res_field", "=", "license_file"),
                    ("res_id", "=", (key or self.key).id),
                ]
            )
        )

    def _findings(self, key=None):
        self.env.invalidate_all()
        return (key or self.key).with_user(self.auditor).verify_audit_trail()


@tagged("post_install", "-at_install")
class TestLicenseFile(LicenseFiles, SoftwareKeyCommon):
    """K15: a license that is a file, as part of its key and of the trail."""

    # ------------------------------------------------------------------
    # Trail
    # ------------------------------------------------------------------

    def test_entered_with_a_file(self):
        """K15: the entry *created* tells the SHA-256 of the file, later ones, too."""
        (entry,) = self.key.audit_log_ids
        self.assertEqual(entry.license_file_sha256, sha256(FILE))
        self.assertEqual(
            entry.description,
            "Created by Manager Tester, with the license file SHA-256 " + sha256(FILE),
        )
        self._apply(self.key)
        self.assertEqual(self._last().license_file_sha256, sha256(FILE))
        for content in (FILE, PAGE, PICTURE, PROGRAM):
            key = self._enter_file(f"FILE-{sha256(content)[:8]}", content)
            self.assertEqual(key._get_license_file(), ("tour.lic", content))
        self.assertEqual(self._findings(), [])

    def test_changes(self):
        """K15, K17: a file that is added, exchanged, renamed or taken off is one entry
        with what it was and what it became; the same once more is none."""
        key = self._enter("FILE-LATER")
        one, two = sha256(FILE), sha256(PAGE)
        steps = [
            (
                {"license_file": in_base64(FILE), "license_file_name": "a.lic"},
                [["license_file", None, one], ["license_file_name", None, "a.lic"]],
            ),
            (
                {"license_file": in_base64(PAGE), "license_file_name": "a.lic"},
                [["license_file", one, two]],
            ),
            ({"license_file_name": "b.lic"}, [["license_file_name", "a.lic", "b.lic"]]),
            (
                {"license_file": False},
                [["license_file", two, None], ["license_file_name", "b.lic", None]],
            ),
        ]
        for values, changes in steps:
            for _twice in range(2):
                key.write(values)
            self.assertEqual(self._last(key).changes, changes)
            self.assertEqual(
                self._last(key).license_file_sha256, key.license_file_sha256
            )
        self.assertEqual(self._steps(key), ["created"] + ["changed"] * 4)
        self.assertIn(
            f"License File from SHA-256 {two} to nothing", self._last(key).description
        )
        self.assertFalse(self._attachment(key))
        self.assertEqual(self._findings(key), [])

    def test_every_route(self):
        """K15: form, import, one2many commands and a bulk entry keep the file and tell
        of it alike."""
        values = {"license_file": in_base64(FILE), "license_file_name": "any.lic"}
        entered = {"software_id": self.office.id} | values
        saved = self.Key.web_save(entered | {"license_key": "FILE-WEB"}, {"id": {}})
        loaded = self.Key.load(
            ["license_key", "software_id/.id", *values],
            [["FILE-LOAD", str(self.office.id), *values.values()]],
        )
        self.assertTrue(loaded["ids"], loaded)
        bulk = self.Key.bulk_enter(["FILE-BULK-1", "FILE-BULK-2"], entered)
        self.office.with_user(self.manager).write(
            {"software_key_ids": [Command.create({"license_key": "FILE-O2M"} | values)]}
        )
        keys = self.Key.browse([saved[0]["id"], *loaded["ids"]]) | bulk
        keys |= self.Key.search([("license_key", "=", "FILE-O2M")])
        self.assertEqual(len(keys), 5)
        for key in keys:
            self.assertEqual(key._get_license_file(), ("any.lic", FILE))
            self.assertEqual(self._last(key).license_file_sha256, sha256(FILE))
            self.assertEqual(self._findings(key), [])

    def test_no_default(self):
        """L1: no context and no stored default puts a file into a key."""
        given = {"license_file": in_base64(FILE), "license_file_name": "a.lic"}
        given |= {"license_file_sha256": "f" * 64}
        defaults = {f"default_{name}": value for name, value in given.items()}
        key = self.Key.with_context(**defaults).create(
            {"license_key": "FILE-DEFAULT", "software_id": self.office.id}
        )
        self.assertFalse(key.license_file or key.license_file_name)
        self.assertFalse(key.license_file_sha256 or self._attachment(key))

    # ------------------------------------------------------------------
    # What is refused
    # ------------------------------------------------------------------

    def test_refused(self):
        """K15, E2: what is no file, or far too large, is refused in words that name the
        key, by every route; nothing has changed then."""
        bad = {
            "garbage": ("no base64 at all!", "encoded as base64"),
            "size": ("12.50 Kb", "encoded as base64"),
            "bytes": (b"raw \xff bytes", "encoded as base64"),
            "letters": ("Größe", "encoded as base64"),
            "number": (7, "encoded as base64"),
            "list": ([1], "encoded as base64"),
            "large": (in_base64(bytes(FILE_MAX + 1)), "larger than 1 MB"),
            "empty": ("", "it is empty"),
            "empty bytes": (b"", "it is empty"),
            "blank": (" \n", "it is empty"),
        }
        vals = {"license_key": "FILE-BAD", "software_id": self.office.id}
        for case, (value, message) in bad.items():
            routes = {
                "create": lambda value=value: self.Key.create(
                    vals | {"license_file": value}
                ),
                "write": lambda value=value: self.key.write({"license_file": value}),
                "web_save": lambda value=value: self.key.web_save(
                    {"license_file": value}, {"id": {}}
                ),
                "bulk_enter": lambda value=value: self.Key.bulk_enter(
                    ["FILE-BAD"], vals | {"license_file": value}
                ),
            }
            for route, call in routes.items():
                with self.subTest(case, route=route):
                    with self.assertRefused(ValidationError, message) as caught:
                        call()
                    if isinstance(value, str | bytes):
                        self.assertRegex(str(caught.exception), "FILE-(BAD|1)")
                        self.assertLess(len(str(caught.exception)), 200)
        result = self.Key.load(
            ["license_key", "software_id/.id", "license_file"],
            [["FILE-BAD", str(self.office.id), "no base64 at all!"]],
        )
        self.assertFalse(result["ids"])
        self.assertIn("encoded as base64", result["messages"][0]["message"])
        self.assertFalse(self.Key.search([("license_key", "=", "FILE-BAD")]))
        self.assertEqual(self.key._get_license_file(), ("tour.lic", FILE))
        self.assertEqual(self._steps(self.key), ["created"])

    def test_empty_file_in_the_web_client(self):
        """K15, E2: of an empty file the web client sends its name alone: the form says
        at once that it is empty, and it is refused; what takes a file off is not."""
        values = {"license_file": False, "license_file_name": "tour.lic"}
        for key in (self.key, self.Key):
            shown = key.onchange(
                values, list(values), {"license_file": {}, "license_file_name": {}}
            )
            self.assertIn("it is empty", shown["warning"]["message"])
            self.assertIs(shown["value"]["license_file_name"], False)
        new = {"license_key": "FILE-EMPTY", "software_id": self.office.id}
        for call in (
            lambda: self.key.web_save(values, {"id": {}}),
            lambda: self.Key.web_save(new | values, {"id": {}}),
        ):
            with self.assertRefused(ValidationError, "FILE-.* cannot be .*it is empty"):
                call()
        self.assertEqual(self.key._get_license_file(), ("tour.lic", FILE))
        nothing = {"license_file": False, "license_file_name": ""}
        shown = self.key.onchange(nothing, list(nothing), {"license_file_name": {}})
        self.assertNotIn("warning", shown)
        self.key.web_save(nothing, {"id": {}})
        self.assertEqual(self._steps(self.key), ["created", "changed"])

    def test_limit(self):
        """K15: a file of exactly the largest size is kept, in one line or in many."""
        content = os.urandom(FILE_MAX)
        key = self._enter("FILE-MAX", license_file=base64.encodebytes(content).decode())
        self.assertEqual(key._get_license_file(), ("license", content))

    def test_picture_stays_as_it_is(self):
        """K15: a large picture is not made smaller, as Odoo does with others."""
        picture = BytesIO()
        Image.new("RGB", (4000, 3000)).save(picture, "PNG")
        key = self._enter_file("FILE-PNG", picture.getvalue(), name="scan.png")
        self.assertEqual(key._get_license_file(), ("scan.png", picture.getvalue()))
        self.assertEqual(self._findings(key), [])

    def test_names(self):
        """K15: the name of a file is its name alone, without folders, line breaks or
        what turns the direction of writing."""
        for given, kept in {
            "C:\\Licenses\\tour.lic": "tour.lic",
            "../../etc/passwd": "passwd",
            "a\r\nSet-Cookie: b.lic": "a Set-Cookie: b.lic",
            "tour\u202ecil.exe": "tourcil.exe",
            "../": "license",
            False: "license",
        }.items():
            with self.subTest(given):
                key = self._enter_file(f"FILE-NAME-{kept}-{given!r}", name=given)
                self.assertEqual(key.license_file_name, kept)

    def test_name_without_file(self):
        """K15, E2: a name alone is refused, in words."""
        with self.assertRefused(UserError, "There is no license file"):
            self._enter("FILE-NONE", license_file_name="tour.lic")
        key = self._enter("FILE-NONE")
        with self.assertRefused(UserError, "There is no license file of .*FILE-NONE"):
            key.license_file_name = "tour.lic"
        with self.assertRefused(UserError, "There is no license file of .*FILE-NONE"):
            key._get_license_file()

    def test_text_of_a_file_as_license_key(self):
        """K15: the text of a file is no license key, by any route; the error says where
        the file goes."""
        text = '{"license": {"id": 7},\n "seats": 5}'
        words = "attach the file to a new key as License File"
        with self.assertRefused(ValidationError, words):
            self._enter(text)
        with self.assertRefused(ValidationError, words):
            self.Key.bulk_enter([text], {"software_id": self.office.id})
        result = self.Key.load(
            ["license_key", "software_id/.id"], [[text, str(self.office.id)]]
        )
        self.assertIn(words, result["messages"][0]["message"])
        shown = self.Key.onchange(
            {"license_key": text}, ["license_key"], {"license_key": {}}
        )
        self.assertIn(words, shown["warning"]["message"])

    def test_long_license_key(self):
        """K15: more than 1,000 characters or 2,000 bytes are refused by every route,
        what has just so many is kept and found."""
        for text in ("A" * 1001, "字" * 667):
            routes = {
                "create": lambda text=text: self._enter(text),
                "bulk": lambda text=text: self.Key.bulk_enter(
                    [text], {"software_id": self.office.id}
                ),
                "replace": lambda text=text: self.key.replace(text),
                "copy": lambda text=text: self.key.copy({"license_key": text}),
                "o2m": lambda text=text: self.office.with_user(self.manager).write(
                    {"software_key_ids": [Command.create({"license_key": text})]}
                ),
            }
            for route, call in routes.items():
                with self.subTest(route, length=len(text)):
                    with self.assertRefused(UserError, "longer than"):
                        call()
            result = self.Key.load(
                ["license_key", "software_id/.id"], [[text, str(self.office.id)]]
            )
            self.assertIn("longer than", result["messages"][0]["message"])
        for text in ("A" * 1000, "字" * 666):
            key = self._enter(text)
            self.assertEqual(self.Key.search([("license_key", "=", text)]), key)

    # ------------------------------------------------------------------
    # Fingerprint
    # ------------------------------------------------------------------

    def test_fingerprint(self):
        """K15: on request the license key is the file's SHA-256, in the form and over
        the API; what was typed stays otherwise."""
        values = {"license_file": in_base64(PAGE), "license_key_from_file": True}
        shown = self.Key.onchange(
            values, ["license_key_from_file"], {"license_key": {}}
        )
        self.assertEqual(shown["value"]["license_key"], sha256(PAGE))
        key = self.Key.create(values | {"software_id": self.office.id})
        self.assertEqual(key.license_key, sha256(PAGE))
        key = self._enter_file("FILE-SERIAL", license_key_from_file=True)
        self.assertEqual(key.license_key, "FILE-SERIAL")
        with self.assertRefused(UserError, "The license file of the new key cannot"):
            self.Key.create({"license_file": "garbage!", "software_id": self.office.id})
        with self.assertRefused(UserError, "no license file of the new key"):
            self.Key.create(
                {"license_key_from_file": True, "software_id": self.office.id}
            )

    def test_large_file_in_the_form(self):
        """K15: the form says at once what is wrong with a file."""
        for value, words in {
            in_base64(bytes(FILE_MAX + 1)): "larger than 1 MB",
            "garbage!": "encoded as base64",
        }.items():
            shown = self.Key.onchange(
                {"license_file": value}, ["license_file"], {"license_file": {}}
            )
            message = shown["warning"]["message"]
            self.assertIn(words, message)
            self.assertTrue(message.startswith("The license file of the new key"))
            self.assertFalse(shown["value"]["license_file"])

    # ------------------------------------------------------------------
    # Copies and deletion
    # ------------------------------------------------------------------

    def test_copies(self):
        """K4, K15: neither a copy nor what replaces a key has its file."""
        for key in (
            self.key.copy({"license_key": "FILE-COPY"}),
            self.key.replace("FILE-NEW"),
        ):
            self.assertFalse(key.license_file or key.license_file_name)
            self.assertFalse(key.license_file_sha256 or self._attachment(key))

    def test_deleted(self):
        """K10, K15: a deleted key takes its file along, and leaves the hash of it."""
        attachment = self._attachment()
        key_id = self.key.id
        self.key.delete("Entered by mistake")
        self.assertFalse(attachment.exists())
        deletion = self.env["client.equipment.audit.deletion"].search(
            [("software_key_ref", "=", key_id)]
        )
        self.assertEqual(deletion.license_file_sha256, sha256(FILE))
        self.assertEqual(deletion.verify(), [])
        self.env.cr.execute(
            "UPDATE client_equipment_audit_deletion SET license_file_sha256 = NULL"
        )
        self.env.invalidate_all()
        self.assertEqual(len(deletion.verify()), 1)

    # ------------------------------------------------------------------
    # Behind the system's back
    # ------------------------------------------------------------------

    def test_verify(self):
        """L5, K15: another file behind the ORM's back is found, wherever it was put."""
        attachment = self._attachment()
        other = self._enter_file("FILE-OTHER", PROGRAM)
        for sql, parameters in {
            "UPDATE ir_attachment SET db_datas = %s, store_fname = NULL"
            " WHERE id = %s": (
                PAGE,
                attachment.id,
            ),
            "UPDATE ir_attachment SET store_fname = %s WHERE id = %s": (
                self._attachment(other).store_fname,
                attachment.id,
            ),
            "UPDATE ir_attachment SET res_field = %s WHERE id = %s": (
                "other",
                attachment.id,
            ),
            "DELETE FROM ir_attachment WHERE name <> %s AND id = %s": (
                "",
                attachment.id,
            ),
            # a second one, which a download would take
            "UPDATE ir_attachment SET res_id = %s WHERE id = %s": (
                self.key.id,
                self._attachment(other).id,
            ),
            "UPDATE client_equipment_software_key SET license_file_sha256 = %s "
            "WHERE id = %s": (sha256(PAGE), self.key.id),
        }.items():
            with self.subTest(sql):
                self.env.flush_all()
                with self.env.cr.savepoint() as savepoint:
                    self.env.cr.execute(sql, parameters)
                    (finding,) = self._findings()
                    self.assertEqual(finding["software_key_id"], self.key.id)
                    self.assertIn("license file", finding["problem"].lower())
                    savepoint.rollback()
                self.env.invalidate_all()
        self.assertEqual(self._findings(), [])
        self.assertEqual(self._findings(other), [])

    @mute_logger("odoo.addons.base.models.ir_attachment")
    def test_verify_the_disk(self):
        """L5, K15: a file that was changed on the disk, or is gone from it, is found,
        and needs attention; attaching it again heals that."""
        content = os.urandom(64)
        key = self._enter_file("FILE-DISK", content)
        path = self._attachment(key)._full_path(self._attachment(key).store_fname)
        with open(path, "wb") as file:
            file.write(b"another")
        (finding,) = self._findings(key)
        self.assertIn("was changed or is missing", finding["problem"])
        os.unlink(path)
        (finding,) = self._findings(key)
        self.assertIn("was changed or is missing", finding["problem"])
        key.write({"license_file": in_base64(content), "license_file_name": "tour.lic"})
        self.assertEqual(self._steps(key), ["created"])
        self.assertEqual(self._findings(key), [])
        self.assertEqual(key._get_license_file()[1], content)

    def test_attachment_is_closed(self):
        """K15, L1: nobody changes the file but on its key, makes it public, gives it to
        who holds a link, moves or doubles it: not the administrator either."""
        attachment = self._attachment()
        other = self._enter("FILE-BARE")
        place = {"res_model": KEY, "res_field": "license_file"}
        plain = self.env["ir.attachment"].create(
            {"name": "plain", "raw": PAGE, "res_model": KEY, "res_id": other.id}
        )
        for name, call in {
            "raw": lambda files: files.write({"raw": PAGE}),
            "datas": lambda files: files.write({"datas": in_base64(PAGE)}),
            "type": lambda files: files.write(
                {"type": "url", "url": "http://x.invalid"}
            ),
            "public": lambda files: files.write({"public": True}),
            "token": lambda files: files.generate_access_token(),
            "moved": lambda files: files.write({"res_id": other.id}),
            "freed": lambda files: files.write({"res_field": False}),
            "deleted": lambda files: files.unlink(),
            "copied": lambda files: files.copy(),
            "created": lambda files: files.create(
                {"name": "x", "raw": FILE, "res_id": other.id} | place
            ),
            "default": lambda files: files.with_context(
                default_res_model=KEY,
                default_res_field="license_file",
                default_res_id=other.id,
            ).create({"name": "x", "raw": FILE}),
            "taken": lambda files: plain.with_env(files.env).write(
                {"res_field": "license_file"}
            ),
        }.items():
            for user in (self.manager, self.env.ref("base.user_root")):
                with self.subTest(name, user=user.login):
                    with self.assertRefused(UserError, "on the key alone"):
                        call(attachment.with_user(user))
                    self.env.invalidate_all()
        self.assertEqual(self.key._get_license_file(), ("tour.lic", FILE))
        self.assertEqual(self._findings(self.key | other), [])
        attachment.mimetype = "text/html"
        self.assertEqual(attachment.mimetype, "application/octet-stream")

    def test_whoever_may_not(self):
        """K15, E1: who may not change it does not even learn that it is one."""
        attachment = self._attachment()
        for user in (self.technician, self.auditor, self.internal, self.portal):
            for call in (
                lambda file: file.unlink(),
                lambda file: file.write({"raw": PAGE}),
                lambda file: file.copy(),
            ):
                with self.subTest(user.login), self.assertRaises(AccessError):
                    call(attachment.with_user(user))

    def test_sizes_asked_for(self):
        """K15, L5: a client that asks for sizes in the place of contents, as Odoo's
        own does, enters and exchanges files, and verifying finds nothing."""
        names = ("bin_size", "bin_size_raw", "bin_size_datas", "bin_size_license_file")
        for name in names:
            context = {name: True}
            with self.subTest(name):
                keys = self.Key.with_context(**context)
                key = keys.create(
                    {
                        "license_key": name.upper(),
                        "software_id": self.office.id,
                        "license_file": in_base64(PAGE),
                        "license_file_name": "a.lic",
                    }
                )
                key.license_file = in_base64(FILE)
                self.env.flush_all()
                self.env.invalidate_all()
                self.assertEqual(key._get_license_file()[1], FILE)
                self.assertEqual(key.verify_audit_trail(), [])
                attachment = self._attachment(key).with_context(**context)
                with self.assertRefused(UserError, "on the key alone"):
                    attachment.raw = PAGE

    def test_other_storage(self):
        """K15, E6: an administrator moves all files between disk and database."""
        self.env["ir.config_parameter"].set_param("ir_attachment.location", "db")
        self._attachment()._migrate()
        self.assertEqual(self._attachment().db_datas, FILE)
        self.assertEqual(self.key._get_license_file(), ("tour.lic", FILE))
        self.assertEqual(self._findings(), [])

    # ------------------------------------------------------------------
    # Who may read it
    # ------------------------------------------------------------------

    def test_readers(self):
        """K15, E1: whoever may read the key reads its file, nobody else: neither the
        attachment by its id, nor what its text has in it."""
        attachment = self._attachment()
        hidden = self._enter_file(
            "FILE-HIDDEN", company_id=self.other_company.id, user=(self.env.user)
        )
        hidden_attachment = self._attachment(hidden)
        for user in (self.technician, self.auditor, self.manager):
            self.assertEqual(
                self.key.with_user(user)._get_license_file(), ("tour.lic", FILE)
            )
            self.assertEqual(attachment.with_user(user).raw, FILE)
        equipment_user = self._new_user(
            "equipment", "client_equipment.group_client_equipment_user"
        )
        strangers = {
            user: (self.key, attachment)
            for user in (self.internal, self.portal, equipment_user)
        } | {
            user: (hidden, hidden_attachment)
            for user in (self.technician, self.auditor, self.manager)
        }
        for user, (key, file) in strangers.items():
            with self.subTest(user.login):
                key, file = key.with_user(user), file.with_user(user)
                for call in (
                    key._get_license_file,
                    lambda key=key: key.read(["license_file"]),
                    lambda key=key: key.export_data(["license_file"]),
                    lambda file=file: file.read(["raw"]),
                    lambda file=file: file.read(["datas", "index_content"]),
                ):
                    # (some may export nothing at all, which is said by a UserError)
                    with self.assertRaises(UserError):
                        call()
                self.assertFalse(file.search([("id", "=", file.id)]))
                self.assertFalse(
                    file.search(
                        [("res_field", "=", "license_file"), ("id", "=", file.id)]
                    )
                )
        for user in (self.technician, self.auditor):
            with self.assertRaises(AccessError):
                self.key.with_user(user).license_file = in_base64(PAGE)

    # ------------------------------------------------------------------
    # Evidence
    # ------------------------------------------------------------------

    def test_proofs(self):
        """L9, K15: the proofs tell the SHA-256 of the file, and verify offline."""
        self.key.license_file = in_base64(PAGE)
        self.env["client.equipment.audit.checkpoint"].make()
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            EvidenceJson(self.key.with_user(self.auditor)).write(file)
            file.flush()
            verifier = file_path(
                "client_equipment_software_key/static/evidence/verify_evidence.py"
            )
            done = run(
                [executable, "-I", verifier, file.name], capture_output=True, text=True
            )
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            with open(file.name) as told:
                (key,) = json.load(told)["keys"]
        facts = [entry["facts"] for entry in key["entries"]]
        self.assertEqual(
            [each["license_file_sha256"] for each in facts],
            [sha256(FILE), sha256(PAGE)],
        )

    def test_evidence_pack(self):
        """L7, K15: the pack's keys tell the file's name and SHA-256, as of its end."""
        pack = self.env["client.equipment.evidence.pack"].with_user(self.auditor)
        pack = pack.create({"software_ids": self.office.ids})
        self.assertEqual(
            self._file_columns(pack)[self.key.id], ("tour.lic", sha256(FILE))
        )

    def _file_columns(self, pack):
        """Return ``{key id: (file's name, SHA-256)}`` as the pack's sheet tells."""
        evidence = Evidence(pack)
        columns = {each.name: each.value for each in pack._get_key_columns(evidence)}
        return {
            state.key.id: (
                columns["license_file"](state),
                columns["license_file_sha256"](state),
            )
            for state in evidence.states(evidence.keys)
        }


@tagged("post_install", "-at_install")
class TestLicenseFileDownload(LicenseFiles, HttpCase):
    """K15: whichever way a file is fetched, it is saved, never shown."""

    browser_size = "1280x900"

    def _assert_download(self, answer, content, name):
        self.assertEqual(answer.status_code, 200, answer.text[:300])
        self.assertEqual(answer.content, content)
        headers = answer.headers
        self.assertEqual(headers["Content-Type"], "application/octet-stream")
        self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
        self.assertTrue(headers["Content-Disposition"].startswith("attachment"))
        self.assertIn(name, headers["Content-Disposition"])

    def _by_route(self, key):
        self.authenticate(self.session_login, self.session_login)
        return self.url_open(
            f"/client_equipment_software_key/license_file/{key.id}",
            data={"csrf_token": http.Request.csrf_token(self)},
        )

    def test_always_a_download(self):
        """K15: by our route, by the key's field and by the attachment, also where a
        page, a picture or a program is asked for."""
        for content, name in ((PAGE, "a.html"), (PICTURE, "a.svg"), (PROGRAM, "a.exe")):
            key = self._enter_file(f"FILE-{name}", content, name)
            attachment = self._attachment(key)
            for login in ("sk_technician", "sk_auditor", "sk_manager"):
                self.session_login = login
                self._assert_download(self._by_route(key), content, name)
                for url in (
                    f"/web/content/{KEY}/{key.id}/license_file",
                    f"/web/content/{attachment.id}",
                    f"/web/content/{attachment.id}?download=false&mimetype=text/html",
                    f"/web/content/{KEY}/{key.id}/license_file?mimetype=image/svg%2Bxml",
                    f"/web/image/{attachment.id}",
                ):
                    with self.subTest(url, login=login):
                        answer = self.url_open(url)
                        if not url.startswith("/web/image"):
                            self._assert_download(answer, content, name)
                        self.assertEqual(
                            answer.headers["Content-Type"], "application/octet-stream"
                        )
                        self.assertTrue(
                            answer.headers["Content-Disposition"].startswith("attachm")
                        )

    def test_nobody_else(self):
        """K15, E1: nobody else gets it by guessing an id or a link."""
        hidden = self._enter_file(
            "FILE-HIDDEN", user=self.env.user, company_id=self.other_company.id
        )
        for login, key in (
            ("sk_internal", self.key),
            ("sk_portal", self.key),
            ("sk_technician", hidden),
            ("sk_manager", hidden),
            (None, self.key),
        ):
            attachment = self._attachment(key)
            self.authenticate(login, login)
            for url in (
                f"/web/content/{KEY}/{key.id}/license_file",
                f"/web/content/{attachment.id}",
                f"/web/content/{attachment.id}?access_token=any",
                f"/web/image/{attachment.id}",
            ):
                with self.subTest(url, login=login):
                    answer = self.url_open(url)
                    self.assertNotIn(FILE, answer.content)
            if login:
                self.session_login = login
                with self.subTest("route", login=login):
                    answer = self._by_route(key)
                    self.assertIn(answer.status_code, (403, 404))
                    self.assertNotIn(FILE, answer.content)
                    self.assertNotIn("FILE-", answer.text)

    def test_no_link(self):
        """K15, L7, E1: a link that Odoo makes for whatever is attached to a message
        opens nothing that is in a field of ours: not a license file, not a pack."""
        attachment = self._attachment()
        self.env["res.partner"].create({"name": "Thread"}).message_post(
            body="x", attachment_ids=attachment.ids
        )
        links = {
            f"/web/{route}/{attachment.id}?access_token="
            + attachment._get_raw_access_token()
            for route in ("content", "image")
        } | {
            f"/web/content/{KEY}/{self.key.id}/license_file?access_token="
            + limited_field_access_token(self.key, "license_file", scope="binary")
        }
        for login in (None, "sk_portal", "sk_internal"):
            self.authenticate(login, login)
            for link in links:
                with self.subTest(link, login=login):
                    self.assertNotIn(FILE, self.url_open(link).content)
        self.authenticate("sk_technician", "sk_technician")
        for link in links:
            self.assertEqual(self.url_open(link).content, FILE)
        Attachment = self.env["ir.attachment"].sudo()
        for name, model in self.env.registry.items():
            for field in model._fields.values() if is_ours(name) else ():
                if field.type != "binary" or not getattr(field, "attachment", False):
                    continue
                place = {"res_model": name, "res_field": field.name}
                file = attachment
                if (name, field.name) != (KEY, "license_file"):
                    file = Attachment.create({"name": "x", "raw": FILE, **place})
                with self.subTest(str(field)), self.assertRaises(AccessError):
                    self.env["ir.binary"].with_user(self.portal)._find_record(
                        res_id=file.id,
                        access_token=file._get_raw_access_token(),
                        field="raw",
                    )

    def test_none(self):
        """K15, E2: a key without a file, and one that is gone, answer in words."""
        self.session_login = "sk_technician"
        bare = self._enter("FILE-BARE")
        answer = self._by_route(bare)
        self.assertEqual(answer.status_code, 422)
        self.assertIn("There is no license file of", answer.text)
        answer = self._by_route(bare.browse(2**31 - 1))
        self.assertEqual(answer.status_code, 404)

    def test_api(self):
        """K15: over the API a file is entered, read and refused alike."""
        token = api_key(self.manager)

        def call(method, **arguments):
            answer = self.url_open(
                f"/json/2/{KEY}/{method}",
                data=json.dumps(arguments),
                headers={
                    "Content-Type": "application/json",
                    "Authorization": f"bearer {token}",
                },
            )
            return answer.status_code, answer.json()

        values = {"license_file": in_base64(FILE), "license_key_from_file": True}
        status, ids = call(
            "create", vals_list=[values | {"software_id": self.office.id}]
        )
        self.assertEqual(status, 200, ids)
        status, rows = call(
            "read", ids=ids, fields=["license_key", "license_file", "license_file_name"]
        )
        self.assertEqual(
            rows[0],
            {
                "id": ids[0],
                "license_key": sha256(FILE),
                "license_file": in_base64(FILE),
                "license_file_name": "license",
            },
        )
        for value in ("garbage!", in_base64(bytes(FILE_MAX + 1)), 7, [], {"a": 1}):
            status, answer = call("write", ids=ids, vals={"license_file": value})
            self.assertEqual(status, 422 if value != [] else status, answer)
        for domain in (
            [["license_file", "!=", False]],
            [["license_file_name", "ilike", "\\"]],
        ):
            status, answer = call("search", domain=domain)
            self.assertLess(status, 500, answer)


@tagged("post_install", "-at_install")
class TestLicenseFileScreens(LicenseFiles, HttpCase):
    browser_size = "1280x900"

    def test_attach(self):
        """K15: a manager attaches a file to a new key, and its fingerprint becomes the
        license key; then exchanges and takes off the file of another."""
        self.start_tour(
            "/odoo/software-keys/new", "license_file_attach", login="sk_manager"
        )
        content = b"LICENSE OF THE TOUR\n"
        key = self.Key.search([("license_key", "=", sha256(content))])
        self.assertEqual(key._get_license_file(), ("new.lic", content))
        self.assertEqual(self._findings(key), [])
        self.start_tour(
            f"/odoo/software-keys/{self.key.id}",
            "license_file_take_off",
            login="sk_manager",
        )
        self.assertEqual(self._last().changes[0], ["license_file", sha256(FILE), None])

    def test_auditor(self):
        """K15: an auditor saves the file from the key's form."""
        self.start_tour(
            f"/odoo/software-keys/{self.key.id}",
            "license_file_form",
            login="sk_auditor",
        )


@tagged("post_install", "-at_install")
class TestLicenseFileOnPhone(LicenseFiles, HttpCase):
    browser_size = "390x844"
    touch_enabled = True

    def test_tab(self):
        """K15: a technician saves the file from the card on the equipment's tab."""
        self._apply(self.key)
        self.start_tour(
            f"/odoo/client-equipment/{self.laptop.id}",
            "license_file_tab",
            login="sk_technician",
        )

    def test_empty_file(self):
        """K15, E2: who attaches an empty file reads what to do, and nothing else."""
        self.start_tour(
            "/odoo/software-keys/new", "license_file_empty", login="sk_manager"
        )
