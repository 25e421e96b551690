import logging
import time

import psycopg2

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, format_datetime

from .client_equipment_software_key import LIVE_STATUSES

_logger = logging.getLogger(__name__)

# The job holds the keys of one batch for about this long, because people who need
# one of them wait as long. The size of the batch follows, up to a limit.
EXPIRE_SECONDS = 0.05
EXPIRE_BATCH = 2000
EXPIRE_RETRIES = 20


class ClientEquipmentSoftwareKey(models.Model):
    """The scheduled action that expires keys, and how it is doing."""

    _inherit = "client.equipment.software.key"

    # _lock_due: the expiration job takes its batches from it, in its order.
    # Expiring Soon and its like count from it alone: hence the company.
    _due = models.Index(
        "(validity_end, id) INCLUDE (company_id)"
        " WHERE status IN ('available', 'applied')"
    )

    @api.model
    def _cron_expire(self):
        """Expire the keys whose last valid day has ended (S1).

        Batches are committed one by one, so the job can be killed at any point and
        loses or repeats nothing. It makes way for people: a batch is small enough to
        be over in a moment, keys that somebody holds are left to the next run (which
        follows at once, as long as some remain), and where somebody was faster, the
        batch is taken anew with a fresh view.
        """
        due = Domain("status", "in", LIVE_STATUSES) & self._past_end_domain()
        cron = self.env["ir.cron"]
        time_left = cron._commit_progress(remaining=self.search_count(due))
        last, size, retries = None, min(EXPIRE_BATCH, 200), EXPIRE_RETRIES
        while time_left:
            start = time.monotonic()
            try:
                rows = self._lock_due(due, last, size)
                if not rows:
                    break
                keys = self.browse(key_id for _end, key_id in rows)
                keys._transition("expired", "expired")
                time_left = cron._commit_progress(len(rows))
            except (
                psycopg2.errors.SerializationFailure,
                psycopg2.errors.DeadlockDetected,
            ):
                self.env.cr.rollback()
                retries -= 1
                if not retries:
                    raise
                _logger.info("Software keys changed meanwhile: taking the batch anew")
                continue
            last, retries = rows[-1], EXPIRE_RETRIES
            pace = EXPIRE_SECONDS / max(time.monotonic() - start, 0.001)
            size = min(max(int(size * min(pace, 2)), 100), EXPIRE_BATCH)
        if time_left and (left := self.search_count(due)):
            cron._commit_progress(remaining=left)

    @api.model
    def _lock_due(self, due, last, limit):
        """Lock the next due keys that nobody else holds.

        :param due: the domain of due keys
        :param last: the last row of the batch before, or None
        :param int limit: how many keys at most
        :return: rows of ``(validity end, id)``, in the order of the index
        """
        query = self._search(due, limit=limit, order="validity_end, id")
        row = SQL(
            "%s, %s",
            SQL.identifier(self._table, "validity_end"),
            SQL.identifier(self._table, "id"),
        )
        if last:
            query.add_where(SQL("(%s) > %s", row, tuple(last)))
        return self.env.execute_query(
            SQL("%s FOR NO KEY UPDATE SKIP LOCKED", query.select(row))
        )

    @api.model
    def get_job_health(self):
        """Tell how the scheduled action that expires keys is doing (S6).

        :return: ``{"last_run", "expired", "overdue", "message"}``: when it last ran
            (or False), how many keys it expired then, whether it is overdue, and what
            to tell the user about that; nothing (``{}``) to those who do not manage
            keys
        """
        if not self.has_access("write"):
            return {}
        # Managers have no access to scheduled actions; they learn about this one only.
        cron = self.env.ref(
            "client_equipment_software_key.ir_cron_expire", raise_if_not_found=False
        )
        cron = cron and cron.sudo() or self.env["ir.cron"].sudo()
        now = fields.Datetime.now()
        progress = self.env["ir.cron.progress"].sudo()
        last = progress.search([("cron_id", "=", cron.id)], order="id desc", limit=1)
        if last:
            # A run with much to do leaves several records, one soon after the other.
            progress = progress.search(
                [
                    ("cron_id", "=", cron.id),
                    (
                        "create_date",
                        ">",
                        fields.Datetime.subtract(last.create_date, minutes=30),
                    ),
                ]
            )
        late = cron.nextcall and cron.nextcall < fields.Datetime.subtract(now, hours=1)
        overdue = not cron.active or late or cron.failure_count > 0
        message = ""
        if overdue:
            message = self.env._(
                "The scheduled action that expires software keys is overdue (last run: "
                "%(last_run)s). Keys that have ended may still show as available or "
                "applied. Ask an administrator to look at Settings, Technical, "
                "Scheduled Actions.",
                last_run=format_datetime(self.env, cron.lastcall)
                if cron.lastcall
                else self.env._("never"),
            )
        return {
            "last_run": cron.lastcall,
            "expired": sum(progress.mapped("done")),
            "overdue": bool(overdue),
            "message": message,
        }
