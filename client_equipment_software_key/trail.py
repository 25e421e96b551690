"""What an entry of the audit trail tells, and the hash over it, as data.

Plain Python without Odoo, to be read, tested and documented alone. The statement that
writes entries, the columns that *Verify* reads, and the table of ``docs/evidence.md``
are made of ``FACTS``; the audit log has one field for each. Another addon adds a fact
of its own by an extension of the audit log's ``_get_facts`` (and ``_get_fact_joins``).
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

VERSION: Final = 3  # of the entries that are written now


class Fact(NamedTuple):
    """One fact: where it comes from when an entry is written, and what it tells.

    ``source`` is SQL over what ``_get_fact_joins`` joins: ``key``, ``step`` (what the
    caller says of each key), ``act`` (what is the same for all), ``software``,
    ``equipment``, its ``customer`` and its ``company``. What tells how the key is after
    the step names the key's own field, too: *Verify* compares the two; entries tell it
    from the version ``since`` on.
    """

    source: str
    told: str
    key_field: str = ""
    since: int = 1


FACTS: Final = {
    "version": Fact(f"{VERSION}", f"format of the entry: {VERSION}"),
    "id": Fact("nextval('client_equipment_audit_log_id_seq')::int", "of the entry"),
    "software_key_id": Fact("key.id", "database id of the software key"),
    "number": Fact(
        "COALESCE(key.audit_number, 0) + step.place", "in the trail of its key, from 1"
    ),
    "action": Fact("act.action", "which step it was"),
    "action_date": Fact("act.moment", "when it was recorded (UTC)"),
    "user_id": Fact("act.user_id", "who took the step: database id"),
    "user_name": Fact("act.user_name", "… and name at that time"),
    "software_id": Fact(
        "software.id", "the key's software: database id", "software_id", 2
    ),
    "software_name": Fact("software.name", "… and name at that time"),
    "key_type": Fact("key.key_type", "key type", "key_type", 3),
    "validity_start": Fact(
        "key.validity_start", "first valid day", "validity_start", 3
    ),
    "seats": Fact("key.seats", "how many seats the key has", "seats", 3),
    "owner_ref": Fact(
        "key.owner_id",
        "customer that the key was bought for: database id",
        "owner_id",
        3,
    ),
    "supplier_ref": Fact(
        "key.supplier_id", "supplier of the key: database id", "supplier_id", 3
    ),
    "key_company_ref": Fact(
        "key.company_id", "company of the key: database id", "company_id", 3
    ),
    "equipment_ref": Fact("equipment.id", "where the step took place: database id"),
    "equipment_name": Fact("equipment.name", "… and name at that time"),
    "equipment_serial_no": Fact("equipment.serial_no", "… and serial number"),
    "equipment_company_ref": Fact("company.id", "company of that equipment"),
    "equipment_company_name": Fact("company.name", "… and its name at that time"),
    "customer_ref": Fact("customer.id", "customer of that equipment: database id"),
    "customer_name": Fact("customer.complete_name", "… and name at that time"),
    "seat": Fact("step.seat", "which of the key's seats, where it is on equipment"),
    "installed_on": Fact("step.installed_on", "day on which it was installed"),
    "installed_from": Fact(
        "step.installed_from",
        "when that day began (UTC), where it was recorded on a later one",
    ),
    "status_before": Fact("step.status_before", "status before the step"),
    "status_after": Fact("step.status_after", "status after it", "status"),
    "validity_end_before": Fact("step.end_before", "last valid day before the step"),
    "validity_end_after": Fact(
        "step.end_after", "last valid day after it", "validity_end"
    ),
    "license_file_sha256": Fact(
        "key.license_file_sha256",
        "SHA-256 of the license file that the key had",
        "license_file_sha256",
        3,
    ),
    "changes": Fact(
        "step.changes",
        "of *changed*: `[[field, before, after], …]`; a record is `[id, name]`, a file"
        " its SHA-256",
    ),
    "reason_code": Fact("act.reason_code", "reason that the system itself gives"),
    "reason_data": Fact("act.reason_data", "… what it speaks of"),
    "reason": Fact("act.reason", "what the person gave as reason, word for word"),
}
# What the hash covers beside them: "previous_hash" and, never the license key itself,
# this.
KEY_FACT: Final = "license_key_sha256"

# What a key is: ``{fact: the key's field}``.
KEY_FIELDS: Final = {
    name: fact.key_field for name, fact in FACTS.items() if fact.key_field
}
# … beside its life: where one of these changes, an entry *changed* tells what it was
# and what it became (K17). Another addon adds to it by an extension of the key's
# ``_get_told_fields``, and a fact that names the field (``key_field``) to the log's.
TOLD_FIELDS: Final = (
    *("software_id", "key_type", "validity_start", "seats", "owner_id"),
    *("supplier_id", "company_id", "license_file", "license_file_name"),
)

# The facts of version 1, in the order of its hash. The company of the equipment stands
# after them where there is one.
VERSION_1: Final = (
    *("id", "software_key_id", "license_key", "number", "action", "action_date"),
    *("user_id", "user_name", "equipment_ref", "equipment_name"),
    *("equipment_serial_no", "customer_name", "status_before", "status_after"),
    *("validity_end_before", "validity_end_after", "reason"),
)


def entry_text(facts: Mapping[str, Any], previous_hash: str | None) -> str:
    """Return the text of versions 2 and 3 that is hashed: the facts that there are as a
    JSON object, ordered by the length of their names, then by name.

    >>> entry_text({"action": "created", "number": 1, "id": 7, "reason": None}, None)
    '{"id": 7, "action": "created", "number": 1}'
    """
    told = {"previous_hash": previous_hash, **facts}
    names = sorted(
        (name for name, value in told.items() if value is not None),
        key=lambda name: (len(name), name),
    )
    return json.dumps(
        {name: told[name] for name in names},
        ensure_ascii=False,
        default=lambda day: day.isoformat(),
    )


def entry_hash(facts: Mapping[str, Any], previous_hash: str | None) -> str:
    """Return the SHA-256 of an entry of versions 2 and 3.

    >>> entry_hash({"id": 7}, None)[:16]
    'ad559f4e2220ee73'
    """
    return hashlib.sha256(entry_text(facts, previous_hash).encode()).hexdigest()


def table() -> str:
    """Return the facts as a table in Markdown, for the documentation."""
    lines = ["| fact | what it tells |", "|---|---|"]
    facts = {
        name: fact.told + (f" (from version {fact.since})" if fact.since > 1 else "")
        for name, fact in FACTS.items()
    }
    facts[KEY_FACT] = "SHA-256 of the license key (no column: computed from the key)"
    facts["previous_hash"] = "hash of the entry before it; none in the first"
    lines += [f"| `{name}` | {told} |" for name, told in facts.items()]
    return "\n".join(lines)
