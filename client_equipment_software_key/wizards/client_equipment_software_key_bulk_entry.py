import base64
import codecs
import csv
import io
import re
import zipfile

from openpyxl import load_workbook

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..models.client_equipment_software_key import KEY_TYPES
from ..models.client_equipment_software_key_entry import REFUSED

# Headers of the column with the license keys in a vendor's file.
HEADER = re.compile(
    r"(licen[sc]e|product|activation|software|serial)[ _-]*(key|code|no\b|number)"
    r"|^(license|licence|key|code)s?$",
    re.IGNORECASE,
)
# The preview shows so many lines; those with a problem come first.
PREVIEW_MAX = 100


class ClientEquipmentSoftwareKeyBulkEntry(models.TransientModel):
    """Dialog: enter a vendor's list of license keys at once (K11)."""

    _name = "client.equipment.software.key.bulk.entry"
    _description = "Enter Many Software Keys"
    _inherit = ["client.equipment.mixin"]
    _check_company_auto = True

    software_id = fields.Many2one(
        "client.equipment.software", "Feature", required=True, ondelete="cascade"
    )
    key_type = fields.Selection(
        KEY_TYPES,
        required=True,
        compute="_compute_key_type",
        store=True,
        readonly=False,
        precompute=True,
    )
    seats = fields.Integer(default=1, required=True)
    validity_start = fields.Date(
        compute="_compute_validity_start", store=True, readonly=False, precompute=True
    )
    validity_end = fields.Date(
        compute="_compute_validity_end",
        store=True,
        readonly=False,
        precompute=True,
        help="Last day on which the keys are valid.",
    )
    supplier_id = fields.Many2one("res.partner", check_company=True, ondelete="cascade")
    purchase_reference = fields.Char()
    owner_id = fields.Many2one(
        "res.partner",
        "Bought for Customer",
        check_company=True,
        ondelete="cascade",
        help="Where set, the keys can only be applied to equipment of this customer.",
    )
    company_id = fields.Many2one(
        "res.company",
        default=lambda self: self.env.company,
        ondelete="cascade",
        help="Leave empty to share the keys between all companies.",
    )
    file = fields.Binary(
        "Vendor's File",
        attachment=False,
        help="CSV or XLSX. The column whose heading speaks of a license key is read, "
        "otherwise the first one.",
    )
    file_name = fields.Char()
    license_keys = fields.Text(help="One license key a line.")
    leave_out = fields.Boolean(
        "Leave out the lines that cannot be entered",
        help="Enter the new license keys only.",
    )
    new_count = fields.Integer(compute="_compute_preview")
    enter_label = fields.Char(
        compute="_compute_enter_label", export_string_translation=False
    )
    refused_count = fields.Integer(compute="_compute_preview")
    preview = fields.Html(compute="_compute_preview", sanitize=False)
    entered_count = fields.Integer(
        readonly=True,
        fixed=True,
        help="How many license keys the running entry has entered.",
    )

    @api.depends("software_id")
    def _compute_key_type(self):
        for entry in self:
            entry.key_type = (
                entry.software_id.default_key_type or entry.key_type or "permanent"
            )

    @api.depends("key_type")
    def _compute_validity_start(self):
        for entry in self:
            if entry.key_type != "permanent" and not entry.validity_start:
                entry.validity_start = fields.Date.context_today(self)

    @api.depends("software_id", "key_type", "validity_start")
    def _compute_validity_end(self):
        for entry in self:
            if entry.key_type == "permanent":
                entry.validity_end = False
            elif entry.software_id and entry.validity_start:
                entry.validity_end = (
                    entry.software_id._get_validity_end(entry.validity_start)
                    or entry.validity_end
                )

    @api.depends("license_keys", "leave_out")
    def _compute_preview(self):
        SoftwareKey = self.env["client.equipment.software.key"]
        for entry in self:
            findings = SoftwareKey._inspect_license_keys(entry._get_lines())
            counts = dict.fromkeys(
                ("new", "similar", "repeated", "existing", "invalid"), 0
            )
            for found in findings:
                counts[found["verdict"]] += 1
            entry.new_count = counts["new"] + counts["similar"]
            entry.refused_count = sum(counts[verdict] for verdict in REFUSED)
            entry.preview = (
                entry._render_preview(findings, counts) if findings else False
            )

    @api.depends("new_count")
    def _compute_enter_label(self):
        for entry in self:
            entry.enter_label = (
                self.env._("Enter 1 Key")
                if entry.new_count == 1
                else self.env._("Enter %s Keys", entry.new_count)
            )

    def _render_preview(self, findings, counts):
        order = {"new": 2, "similar": 1}
        shown = sorted(findings, key=lambda found: order.get(found["verdict"], 0))
        shown = shown[:PREVIEW_MAX]
        SoftwareKey = self.env["client.equipment.software.key"]
        return self.env["ir.qweb"]._render(
            "client_equipment_software_key.bulk_entry_preview",
            {
                "badges": self._get_badges(counts),
                "refused_count": self.refused_count,
                "leave_out": self.leave_out,
                "rows": [
                    {**found, "text": SoftwareKey._describe_finding(found)}
                    for found in shown
                ],
                "hidden": len(findings) > len(shown)
                and self.env._("… and %s more", len(findings) - len(shown)),
            },
        )

    def _get_badges(self, counts):
        """Return ``[(tone, words)]`` of what there is in the list."""
        badges = [
            ("success", self.new_count, self.env._("New: %s")),
            ("danger", counts["repeated"], self.env._("Repeated in the list: %s")),
            ("danger", counts["existing"], self.env._("Already in the system: %s")),
            ("danger", counts["invalid"], self.env._("Cannot be entered: %s")),
            ("warning", counts["similar"], self.env._("Similar to another key: %s")),
        ]
        return [
            (tone, words % count)
            for tone, count, words in badges
            if count or tone == "success"
        ]

    def _get_lines(self):
        return (self.license_keys or "").splitlines()

    @api.onchange("file")
    def _onchange_file(self):
        """Put the license keys of the file into the list, to be looked over there."""
        if not self.file:
            return None
        content, self.file = base64.b64decode(self.file), False
        try:
            rows = self._read_rows(content, (self.file_name or "").lower())
        except UserError as error:
            return {
                "warning": {
                    "title": self.env._("The file cannot be read"),
                    "message": str(error),
                }
            }
        self.license_keys = "\n".join(self._pick_license_keys(rows))
        return None

    @api.model
    def _read_rows(self, content, file_name):
        """Return the rows of a CSV or XLSX file, each a list of texts.

        :raises UserError: where it is neither
        """
        if zipfile.is_zipfile(io.BytesIO(content)):
            return self._read_xlsx(content)
        utf16 = content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        if b"\0" in content[:10000] and not utf16:
            raise UserError(
                self.env._(
                    "%s is neither CSV nor XLSX. Save it as one of the two, or paste "
                    "the license keys.",
                    file_name or self.env._("This file"),
                )
            )
        try:
            text = content.decode("utf-16" if utf16 else "utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("cp1252", errors="replace")
        try:
            dialect = csv.Sniffer().sniff(text[:10000], delimiters=",;\t|")
        except csv.Error:
            # One column: there is no delimiter to be found.
            dialect = csv.excel
        return list(csv.reader(io.StringIO(text, newline=""), dialect))

    @api.model
    def _read_xlsx(self, content):
        try:
            sheet = load_workbook(
                io.BytesIO(content), read_only=True, data_only=True
            ).worksheets[0]
            return [
                ["" if cell is None else str(cell) for cell in row]
                for row in sheet.iter_rows(values_only=True)
            ]
        except Exception as error:
            # openpyxl lets out whatever a broken file made it stumble over.
            raise UserError(
                self.env._(
                    "The XLSX file is damaged or not a spreadsheet. Open it and save "
                    "it anew, or paste the license keys."
                )
            ) from error

    @api.model
    def _pick_license_keys(self, rows):
        """Return the license keys of a table: the column named so, or the first."""
        rows = [row for row in rows if any(cell.strip() for cell in row)]
        column = 0
        if rows:
            label = self.env["client.equipment.software.key"]._fields["license_key"]
            label = label._description_string(self.env).lower()
            for index, cell in enumerate(rows[0]):
                heading = cell.strip()
                if heading.lower() == label or HEADER.search(heading):
                    column, rows = index, rows[1:]
                    break
        cells = (row[column] for row in rows if len(row) > column)
        # A line break inside of a cell is not the end of a license key.
        return ["".join(cell.split("\n")).strip() for cell in cells if cell.strip()]

    def action_enter(self):
        """Button *Enter … Keys*: enter the keys, all or nothing.

        :return: an action that says how many, and opens the list of them
        """
        self.ensure_one()
        self._note_progress(0)
        SoftwareKey = self.env["client.equipment.software.key"]
        license_keys, left_out = self._get_lines(), 0
        if self.leave_out:
            findings = SoftwareKey._inspect_license_keys(license_keys)
            license_keys = [
                found["license_key"]
                for found in findings
                if found["verdict"] not in REFUSED
            ]
            left_out = len(findings) - len(license_keys)
        keys = SoftwareKey.with_context(software_key_bulk_entry_id=self.id).bulk_enter(
            license_keys, self._get_entry_values()
        )
        message = self.env._(
            "Keys of %(software)s entered: %(count)s",
            count=len(keys),
            software=self.software_id.display_name,
        )
        if left_out:
            message += "\n" + self.env._("Lines left out: %s", left_out)
        return self._told(message, then=self._view_entered(keys))

    def _view_entered(self, keys):
        """Return the action that lists the keys just entered.

        They are found by the first and the last of them: a list of thousands of ids
        would travel with every step on that screen.
        """
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "client_equipment_software_key.client_equipment_software_key_action"
        )
        return action | {
            "display_name": self.env._("Entered Keys"),
            "path": False,
            "context": {},
            "domain": [
                ("id", ">=", min(keys.ids)),
                ("id", "<=", max(keys.ids)),
                ("create_uid", "=", self.env.uid),
            ],
        }

    def _get_entry_values(self):
        """Return what the keys have in common. For extension.

        :return: values as for ``bulk_enter``
        """
        return {
            "software_id": self.software_id.id,
            "key_type": self.key_type,
            "seats": self.seats,
            "validity_start": self.validity_start,
            "validity_end": self.validity_end,
            "supplier_id": self.supplier_id.id,
            "purchase_reference": self.purchase_reference,
            "owner_id": self.owner_id.id,
            "company_id": self.company_id.id,
        }

    def _note_progress(self, count):
        """Note how many keys have been entered, for the waiting user to read.

        It takes a transaction of its own: nobody sees into the one that enters the
        keys before its end. Where that one has written to this row, it is left alone.
        """
        with self.env.registry.cursor() as cr:
            cr.execute(
                SQL(
                    "UPDATE client_equipment_software_key_bulk_entry"
                    " SET entered_count = %s WHERE id IN ("
                    "SELECT id FROM client_equipment_software_key_bulk_entry"
                    " WHERE id = %s AND create_uid = %s"
                    " FOR NO KEY UPDATE SKIP LOCKED)",
                    count,
                    self.id,
                    self.env.uid,
                )
            )
