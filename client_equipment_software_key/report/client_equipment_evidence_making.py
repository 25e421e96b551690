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
from datetime import timedelta
from itertools import chain
from typing import NamedTuple

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL, file_open, split_every

from ..models.client_equipment_audit_checkpoint import StillRunning
from .client_equipment_evidence_pack import UNFINISHED
from .evidence import BATCH, Evidence
from .evidence_json import EvidenceJson
from .evidence_report import EvidenceReport
from .xlsx_file import XlsxFile, XlsxRows

_logger = logging.getLogger(__name__)

VERIFIER = "client_equipment_software_key/static/evidence/verify_evidence.py"
# A larger JSON is packed.
MAX_JSON = 20_000_000
# So many seconds the checkpoint of a pack waits for who began before it.
PATIENCE = 3


class Part(NamedTuple):
    """What is made portion by portion and is no sheet."""

    name: str
    # Gives the records that it is made of; asked once.
    records: object


class ClientEquipmentEvidencePack(models.Model):
    """How packs of any size are made: step by step, by a scheduled action.

    What goes into the pack is looked up in the first step and kept as ids, a piece for
    each portion. Each further step makes one piece, the last ones put the files
    together. A step is one transaction, which locks the pack: so a job may be stopped
    at any point, and a second one does no harm. All is told as of one moment, so it
    does not matter that the steps see the database at different ones.
    """

    _inherit = "client.equipment.evidence.pack"

    step = fields.Integer("Files Made", readonly=True, fixed=True, copy=False)

    @api.model
    def _cron_make(self):
        """Make the packs that wait, by turns."""
        pending = self.search([("state", "in", UNFINISHED)], order="id").ids
        time_left, trees = self._tell_progress(remaining=len(pending)), {}
        while pending and time_left:
            for pack_id in list(pending):
                if not self._in_own_transaction("_make_step", pack_id, trees):
                    pending.remove(pack_id)
                time_left = self._tell_progress(1, remaining=len(pending))
                if not time_left:
                    break

    @api.model
    def _make_step(self, pack_id, trees=None):
        """Make the next step of a pack.

        :param dict trees: what this job keeps for its next steps, see ``Evidence``
        :return: whether there is another one for this job
        """
        pack = self.browse(pack_id)
        if not pack._lock_to_make():
            return False  # another job has it, or its maker has deleted it
        try:
            with self.env.cr.savepoint():
                pack._as_maker()._make_next(trees)
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

    def _make_next(self, trees=None):
        """Make the next step, as the maker."""
        evidence = Evidence(self, trees)
        if self.state == "waiting":
            self._note_step(checkpoint_id=self._make_checkpoint().id, state="making")
            self._plan(evidence)
            return
        files = self._get_file_makers(evidence)
        if piece := self._pieces(made=False)[:1].with_prefetch():
            self._make_piece(evidence, piece)
        else:
            files[self.step]()
            self._note_step(step=self.step + 1)
        done = len(self._pieces(made=True)) + self.step
        total = len(self._pieces()) + len(files)
        self._note_step(progress=100 * done // total)
        if done == total:
            self._finish(evidence)

    def _note_step(self, **values):
        # The making alone sets these; its maker may not write the pack.
        self.sudo()._write_fixed(values)

    def _plan(self, evidence):
        """Note what the pack is made of, portion by portion.

        :raises UserError: where there is nothing to tell
        """
        if not evidence.has_keys:
            raise UserError(self._nothing_message())
        self.env["client.equipment.evidence.piece"].sudo().create(
            [
                {
                    "pack_id": self.id,
                    "part": part.name,
                    "record_model": records._name,
                    "record_ids": ids,
                }
                for part in self._get_parts(evidence)
                for records in [part.records()]
                for ids in split_every(BATCH, records._ids, list)
            ]
        )

    def _planned(self, name):
        """Return the ids of the records that a part is made of."""
        return list(chain.from_iterable(self._pieces(name).mapped("record_ids")))

    def _make_checkpoint(self):
        """Make a checkpoint, so that it covers what the pack tells.

        Where somebody has been at work for too long, the newest one has to do.

        :return: the checkpoint, if there is one
        """
        Checkpoint = self.env["client.equipment.audit.checkpoint"]
        newest = Checkpoint.search([], limit=1)
        until = self.asked_on + timedelta(seconds=1)  # all that is told is from before
        if not newest or newest.until < until:
            with suppress(StillRunning):
                return Checkpoint._make(until, PATIENCE)
        return newest

    # ------------------------------------------------------------------
    # Pieces
    # ------------------------------------------------------------------

    def _get_parts(self, evidence):
        """Return what is made portion by portion, in this order. For extension.

        :return: :class:`Sheet` and whatever else has ``name``, ``records`` and a method
            ``_make_piece_<name>(evidence, records)`` of the pack, which gives bytes
        """
        return [
            Part("counts", lambda: evidence.keys),
            *self._get_sheets(evidence),
            Part("chains", lambda: evidence.keys),
        ]

    def _make_piece(self, evidence, piece):
        """Make a portion of a part, and keep it."""
        # What was deleted meanwhile is told no more.
        records = self.env[piece.record_model].browse(piece.record_ids).exists()
        values = {"made": True}
        if make := getattr(self, f"_make_piece_{piece.part}", None):
            content = make(evidence, records)
        else:
            parts = {part.name: part for part in self._get_parts(evidence)}
            rows = self._make_rows(parts[piece.part], records)
            content = rows.content()
            values |= {"row_count": len(rows), "widths": rows.widths}
        values["content"] = base64.b64encode(zlib.compress(content, 1))
        piece.write(values)

    def _make_piece_counts(self, evidence, keys):
        """Count the licenses of a portion of the keys, for the license position."""
        counts = evidence.count_positions(keys)
        return json.dumps({id_: vars(count) for id_, count in counts.items()}).encode()

    def _make_piece_chains(self, evidence, keys):
        """Put down the chains of a portion of the keys, with their proofs (L9)."""
        return self._evidence_json(evidence).tell(keys).encode()

    def _evidence_json(self, evidence):
        told = self._get_trail_domain(evidence)
        whole = self._shows_whole_keys()
        keys = self.env["client.equipment.software.key"]
        return EvidenceJson(keys, told, whole, evidence.leaves)

    def _make_rows(self, sheet, records):
        """Return the rows of a sheet that are made of these records."""
        rows = XlsxRows()
        for row in sheet.rows(records):
            # (records say False where there is nothing)
            cells = (column.value(row) for column in sheet.columns)
            rows.append(None if cell is False else cell for cell in cells)
        return rows

    def _pieces(self, name=None, made=None):
        # Nobody reads them but the making, which made them of what its maker may read.
        domain = Domain("pack_id", "=", self.id)
        if name:
            domain &= Domain("part", "=", name)
        if made is not None:
            domain &= Domain("made", "=", made)
        return self.env["client.equipment.evidence.piece"].sudo().search(domain)

    def _count(self, name):
        """Return how many rows a part has."""
        return sum(self._pieces(name).mapped("row_count"))

    # ------------------------------------------------------------------
    # Files
    # ------------------------------------------------------------------

    def _get_file_makers(self, evidence):
        """Return the functions that make the files, in their order. For extension.

        Each makes one file, by :meth:`_add_file`. The tables and the report name what
        is verified, which is there before them.
        """
        return [
            lambda: self._make_json(evidence),
            self._add_verifier,
            lambda: self._make_xlsx(evidence),
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
        """Put chains and proofs together for who has no Odoo (L9); packed, if large."""
        chains = (each._read_content().decode() for each in self._pieces("chains"))
        with tempfile.TemporaryFile() as output:
            with io.TextIOWrapper(output, "utf-8", newline="\n") as text:
                self._evidence_json(evidence).put_together(text, chains)
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
        output.seek(0)
        content = output.read()
        File = self.env["client.equipment.evidence.file"]
        # The making alone adds files: nobody may write them.
        file = File.sudo().create(
            {
                "pack_id": self.id,
                "name": name or f"{self._get_file_name()}.{extension}",
            }
        )
        sha256 = hashlib.sha256(content).hexdigest()
        file._write_fixed({"size": len(content), "sha256": sha256})
        # The field's own attachment, without the detour over base64.
        self.env["ir.attachment"].sudo().create(
            {
                "name": "content",
                "res_model": File._name,
                "res_field": "content",
                "res_id": file.id,
                "raw": content,
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
        pack._note_step(state="failed", step=0, progress=0, note=note, verdict=False)
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
        facts = {
            "file": tables.name,
            "user": self.env.user.name,
            "start": self._say_date(self.date_from) or "…",
            "end": self._say_date(self.date_to) or "…",
            "sha256": tables.sha256,
        }
        if self.date_from or self.date_to:
            body = self.env._(
                "Evidence pack %(file)s made by %(user)s (%(start)s to %(end)s). "
                "SHA-256 of the file: %(sha256)s",
                **facts,
            )
        else:
            body = self.env._(
                "Evidence pack %(file)s made by %(user)s. SHA-256 of the file: "
                "%(sha256)s",
                **facts,
            )
        chosen = [self.software_ids, self.equipment_ids, self.partner_ids]
        about = chosen if any(chosen) else [self._software_told(evidence)]
        for records in about:
            # The catalogue is common; who made a pack is a matter of the companies of
            # which it tells, each of which finds a note of its own.
            common = records._name == "client.equipment.software"
            companies = self.company_ids if common else self.env.company
            # Auditors may write nowhere, and so not on the chatter either. This note
            # is the system's: its text is fixed, and the records are those that the
            # user could choose because they may be read.
            records.check_access("read")
            for company in companies:
                notes = records.sudo()._message_log_batch(
                    dict.fromkeys(records.ids, body),
                    author_id=self.env.user.partner_id.id,
                )
                notes.record_company_id = company

    def _software_told(self, evidence):
        """Return the software of which the pack tells."""
        Software = self.env["client.equipment.software"]
        return Software.union(*evidence.positions).exists()


class ClientEquipmentEvidencePiece(models.Model):
    _inherit = "client.equipment.evidence.piece"

    def _read_content(self):
        """Return what was made of it; of the others nothing is read along."""
        piece = self.with_prefetch()
        content = zlib.decompress(base64.b64decode(piece.content))
        piece.invalidate_recordset(["content"])
        return content
