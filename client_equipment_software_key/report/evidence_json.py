import base64
import json
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import islice
from operator import itemgetter
from typing import TextIO

from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import SQL, groupby, split_every

from ..merkle import Prover, Span, consistency, inclusion
from ..trail import KEY_FACT, VERSION_1

FORMAT = "client-equipment-evidence"
VERSION = 1
BATCH = 1000
# What stands around the keys, of which each has a line of its own.
START, BETWEEN, END = ', "keys": [\n', ",\n", "\n]}\n"


class Leaves:
    """The tree that a checkpoint is the root of, and where in it each entry is.

    All companies' entries, and of each no more than its place and its hash. Most of it
    is on disk.
    """

    def __init__(self, checkpoint: models.BaseModel) -> None:
        self.checkpoint_id, self.size = checkpoint.id, checkpoint.size
        self.prover = Prover()
        self._moments, self._ids = array("q"), array("q")
        leaves = checkpoint._get_leaves(until=checkpoint.until or None)
        for leaf in islice(leaves, checkpoint.size):
            self.prover.append(leaf.data)
            self._moments.append(self._microseconds(leaf.date))
            self._ids.append(leaf.entry_id)

    def _microseconds(self, date):
        return (date - datetime.min) // timedelta(microseconds=1)

    def find(self, date: datetime, entry_id: int) -> int | None:
        """Return the index of an entry, or None where the checkpoint has none of it."""
        moment = self._microseconds(date)
        start = bisect_left(self._moments, moment)
        end = bisect_left(self._moments, moment + 1, start)
        index = bisect_left(self._ids, entry_id, start, end)
        return index if index < end and self._ids[index] == entry_id else None

    def prove(self, spans: Iterable[Span]) -> list[str] | None:
        """Return the hashes of nodes, or None where entries are missing: the trail is
        not intact."""
        if self.prover.size < self.size:
            return None
        return [base64.b64encode(node).decode() for node in self.prover.proof(spans)]


class EvidenceJson:
    """Keys' chains with their proofs, for who has neither Odoo nor the database (L9).

    ``docs/evidence.md`` describes the file, ``static/evidence/verify_evidence.py``
    verifies it. Make a checkpoint before, so that every entry is covered by one:

        self.env["client.equipment.audit.checkpoint"].make()
        with open(path, "w") as file:
            EvidenceJson(keys, told_domain, whole).write(file)

    What is told is what stands in a hash. Of an entry that its reader may not see, or
    that does not belong into the pack, there is the hash alone, which the chain needs.
    The first one of each key, which is of no place, says whose chain it is.
    Keys are told in portions: memory does not grow with their number.

    :param keys: the software keys, as their reader may read them
    :param told: domain of the audit log's entries whose facts are told
    :param bool whole: whether license keys may be told; else there is their SHA-256
    :param leaves: the :class:`Leaves` of the checkpoint, if not those of the newest
    """

    def __init__(
        self,
        keys: models.BaseModel,
        told: Domain | list = Domain.TRUE,
        whole: bool = False,
        leaves: Leaves | None = None,
    ) -> None:
        self.keys = keys
        self.env = keys.env
        self.told = told
        self.whole = whole
        # Who may not read checkpoints gets no proofs, but an error.
        checkpoints = self.env["client.equipment.audit.checkpoint"]
        self.leaves = leaves or Leaves(checkpoints.search([], limit=1))
        self.checkpoint = checkpoints.browse(self.leaves.checkpoint_id)

    def write(self, file: TextIO) -> None:  # pylint: disable=method-required-super
        """Write everything into a text file.

        :raises AccessError: where the user may not read the keys, or checkpoints
        """
        self.put_together(
            file, (self.tell(self.keys.browse(ids)) for ids in self._batches())
        )

    def _batches(self):
        for ids in split_every(BATCH, self.keys._ids, list):
            yield ids
            self.env.invalidate_all()

    def put_together(self, file: TextIO, portions: Iterable[str]) -> None:
        """Write everything into a text file.

        :param portions: what :meth:`tell` gives of the keys, portion by portion
        """
        self.keys.check_access("read")
        file.write(self._dump(self._head())[:-1] + START)
        before = ""
        for portion in filter(None, portions):
            file.write(before + portion)
            before = BETWEEN
        file.write(END)

    def tell(self, keys: models.BaseModel) -> str:
        """Return what the file tells of these keys.

        :raises AccessError: where the user may not read them
        """
        keys.check_access("read")
        self.env.flush_all()
        return BETWEEN.join(map(self._dump, self._tell(keys)))

    def _dump(self, value):
        return json.dumps(
            value, ensure_ascii=False, default=lambda day: day.isoformat()
        )

    def _head(self):
        return {
            "format": FORMAT,
            "version": VERSION,
            "about": self._about(),
            "checkpoint": self._checkpoint(self.checkpoint),
            "checkpoints": self._earlier_checkpoints(),
        }

    def _about(self):
        """What the reader wants to know, and no proof can vouch for."""
        return {
            "made": fields.Datetime.now(),
            "made_by": self.env.user.name,
            "until": self.checkpoint.until or None,
        }

    def _checkpoint(self, checkpoint):
        return (
            dict(
                zip(
                    ("origin", "size", "root"), checkpoint.text.split("\n"), strict=True
                )
            )
            | {"size": checkpoint.size}
            if checkpoint
            else None
        )

    # ------------------------------------------------------------------
    # Proofs
    # ------------------------------------------------------------------

    def _earlier_checkpoints(self):
        """Return what the earlier checkpoints say, with their proofs of consistency."""
        size = self.checkpoint.size
        others = self.checkpoint.search([("size", "<", size)], order="size, id")
        return [
            self._checkpoint(same[0])
            | {"consistency": self.leaves.prove(consistency(same[0].size, size))}
            for same in others.grouped("text").values()
        ]

    def _inclusions(self, rows, told):
        """Return the proofs of those entries of a key that the facts of the entry after
        it do not vouch for.

        :param rows: the entries of the key
        :param told: ids of the entries whose facts are told
        """
        proofs, later = [], None
        for row in reversed([row for row in rows if row["covered"]]):
            if later not in told:
                proofs.append(self._inclusion(row))
            later = row["id"]
        return list(filter(None, proofs))

    def _inclusion(self, row):
        index = self.leaves.find(row["action_date"], row["id"])
        return index is not None and {
            "number": row["number"],
            "index": index,
            "proof": self.leaves.prove(inclusion(index, self.checkpoint.size)),
        }

    # ------------------------------------------------------------------
    # What is told
    # ------------------------------------------------------------------

    def _tell(self, keys):
        """Yield what the file tells of each key."""
        told = self._told_ids(keys)
        rows = groupby(self._rows(keys), itemgetter("software_key_id"))
        for key_id, entries in rows:
            yield {
                "software_key_id": key_id,
                KEY_FACT: entries[0]["key_sha256"],
                # With the rights of who reads it.
                **(
                    {"license_key": keys.browse(key_id).license_key}
                    if self.whole
                    else {}
                ),
                "head": {
                    "number": entries[0]["audit_number"],
                    "hash": entries[0]["audit_hash"],
                },
                "entries": [
                    {"hash": row["hash"]}
                    | ({"facts": self._facts(row)} if row["id"] in told else {})
                    for row in entries
                ],
                "inclusions": self._inclusions(entries, told),
            }

    def _facts(self, row):
        if row["version"] == 1:
            names = {*VERSION_1, "equipment_company_ref", "version"}
            return {name: row["facts"][name] for name in names & row["facts"].keys()}
        return row["facts"]

    def _told_ids(self, keys):
        """Return the ids of the entries whose facts are told.

        No change is that names what the reader may not read. Where license keys are
        not, no words that name one are; nor what version 1 wrote, whose hashes cannot
        be computed without them.
        """
        entries = self.env["client.equipment.audit.log"].search(
            (Domain(self.told) | Domain("number", "=", 1))
            & Domain("software_key_id", "in", keys.ids)
        )
        entries = entries.filtered(lambda entry: not entry._names_hidden())
        if not self.whole:
            # To hide the license keys, whoever may read them.
            entries = entries.filtered(
                lambda entry: (
                    entry.version > 1
                    and entry.software_key_id.sudo()._get_license_key()
                    not in (entry.reason or "")
                )
            )
        return set(entries.ids)

    def _rows(self, keys):
        """Yield the entries of the keys, in the order of their chains.

        All of each chain, whoever reads it: of what he may not see no more than the
        hash is told.
        """
        facts = self.env["client.equipment.audit.log"]._get_facts()
        self.env.cr.execute(
            SQL(
                """
                SELECT entry.id, entry.software_key_id, entry.number, entry.hash,
                       entry.version, entry.action_date,
                       entry.action_date < %s AS covered,
                       key.audit_number, key.audit_hash,
                       encode(sha256(convert_to(key.license_key, 'UTF8')), 'hex')
                           AS key_sha256,
                       jsonb_strip_nulls(jsonb_build_object(%s)) AS facts
                  FROM client_equipment_audit_log entry
                  JOIN client_equipment_software_key key
                    ON key.id = entry.software_key_id
                 WHERE entry.software_key_id = ANY(%s)
                 ORDER BY array_position(%s, entry.software_key_id), entry.number
                """,
                self.checkpoint.until or datetime.min,
                SQL(", ").join(
                    SQL("%s, %s", name, SQL.identifier("entry", name)) for name in facts
                ),
                keys.ids,
                keys.ids,
            )
        )
        return self.env.cr.dictfetchall()
