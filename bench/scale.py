"""Past one machine: what grows, and how, beyond a million keys.

A part of ``./dev bench`` that runs only where it is asked for (``--only scale``): it
needs an hour, most of it for making its data, and a disk with room for them.
"""

import time
from contextlib import contextmanager
from datetime import date

import works
from databases import odoo_env, say, sql

KEY, TRAIL, FEATURE = (
    "client_equipment_software_key",
    "client_equipment_audit_log",
    "client_equipment_feature",
)
PORTION = 2000  # keys that the nightly check looks at in one transaction
STEPS = 10_000  # keys that a day's work is measured with


def measure(name, keys):
    """Return ``{fact: value}`` of one database."""
    facts = {"entries": count(name, TRAIL), **sizes(name, keys)}
    facts |= night(name, keys)
    facts |= day(name)
    facts |= upkeep(name)
    say(f"  {facts}")
    return facts


def count(name, table):
    ((rows,),) = sql(name, f"SELECT count(*) FROM {table}")
    return rows


def sizes(name, keys):
    """Return how large the tables and their indexes are."""
    rows = sql(
        name,
        "SELECT relname, pg_table_size(oid), pg_indexes_size(oid) FROM pg_class"
        " WHERE relname IN (%s, %s, %s) ORDER BY relname",
        *(KEY, TRAIL, FEATURE),
    )
    total = sum(size for _table, *both in rows for size in both)
    facts = {
        f"{table.removeprefix('client_equipment_')}: table, indexes": (
            f"{data / 1e9:.2f} GB, {indexes / 1e9:.2f} GB"
        )
        for table, data, indexes in rows
    }
    indexes = sum(row[2] for row in rows)
    return facts | {
        "bytes a key (more where works have been measured)": round(total / keys),
        "indexes GB": round(indexes / 1e9, 2),
        "all three GB": round(total / 1e9, 2),
    }


@contextmanager
def timed(facts, fact, digits=2):
    start = time.perf_counter()
    yield
    facts[fact] = round(time.perf_counter() - start, digits)


def night(name, keys):
    """Return what the jobs of a night take that look at all keys."""
    facts, portions = {}, 5
    with odoo_env(name) as env:
        Keys = env["client.equipment.software.key"]
        last = Keys.search([], order="id desc", limit=1).id
        first = Keys.search([], order="id", limit=1).id
        start = time.perf_counter()
        for portion in range(portions):
            env.invalidate_all()
            after = first + (last - first) * portion // portions
            Keys.check_next_consistency(after, PORTION)
        seconds = (time.perf_counter() - start) / portions
        facts[f"check of {PORTION:,} keys, seconds"] = round(seconds, 2)
        facts["check of all keys, hours (reckoned)"] = round(
            seconds * keys / PORTION / 3600, 2
        )
        counts = env["client.equipment.software.key.count"]
        with timed(facts, "all keys counted anew, seconds"):
            counts._correct()
    return facts


def day(name):
    """Return what entering, applying and removing many keys take (taken back)."""
    facts = {}
    for work in ("enter", "apply", "remove", "renew"):
        with odoo_env(name) as env:
            doer = works.Ours(env)
            keys = min(STEPS, count(name, KEY) // 10)
            rows = works.WORKS[work](env.cr, keys)
            env.invalidate_all()
            with timed(facts, f"{work} {keys:,} keys, seconds"):
                getattr(doer, work)(rows)
                env.flush_all()
    return facts


def upkeep(name):
    """Return what keeping the indexes in order takes."""
    facts = {}
    with timed(facts, "VACUUM ANALYZE of the three tables, seconds"):
        sql(name, f"VACUUM ANALYZE {KEY}, {TRAIL}, {FEATURE}")
    for index in (f"{KEY}__license_key_index", f"{TRAIL}_action_date"):
        with timed(facts, f"REINDEX of {index}, seconds"):
            sql(name, f"REINDEX INDEX CONCURRENTLY {index}")
    year = date.today().year - 1
    ((old,),) = sql(
        name, f"SELECT count(*) FROM {TRAIL} WHERE action_date < '{year}-01-01'"
    )
    facts[f"entries before {year}"] = old
    return facts


def table(found):
    """Return the lines of a table: a row for each fact, a column for each size.

    :param found: ``{number of keys: {fact: value}}``
    """
    facts = dict.fromkeys(fact for each in found.values() for fact in each)
    lines = [
        "| | " + " | ".join(f"{keys:,} keys" for keys in found) + " |",
        "|---" + "|--:" * len(found) + "|",
    ]
    for fact in facts:
        values = (each.get(fact, "") for each in found.values())
        lines.append(f"| {fact} | " + " | ".join(map(show, values)) + " |")
    return lines


def show(value):
    return f"{value:,}" if isinstance(value, int | float) else str(value)
