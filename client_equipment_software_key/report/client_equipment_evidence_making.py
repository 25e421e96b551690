import base64
import gzip
import hashlib
import io
import json
import logging
import shutil
import tempfile
import zlib
from contextlib import suppress

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, file_open, split_every

from ..models.client_equipment_audit_checkpoint import StillRunning
from .client_equipment_evidence_pack import UNFINISHED
from .evidence import BATCH, Evidence, Position
from .evidence_json import EvidenceJson
from .evidence_report import EvidenceReport
from .xlsx_file import XlsxFile, XlsxRows

_logger = logging.getLogger(__name__)

VERIFIER = "client_equipment_software_key/static/evidence/verify_evidence.py"
# A larger JSON is packed.
MAX_JSON = 20_000_000
# So many seconds the checkpoint of a pack waits for who began before it.
PATIENCE = 3


class ClientEquipmentEvidencePack(models.Model):
    """How packs of any size are made: step by step, by a scheduled action.

    What goes into the sheets is looked up in the first step and kept as ids. Each
    further step makes the rows of one portion, the last ones put the files together.
    A step is one transaction, which locks the pack: so a job may be stopped at any
    point, and a second one does no harm. All is told as of one moment, so it does not
    matter that the steps see the database at different ones.
    """

    _inherit = "client.equipment.evidence.pack"

    # The ids by sheet, and the license position: compressed JSON.
    plan = fields.Binary(attachment=False, prefetch=False, fixed=True, copy=False)
    step = fields.Integer("Steps Done", readonly=True, fixed=True, copy=False)

    @api.model
    def _cron_make(self):
        """Make the packs that wait, by turns."""
        pending = self.search([("state", "in", UNFINISHED)], order="id").ids
        time_left = self._tell_progress(remaining=len(pending))
        while pending and time_left:
            for pack_id in list(pending):
                if not self._in_own_transaction("_make_step", pack_id):
                    pending.remove(pack_id)
                time_left = self._tell_progress(1, remaining=len(pending))
                if not time_left:
                    break

    @api.model
    def _make_step(self, pack_id):
        """Make the next step of a pack.

        :return: whether there is another one for this job
        """
        pack = self.browse(pack_id)
        if not pack._lock_to_make():
            return False  # another job has it, or its maker has deleted it
        try:
            with self.env.cr.savepoint():
                pack._as_maker()._make_next()
        except (
            psycopg2.errors.SerializationFailure,
            psycopg2.errors.DeadlockDetected,
        ):
            raise
        except (UserError, AccessError) as error:
            pack._fail(str(error))
        except Exception:
            _logger.exception("Making %s failed", pack)
            pack._fail(
                pack.env._(
                    "The pack could not be made. Ask an administrator to look into the "
                    "server's log, or try again."
                )
            )
        return pack.state in UNFINISHED

    def _lock_to_make(self):
        """Lock the pack, if no other job holds it and it is not made yet."""
        return self.env.execute_query(
            SQL(
                "SELECT id FROM client_equipment_evidence_pack"
                " WHERE id = %s AND state IN %s FOR NO KEY UPDATE SKIP LOCKED",
                self.id,
                UNFINISHED,
            )
        )

    def _as_maker(self):
        """Return the pack as its maker sees it, with the companies that he had chosen.

        :raises UserError: where he may not see them any more
        """
        maker, companies = self.create_uid, self.company_ids
        pack = self.with_user(maker).with_context(
            lang=self.lang, tz=self.tz, allowed_company_ids=companies.ids
        )
        if not maker.active or companies - maker.company_ids:
            raise UserError(
                pack.env._(
                    "%s may no longer see the companies that the pack was asked for.",
                    maker.name,
                )
            )
        pack.check_access("read")
        return pack

    def _make_next(self):
        """Make the next step, as the maker."""
        evidence = Evidence(self)
        if not self.sudo().plan:
            self._make_checkpoint()
            self._note_step(plan=self._make_plan(evidence), state="making")
            return
        parts = self._read_plan(evidence)
        portions = [
            (name, records.browse(ids))
            for name, records in parts.items()
            for ids in split_every(BATCH, records._ids, list)
        ]
        files = self._get_file_makers(evidence)
        if self.step < len(portions):
            self._make_piece(evidence, *portions[self.step])
        else:
            files[self.step - len(portions)]()
        done, total = self.step + 1, len(portions) + len(files)
        self._note_step(step=done, progress=100 * done // total)
        if done == total:
            self._finish(evidence)

    def _note_step(self, **values):
        # The making alone sets these; its maker may not write the pack.
        self.sudo()._write_fixed(values)

    def _make_plan(self, evidence):
        """Return what the pack is made of.

        :raises UserError: where there is nothing to tell
        """
        if not evidence.keys:
            raise UserError(self._nothing_message())
        plan = {
            "parts": {
                part.name: [(records := part.records())._name, records.ids]
                for part in self._get_parts(evidence)
            },
            "positions": {
                software.id: vars(position)
                for software, position in evidence.positions.items()
            },
        }
        return base64.b64encode(zlib.compress(json.dumps(plan).encode()))

    def _read_plan(self, evidence):
        """Return ``{part: records}`` as planned; ``evidence`` tells of these."""
        plan = json.loads(zlib.decompress(base64.b64decode(self.sudo().plan)))
        parts = {
            name: self.env[model].browse(ids)
            for name, (model, ids) in plan["parts"].items()
        }
        evidence.keys, evidence.installations = parts["keys"], parts["installations"]
        evidence.positions = {
            self.env["client.equipment.software"].browse(int(id_)): Position(**position)
            for id_, position in plan["positions"].items()
        }
        return parts

    def _make_checkpoint(self):
        """Make a checkpoint, so that it covers what the pack tells.

        Where somebody has been at work for too long, the newest one has to do.
        """
        Checkpoint = self.env["client.equipment.audit.checkpoint"]
        newest = Checkpoint.search([], limit=1)
        if not newest or newest.until < self.asked_on:
            with suppress(StillRunning):
                Checkpoint._make(self.asked_on, PATIENCE)

    # ------------------------------------------------------------------
    # Pieces
    # ------------------------------------------------------------------

    def _get_parts(self, evidence):
        """Return what is made portion by portion. For extension.

        :return: :class:`Sheet` and whatever else has ``name``, ``records`` and a method
            ``_make_piece_<name>(evidence, records)`` of the pack, which gives bytes
        """
        return self._get_sheets(evidence)

    def _make_piece(self, evidence, name, records):
        """Make a portion of a part, and keep it."""
        part = next(each for each in self._get_parts(evidence) if each.name == name)
        # What was deleted meanwhile is told no more.
        records = records.exists()
        values = {"pack_id": self.id, "part": name}
        if make := getattr(self, f"_make_piece_{name}", None):
            content = make(evidence, records)
        else:
            rows = self._make_rows(part, records)
            content = rows.content()
            values |= {"row_count": len(rows), "widths": rows.widths}
        values["content"] = base64.b64encode(zlib.compress(content, 1))
        self.env["client.equipment.evidence.piece"].sudo().create(values)

    def _make_rows(self, sheet, records):
        """Return the rows of a sheet that are made of these records."""
        rows = XlsxRows()
        for row in sheet.rows(records):
            # (records say False where there is nothing)
            cells = (column.value(row) for column in sheet.columns)
            rows.append(None if cell is False else cell for cell in cells)
        return rows

    def _pieces(self, name):
        # Nobody reads them but the making, which made them of what its maker may read.
        return (
            self.env["client.equipment.evidence.piece"]
            .sudo()
            .search([("pack_id", "=", self.id), ("part", "=", name)])
        )

    def _count(self, name):
        """Return how many rows a part has."""
        return sum(self._pieces(name).mapped("row_count"))

    # ------------------------------------------------------------------
    # Files
    # ------------------------------------------------------------------

    def _get_file_makers(self, evidence):
        """Return the functions that make the files, in their order. For extension.

        Each makes one file, by :meth:`_add_file`.
        """
        return [
            lambda: self._make_xlsx(evidence),
            lambda: self._make_json(evidence),
            self._add_verifier,
            lambda: self._make_report(evidence),
        ]

    def _make_xlsx(self, evidence):
        """Put the tables together."""
        file = XlsxFile()
        summary = file.add_sheet(self.env._("Summary"))
        for row in self._get_summary(evidence):
            summary.append(row)
        for sheet in self._get_sheets(evidence):
            table = file.add_sheet(
                sheet.title, [column.label for column in sheet.columns]
            )
            for piece in self._pieces(sheet.name):
                table.add_piece(
                    piece.row_count, piece.widths or [], piece._read_content
                )
            summary.append([sheet.title, table.row_count or self.env._("None")])
            if not table.row_count:
                table.append([self.env._("None")])
        with tempfile.TemporaryFile() as output:
            file.write(output)
            self._add_file("xlsx", output)

    def _make_json(self, evidence):
        """Put down chains and proofs, for who has no Odoo (L9); packed, if large."""
        told = self._get_trail_domain(evidence)
        whole = self._shows_whole_keys()
        with tempfile.TemporaryFile() as output:
            with io.TextIOWrapper(output, "utf-8", newline="\n") as text:
                EvidenceJson(evidence.keys.exists(), told, whole).write(text)
                text.flush()
                if output.tell() <= MAX_JSON:
                    self._add_file("json", output)
                    return
                with tempfile.TemporaryFile() as packed:
                    output.seek(0)
                    with gzip.open(packed, "wb", compresslevel=4) as file:
                        shutil.copyfileobj(output, file)
                    self._add_file("json.gz", packed)

    def _add_verifier(self):
        """Add the program that verifies the JSON."""
        with file_open(VERIFIER, "rb") as program:
            self._add_file("py", program, name=VERIFIER.rpartition("/")[2])

    def _make_report(self, evidence):
        """Have what is printed made."""
        content, extension, note = EvidenceReport(evidence).make()
        if isinstance(content, str):
            content = content.encode()
        with tempfile.TemporaryFile() as output:
            output.write(content)
            self._add_file(extension, output)
        self._note_step(note=note)

    def _add_file(self, extension, output, name=None):
        """Keep a file of the pack.

        :param output: the binary file object that holds it
        """
        sha256 = hashlib.sha256()
        output.seek(0)
        for chunk in iter(lambda: output.read(1 << 20), b""):
            sha256.update(chunk)
        size = output.seek(0, 2)
        output.seek(0)
        File = self.env["client.equipment.evidence.file"]
        # The making alone adds files: nobody may write them.
        file = File.sudo().create(
            {
                "pack_id": self.id,
                "name": name or f"{self._get_file_name()}.{extension}",
            }
        )
        file._write_fixed({"size": size, "sha256": sha256.hexdigest()})
        # The field's own attachment, without the detour over base64.
        self.env["ir.attachment"].sudo().create(
            {
                "name": "content",
                "res_model": File._name,
                "res_field": "content",
                "res_id": file.id,
                "raw": output.read(),
            }
        )

    def _get_file_name(self):
        day = fields.Datetime.context_timestamp(self, self.asked_on)
        return self.env._("evidence-%s", f"{day:%Y-%m-%d}")

    # ------------------------------------------------------------------
    # The end
    # ------------------------------------------------------------------

    def _finish(self, evidence):
        """Tell that the pack is made, and forget what it was made of."""
        self._note_step(
            state="done",
            plan=False,
            made_on=fields.Datetime.now(),
            verdict=evidence.verdict,
        )
        self._note_on_chatter(evidence)
        self.env["client.equipment.evidence.piece"].sudo().search(
            [("pack_id", "=", self.id)]
        ).unlink()
        self._tell(self.env._("Your evidence pack is ready: %s", self.about))

    def _fail(self, note):
        """Tell that the pack was not made, and why."""
        self.env.invalidate_all()
        pack = self.sudo().with_context(lang=self.lang)
        pack.file_ids.unlink()
        pack.env["client.equipment.evidence.piece"].search(
            [("pack_id", "=", self.id)]
        ).unlink()
        pack._note_step(
            state="failed", plan=False, step=0, progress=0, note=note, verdict=False
        )
        pack._tell(pack.env._("Your evidence pack was not made: %s", note))

    def _tell(self, text):
        """Notify the maker, in Odoo's own notifications and never by mail."""
        maker = self.sudo().create_uid
        if not maker.active or not maker._is_internal():
            return  # gone: there is nobody to tell
        # In the name of the system.
        pack = self.sudo().with_user(api.SUPERUSER_ID)
        pack.message_notify(
            body=text,
            subject=self.display_name,
            partner_ids=maker.partner_id.ids,
        )
        maker._bus_send(
            "client_equipment_evidence_pack", {"id": self.id, "message": text}
        )

    def _notify_get_recipients(self, message, msg_vals=False, **kwargs):
        recipients = super()._notify_get_recipients(message, msg_vals, **kwargs)
        return [recipient | {"notif": "inbox"} for recipient in recipients]

    def _note_on_chatter(self, evidence):
        """Note the SHA-256 of the files on the chatter of what the pack is about."""
        tables = self.file_ids.filtered(lambda file: file.name.endswith(".xlsx"))
        body = self.env._(
            "Evidence pack %(file)s made by %(user)s (%(start)s to %(end)s). SHA-256 "
            "of the file: %(sha256)s",
            file=tables.name,
            user=self.env.user.name,
            start=self._say_date(self.date_from) or "…",
            end=self._say_date(self.date_to) or "…",
            sha256=tables.sha256,
        )
        chosen = [self.software_ids, self.equipment_ids, self.partner_ids]
        about = chosen if any(chosen) else [self._software_told(evidence)]
        for records in about:
            # Auditors may write nowhere, and so not on the chatter either. This note
            # is the system's: its text is fixed, and the records are those that the
            # user could choose because they may be read.
            records.check_access("read")
            notes = records.sudo()._message_log_batch(
                dict.fromkeys(records.ids, body),
                author_id=self.env.user.partner_id.id,
            )
            # The catalogue is common; who made a pack is the company's own.
            notes.record_company_id = self.env.company

    def _software_told(self, evidence):
        """Return the software of which the pack tells."""
        Software = self.env["client.equipment.software"]
        return Software.union(*evidence.positions).exists()


class ClientEquipmentEvidencePiece(models.Model):
    _inherit = "client.equipment.evidence.piece"

    def _read_content(self):
        content = zlib.decompress(base64.b64decode(self.content))
        self.invalidate_recordset(["content"])
        return content
