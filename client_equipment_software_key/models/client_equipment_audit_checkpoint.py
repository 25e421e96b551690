import base64
import re
from datetime import datetime, timedelta
from heapq import merge
from itertools import takewhile
from typing import NamedTuple

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, format_datetime
from odoo.tools.mail import email_split_and_format_normalize

from odoo.addons.client_equipment.arguments import Lines, checked

from ..merkle import Tree

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
# Somebody may paste a whole mail, with marks of quotation before each line.
LINES = re.compile(
    rf"^[ \t>|]*({re.escape(ORIGIN)}\S+)[ \t]*\n"
    r"(?:[ \t>|]*\n)*[ \t>|]*(\d{1,10})[ \t]*\n"
    r"(?:[ \t>|]*\n)*[ \t>|]*([A-Za-z0-9+/]{43}=)[ \t]*$",
    re.MULTILINE,
)


class Leaf(NamedTuple):
    """One entry, as the tree orders them: by date and id."""

    date: datetime
    entry_id: int
    hash: str

    @property
    def data(self):
        try:
            return bytes.fromhex(self.hash)
        except ValueError:  # only SQL makes such a hash; its root agrees with nothing
            return self.hash.encode()


class Kept(NamedTuple):
    """What the three lines say."""

    origin: str
    size: int
    root: str


class Found(NamedTuple):
    """What the entries give that are here now, as far as a checkpoint covers them."""

    size: int
    root: str | None
    later: bool  # whether one more is dated before the checkpoint
    agreed: datetime | None  # of the other checkpoints: the last that agrees
    differs: datetime | None  # … and the first that does not


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
    def make(self):
        """Make a checkpoint of all entries up to this moment (L8).

        What the caller's own transaction has written belongs to it: call this at the
        end of one.

        :return: the checkpoint
        :raises UserError: where another transaction has been going on for too long
        """
        self.check_access("read")
        until = self._get_database_time().replace(microsecond=0) + timedelta(seconds=1)
        return self._make(until, PATIENCE)

    def action_make(self) -> dict:
        """Button *Make Checkpoint Now*.

        :return: a window action that shows the new checkpoint
        """
        checkpoint = self.make()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New Checkpoint"),
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
            self._make(midnight, PATIENCE_OF_JOB)
        except StillRunning:
            cron = "client_equipment_software_key.ir_cron_make_checkpoint"
            self.env.ref(cron)._trigger(fields.Datetime.now() + timedelta(minutes=10))

    @api.model
    def _make(self, until, patience):
        """Make the checkpoint of the entries from before a moment, and mail it.

        Entries bear the time at which their transaction began. So all of them are there
        once every transaction that began before ``until`` has ended. The others go on:
        nobody is locked out, nobody waits.

        :param datetime until: on the database's clock, whole seconds
        :param int patience: how many seconds to wait, at most
        :raises StillRunning: where that was not enough
        """
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
        checkpoint = self._store(until, tree)
        checkpoint._mail()
        return checkpoint

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
        root = _encode(tree.root())
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
        return Markup("<p>%s</p><pre>%s</pre><p>%s</p>") % (
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
    def _get_leaves(self, since=None, until=None):
        """Yield the entries as the tree orders them, those of deleted keys included.

        :param datetime since: the first moment, or False for all from the beginning
        :param datetime until: the moment after the last one, or None for all
        :return: ``Leaf`` by ``Leaf``, in portions of one statement each
        """
        after = Leaf(since or datetime.min, 0, "")
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

    # ------------------------------------------------------------------
    # Verifying
    # ------------------------------------------------------------------

    @api.model
    @api.readonly
    @checked
    def verify(self, text: Lines):
        """Tell whether all entries are as they were when a checkpoint was made (L8).

        Every hash is computed again, and the root over those that the checkpoint
        covers. All companies' entries are looked at; no company learns of another's
        more than that.

        :param str text: the three lines that somebody has kept, or a mail with them
        :return: ``{"intact", "problem", "until", "size"}``: the problem in words, or
            False; the moment of the checkpoint (the first, where several are the same),
            where it is known here, or False; how many entries it covers
        :raises UserError: where there is no checkpoint in the text
        """
        self.check_access("read")
        kept = self._parse(text)
        # Where nothing happens for days, their checkpoints are the same.
        made = self.search(
            [("size", "=", kept.size), ("root", "=", kept.root)], order="until, id"
        )
        return {
            "problem": (problem := self._find_problem(kept, made[-1:])),
            "intact": not problem,
            "until": made[:1].until,
            "size": kept.size,
        }

    @api.model
    def _parse(self, text):
        """Return the checkpoint that stands in a text.

        :raises UserError: where there is none
        """
        text = text.replace("\r\n", "\n").replace("\xa0", " ")
        if match := LINES.search(text):
            origin, size, root = match.groups()
            return Kept(origin, int(size), root)
        raise UserError(
            self.env._(
                "These are not the lines of a checkpoint. A checkpoint has three: the "
                "first begins with %s, the second is a number, the third ends with =. "
                "Paste them whole, or the mail that they came with.",
                ORIGIN,
            )
        )

    @api.model
    def _find_problem(self, kept, made):
        """Return in words what is not as it was, or False.

        :param Kept kept: what somebody has kept
        :param made: the last checkpoint here that says the same, if there is one
        """
        if kept.origin != self._get_origin():
            return self.env._(
                "This checkpoint is of another database (%(kept)s; this one is "
                "%(here)s). Verify it there. If it is meant to be of this one, then "
                "the database was replaced by another.",
                kept=kept.origin.removeprefix(ORIGIN),
                here=self._get_origin().removeprefix(ORIGIN),
            )
        found = self._compute_again(kept, made)
        if found.size < kept.size:
            problem = self.env._(
                "Of the %(kept)s entries that this checkpoint covers there are only "
                "%(found)s left: somebody has removed entries, or put an older backup "
                "in place.",
                kept=kept.size,
                found=found.size,
            )
        elif found.root != kept.root:
            problem = self.env._(
                "The %s entries that this checkpoint covers are not those that are "
                "here: somebody has changed, removed or added some.",
                kept.size,
            )
        elif found.later:
            problem = self.env._(
                "The %s entries that this checkpoint covers are as they were, but "
                "somebody has added one, and dated it back to before the checkpoint.",
                kept.size,
            )
        elif not made:
            return self.env._(
                "The %s entries that this checkpoint covers are as they were, but the "
                "checkpoint itself is missing from the list: somebody has removed it, "
                "or put an older backup in place.",
                kept.size,
            )
        else:
            return self._find_altered(made.until)
        return f"{problem} {self._say_when(found)}".strip()

    @api.model
    def _compute_again(self, kept, made):
        """Return what the entries give now that the checkpoint was made of."""
        others = self.search([("size", "<=", kept.size)], order="size, until, id")
        sizes = {kept.size, *others.mapped("size")}
        tree, later = Tree(), False
        roots = {0: _encode(tree.root())}
        for leaf in self._get_leaves():
            if tree.size == kept.size:
                later = bool(made) and leaf.date < made.until
                break
            tree.append(leaf.data)
            if tree.size in sizes:
                roots[tree.size] = _encode(tree.root())
        agree = list(
            takewhile(lambda other: roots.get(other.size) == other.root, others)
        )
        return Found(
            size=tree.size,
            root=roots.get(kept.size),
            later=later,
            agreed=agree[-1].until if agree else None,
            differs=others[len(agree) :][:1].until or None,
        )

    @api.model
    def _say_when(self, found):
        """Return in words what the other checkpoints tell about the first change."""
        agreed, differs = (
            moment and format_datetime(self.env, moment)
            for moment in (found.agreed, found.differs)
        )
        if not differs:
            return self.env._(
                "The checkpoints in the list agree with the entries as they are now: "
                "either these lines are not as they were, or the list was written "
                "anew, too."
            )
        if not agreed:
            return self.env._(
                "As far as the other checkpoints tell, it is among the entries from "
                "before %s.",
                differs,
            )
        return self.env._(
            "As far as the other checkpoints tell, it is among the entries from "
            "%(agreed)s to %(differs)s.",
            agreed=agreed,
            differs=differs,
        )

    @api.model
    def _find_altered(self, until):
        """Return in words which entry from before a moment does not agree with its own
        hash, or False."""
        AuditLog = self.env["client.equipment.audit.log"]
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT software_key_id, number
                  FROM (
                    SELECT log.*, key.license_key, lag(log.hash) OVER (
                               PARTITION BY log.software_key_id ORDER BY log.number
                           ) AS previous_hash
                      FROM client_equipment_audit_log log
                      JOIN client_equipment_software_key key
                        ON key.id = log.software_key_id
                  ) entry
                 WHERE action_date < %s
                   AND hash IS DISTINCT FROM %s
                 ORDER BY action_date, id
                 LIMIT 1
                """,
                until,
                AuditLog._hash_of_any_version_sql(),
            )
        )
        for key_id, number in rows:
            key = self.env["client.equipment.software.key"].browse(key_id)
            if key.has_access("read"):
                return AuditLog._describe_finding(key, AuditLog, "altered", number)
            return self.env._(
                "An entry was altered, or the license key that it speaks of. It is of "
                "a key that you may not read: ask somebody of its company."
            )
        return False


def _encode(root):
    return base64.b64encode(root).decode()
