import io

from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from odoo.tools import format_date, split_every
from odoo.tools.pdf import PdfFileReader, PdfFileWriter

REPORT = "client_equipment_software_key.evidence_pack_report"
# Beyond these, paper is no help and wkhtmltopdf takes many minutes.
MAX_LINES = 2000
# The headings stand above so many lines, so that there are some on every page.
TABLE_LINES = 20
LINES_ON_PAGE = 40


class EvidenceReport:
    """What is printed of an evidence pack and handed over (L7): installations, by
    customer or by equipment."""

    def __init__(self, evidence):
        self.evidence = evidence
        self.env = evidence.env

    def make(self) -> tuple[bytes | str, str, str | None]:
        """Return ``(file, extension, note)``, the note for the maker."""
        Report = self.env["ir.actions.report"]
        pack = self.evidence.pack
        too_many = self._too_many()
        data = {
            "summary": pack._get_summary(self.evidence),
            "positions": self._positions(),
            "counts": self._counts(),
            "files": pack.file_ids,
            "sections": [] if too_many else self._sections(),
            "too_many": too_many,
            "period": self._period(),
        }
        if Report.get_wkhtmltopdf_state() in ("install", "broken"):
            html, _type = Report._render_qweb_html(REPORT, pack.ids, data=data)
            missing = self.env._(
                "The report is an HTML page, because wkhtmltopdf, which makes "
                "PDFs, is not installed on the server. Print it from the browser, "
                "or ask the administrator to install wkhtmltopdf."
            )
            return html, "html", "\n".join(filter(None, (missing, too_many)))
        content, extension = Report._render_qweb_pdf(REPORT, pack.ids, data=data)
        if extension == "pdf":
            content = self._finish(content)
        return content, extension, too_many

    def _too_many(self):
        """Return in words why the installations are not on paper, if so."""
        count = self.evidence.pack._count("installations")
        if count <= MAX_LINES:
            return None
        return self.env._(
            "The report has the license position, but not the %(count)s installations: "
            "they would be some %(pages)s pages. The sheet Installations has them all.",
            count=count,
            pages=count // LINES_ON_PAGE,
        )

    def _positions(self):
        """Return headings and rows of the license position, with their sum."""
        columns = self.evidence.pack._get_position_columns(self.evidence)
        rows = [
            [column.value(row) for column in columns]
            for row in self.evidence.positions.items()
        ]
        total = [
            self.env._("Total"),
            *(sum(numbers) for numbers in list(zip(*rows, strict=True))[1:]),
        ]
        headings = [column.label for column in columns]
        return {"headings": headings, "rows": rows, "total": total}

    def _counts(self):
        """Return ``[(title, how many)]`` of the other tables."""
        pack = self.evidence.pack
        return [
            (sheet.title, pack._count(sheet.name) or self.env._("None"))
            for sheet in pack._get_sheets(self.evidence)
            if sheet.name != "position"
        ]

    def _finish(self, pdf):
        """Return the PDF with numbers on its pages, which Debian's wkhtmltopdf cannot
        print, and with a title."""
        pages = PdfFileReader(io.BytesIO(pdf), strict=False)
        count = pages.getNumPages()
        output = io.BytesIO()
        canvas = Canvas(output)
        for number in range(count):
            box = pages.getPage(number).mediaBox
            canvas.setPageSize((float(box.getWidth()), float(box.getHeight())))
            canvas.setFont("Helvetica", 8)
            right = float(box.getWidth()) - 12 * mm
            canvas.drawRightString(right, 8 * mm, f"{number + 1} / {count}")
            canvas.showPage()
        canvas.save()
        numbers = PdfFileReader(output)
        writer = PdfFileWriter()
        for number in range(count):
            page = pages.getPage(number)
            page.mergePage(numbers.getPage(number))
            writer.addPage(page)
        title = self.env["ir.actions.report"]._get_report(REPORT).name
        writer.addMetadata({"/Title": title})
        output = io.BytesIO()
        writer.write(output)
        return output.getvalue()

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
        """Return the parts of the report: one for each equipment, or one for each
        customer, with what was installed on each of his equipment."""
        by_equipment = bool(self.evidence.pack.equipment_ids)
        sections = {}
        History = self.env["client.equipment.usage.history"]
        lines = History.browse(self.evidence.pack._planned("installations"))
        lines = lines.exists().sorted(
            lambda line: (self._customer(line), line.equipment_name or "")
        )
        for line in lines:
            customer = self._customer(line)
            equipment = line.equipment_name
            if line.equipment_serial_no:
                equipment = f"{equipment} ({line.equipment_serial_no})"
            place = (line.equipment_ref, equipment)
            title = (*place, customer) if by_equipment else (0, customer, "")
            lines = sections.setdefault(title, {}).setdefault(place, [])
            lines.append(self._line(line))
        return [
            {
                "title": title,
                "subtitle": subtitle,
                "tables": [
                    {"equipment": "" if by_equipment else equipment, "lines": some}
                    for (_ref, equipment), lines in places.items()
                    for some in split_every(TABLE_LINES, lines, list)
                ],
            }
            for (_ref, title, subtitle), places in sections.items()
        ]

    def _customer(self, line):
        """Return the name of the customer: a company and its contacts are one."""
        company = line.customer_id.commercial_partner_id
        name = self.evidence.name(company) or line.customer_name
        return name or self.env._("No customer")

    def _line(self, line):
        return {
            "feature": self.evidence.software_name(line),
            "key_number": line.software_key_id.id,
            "license_key": self.evidence.shown(line.software_key_id),
            "from": self.evidence.local(line.date_from).date(),
            "recorded": self.evidence.local(line.date_recorded).date(),
            "to": line.date_to and self.evidence.local(line.date_to).date(),
            "validity_end": line.software_key_id.validity_end,
            "applied_by": line.applied_by_id.name,
            "removed_by": line.removed_by_id.name,
        }
