import base64
import json
from datetime import datetime
from itertools import chain
from operator import itemgetter

from odoo import fields
from odoo.fields import Domain
from odoo.tools import SQL, groupby, split_every

from ..merkle import Prover, consistency, inclusion
from ..trail import KEY_FACT, VERSION_1

FORMAT = "client-equipment-evidence"
VERSION = 1
BATCH = 1000


class EvidenceJson:
    """Keys' chains with their proofs, for who has neither Odoo nor the database (L9).

    ``docs/evidence.md`` describes the file, ``static/evidence/verify_evidence.py``
    verifies it. Make a checkpoint before, so that every entry is covered by one:

        self.env["client.equipment.audit.checkpoint"].make()
        with open(path, "w") as file:
            EvidenceJson(keys, told_domain, whole).write(file)

    What is told is what stands in a hash. Of an entry that its reader may not see, or
    that does not belong into the pack, there is the hash alone, which the chain needs.
    Keys are written one a line, in portions: memory does not grow with their number,
    but for the proofs.

    :param keys: the software keys, as their reader may read them
    :param told: domain of the audit log's entries whose facts are told
    :param bool whole: whether license keys may be told; else there is their SHA-256
    """

    def __init__(self, keys, told=Domain.TRUE, whole=False):
        self.keys = keys
        self.env = keys.env
        self.told = told
        self.whole = whole
        # Who may not read checkpoints gets no proofs, but an error.
        checkpoints = self.env["client.equipment.audit.checkpoint"]
        self.checkpoint = checkpoints.search([], limit=1)

    def write(self, file):  # pylint: disable=method-required-super
        """Write everything into a text file.

        :raises AccessError: where the user may not read the keys, or checkpoints
        """
        self.keys.check_access("read")
        self.env.flush_all()
        proofs, earlier = self._prove()
        head = {
            "format": FORMAT,
            "version": VERSION,
            "about": self._about(),
            "checkpoint": self._checkpoint(self.checkpoint),
            "checkpoints": earlier,
        }
        file.write(self._dump(head)[:-1] + ', "keys": [')
        before = "\n"
        for keys in self._batches():
            for key in self._tell(keys, proofs):
                file.write(before + self._dump(key))
                before = ",\n"
        file.write("\n]}\n")

    def _dump(self, value):
        return json.dumps(
            value, ensure_ascii=False, default=lambda day: day.isoformat()
        )

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

    def _prove(self):
        """Return ``{key id: proofs of inclusion}`` and, of the earlier checkpoints,
        what they say with their proofs of consistency.

        Twice through all leaves: to find places, then to collect what proves them.
        """
        size = self.checkpoint.size
        wanted = dict(self._entries_to_prove())
        places = {
            leaf.entry_id: index
            for index, leaf in zip(range(size), self._leaves(), strict=False)
            if leaf.entry_id in wanted
        }
        paths = {entry_id: inclusion(index, size) for entry_id, index in places.items()}
        earlier = self._earlier_checkpoints()
        seams = [consistency(each.size, size) for each in earlier]
        prover = Prover(chain.from_iterable((*paths.values(), *seams)))
        for _index, leaf in zip(range(size), self._leaves(), strict=False):
            prover.append(leaf.data)
        proofs = {}
        for entry_id, path in paths.items():
            key_id, number = wanted[entry_id]
            proofs.setdefault(key_id, []).append(
                {
                    "number": number,
                    "index": places[entry_id],
                    "proof": self._proof(prover, path),
                }
            )
        return proofs, [
            self._checkpoint(each) | {"consistency": self._proof(prover, seam)}
            for each, seam in zip(earlier, seams, strict=True)
        ]

    def _proof(self, prover, spans):
        if prover.size < self.checkpoint.size:
            return None  # entries are missing: the trail is not intact
        return [base64.b64encode(node).decode() for node in prover.proof(spans)]

    def _leaves(self):
        # All companies' entries, and of each no more than its place and its hash.
        return self.checkpoint._get_leaves(until=self.checkpoint.until or None)

    def _earlier_checkpoints(self):
        others = self.checkpoint.search(
            [("size", "<", self.checkpoint.size)], order="size, id"
        )
        return [same[0] for same in others.grouped("text").values()]

    def _entries_to_prove(self):
        """Yield ``(entry id, (key id, number))``: whatever the facts of the entry after
        it do not vouch for."""
        for keys in self._batches():
            told = self._told_ids(keys)
            for key_id, rows in groupby(
                self._rows(keys), itemgetter("software_key_id")
            ):
                later = None
                for row in reversed([row for row in rows if row["covered"]]):
                    if later not in told:
                        yield row["id"], (key_id, row["number"])
                    later = row["id"]

    # ------------------------------------------------------------------
    # What is told
    # ------------------------------------------------------------------

    def _batches(self):
        for ids in split_every(BATCH, self.keys._ids, list):
            yield self.keys.browse(ids)
            self.env.invalidate_all()

    def _tell(self, keys, proofs):
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
                "inclusions": proofs.get(key_id, []),
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
            Domain(self.told) & Domain("software_key_id", "in", keys.ids)
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
                       entry.version, entry.action_date < %s AS covered,
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
