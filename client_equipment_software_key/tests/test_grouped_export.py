import csv
import io
import json
from unittest.mock import patch

import openpyxl

from odoo.exceptions import UserError
from odoo.http import Request
from odoo.models import BaseModel
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .common import ADDON, SoftwareKeyMixin


@tagged("post_install", "-at_install")
class TestGroupedExport(SoftwareKeyMixin, HttpCase):
    """L3: grouped lists export to XLSX and CSV as they stand on the screen."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.keys = cls._enter("EXPORT-1", "EXPORT-2")
        cls._apply(cls.keys[0])
        cls._apply(cls.keys[1], cls.spare_laptop, user=cls.technician_2)

    def _export(
        self,
        kind,
        model,
        fields,
        groupby,
        login="sk_auditor",
        domain=(),
        lang="en_US",
        number=0,
    ):
        """Return the rows that the web client's export of a list gives.

        :param number: of the sheet
        """
        self.authenticate(login, login)
        response = self.url_open(
            f"/web/export/{kind}",
            data={
                "data": json.dumps(
                    {
                        "model": model,
                        "fields": [
                            {
                                "name": name,
                                "label": label,
                                "type": self.env[model]._fields[name].type,
                            }
                            for name, label in fields
                        ],
                        "ids": False,
                        "domain": list(domain),
                        "groupby": groupby,
                        "import_compat": False,
                        "context": {"lang": lang},
                    }
                ),
                "csrf_token": Request.csrf_token(self),
            },
        )
        response.raise_for_status()
        if kind == "csv":
            return [
                tuple(value or None for value in row)
                for row in csv.reader(io.StringIO(response.content.decode()))
            ]
        sheet = openpyxl.load_workbook(io.BytesIO(response.content)).worksheets[number]
        return [
            tuple(value if value not in ("", None) else None for value in row)
            for row in sheet.iter_rows(values_only=True)
        ]

    def _check_both(self, model, fields, groupby, expected, **kwargs):
        for kind in ("xlsx", "csv"):
            with self.subTest(kind=kind):
                self.assertEqual(
                    self._export(kind, model, fields, groupby, **kwargs),
                    [tuple(label for _name, label in fields), *expected],
                )

    def test_audit_logs(self):
        """L3: Audit Logs grouped by action and user, as the auditor."""
        self._check_both(
            "client.equipment.audit.log",
            [("description", "Description"), ("software_key_id", "Software Key")],
            ["action", "user_id"],
            [
                ("Applied (2)", None),
                ("    Technician 2 Tester (1)", None),
                (
                    "Applied to Equipment LAPTOP-67890 by Technician 2 Tester",
                    "Tour Office Professional - EXPORT-2",
                ),
                ("    Technician Tester (1)", None),
                (
                    "Applied to Equipment LAPTOP-12345 by Technician Tester",
                    "Tour Office Professional - EXPORT-1",
                ),
                ("Created (2)", None),
                ("    Manager Tester (2)", None),
                (
                    "Created by Manager Tester",
                    "Tour Office Professional - EXPORT-2",
                ),
                (
                    "Created by Manager Tester",
                    "Tour Office Professional - EXPORT-1",
                ),
            ],
            domain=[("software_key_id", "in", self.keys.ids)],
        )

    def test_equipment_features(self):
        """L3: Equipment Features grouped by customer and technician."""
        self._check_both(
            "client.equipment.feature",
            [("software_key_id", "Software Key"), ("equipment_id", "Equipment")],
            ["partner_id", "applied_by_id"],
            [
                ("Tour Dental Practice (2)", None),
                ("    Technician 2 Tester (1)", None),
                (
                    "Tour Office Professional - EXPORT-2",
                    self.spare_laptop.display_name,
                ),
                ("    Technician Tester (1)", None),
                ("Tour Office Professional - EXPORT-1", self.laptop.display_name),
            ],
            domain=[("software_key_id", "in", self.keys.ids)],
        )

    def test_usage_history(self):
        """L3, L6: Usage History grouped by feature and serial number, with the average
        of the days in the groups' rows."""
        for kind in ("xlsx", "csv"):
            rows = self._export(
                kind,
                "client.equipment.usage.history",
                [("software_key_id", "Software Key"), ("duration", "Days")],
                ["software_id", "equipment_serial_no"],
                domain=[("software_key_id", "in", self.keys.ids)],
            )
            self.assertEqual(
                [row[0] for row in rows],
                [
                    "Software Key",
                    "Tour Office Professional (2)",
                    "    LAPTOP-12345 (1)",
                    "Tour Office Professional - EXPORT-1",
                    "    LAPTOP-67890 (1)",
                    "Tour Office Professional - EXPORT-2",
                ],
            )

    def test_language(self):
        """L3, E3: groups and descriptions in the reader's language."""
        self.env["res.lang"]._activate_lang("fr_FR")
        self.env["ir.module.module"]._load_module_terms([ADDON], ["fr_FR"])
        self.auditor.lang = "fr_FR"
        for kind in ("xlsx", "csv"):
            rows = self._export(
                kind,
                "client.equipment.audit.log",
                [("description", "Description"), ("equipment_id", "Équipement")],
                ["action", "equipment_id"],
                domain=[("software_key_id", "=", self.keys[0].id)],
                lang="fr_FR",
            )
            self.assertEqual(
                [row[0] for row in rows],
                [
                    "Description",
                    "Appliquée (1)",
                    f"    {self.laptop.display_name} (1)",
                    "Appliquée à l'équipement LAPTOP-12345 par Technician Tester",
                    "Créée (1)",
                    "    Indéfini (1)",
                    "Créée par Manager Tester",
                ],
            )

    def test_portions(self):
        """L3: what is exported in portions is what Odoo exports at once, and only by
        those who may."""
        keys = self._enter(*(f"PORTION-{number:04}" for number in range(1001)))
        fields = ["software_key_id", "software_id/name", "description", "hash"]
        for entries in (keys.audit_log_ids, keys.audit_log_ids[:1]):
            entries = entries.with_user(self.auditor)
            self.assertEqual(
                entries.export_data(fields), BaseModel.export_data(entries, fields)
            )
            for some in (entries, entries.browse()):
                with self.assertRaisesRegex(UserError, "rights to export data"):
                    some.with_user(self.technician).export_data(fields)

    def test_too_many_rows(self):
        """L3: what does not fit into one sheet goes on in the next."""
        with (
            patch(f"odoo.addons.{ADDON}.report.xlsx_file.MAX_ROWS", 5),
            patch(f"odoo.addons.{ADDON}.report.xlsx_file.PIECE_ROWS", 1),
        ):
            first, second = (
                self._export(
                    "xlsx",
                    "client.equipment.audit.log",
                    [("description", "Description")],
                    ["action", "user_id"],
                    number=number,
                )
                for number in range(2)
            )
        self.assertEqual((len(first), first[0]), (5, ("Description",)))
        self.assertEqual(second[0], ("Description",))
        self.assertGreater(len(second), 1)

    def test_paths(self):
        """L3: grouped by what is reached through a link: its text, its type."""
        self.office.write(
            {"publisher": "Tour Publisher", "default_key_type": "time_limited"}
        )
        keys = self._enter("PATH-1", software=self.antivirus)
        self.antivirus.active = False
        for groupby, titles in (
            ("software_id.publisher", ["Tour Publisher (2)", "Undefined (1)"]),
            ("software_id.active", ["Yes (2)", "No (1)"]),
            ("software_id.default_key_type", ["Subscription (1)", "Time-Limited (2)"]),
            ("software_id.default_validity_months", ["0 (2)", "12 (1)"]),
            (
                "software_id.create_date:year",
                [f"{self.office.create_date.year} (3)"],
            ),
            (
                "equipment_id.partner_id",
                ["Tour Dental Practice (2)", "Undefined (1)"],
            ),
        ):
            for kind in ("xlsx", "csv"):
                with self.subTest(groupby=groupby, kind=kind):
                    rows = self._export(
                        kind,
                        "client.equipment.software.key",
                        [("license_key", "License Key")],
                        [groupby],
                        domain=[("id", "in", (self.keys | keys).ids)],
                    )
                    found = [name for (name,) in rows[1:] if name[-1] == ")"]
                    self.assertEqual(sorted(found), sorted(titles))

    def test_formulas(self):
        """L3: a name that looks like a formula is a text in both files."""
        self.env["client.equipment.software"].browse(self.office.id).name = "=1+1"
        rows = self._export(
            "csv",
            "client.equipment.software.key",
            [("software_id", "Feature"), ("license_key", "License Key")],
            ["software_id", "status"],
            domain=[("id", "in", self.keys.ids)],
        )
        self.assertEqual(rows[1][0], "'=1+1 (2)")

    def test_others(self):
        """L3, E1: technicians may not export, and Odoo's other lists are as before."""
        with mute_logger("odoo.addons.web.controllers.export", "odoo.http"):
            for login, model in (
                ("sk_technician", "client.equipment.audit.log"),
                ("sk_auditor", "res.partner"),
            ):
                with self.assertRaisesRegex(Exception, "500 Server Error"):
                    self._export(
                        "csv",
                        model,
                        [("display_name", "Name")],
                        ["create_uid"],
                        login=login,
                    )
