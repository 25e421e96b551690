import base64
import hashlib

from odoo import Command, api, fields, models
from odoo.exceptions import UserError

from ..report.evidence import Evidence
from ..report.evidence_report import EvidenceReport
from ..report.evidence_xlsx import EvidenceXlsx


class ClientEquipmentEvidencePack(models.TransientModel):
    """The dialog that makes one XLSX and one PDF to hand over at a licence audit (L7).

    What is in them: see :class:`Evidence`.
    """

    _name = "client.equipment.evidence.pack"
    _description = "Evidence Pack"
    _inherit = ["client.equipment.mixin"]

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
    # What the making alone sets. The files are no attachments, which their maker could
    # change beside the dialog.
    state = fields.Selection(
        [("draft", "Draft"), ("done", "Done")],
        default="draft",
        readonly=True,
        fixed=True,
    )
    xlsx = fields.Binary(
        "XLSX", readonly=True, attachment=False, prefetch=False, fixed=True
    )
    xlsx_name = fields.Char(readonly=True, fixed=True)
    xlsx_sha256 = fields.Char("SHA-256 of the XLSX", readonly=True, fixed=True)
    report = fields.Binary(readonly=True, attachment=False, prefetch=False, fixed=True)
    report_name = fields.Char(readonly=True, fixed=True)
    report_note = fields.Char(readonly=True, fixed=True)

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
                        start=self._say_date(pack.date_from),
                        end=self._say_date(pack.date_to),
                    )
                )

    def action_make(self):
        """Make the files, note the SHA-256 of the XLSX and offer both (L7).

        :return: a window action that shows them
        :raises UserError: where there is nothing to tell, or too much for one file
        """
        self.ensure_one()
        evidence = Evidence(self)
        if not evidence.keys:
            raise UserError(
                self.env._(
                    "There is nothing to put into the pack: no software key was on "
                    "what you chose in this period. Choose more, or a longer period."
                )
            )
        xlsx = EvidenceXlsx(evidence).make()
        sha256 = hashlib.sha256(xlsx).hexdigest()
        report, extension, note = EvidenceReport(evidence).make(sha256)
        name = self.env._("evidence-%s", fields.Date.context_today(self))
        self._write_fixed(
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
        self._note(evidence.keys)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Evidence Pack"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
        }

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
