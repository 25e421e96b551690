import doctest
import unicodedata

from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, HttpCase, tagged

from odoo.addons.client_equipment import text
from odoo.addons.client_equipment.fields import Label

from .. import license_file, license_key
from .common import SoftwareKeyCommon, SoftwareKeyMixin

KEY = "client.equipment.software.key"
UNSEEN = (
    "\u200b\u200e\u202a\u2066\u00ad\ufe0f\x07\x1b\u180e\u2061\u034f\u061c\u3164\u115f"
    "\uffa0\u2800\ufff9\U000e0001"
)
FILES = (
    "-----BEGIN LICENSE-----\nMIIB\n-----END LICENSE-----",
    '<license\n name="A"/>',
    '<?xml version="1.0"?><license/>',
    '{"id": 7, "seats": 5}',
    "[license]\nname=Tour\nkey=ABC",
    "SERVER this_host ANY\nFEATURE cad vendor 1.0",
)


class TestLicenseKey(SoftwareKeyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Key = cls.env[KEY].with_user(cls.manager)

    def test_examples(self):
        """K2: what a license key is says itself how."""
        for module in (text, license_key, license_file):
            self.assertEqual(doctest.testmod(module).failed, 0)

    def test_hyphens(self):
        """K2: every dash that Unicode knows is a kind of hyphen."""
        dashes = (
            chr(code)
            for code in range(0x110000)
            if unicodedata.category(chr(code)) == "Pd"
        )
        self.assertFalse(set(dashes) - set(text.HYPHENS))

    def test_as_seen_is_final(self):
        """K2: what has been brought into its normal form stays as it is."""
        for code in range(0x3200):
            seen = text.as_seen(f"A{chr(code)} B{chr(code)}\u0301")
            self.assertEqual(text.as_seen(seen), seen)

    def test_what_nobody_sees(self):
        """K2, K12: what nobody sees makes no second key, tag or catalogue entry."""
        labels = [
            (model, name)
            for model in self.env.registry
            for name, field in self.env[model]._fields.items()
            if isinstance(field, Label) and field.store and not field.related
        ]
        labels.remove((KEY, "license_file_name"))  # a path's end: test_license_file
        self.assertGreaterEqual(
            set(labels),
            {
                (KEY, "license_key"),
                ("client.equipment.software", "name"),
                ("client.equipment", "serial_no"),
                ("client.equipment", "asset_tag"),
                ("client.equipment", "name"),
            },
        )
        needed = {KEY: {"software_id": self.office.id}}
        for model, name in labels:
            with self.subTest(model=model, field=name):
                records = self.env[model].with_user(self.manager)
                values = {"name": "Seen"} if "name" in records._fields else {}
                record = records.create(
                    values | needed.get(model, {}) | {name: f" \u00c9-{UNSEEN}1\\a\xa0"}
                )
                self.assertEqual(record[name], "\u00c9-1\\a")
                for operator, given in (
                    ("=", f"E\u0301-1{UNSEEN}\\a"),
                    ("in", ["\u200e\u00c9-1\\a"]),
                    ("ilike", f"e\u0301-{UNSEEN}1\\A"),
                    ("like", "1\\a"),
                ):
                    domain = [(name, operator, given), ("id", "=", record.id)]
                    self.assertEqual(records.search(domain), record, operator)

    def test_second_key(self):
        """K2: a key that differs in what nobody sees is refused on every route."""
        self._enter("SEEN-1")
        for unseen in UNSEEN:
            (found,) = self.Key._inspect_license_keys([f"{unseen}SEEN-{unseen}1"])
            self.assertEqual(found["verdict"], "existing", ascii(unseen))
        self.assertEqual(
            self.Key.search([("display_name", "ilike", "seen\u200e-1")]).license_key,
            "SEEN-1",
        )

    def test_software_spelled_otherwise(self):
        """K12: case, blanks and kind of hyphen make no second catalogue entry."""
        Software = self.env["client.equipment.software"].with_user(self.manager)
        office = Software.create({"name": "Seen Office - 365"})
        for name in ("seen  office \u2013 365", "SeenOffice-365"):
            found = Software.search([("display_name", "=", name)])
            self.assertEqual(found, office)

    def test_look_alikes(self):
        """K2: case, hyphens, width and letters that look alike are told by form and
        import."""
        self._enter("SEEN-AB01")
        for other in (
            "seen-ab01",
            "SEEN\u2212AB01",
            "SEEN AB01",
            "\uff33EEN-AB01",
            "SE\u0415N-\u0410B01",
            "SEEN-ABOI",
        ):
            with self.subTest(other=ascii(other)):
                (found,) = self.Key._inspect_license_keys([other])
                self.assertEqual(found["verdict"], "similar")
                new = self.Key.new({"license_key": other})
                warning = new._onchange_license_key()["warning"]
                self.assertIn("looks like SEEN-AB01", warning["message"])
        (found,) = self.Key._inspect_license_keys(["SEEN-AB02"])
        self.assertEqual(found["verdict"], "new")

    def test_files(self):
        """K15: the content of a license file is refused with the hint to attach it."""
        for content in FILES:
            with self.subTest(content=content):
                with self.assertRefused(ValidationError, "attach the file"):
                    self._enter(content)
                with self.assertRefused(UserError, "attach the file"):
                    self.Key.bulk_enter([content], {"software_id": self.office.id})
        self._enter("AB=C-1", "<b>BOLD</b>", "{AF-1}", "[1", "K-1\nK-2")

    def test_no_license_key(self):
        """K2: what a spreadsheet made of a key is refused in words, by every route."""
        for given, words in (
            ("AAA-1\tOffice", "columns of a spreadsheet"),
            ("1,23457E+18", "rounded"),
        ):
            with self.assertRefused(ValidationError, words):
                self._enter(given)
            result = self.Key.load(
                ["license_key", "software_id"],
                [[given, self.office.name], ["SEEN-9", self.office.name]],
            )
            self.assertFalse(result["ids"])
            self.assertIn(words, result["messages"][0]["message"])

    def test_import_twice_with_ids(self):
        """F20, K2: a key twice in a file with ids is told as that."""
        result = self.Key.load(
            ["id", "license_key", "software_id"],
            [[f"__import__.seen{n}", "SEEN-7", self.office.name] for n in (1, 2)],
        )
        self.assertIn("more than once", result["messages"][0]["message"])

    def test_form(self):
        """K2: the form shows the license key as it will be stored."""
        form = Form(self.Key)
        form.software_id = self.office
        form.license_key = " SEEN-1 \r\n  KLMNO\u200e"
        self.assertEqual(form.license_key, "SEEN-1KLMNO")
        self.assertEqual(form.save().license_key, "SEEN-1KLMNO")


@tagged("post_install", "-at_install")
class TestPasteTour(SoftwareKeyMixin, HttpCase):
    def test_paste(self):
        """K2: a key of two lines pasted into form and dialog is one key."""
        self.start_tour(
            "/odoo/software-keys/new", "software_key_paste", login="sk_manager"
        )
        key = self.env[KEY].search([("license_key", "=", "PASTE-1KLMNO")])
        self.assertEqual(key.software_id, self.office)
