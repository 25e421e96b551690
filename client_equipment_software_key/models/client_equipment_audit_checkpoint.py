import base64
from datetime import datetime, timedelta
from heapq import merge
from typing import NamedTuple, Self

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, format_datetime
from odoo.tools.mail import email_split_and_format_normalize

from ..merkle import Tree

# So long after one was mailed, those that people make are not; the nightly one is.
MAIL_PAUSE = timedelta(hours=1)
# So many leaves are read at once.
PORTION = 50_000
# A transaction can be seen a moment after the time that it bears.
MARGIN = timedelta(seconds=0.2)
# So many seconds a person, or the job, waits for transactions that began before a
# checkpoint; so many times a second they are looked at.
PATIENCE, PATIENCE_OF_JOB = 10, 60
TURNS = 10
ORIGIN = "client-equipment/"
EMAILS = "client_equipment_software_key.checkpoint_emails"


class Leaf(NamedTuple):
    """One entry, as the tree orders them: by date and id."""

    date: datetime
    entry_id: int
    hash: str

    @property
    def data(self) -> bytes:
        try:
            return bytes.fromhex(self.hash)
        except ValueError:  # only SQL makes such a hash; its root agrees with nothing
            return self.hash.encode()


class StillRunning(UserError):
    """A transaction that began before the checkpoint has not ended in time."""


class ClientEquipmentAuditCheckpoint(models.Model):
    """The Merkle root (RFC 9162) over all entries up to a moment (L8).

    Three lines without a secret or a name in them. Whoever keeps them elsewhere finds
    out at any later time whether one of these entries was changed, removed or added.
    Of the tree itself only the frontier is kept: the next one costs as much as the
    entries that have come since.
    """

    _name = "client.equipment.audit.checkpoint"
    _description = "Checkpoint"
    _inherit = ["client.equipment.audit.closed", "client.equipment.mixin"]
    _order = "until desc, id desc"
    _rec_name = "until"

    until = fields.Datetime(
        required=True,
        readonly=True,
        help="It covers all entries from before this moment, on the database's clock.",
    )
    size = fields.Integer(
        "Entries",
        required=True,
        readonly=True,
        aggregator=None,
        help="How many entries it covers, those of deleted keys included.",
    )
    root = fields.Char(
        required=True,
        readonly=True,
        help="Root of the Merkle tree over the entries' hashes, encoded as base64.",
    )
    text = fields.Text(
        "Checkpoint",
        required=True,
        readonly=True,
        help="The three lines to be kept elsewhere.",
    )
    frontier = fields.Text(
        readonly=True, exportable=False, help="Where the next checkpoint goes on."
    )
    user_id = fields.Many2one(
        "res.users",
        "Made By",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
    )

    _until = models.Index("(until, id)")

    @api.depends("until")
    @api.depends_context("lang", "tz")
    def _compute_display_name(self):
        for checkpoint in self:
            checkpoint.display_name = format_datetime(self.env, checkpoint.until)

    def _closed_message(self, operation):
        if operation == "create":
            return self.env._(
                "Checkpoints are made by the system alone. Use Make Checkpoint Now."
            )
        return self.env._("Checkpoints can never be changed or deleted.")

    # ------------------------------------------------------------------
    # Making
    # ------------------------------------------------------------------

    @api.model
    def make(self) -> Self:
        """Make a checkpoint of all entries that are there at this moment (L8).

        Entries bear whole seconds: where one is of this very second, its end is waited
        for. Where none was added since the last one, that is it. What the caller's own
        transaction has written belongs to it: call this at the end of one.

        :return: the checkpoint
        :raises UserError: where another transaction has been going on for too long, or
            somebody else is making one
        """
        self.check_access("read")
        until = self._get_database_time().replace(microsecond=0)
        with self.env.registry.cursor() as cr:
            fresh = self.with_env(self.env(cr=cr))
            if any(seen._has_leaves_since(until) for seen in (self, fresh)):
                until += timedelta(seconds=1)  # the second has to be over
        return self._make(until, PATIENCE)

    def action_make(self) -> dict:
        """Button *Make Checkpoint Now*.

        :return: a window action that shows the new checkpoint
        """
        last = self.search([], limit=1)
        checkpoint = self.make()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New Checkpoint")
            if checkpoint != last
            else self.env._("Last Checkpoint: nothing new"),
            "res_model": self._name,
            "res_id": checkpoint.id,
            "views": [(False, "form")],
            "target": "new",
        }

    @api.model
    def _cron_make(self):
        """Make the checkpoint up to the last midnight, in UTC (L8).

        Where somebody's transaction takes too long, try again in some minutes.
        """
        midnight = self._get_database_time().replace(
            hour=0, minute=0, second=0, microsecond=0
        )
        if self.search_count([("until", "=", midnight)], limit=1):
            return
        try:
            self._make(midnight, PATIENCE_OF_JOB, nightly=True)
        except StillRunning:
            cron = "client_equipment_software_key.ir_cron_make_checkpoint"
            self.env.ref(cron)._trigger(fields.Datetime.now() + timedelta(minutes=10))

    @api.model
    def _make(self, until, patience, nightly=False):
        """Make the checkpoint of the entries from before a moment, and mail it.

        Entries bear the time at which their transaction began. So all of them are there
        once every transaction that began before ``until`` has ended. The others go on:
        nobody is locked out, nobody waits.

        :param datetime until: on the database's clock, whole seconds
        :param int patience: how many seconds to wait, at most
        :param bool nightly: whether it is made, and mailed, also where none was added
        :return: the checkpoint, or the last one where none was added
        :raises StillRunning: where that was not enough
        """
        self._take_turn()
        with self.env.registry.cursor() as cr:
            self._wait_for_transactions(cr, until, patience)
        last = self.search([("until", "<=", until)], limit=1)
        nodes = map(bytes.fromhex, (last.frontier or "").split())
        tree = Tree(last.size, nodes)
        # This transaction does not see what others have committed since it began, and
        # others do not see what it has written itself.
        with self.env.registry.cursor() as cr:
            fresh = self.with_env(self.env(cr=cr))
            both = merge(
                self._get_leaves(last.until, until),
                fresh._get_leaves(last.until, until),
            )
            before = None
            for leaf in both:
                if leaf != before:
                    tree.append(leaf.data)
                before = leaf
        if last and tree.size == last.size and not nightly:
            return last
        checkpoint = self._store(until, tree)
        if nightly or not self._was_mailed_lately():
            checkpoint._mail()
        return checkpoint

    @api.model
    def _was_mailed_lately(self):
        """Tell whether one went out not long ago: people may make them all the time."""
        # Nobody but administrators reads mails; that there was one is all that counts.
        mails = self.env["mail.mail"].sudo()
        since = fields.Datetime.now() - MAIL_PAUSE
        return bool(
            mails.search_count(
                [("model", "=", self._name), ("create_date", ">", since)], limit=1
            )
        )

    def _take_turn(self):
        """Be the only one who makes a checkpoint, up to the end of the transaction.

        Two would wait for each other's transactions, in vain.

        :raises StillRunning: where somebody else is making one
        """
        self.env.cr.execute(
            "SELECT pg_try_advisory_xact_lock(hashtext(%s))", [self._table]
        )
        if not self.env.cr.fetchone()[0]:
            raise StillRunning(
                self.env._(
                    "Somebody else is making a checkpoint at this moment. Try again in "
                    "a few seconds."
                )
            )

    def _wait_for_transactions(self, cr, until, patience):
        """Wait until every transaction that began before a moment has ended.

        Also one that has not written yet: it has no transaction id, but it holds the
        lock on its virtual one. (So does CREATE INDEX CONCURRENTLY wait.)

        :param cr: a cursor of its own
        :raises StillRunning: where that takes too long
        """
        cr.execute("SELECT pg_sleep_until(%s AT TIME ZONE 'UTC')", [until + MARGIN])
        self.env.cr.execute("SELECT pg_backend_pid()")
        (caller,) = self.env.cr.fetchone()
        running = self._get_transactions(cr, caller, until)
        for _turn in range(patience * TURNS):
            if not running:
                return
            cr.execute("SELECT pg_sleep(%s)", [1 / TURNS])
            running &= self._get_transactions(cr, caller, until)
        if running:
            raise StillRunning(
                self.env._(
                    "A checkpoint waits for every change that has begun before it, and "
                    "one is going on for too long (process %s of the database). Try "
                    "again when it has ended; a backup or a long import may be the "
                    "reason.",
                    ", ".join(sorted({str(pid) for pid, _transaction in running})),
                )
            )

    def _get_transactions(self, cr, caller, until):
        """Return those that began before a moment and are going on: ``{(pid, id)}``.

        Without the caller's own. Those of another role do not say when they began;
        autovacuum, which has no role, writes no entries.
        """
        cr.execute(
            """
            SELECT running.pid, running.virtualtransaction
              FROM pg_locks running
              JOIN pg_stat_activity session ON session.pid = running.pid
              JOIN pg_database database ON database.oid = session.datid
             WHERE running.locktype = 'virtualxid'
               AND running.granted
               AND database.datname = current_database()
               AND session.usesysid IS NOT NULL
               AND session.pid NOT IN (%(caller)s, pg_backend_pid())
               AND (session.xact_start IS NULL
                    OR session.xact_start < %(until)s AT TIME ZONE 'UTC')
            """,
            {"caller": caller, "until": until},
        )
        return set(cr.fetchall())

    @api.model
    def _store(self, until, tree):
        """Write a checkpoint and return it. The one writer: straight SQL."""
        root = encode(tree.root())
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO client_equipment_audit_checkpoint
                            (until, size, root, text, frontier, user_id)
                     VALUES (%s, %s, %s, %s, %s, %s)
                  RETURNING id
                """,
                until,
                tree.size,
                root,
                "\n".join((self._get_origin(), str(tree.size), root)),
                " ".join(node.hex() for node in tree.frontier),
                self.env.uid,
            )
        )
        return self.browse(self.env.cr.fetchone()[0])

    def _mail(self):
        """Put a mail to each address in Settings into Odoo's queue.

        The queue sends them, and notes on each what went wrong.
        """
        self.ensure_one()
        company = self.env.company
        self = self.with_context(lang=company.partner_id.lang)
        # Nobody but administrators writes mails without a recipient among contacts; to
        # whom these go an administrator has said, and what they say is fixed.
        self.env["mail.mail"].sudo().create(
            [
                {
                    "subject": self.env._(
                        "Checkpoint of the software keys' audit trail, %s",
                        format_datetime(self.env, self.until, "UTC", "medium"),
                    ),
                    "body_html": self._get_mail_body(),
                    "email_from": company.email_formatted
                    or self.env.user.email_formatted,
                    "email_to": address,
                    "model": self._name,
                    "res_id": self.id,
                    "auto_delete": False,
                }
                for address in self._get_addresses()
            ]
        )

    def _get_mail_body(self):
        return Markup("<p>%s</p><pre>%s</pre><br/><p>%s</p>") % (
            self.env._(
                "These three lines are a fingerprint of the audit trail of all "
                "software keys, up to %s (UTC). Keep this mail.",
                format_datetime(self.env, self.until, "UTC", "medium"),
            ),
            self.text,
            self.env._(
                "With it you find out at any later time whether an entry from before "
                "was changed, removed or added, whoever did it: in Odoo, open Client "
                "Equipment, Software Key Management, Verify with a Checkpoint, and "
                "paste the three lines. They hold no license key and no name."
            ),
        )

    @api.model
    def _get_addresses(self):
        """Return the addresses that checkpoints go to."""
        # Managers and auditors make checkpoints, and do not see where they go.
        parameters = self.env["ir.config_parameter"].sudo()
        return email_split_and_format_normalize(parameters.get_param(EMAILS) or "")

    @api.model
    def _get_origin(self):
        """Return the first line: which database it is, and nothing else of it."""
        # Nobody but administrators reads system parameters; the UUID is in each
        # checkpoint that somebody gets to see.
        parameters = self.env["ir.config_parameter"].sudo()
        return ORIGIN + parameters.get_param("database.uuid")

    @api.model
    def _get_database_time(self):
        """Return what time it is now (UTC), on the clock that dates the entries."""
        self.env.cr.execute("SELECT clock_timestamp() AT TIME ZONE 'UTC'")
        return self.env.cr.fetchone()[0]

    @api.model
    def _has_leaves_since(self, since):
        return next(self._get_leaves(since), None) is not None

    @api.model
    def _get_leaves(self, since=None, until=None, after=None):
        """Yield the entries as the tree orders them, those of deleted keys included.

        :param datetime since: the first moment, or False for all from the beginning
        :param datetime until: the moment after the last one, or None for all
        :param Leaf after: the leaf to go on after, instead
        :return: ``Leaf`` by ``Leaf``, in portions of one statement each
        """
        after = after or Leaf(since or datetime.min, 0, "")
        while True:
            rows = self.env.execute_query(
                SQL(
                    """
                    SELECT action_date, id, hash
                      FROM (
                        SELECT action_date, id, hash
                          FROM client_equipment_audit_log
                        UNION ALL
                        SELECT action_date, id, hash
                          FROM client_equipment_audit_deletion_entry
                      ) entry
                     WHERE (action_date, id) > (%(date)s, %(id)s)
                       AND action_date < %(until)s
                     ORDER BY action_date, id
                     LIMIT %(limit)s
                    """,
                    date=after.date,
                    id=after.entry_id,
                    until=until or datetime.max,
                    limit=PORTION,
                )
            )
            yield from map(Leaf._make, rows)
            if len(rows) < PORTION:
                return
            after = Leaf._make(rows[-1])


def encode(root: bytes) -> str:
    """Return a root as checkpoints write it."""
    return base64.b64encode(root).decode()
