import json
import re
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL, consteq, format_datetime, hmac

from odoo.addons.client_equipment.arguments import Lines, checked

from ..merkle import Tree
from .client_equipment_audit_checkpoint import ORIGIN, Leaf, encode
from .client_equipment_software_key_consistency import VERIFY_BATCH

# So many leaves are looked at by one call.
STEP = 20_000
# What the seal of a state is for.
SEALED = "client_equipment_software_key.verify"
# Somebody may paste a whole mail, with marks of quotation before each line, and with
# what comes next behind the last one, as a mail in plain text has it.
LINES = re.compile(
    rf"^[ \t>|]*({re.escape(ORIGIN)}\S+)[ \t]*\n"
    r"(?:[ \t>|]*\n)*[ \t>|]*(\d{1,10})[ \t]*\n"
    r"(?:[ \t>|]*\n)*[ \t>|]*([A-Za-z0-9+/]{43}=)(?!\S)",
    re.MULTILINE,
)


class Kept(NamedTuple):
    """What the three lines say."""

    origin: str
    size: int
    root: str


class Walk(NamedTuple):
    """How far verifying has come: through the tree, then through the keys' chains."""

    size: int = 0  # of the tree so far, whose frontier is in hexadecimal
    frontier: str = ""
    date: str = ""  # of the last leaf
    entry_id: int = 0
    agreed: int = 0  # of the checkpoints here: the last that agrees with the entries
    differs: int = 0  # … and the first that does not
    in_chains: bool = False
    key_id: int = 0  # the last key whose chain was looked at

    @property
    def tree(self) -> Tree:
        return Tree(self.size, map(bytes.fromhex, self.frontier.split()))

    @property
    def leaf(self) -> Leaf | None:
        """The last leaf, to go on after."""
        if not self.date:
            return None
        return Leaf(datetime.fromisoformat(self.date), self.entry_id, "")


class ClientEquipmentAuditCheckpoint(models.Model):
    """What has happened to the trail since somebody kept three lines (L8).

    Every hash is computed again, portion by portion: however many entries there are, no
    call takes long, and whoever asks sees how far it is.
    """

    _inherit = "client.equipment.audit.checkpoint"

    @api.model
    @api.readonly
    @checked
    def verify(self, text: Lines) -> dict:
        """Tell whether all entries are as they were when a checkpoint was made (L8).

        Every hash is computed again, and the root over those that the checkpoint
        covers. All companies' entries are looked at; no company learns of another's
        more than that. Among very many entries :meth:`verify_next` shows how far it is.

        :param str text: the three lines that somebody has kept, or a mail with them
        :return: ``{"intact", "problem", "until", "size"}``: the problem in words, or
            False; the moment of the checkpoint (the first, where several are the same),
            where it is known here, or False; how many entries it covers
        :raises UserError: where there is no checkpoint in the text
        """
        step = self.verify_next(text)
        while not step["found"]:
            step = self.verify_next(text, step["state"])
        return step["found"]

    @api.model
    @api.readonly
    @checked
    def verify_next(self, text: Lines, state: Lines = "") -> dict:
        """Take the next step of :meth:`verify`.

        To verify everything, call it again with the ``state`` of the answer until there
        is something in ``found``.

        :param str text: the three lines that somebody has kept, or a mail with them
        :param str state: of the answer before, to the same text
        :return: ``{"progress", "state", "found"}``: per cent; what the next call needs;
            what :meth:`verify` returns, or False
        :raises UserError: where there is no checkpoint in the text, or the state is of
            no answer to it
        """
        self.check_access("read")
        kept = self._parse(text)
        walk = self._unsealed(kept, state) if state else Walk()
        walk, problem = self._take_step(kept, walk)
        return {
            "progress": self._get_progress(kept, walk),
            "state": self._sealed(kept, json.dumps(walk)) if walk else "",
            "found": not walk and self._tell_found(kept, problem),
        }

    @api.model
    def _sealed(self, kept, written):
        """Return what a client keeps until the next call, and cannot make himself: he
        would have something verified that was never looked at."""
        # The seal is the database's secret; nobody learns it.
        seal = hmac(self.env(su=True), SEALED, (*kept, written))
        return f"{seal} {written}"

    @api.model
    def _unsealed(self, kept, state):
        """Return the ``Walk`` that was sealed for the same checkpoint.

        :raises UserError: where none was
        """
        written = state.partition(" ")[2]
        if not consteq(state.encode(), self._sealed(kept, written).encode()):
            raise UserError(
                self.env._("Verifying cannot go on from there. Begin anew.")
            )
        return Walk(*json.loads(written))

    def _get_progress(self, kept, walk):
        if not walk:
            return 100
        if not walk.in_chains:
            return 50 * walk.size // max(kept.size, 1)
        last = self._get_last_key_id()
        return 50 + 49 * walk.key_id // max(last, 1)

    def _get_last_key_id(self):
        ((last,),) = self.env.execute_query(
            SQL("SELECT max(id) FROM client_equipment_software_key")
        )
        return last or 0

    @api.model
    def _tell_found(self, kept, problem):
        return {
            "problem": problem,
            "intact": not problem,
            "until": self._get_made(kept)[:1].until,
            "size": kept.size,
        }

    @api.model
    def _get_made(self, kept):
        """Return the checkpoints here that say the same: several, where nothing happens
        for days."""
        return self.search(
            [("size", "=", kept.size), ("root", "=", kept.root)], order="until, id"
        )

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
    def _take_step(self, kept, walk):
        """Look at the next portion.

        :return: ``(Walk, False)``, or at the end ``(None, the problem in words or
            False)``
        """
        if walk.in_chains:
            return self._walk_chains(kept, walk)
        if kept.origin != self._get_origin():
            return None, self.env._(
                "This checkpoint is of another database (%(kept)s; this one is "
                "%(here)s). Verify it there. If it is meant to be of this one, then "
                "the database was replaced by another.",
                kept=kept.origin.removeprefix(ORIGIN),
                here=self._get_origin().removeprefix(ORIGIN),
            )
        return self._walk_tree(kept, walk)

    # ------------------------------------------------------------------
    # Through the tree
    # ------------------------------------------------------------------

    @api.model
    def _walk_tree(self, kept, walk):
        """Compute the tree of the entries anew, as far as the checkpoint covers them,
        and compare the other checkpoints on the way."""
        tree, last = walk.tree, walk.leaf
        others = self._get_others(walk.size, min(kept.size, walk.size + STEP))
        if not walk.size:
            walk = self._compare(walk, tree, others)
        count = min(STEP, kept.size - walk.size)
        for leaf in islice(self._get_leaves(after=last), count):
            tree.append(leaf.data)
            walk, last = self._compare(walk, tree, others), leaf
        ended = tree.size - walk.size < count
        walk = walk._replace(
            size=tree.size,
            frontier=" ".join(node.hex() for node in tree.frontier),
            date=last.date.isoformat() if last else "",
            entry_id=last.entry_id if last else 0,
        )
        if tree.size < kept.size and not ended:
            return walk, False
        if problem := self._find_problem(kept, walk):
            return None, problem
        return walk._replace(in_chains=True), False

    @api.model
    def _get_others(self, above, size):
        """Return ``{size: checkpoints}`` of the list, of more than ``above`` entries up
        to ``size``; where nothing is above, those of none, too."""
        others = self.search(
            [("size", ">", above or -1), ("size", "<=", size)], order="size, until, id"
        )
        return others.grouped("size")

    @api.model
    def _compare(self, walk, tree, others):
        """Note whether the checkpoints of that size agree with the entries."""
        if walk.differs:
            return walk
        for other in others.get(tree.size, ()):
            if encode(tree.root()) != other.root:
                return walk._replace(differs=other.id)
            walk = walk._replace(agreed=other.id)
        return walk

    @api.model
    def _find_problem(self, kept, walk):
        """Return in words in what the tree is not as it was, or False."""
        made = self._get_made(kept)[-1:]
        if walk.size < kept.size:
            if not walk.differs:
                more = self._get_others(walk.size, kept.size)
                first = next(iter(more.values()), self)[:1]
                walk = walk._replace(differs=first.id or 0)
            problem = self.env._(
                "Of the %(kept)s entries that this checkpoint covers there are only "
                "%(found)s left: somebody has removed entries, or put an older backup "
                "in place.",
                kept=kept.size,
                found=walk.size,
            )
        elif encode(walk.tree.root()) != kept.root:
            problem = self.env._(
                "What this checkpoint covers (entries: %s) is not what is here: "
                "somebody has changed, removed or added entries.",
                kept.size,
            )
        elif made and self._is_dated_back(made, walk):
            problem = self.env._(
                "What this checkpoint covers (entries: %s) is as it was, but somebody "
                "has added an entry, and dated it back to before the checkpoint.",
                kept.size,
            )
        elif not made:
            return self.env._(
                "What this checkpoint covers (entries: %s) is as it was, but the "
                "checkpoint itself is missing from the list: somebody has removed it, "
                "or put an older backup in place.",
                kept.size,
            )
        else:
            return False
        return f"{problem} {self._say_when(walk)}".strip()

    @api.model
    def _is_dated_back(self, made, walk):
        """Tell whether one more entry is dated before the checkpoint."""
        more = self._get_leaves(until=made.until, after=walk.leaf)
        return next(more, None) is not None

    @api.model
    def _say_when(self, walk):
        """Return in words what the other checkpoints tell about the first change."""
        agreed, differs = (
            id_ and format_datetime(self.env, self.browse(id_).until)
            for id_ in (walk.agreed, walk.differs)
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

    # ------------------------------------------------------------------
    # Through the chains
    # ------------------------------------------------------------------

    @api.model
    def _walk_chains(self, kept, walk):
        """Look whether the entries of the next keys agree with their own hashes."""
        keys = self.env.execute_query(
            SQL(
                "SELECT id FROM client_equipment_software_key WHERE id > %s"
                " ORDER BY id LIMIT %s",
                walk.key_id,
                VERIFY_BATCH,
            )
        )
        if not keys:
            return None, False
        key_ids = [key_id for (key_id,) in keys]
        if problem := self._find_altered(self._get_made(kept)[-1:].until, key_ids):
            return None, problem
        return walk._replace(key_id=key_ids[-1]), False

    @api.model
    def _find_altered(self, until, key_ids):
        """Return in words which entry of these keys from before a moment does not agree
        with its own hash, or False."""
        AuditLog = self.env["client.equipment.audit.log"]
        Key = self.env["client.equipment.software.key"]
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT software_key_id, number
                  FROM (%s) entry
                 WHERE action_date < %s
                   AND hash IS DISTINCT FROM %s
                 ORDER BY action_date, id
                 LIMIT 1
                """,
                AuditLog._entries_to_verify_sql(Key.browse(key_ids)),
                until or datetime.max,
                AuditLog._hash_of_any_version_sql(),
            )
        )
        for key_id, number in rows:
            key = Key.browse(key_id)
            if key.has_access("read"):
                return AuditLog._problem_text(key, AuditLog, "altered", number)
            return self.env._(
                "An entry was altered, or the license key that it speaks of. It is of "
                "a key that you may not read: ask somebody of its company."
            )
        return False
