import time

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, format_datetime

from .client_equipment_software_key import LIVE_STATUSES

# The job holds the keys of one batch for about this long, because people who need
# one of them wait as long. The size of the batch follows, up to a limit: it shrinks at
# once, and grows by half at most, because the machine may just have been less busy.
EXPIRE_SECONDS = 0.05
EXPIRE_BATCH = 2000
# So many due keys are looked for at once.
EXPIRE_LOOK = 10_000


class ClientEquipmentSoftwareKey(models.Model):
    """The scheduled action that expires keys, and how it is doing."""

    _inherit = "client.equipment.software.key"

    # _find_due: the expiration job looks for due keys, in its order.
    # Expiring Soon and its like count from it alone, of each software, too.
    _due = models.Index(
        "(validity_end, id) INCLUDE (company_id, software_id, status)"
        " WHERE status IN ('available', 'applied')"
    )

    @api.model
    def _cron_expire(self):
        """Expire the keys whose last valid day has ended (S1).

        Batches are committed one by one, so the job can be killed at any point and
        loses or repeats nothing. It makes way for people: a batch is small enough to
        be over in a moment, and keys that somebody holds are left to the next run
        (which follows at once, as long as some remain).
        """
        if self.search_count(self._rested_domain(), limit=1):
            while self._in_own_transaction("_count_rested"):
                pass
        due = self._due_domain()
        time_left = self._tell_progress(remaining=self.search_count(due))
        coming, last = [], None
        size = min(EXPIRE_BATCH, 100)
        while time_left:
            if not coming:
                rows = self._find_due(due, last)
                if not rows:
                    break
                coming, last = [key_id for _end, key_id in rows], rows[-1]
            start = time.monotonic()
            count = self._in_own_transaction("_expire_due", due, coming[:size])
            time_left = self._tell_progress(count)
            del coming[:size]
            pace = EXPIRE_SECONDS / max(time.monotonic() - start, 0.001)
            size = min(max(int(size * min(pace, 1.5)), 50), EXPIRE_BATCH)
        self.env["client.equipment.software.key.count"]._in_own_transaction("_fold")
        if time_left and (left := self.search_count(due)):
            self._tell_progress(remaining=left)

    @api.model
    def _expire_due(self, due, key_ids):
        """Expire those of the keys that are due still and that nobody else holds.

        :return: how many these are
        """
        keys = self._lock_due(due, key_ids)
        keys._transition("expired", dict.fromkeys(keys.ids, "expired"))
        return len(keys)

    @api.model
    def _due_domain(self):
        """Return the domain of the keys that have ended and are not expired yet."""
        return Domain("status", "in", LIVE_STATUSES) & self._past_end_domain()

    @api.model
    def _find_due(self, due, last):
        """Return the next due keys, so many at once that looking for them is cheap.

        :param due: the domain of due keys
        :param last: the last row that this gave before, or None
        :return: rows of ``(validity end, id)``, in the order of the index
        """
        query = self._search(due, limit=EXPIRE_LOOK, order="validity_end, id")
        row = SQL(
            "%s, %s",
            SQL.identifier(self._table, "validity_end"),
            SQL.identifier(self._table, "id"),
        )
        if last:
            query.add_where(SQL("(%s) > %s", row, tuple(last)))
        return self.env.execute_query(query.select(row))

    @api.model
    def _lock_due(self, due, key_ids):
        """Lock those of the keys that are due still and that nobody else holds."""
        query = self._search(due & Domain("id", "in", key_ids), order="id")
        return self.browse(
            key_id
            for (key_id,) in self.env.execute_query(
                SQL("%s FOR NO KEY UPDATE SKIP LOCKED", query.select())
            )
        )

    @api.model
    @api.readonly
    def get_job_health(self) -> dict:
        """Tell how the scheduled actions of the keys are doing (S6, S7).

        :return: ``{"last_run", "expired", "overdue", "message", "last_check",
            "check_progress"}``: when the one that expires keys last ran (or False), how
            many keys it expired then, whether it is overdue, and what to tell the user
            about that; when the nightly check last reached the end (or False), and how
            far it is, in per cent; nothing (``{}``) to those who do not manage keys
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
        check = self.env["client.equipment.software.key.check"].sudo()
        check = check.search([], limit=1)
        return {
            "last_run": cron.lastcall,
            "expired": sum(progress.mapped("done")),
            "overdue": bool(overdue),
            "message": message,
            "last_check": check.completed,
            "check_progress": check._get_progress(),
        }
