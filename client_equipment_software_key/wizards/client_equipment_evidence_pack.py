import base64
import hashlib
import io
import re
from datetime import date, datetime

import xlsxwriter

from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import format_date, format_datetime, split_every

BATCH = 2000
# Beyond these, paper is no help and wkhtmltopdf takes many minutes.
PDF_MAX_LINES = 2000
XLSX_MAX_ROWS = 1_000_000
XLSX_MAX_TEXT = 32767
XLSX_NOT_IN_NAME = re.compile(r"[\[\]:*?/\\]|^'|'$")


class ClientEquipmentEvidencePack(models.TransientModel):
    """One XLSX and one PDF to hand over at a licence audit (L7).

    Everything is read with the rights of the user. Where customers or equipment are
    chosen, nothing is told of other customers or other equipment that the same keys
    were on.
    """

    _name = "client.equipment.evidence.pack"
    _description = "Evidence Pack"

    software_ids = fields.Many2many(
        "client.equipment.software",
        context={"active_test": False},
    )
    equipment_ids = fields.Many2many(
        "client.equipment",
        context={"active_test": False},
    )
    partner_ids = fields.Many2many(
        "res.partner",
        string="Customers",
        context={"active_test": False},
        help="Their companies' contacts and branches are included.",
    )
    date_from = fields.Date("From")
    date_to = fields.Date("To")
    license_keys = fields.Selection(
        [("ending", "Last Five Characters"), ("whole", "Whole")],
        default="ending",
        required=True,
        help="How license keys are shown in the files.",
    )
    state = fields.Selection([("draft", "Draft"), ("done", "Done")], default="draft")
    xlsx = fields.Binary("XLSX", readonly=True)
    xlsx_name = fields.Char(readonly=True)
    xlsx_sha256 = fields.Char("SHA-256 of the XLSX", readonly=True)
    report = fields.Binary(readonly=True)
    report_name = fields.Char(readonly=True)
    report_note = fields.Char(readonly=True)

    @api.model
    def default_get(self, fields):
        vals = super().default_get(fields)
        field_name = {
            "client.equipment.software": "software_ids",
            "client.equipment": "equipment_ids",
            "res.partner": "partner_ids",
        }.get(self.env.context.get("active_model"))
        if field_name in fields:
            vals[field_name] = [Command.set(self.env.context.get("active_ids", []))]
        return vals

    @api.constrains("date_from", "date_to")
    def _check_dates(self):
        for pack in self:
            if pack.date_from and pack.date_to and pack.date_to < pack.date_from:
                raise UserError(
                    self.env._(
                        "The period ends on %(end)s, before it begins on %(start)s. "
                        "Correct one of the two dates.",
                        start=pack.date_from,
                        end=pack.date_to,
                    )
                )

    # ------------------------------------------------------------------
    # What belongs into the pack
    # ------------------------------------------------------------------

    def _customers(self):
        """Return the chosen customers with their contacts and branches."""
        return (
            self.env["res.partner"]
            .with_context(active_test=False)
            .search([("id", "child_of", self.partner_ids.ids)])
        )

    def _place_domain(self, model):
        """Return the domain of what ``model`` tells of chosen equipment and customers.

        The trail keeps the customer's name at that time. Where it is the name of a
        chosen customer, or one that nobody bears any more on equipment that is the
        customer's now, it counts; what happened at somebody else's does not.

        :param model: usage history or audit log, whose fields have the same names
        """
        domain = Domain.TRUE
        if self.equipment_ids:
            domain &= Domain("equipment_ref", "in", self.equipment_ids.ids)
        if not self.partner_ids:
            return domain
        customers = self._customers()
        names = set(customers.mapped("complete_name"))
        here = Domain("equipment_id.partner_id", "in", customers.ids)
        former = {
            name
            for (name,) in self.env[model]._read_group(here, ["customer_name"])
            if name
        }
        # Customers of other companies count as somebody else, too: hence sudo().
        # Only whether a name is borne is learned from them.
        others = {
            partner.complete_name
            for partner in self.env["res.partner"]
            .sudo()
            .with_context(active_test=False)
            .search_fetch(
                [
                    ("complete_name", "in", list(names | former)),
                    ("id", "not in", customers.ids),
                ],
                ["complete_name"],
            )
        }
        return domain & (
            Domain("customer_name", "in", list(names - others))
            | here
            & Domain("customer_name", "in", list(names & others | former - others))
        )

    def _installations(self):
        """Return the lines of the usage history that belong into the pack."""
        domain = self._place_domain("client.equipment.usage.history")
        if self.software_ids:
            domain &= Domain("software_id", "in", self.software_ids.ids)
        if self.date_from:
            domain &= Domain("installed_on", ">=", self.date_from)
        if self.date_to:
            domain &= Domain("installed_on", "<=", self.date_to)
        return self.env["client.equipment.usage.history"].search(
            domain, order="customer_name, equipment_name, date_from, id"
        )

    def _keys(self, installations):
        """Return the keys that belong into the pack.

        Those of the installations; where no place is chosen all keys of the software;
        where customers are chosen also what was bought for them.
        """
        Key = self.env["client.equipment.software.key"]
        of_software = (
            Domain("software_id", "in", self.software_ids.ids)
            if self.software_ids
            else Domain.TRUE
        )
        if self.partner_ids and not self.equipment_ids:
            more = Domain("owner_id", "in", self._customers().ids)
        else:
            more = Domain(bool(not self.partner_ids and not self.equipment_ids))
        installed = {key.id for key in installations.software_key_id}
        return Key.search(
            Domain("id", "in", list(installed)) | (of_software & more),
            order="software_id, id",
        )

    def _trail_domain(self):
        """Return the domain of the entries, of whichever keys, that may be told."""
        nowhere = Domain("equipment_ref", "=", False)
        domain = nowhere | self._place_domain("client.equipment.audit.log")
        history = self.env["client.equipment.usage.history"]
        if self.date_from:
            start = history._end_of(history._before(self.date_from))
            domain &= Domain("action_date", ">=", start)
        if self.date_to:
            domain &= Domain("action_date", "<", history._end_of(self.date_to))
        return domain

    def _told(self, equipment):
        """Return those of ``equipment`` that the pack may tell keys to be on now."""
        if self.equipment_ids:
            equipment &= self.equipment_ids
        if self.partner_ids:
            customers = self._customers()
            equipment = equipment.filtered(lambda one: one.partner_id in customers)
        return equipment

    # ------------------------------------------------------------------
    # Rows
    # ------------------------------------------------------------------

    def _shown(self, key):
        """Return the license key whole or by its last characters, as chosen."""
        if self.license_keys == "whole":
            return key.license_key
        return "…" + key.license_key[-min(5, len(key.license_key) // 2 or 1) :]

    def _hide(self, text, keys):
        """Return ``text`` with the license keys of ``keys`` shown as chosen."""
        for key in keys:
            text = text.replace(key.license_key, self._shown(key))
        return text

    def _local(self, moment):
        """Return a moment as the user's clock shows it."""
        return moment and fields.Datetime.context_timestamp(self, moment).replace(
            tzinfo=None
        )

    @api.model
    def _label(self, record, field_name):
        labels = dict(record._fields[field_name]._description_selection(self.env))
        return labels.get(record[field_name], "")

    def _batches(self, records):
        """Yield ``records`` in portions whose values are forgotten afterwards."""
        for ids in split_every(BATCH, records._ids, list):
            portion = records.browse(ids)
            yield portion
            portion.invalidate_recordset(flush=False)

    def _installation_rows(self, installations):
        for portion in self._batches(installations):
            for line in portion:
                yield [
                    line.customer_name,
                    line.equipment_name,
                    line.equipment_serial_no,
                    line.software_id.display_name,
                    self._shown(line.software_key_id),
                    self._local(line.date_from),
                    self._local(line.date_to),
                    round(line.duration, 1),
                    line.applied_by_id.name,
                    line.removed_by_id.name,
                ]

    def _key_rows(self, keys):
        for portion in self._batches(keys):
            told = self._told(portion.equipment_id)
            for key in portion:
                equipment = key.equipment_id & told
                yield [
                    key.software_id.display_name,
                    self._shown(key),
                    self._label(key, "key_type"),
                    self._label(key, "status"),
                    key.validity_start,
                    key.validity_end,
                    equipment.display_name,
                    equipment.partner_id.display_name,
                    key.owner_id.display_name,
                    key.purchase_reference,
                    key.audit_number,
                    key.audit_hash,
                ]

    def _trail_rows(self, keys):
        AuditLog = self.env["client.equipment.audit.log"]
        domain = self._trail_domain()
        for portion in self._batches(keys):
            entries = AuditLog.search(
                domain & Domain("software_key_id", "in", portion.ids),
                order="software_key_id, number",
            )
            for entry in entries:
                key = entry.software_key_id
                yield [
                    key.software_id.display_name,
                    self._shown(key),
                    entry.number,
                    self._label(entry, "action"),
                    self._local(entry.action_date),
                    entry.user_name,
                    entry.equipment_name,
                    entry.equipment_serial_no,
                    entry.customer_name,
                    self._label(entry, "status_before"),
                    self._label(entry, "status_after"),
                    entry.validity_end_before,
                    entry.validity_end_after,
                    self._hide(
                        entry.description, key | key.replaces_id | key.replaced_by_id
                    ),
                    entry.hash,
                ]
            entries.invalidate_recordset(flush=False)

    def _gap_rows(self, keys):
        for portion in self._batches(keys):
            told = self._told(portion.equipment_id)
            for key in portion:
                equipment = key.equipment_id & told
                if key.needs_attention:
                    gap = self.env._("Status and assignment disagree")
                elif key.status == "expired" and equipment:
                    gap = self.env._("Expired, but still installed")
                else:
                    continue
                yield [
                    gap,
                    key.software_id.display_name,
                    self._shown(key),
                    self._label(key, "status"),
                    key.validity_end,
                    equipment.display_name,
                    equipment.partner_id.display_name,
                ]

    def _finding_rows(self, keys):
        for portion in self._batches(keys):
            for finding in portion.verify_audit_trail():
                key = keys.browse(finding["software_key_id"])
                yield [
                    key.software_id.display_name,
                    self._shown(key),
                    self._hide(finding["problem"], key),
                ]

    # ------------------------------------------------------------------
    # Files
    # ------------------------------------------------------------------

    def _summary_rows(self):
        """Return when, by whom and over which filter the pack is made."""
        everything = self.env._("All")
        return [
            [self.env._("Made on"), self._local(fields.Datetime.now())],
            [
                self.env._("Time zone"),
                self.env.context.get("tz") or self.env.user.tz or "UTC",
            ],
            [self.env._("Made by"), self.env.user.name],
            [self.env._("Companies"), ", ".join(self.env.companies.mapped("name"))],
            [self.env._("From"), self.date_from or everything],
            [self.env._("To"), self.date_to or everything],
            [self.env._("Software"), self._names(self.software_ids) or everything],
            [self.env._("Equipment"), self._names(self.equipment_ids) or everything],
            [self.env._("Customers"), self._names(self.partner_ids) or everything],
            [self.env._("License keys"), self._label(self, "license_keys")],
        ]

    @api.model
    def _names(self, records):
        return ", ".join(records.mapped("display_name"))

    def _sheets(self, installations, keys):
        """Return ``(name, headers, rows)`` of each sheet after the summary."""
        feature, license_key = self.env._("Feature"), self.env._("License Key")
        return [
            (
                self.env._("Installations"),
                [
                    self.env._("Customer"),
                    self.env._("Equipment"),
                    self.env._("Serial Number"),
                    feature,
                    license_key,
                    self.env._("From"),
                    self.env._("To"),
                    self.env._("Days"),
                    self.env._("Applied By"),
                    self.env._("Removed By"),
                ],
                self._installation_rows(installations),
            ),
            (
                self.env._("Keys"),
                [
                    feature,
                    license_key,
                    self.env._("Key Type"),
                    self.env._("Status"),
                    self.env._("Validity Start"),
                    self.env._("Validity End"),
                    self.env._("Equipment"),
                    self.env._("Customer"),
                    self.env._("Bought for Customer"),
                    self.env._("Purchase Reference"),
                    self.env._("Number of Audit Logs"),
                    self.env._("Last Audit Hash"),
                ],
                self._key_rows(keys),
            ),
            (
                self.env._("Trail"),
                [
                    feature,
                    license_key,
                    self.env._("No."),
                    self.env._("Action"),
                    self.env._("Date and Time"),
                    self.env._("User"),
                    self.env._("Equipment"),
                    self.env._("Serial Number"),
                    self.env._("Customer"),
                    self.env._("Status Before"),
                    self.env._("Status After"),
                    self.env._("Validity End Before"),
                    self.env._("Validity End After"),
                    self.env._("Description"),
                    self.env._("SHA-256"),
                ],
                self._trail_rows(keys),
            ),
            (
                self.env._("Gaps"),
                [
                    self.env._("Gap"),
                    feature,
                    license_key,
                    self.env._("Status"),
                    self.env._("Validity End"),
                    self.env._("Equipment"),
                    self.env._("Customer"),
                ],
                self._gap_rows(keys),
            ),
            (
                self.env._("Integrity"),
                [feature, license_key, self.env._("Finding")],
                self._finding_rows(keys),
            ),
        ]

    def _make_xlsx(self, installations, keys):
        """Return the XLSX and the number of findings of its integrity sheet.

        Rows go to disk as they are written, so memory does not grow with them.
        """
        output = io.BytesIO()
        with xlsxwriter.Workbook(
            output, {"constant_memory": True, "default_date_format": "yyyy-mm-dd"}
        ) as workbook:
            summary = _Sheet(workbook, self.env._("Summary"), [])
            for row in self._summary_rows():
                summary.append(row)
            findings = 0
            for name, headers, rows in self._sheets(installations, keys):
                sheet = _Sheet(workbook, name, headers)
                for row in rows:
                    if sheet.row >= XLSX_MAX_ROWS:
                        raise UserError(
                            self.env._(
                                "There is too much for one file: the sheet %(sheet)s "
                                "would have more than %(max)s rows. Choose less "
                                "software, fewer customers or a shorter period.",
                                sheet=name,
                                max=XLSX_MAX_ROWS,
                            )
                        )
                    sheet.append(row)
                sheet.close()
                findings = sheet.row - 1
                summary.append([name, findings])
            summary.append([self.env._("Result"), self._verdict(len(keys), findings)])
        return output.getvalue(), findings

    def _verdict(self, count, findings):
        """Return in words what verifying ``count`` audit trails has found."""
        if findings:
            return self.env._(
                "Not intact: %(findings)s of %(count)s audit trails were changed "
                "behind the system's back.",
                findings=findings,
                count=count,
            )
        return self.env._(
            "Intact: %(count)s audit trails verified, no entry was altered, removed "
            "or inserted.",
            count=count,
        )

    def _make_report(self, installations, verdict, sha256):
        """Return ``(file, extension, note)`` of what is printed and handed over."""
        if len(installations) > PDF_MAX_LINES:
            return (
                False,
                False,
                self.env._(
                    "No PDF: %(count)s installations are too many to print (at most "
                    "%(max)s). The XLSX has them all.",
                    count=len(installations),
                    max=PDF_MAX_LINES,
                ),
            )
        if not installations:
            return (
                False,
                False,
                self.env._("No PDF: nothing was installed in this period."),
            )
        Report = self.env["ir.actions.report"]
        report = "client_equipment_software_key.evidence_pack_report"
        data = {
            "sections": self._report_sections(installations),
            "verdict": verdict,
            "sha256": sha256,
            "period": self._period(),
            "made_on": format_datetime(self.env, fields.Datetime.now()),
        }
        if Report.get_wkhtmltopdf_state() in ("install", "broken"):
            html, _type = Report._render_qweb_html(report, self.ids, data=data)
            return (
                html,
                "html",
                self.env._(
                    "The report is an HTML page, because wkhtmltopdf, which makes "
                    "PDFs, is not installed on the server. Print it from the browser, "
                    "or ask the administrator to install wkhtmltopdf."
                ),
            )
        content, extension = Report._render_qweb_pdf(report, self.ids, data=data)
        return content, extension, False

    def _period(self):
        """Return in words which installations are reported."""
        start, end = (
            day and format_date(self.env, day) for day in (self.date_from, self.date_to)
        )
        if start and end:
            return self.env._(
                "Installed at some time from %(start)s to %(end)s", start=start, end=end
            )
        if start:
            return self.env._("Installed on %s or later", start)
        if end:
            return self.env._("Installed until %s", end)
        return self.env._("Installed at any time")

    def _report_sections(self, installations):
        """Return the pages of the report: one for each equipment or customer."""
        by_equipment = bool(self.equipment_ids)
        sections = {}
        for line in installations:
            customer = line.customer_name or self.env._("No customer")
            if by_equipment:
                name = line.equipment_name
                if line.equipment_serial_no:
                    name = f"{name} ({line.equipment_serial_no})"
                title = (line.equipment_ref, name, customer)
            else:
                title = (0, customer, "")
            sections.setdefault(title, []).append(
                {
                    "equipment": line.equipment_name,
                    "serial_no": line.equipment_serial_no,
                    "feature": line.software_id.display_name,
                    "license_key": self._shown(line.software_key_id),
                    "from": self._local(line.date_from).date(),
                    "to": line.date_to and self._local(line.date_to).date(),
                    "validity_end": line.software_key_id.validity_end,
                    "applied_by": line.applied_by_id.name,
                }
            )
        return [
            {"title": name, "subtitle": subtitle, "lines": lines}
            for (_ref, name, subtitle), lines in sections.items()
        ]

    def _note(self, keys):
        """Note the SHA-256 of the XLSX on the chatter of what the pack is about."""
        body = self.env._(
            "Evidence pack %(file)s made by %(user)s (%(start)s to %(end)s). SHA-256 "
            "of the file: %(sha256)s",
            file=self.xlsx_name,
            user=self.env.user.name,
            start=self.date_from or "…",
            end=self.date_to or "…",
            sha256=self.xlsx_sha256,
        )
        chosen = [self.software_ids, self.equipment_ids, self.partner_ids]
        for records in chosen if any(chosen) else [keys.software_id]:
            # Auditors may write nowhere, and so not on the chatter either. This note
            # is the system's: its text is fixed, and the records are those that the
            # user could choose because they may be read.
            records.check_access("read")
            records.sudo()._message_log_batch(
                dict.fromkeys(records.ids, body),
                author_id=self.env.user.partner_id.id,
            )

    def action_make(self):
        """Make the files, note the SHA-256 of the XLSX and offer both (L7).

        :return: a window action that shows them
        :raises UserError: where it would be too much for one file
        """
        self.ensure_one()
        installations = self._installations()
        keys = self._keys(installations)
        if not keys:
            raise UserError(
                self.env._(
                    "There is nothing to put into the pack: no software key was on "
                    "what you chose in this period. Choose more, or a longer period."
                )
            )
        xlsx, findings = self._make_xlsx(installations, keys)
        name = self.env._("evidence-%s", fields.Date.context_today(self))
        sha256 = hashlib.sha256(xlsx).hexdigest()
        report, extension, note = self._make_report(
            installations, self._verdict(len(keys), findings), sha256
        )
        self.write(
            {
                "state": "done",
                "xlsx": base64.b64encode(xlsx),
                "xlsx_name": f"{name}.xlsx",
                "xlsx_sha256": sha256,
                "report": report and base64.b64encode(report),
                "report_name": report and f"{name}.{extension}",
                "report_note": note,
            }
        )
        self._note(keys)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Evidence Pack"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
        }


class _Sheet:
    """A worksheet that is written row by row; texts are never taken for formulas."""

    def __init__(self, workbook, name, headers):
        self.sheet = workbook.add_worksheet(XLSX_NOT_IN_NAME.sub(" ", name[:31]))
        self.bold = workbook.add_format({"bold": True, "bg_color": "#e9ecef"})
        self.moment = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self.day = workbook.add_format({"num_format": "yyyy-mm-dd"})
        self.headers = headers
        self.row = 0
        self.sheet.set_column(0, max(len(headers) - 1, 1), 22)
        if headers:
            self.sheet.freeze_panes(1, 0)
            self.append(headers, self.bold)

    def append(self, values, style=None):
        for column, value in enumerate(values):
            if isinstance(value, str):
                self.sheet.write_string(self.row, column, value[:XLSX_MAX_TEXT], style)
            elif isinstance(value, datetime):
                self.sheet.write_datetime(self.row, column, value, self.moment)
            elif isinstance(value, date):
                self.sheet.write_datetime(self.row, column, value, self.day)
            elif value is not False and value is not None:
                self.sheet.write_number(self.row, column, value, style)
        self.row += 1

    def close(self):
        self.sheet.autofilter(0, 0, max(self.row - 1, 0), len(self.headers) - 1)
