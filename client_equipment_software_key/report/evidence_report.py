from odoo import fields
from odoo.tools import format_date, format_datetime

REPORT = "client_equipment_software_key.evidence_pack_report"
# Beyond these, paper is no help and wkhtmltopdf takes many minutes.
MAX_LINES = 2000


class EvidenceReport:
    """What is printed of an evidence pack and handed over (L7): installations, by
    customer or by equipment."""

    def __init__(self, evidence):
        self.evidence = evidence
        self.env = evidence.env

    def make(self, sha256):
        """Return ``(file, extension, note)``, the note for the user.

        :param str sha256: of the tables that the report belongs to
        """
        installations = self.evidence.installations
        if len(installations) > MAX_LINES:
            return (
                False,
                False,
                self.env._(
                    "No PDF: %(count)s installations are too many to print (at most "
                    "%(max)s). The XLSX has them all.",
                    count=len(installations),
                    max=MAX_LINES,
                ),
            )
        if not installations:
            return (
                False,
                False,
                self.env._("No PDF: nothing was installed in this period."),
            )
        Report = self.env["ir.actions.report"]
        pack_ids = self.evidence.pack.ids
        data = {
            "sections": self._sections(),
            "verdict": self.evidence.verdict,
            "sha256": sha256,
            "period": self._period(),
            "made_on": format_datetime(self.env, fields.Datetime.now()),
        }
        if Report.get_wkhtmltopdf_state() in ("install", "broken"):
            html, _type = Report._render_qweb_html(REPORT, pack_ids, data=data)
            return (
                html,
                "html",
                self.env._(
                    "The report is an HTML page, because wkhtmltopdf, which makes "
                    "PDFs, is not installed on the server. Print it from the browser, "
                    "or ask the administrator to install wkhtmltopdf."
                ),
            )
        content, extension = Report._render_qweb_pdf(REPORT, pack_ids, data=data)
        return content, extension, False

    def _period(self):
        """Return in words which installations are reported."""
        pack = self.evidence.pack
        start, end = (
            day and format_date(self.env, day) for day in (pack.date_from, pack.date_to)
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

    def _sections(self):
        """Return the parts of the report: one for each equipment or customer."""
        by_equipment = bool(self.evidence.pack.equipment_ids)
        sections = {}
        for line in self.evidence.installations:
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
                    "license_key": self.evidence.shown(line.software_key_id),
                    "from": self.evidence.local(line.date_from).date(),
                    "to": line.date_to and self.evidence.local(line.date_to).date(),
                    "validity_end": line.software_key_id.validity_end,
                    "applied_by": line.applied_by_id.name,
                }
            )
        return [
            {"title": name, "subtitle": subtitle, "lines": lines}
            for (_ref, name, subtitle), lines in sections.items()
        ]
