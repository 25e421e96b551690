import base64
import re

from markupsafe import Markup, escape

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from odoo.addons.client_equipment.values import character_problem

from .. import vendor_file
from ..license_key import is_file
from ..models.client_equipment_software_key import KEY_TYPES
from ..models.client_equipment_software_key_entry import REFUSED

# The preview shows so many lines; those with a problem come first.
PREVIEW_MAX = 100
# So many rows of a table are shown at least, and below its headings.
ROWS_SHOWN, ROWS_BELOW = 8, 6
# So many of the lines that were left out are named at the end.
LEFT_OUT_MAX = 10


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
        help="CSV, XLSX or ODS. The table is shown, and which of its columns holds the "
        "license keys can be chosen.",
    )
    file_name = fields.Char()
    table = fields.Json(help="The first rows of the vendor's file, to choose from.")
    choice = fields.Json(
        help="Which sheet, row of headings and column of the file hold the keys."
    )
    unread_cells = fields.Json(
        help="The cells of the chosen column that cannot be a license key."
    )
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

    @api.depends("license_keys", "leave_out", "unread_cells")
    def _compute_preview(self):
        SoftwareKey = self.env["client.equipment.software.key"]
        for entry in self:
            findings = entry._get_unread()
            findings += SoftwareKey._inspect_license_keys(entry._get_lines())
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
                    {**found, "text": _whole_words(SoftwareKey._verdict_text(found))}
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
        """Return the lines of the list, a file that was pasted as one."""
        text = self.license_keys or ""
        if is_file(text.strip()):
            return [text]
        return text.splitlines()

    def _get_unread(self):
        """Return what is wrong with the cells that cannot be a license key."""
        words = {
            "rounded": self.env._(
                "the spreadsheet has rounded this number; format the column as text"
            ),
            "date": self.env._("the spreadsheet has made a date of it"),
            "boolean": self.env._("the spreadsheet has made true or false of it"),
            "formula": self.env._(
                "a formula without a value; open the file in a spreadsheet and save it"
            ),
            "error": self.env._("a formula that failed"),
            "columns": self.env._("there is a tab in it"),
        }
        unread = []
        for cell in self.unread_cells if isinstance(self.unread_cells, list) else ():
            match cell:
                case [str(name), str(text), str(problem)]:
                    found = {"line": name, "license_key": text, "verdict": "invalid"}
                    unread.append(found | {"problem": words.get(problem, "")})
        return unread

    @api.onchange("license_keys")
    def _onchange_license_keys(self):
        """Read pasted columns as the table that they are."""
        text = (self.license_keys or "").strip("\r\n")
        if any("\t" in line.strip() for line in text.splitlines()):
            if character_problem(self.env, text):
                return
            self.file = base64.b64encode(text.encode())
            self.file_name = self.env._("Pasted columns")

    @api.onchange("file")
    def _onchange_file(self):
        """Show the table of the file, and propose where its license keys stand."""
        self.table = self.choice = self.unread_cells = False
        return self._read_file()

    @api.onchange("choice")
    def _onchange_choice(self):
        """Take the license keys from where the user says that they stand."""
        shown = self.table.get("choice") if isinstance(self.table, dict) else None
        return self._read_file() if self.choice != shown else None

    def _read_file(self):
        """Put the license keys of the chosen column into the list."""
        if not self.file:
            return None
        try:
            sheets = vendor_file.read(base64.b64decode(self.file))
        except vendor_file.Unreadable as error:
            message = self._describe_unreadable(error.reason)
            self.file = self.file_name = False
            return {
                "warning": {
                    "title": self.env._("The file cannot be read"),
                    "message": message,
                }
            }
        choice = self._get_choice(sheets)
        sheet = sheets[choice.sheet]
        cells = vendor_file.cells(sheet, choice)
        self.choice = list(choice)
        self.table = self._prepare_table(sheets, choice)
        self.license_keys = "\n".join(cell.text for cell in cells if not cell.problem)
        self.unread_cells = [list(cell) for cell in cells if cell.problem]
        return None

    def _get_choice(self, sheets):
        """Return where the license keys stand: as chosen, or as proposed.

        A choice of the sheet alone leaves the rest to be proposed.
        """
        label = self.env["client.equipment.software.key"]._fields["license_key"]
        names = [
            label._description_string(self.with_context(lang=code).env)
            for code, _name in self.env["res.lang"].get_installed()
        ]
        match self.choice:
            case [int(sheet), int(heading), int(column)] if sheet in range(len(sheets)):
                table = sheets[sheet]
                if heading < len(table.rows) and column < table.width:
                    return vendor_file.Choice(sheet, max(heading, -1), max(column, -1))
            case [int(sheet), *_] if sheet in range(len(sheets)):
                return vendor_file.propose_in(sheets, sheet, names)
        return vendor_file.propose(sheets, names)

    @api.model
    def _prepare_table(self, sheets, choice):
        """Return what the screen shows of a file, to choose from."""
        sheet = sheets[choice.sheet]
        columns = range(sheet.width)
        last = max(ROWS_SHOWN, choice.heading + 1 + ROWS_BELOW)
        rows = [
            [number, [sheet.text(number, column)[:60] for column in columns]]
            for number in range(min(last, len(sheet.rows)))
            if any(sheet.rows[number])
        ]
        return {
            "choice": list(choice),
            "sheets": [each.name or self.env._("The table") for each in sheets],
            "columns": [vendor_file.column_name(n) for n in columns],
            "rows": rows[-30:],
        }

    def _describe_unreadable(self, reason):
        """Return in words why a file holds no table."""
        name = self.file_name or self.env._("This file")
        match reason:
            case "empty":
                return self.env._("%s is empty. Choose another file.", name)
            case "pdf":
                return self.env._(
                    "%s is a PDF. Ask the vendor for a CSV or XLSX file, or copy the "
                    "license keys from it and paste them.",
                    name,
                )
            case "html":
                return self.env._(
                    "%s is an HTML page, whatever it is called. Open it in a "
                    "spreadsheet and save it as XLSX, or paste its columns.",
                    name,
                )
            case "old_excel":
                return self.env._(
                    "%s is a workbook of the old Excel format, or is protected by a "
                    "password. Open it and save it as XLSX without one.",
                    name,
                )
            case "license_file":
                return self.env._(
                    "%s is a license file itself. Enter its serial number or license "
                    "id as a new software key, and attach the file to that as License "
                    "File.",
                    name,
                )
            case "large":
                return self.env._(
                    "%s is larger than any list of license keys. Save the columns that "
                    "are needed as a file of their own.",
                    name,
                )
            case "damaged":
                return self.env._(
                    "%s is damaged. Open it in a spreadsheet and save it anew, or "
                    "paste the license keys.",
                    name,
                )
        return self.env._(
            "%s is neither CSV, XLSX nor ODS. Save it as one of them, or paste the "
            "license keys.",
            name,
        )

    def action_enter(self) -> dict:
        """Button *Enter … Keys*: enter the keys, all or nothing.

        :return: an action that says how many and what was left out, and opens the list
            of them
        """
        self.ensure_one()
        self._publish_progress(0)
        SoftwareKey = self.env["client.equipment.software.key"]
        license_keys, left_out = self._get_lines(), self._get_unread()
        if self.leave_out:
            findings = SoftwareKey._inspect_license_keys(license_keys)
            left_out += [found for found in findings if found["verdict"] in REFUSED]
            license_keys = [
                found["license_key"]
                for found in findings
                if found["verdict"] not in REFUSED
            ]
        elif left_out:
            total = len(left_out) + len(list(filter(None, license_keys)))
            raise ValidationError(SoftwareKey._describe_refused(left_out, total))
        keys = SoftwareKey.with_context(software_key_bulk_entry_id=self.id).bulk_enter(
            license_keys, self._get_entry_values()
        )
        message = self._describe_entered(keys, left_out)
        return self._told(message, then=self._view_entered(keys))

    def _describe_entered(self, keys, left_out):
        """Return in words how many keys were entered, and which lines were left out."""
        lines = [
            self.env._(
                "Keys of %(software)s entered: %(count)s",
                count=len(keys),
                software=self.software_id.display_name,
            )
        ]
        if left_out:
            lines.append(self.env._("Lines left out: %s", len(left_out)))
            lines += [
                f"{found['license_key']}: {keys._verdict_text(found)}"
                for found in left_out[:LEFT_OUT_MAX]
            ]
        if len(left_out) > LEFT_OUT_MAX:
            lines.append(self.env._("… and %s more", len(left_out) - LEFT_OUT_MAX))
        return "\n".join(lines)

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

    def _publish_progress(self, count):
        """Note how many keys have been entered, for the waiting user to read.

        It takes a transaction of its own: nobody sees into the one that enters the
        keys before its end. Where that one has written to this row, it is left alone.
        """
        with self._another_view() as cr:
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


def _whole_words(text):
    """Return the text as HTML in which no line ends within a license key, as
    ``whole_words.js`` does it in the client."""
    whole = r'<span class="o_whole_word">\g<0></span>'
    return Markup(re.sub(r"\S*[-…]\S+", whole, str(escape(text))))
