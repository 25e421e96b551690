"""./dev bench: measures, prints a table, writes results.md and results.json."""

import argparse
import gc
import itertools
import json
import os
import platform
import re
import sys
import time
from contextlib import closing, contextmanager
from importlib.metadata import version
from pathlib import Path

import databases
from databases import say
from measure import Comparison, measured

HERE = Path(__file__).parent
PARTS = ("works", "readers", "exports", "packs", "job", "servers")
SMALL, LARGE, QUICK = 10_000, 1_000_000, 100_000
# What only --only scale compares: the second has 10,000,000 entries.
SCALE = f"{LARGE},3333335"
HEADINGS = [
    "work",
    "keys",
    "against",
    "ratio",
    "spread",
    "runs",
    "ours ms",
    "theirs ms",
    "queries",
    "peak MB",
]


def check_same_rows(name, work, keys):
    """Stop where the bare SQL does less, or something else, than ours (honest figures).

    It fills the caches, too.
    """
    import works

    left = []
    with databases.odoo_env(name) as env, closing(databases.connect(name)) as link:
        for doer in (works.Ours(env), works.BareSql(link, env)):
            cr = getattr(doer, "cr", env.cr)
            rows, last = works.WORKS[work](cr, keys), works.last_entry(cr)
            getattr(doer, work)(rows)
            env.flush_all()
            left.append(works.rows_left(cr, last))
            env.cr.rollback()
            link.rollback()
    for table, ours in left[0].items():
        theirs = left[1][table]
        for our, their in itertools.zip_longest(ours, theirs, fillvalue={}):
            if differing := {field for field in our if our[field] != their.get(field)}:
                sys.exit(f"error: {work} leaves other {differing} in {table} by SQL")
        if len(ours) != len(theirs):
            sys.exit(f"error: {work} leaves another number of rows in {table} by SQL")


def ours_once(name, contender, work, keys):
    """Do one piece of work by the ORM; leave the database as it was."""
    import works

    with databases.odoo_env(name) as env:
        doer = contender(env)
        rows = works.WORKS[work](env.cr, keys)
        env.invalidate_all()
        with measured(env.cr) as sample:
            getattr(doer, work)(rows)
            env.flush_all()
    return sample


def sql_once(name, work, keys):
    import works

    with databases.odoo_env(name) as env, closing(databases.connect(name)) as link:
        doer = works.BareSql(link, env)
        rows = works.WORKS[work](doer.cr, keys)
        with measured() as sample:
            getattr(doer, work)(rows)
        link.rollback()
    return sample


@contextmanager
def staged(name, work, keys):
    """Have the database as the work expects it, as long as this lasts."""
    import works

    if work == "expire":
        with (
            databases.put_back(name),
            closing(databases.connect(name)) as link,
            works.aged(link, keys),
        ):
            yield
    else:
        yield


def tidy(name):
    """Take away what the undone work left behind; its index entries at the end."""
    databases.sql(
        name,
        "VACUUM (INDEX_CLEANUP OFF, TRUNCATE OFF) client_equipment_software_key,"
        " client_equipment_feature, client_equipment_audit_log",
    )


def compare_works(name, plan, deadline):
    """Return comparisons for a plan: pairs of keys and ``{against: repetitions}``."""
    import works

    contenders = {"auditlog": works.Auditlog, "loop": works.Loop}
    found = []
    for keys, against in plan:
        for work in works.WORKS:
            if time.monotonic() > deadline:
                return found
            rows = {other: Comparison(work, keys, other) for other in against}
            with staged(name, work, keys):
                check_same_rows(name, work, 10)
                for repetition in range(max(against.values())):
                    ours = ours_once(name, works.Ours, work, keys)
                    for other, repetitions in against.items():
                        if repetition >= repetitions or time.monotonic() > deadline:
                            continue
                        if other == "sql":
                            theirs = sql_once(name, work, keys)
                        else:
                            theirs = ours_once(name, contenders[other], work, keys)
                        rows[other].add(ours, theirs)
            tidy(name)
            found += report(row for row in rows.values() if row.ours)
    return found


def compare_readers(small, large, keys, repetitions):
    import readers

    found = []
    with databases.odoo_env(small) as env_small, databases.odoo_env(large) as env_large:
        for asked in (readers.readers, readers.masked):
            ours, theirs = asked(env_large), asked(env_small)
            gc.freeze()  # what Odoo has loaded need not be looked through each time
            for name in ours:
                row = Comparison(name, keys, "small")
                for _repetition in range(repetitions + 1):
                    row.add(read(env_large, ours[name]), read(env_small, theirs[name]))
                    if sum(each.seconds for each in row.ours + row.theirs) > 20:
                        break
                if len(row.ours) > 1:  # the first call fills caches
                    del row.ours[0], row.theirs[0]
                found += report([row])
            gc.unfreeze()
    databases.forget(small)  # the masks are taken back, what is known of them is not
    databases.forget(large)
    return found


def read(env, function):
    env.invalidate_all()
    with measured(env.cr) as sample:
        function()
    return sample


def compare_job(small, large, keys, repetitions):
    """The job with 10,000 due keys, in both tables."""
    import works

    row = Comparison("job: 10,000 due", keys, "small")
    for _repetition in range(repetitions):
        samples = []
        for name in (large, small):
            with databases.odoo_env(name) as env:
                doer = works.Ours(env)
                works.all_due(env.cr, SMALL)
                env.invalidate_all()
                with measured(env.cr) as sample:
                    doer.expire(None)
                samples.append(sample)
            tidy(name)
        row.add(*samples)
    return report([row])


def report(rows):
    rows = list(rows)
    for row in rows:
        cells = zip(row.line(), (34, 10, 9, 8, 15, 5, 11, 11, 8, 7), strict=True)
        text = [f"{cell:>{width}}" for cell, width in cells]
        print(text[0].strip().ljust(34), *text[1:], flush=True)
    return rows


def unused_indexes(name):
    """Return our indexes that nothing has used, constraints' own aside."""
    return databases.sql(
        name,
        """
        SELECT indexrelname, pg_size_pretty(pg_relation_size(indexrelid))
          FROM pg_stat_user_indexes JOIN pg_index USING (indexrelid)
         WHERE idx_scan = 0 AND NOT indisunique
           AND relname IN ('client_equipment_software_key', 'client_equipment_feature',
                           'client_equipment_audit_log', 'client_equipment_software')
         ORDER BY 1
        """,
    )


def write_results(args, rows, notes, seconds):
    text = ",\n".join(json.dumps(row.row()) for row in rows)
    (HERE / "results.json").write_text(f"[\n{text}\n]\n")
    lines = [
        "# Results of the benchmark",
        "",
        f"`./dev bench{' --quick' if args.quick else ''}`,"
        f" {time.strftime('%Y-%m-%d')}, {seconds / 60:.0f} minutes."
        " What the columns mean: [README](README.md).",
        "",
        *table(rows),
        *notes,
        "",
    ]
    (HERE / "results.md").write_text("\n".join(lines))


def versions(name):
    (row,) = databases.sql(name, "SHOW server_version")
    from odoo.release import version as odoo_version

    return (
        f"Odoo {odoo_version}, PostgreSQL {row[0]}, Python {platform.python_version()},"
        f" psycopg2 {version('psycopg2-binary')}, OCA auditlog 19.0.2.0.1;"
        f" {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} at the end."
    )


def read_arguments():
    """Return what was asked for; ``parts`` are those to measure."""
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under three minutes")
    parser.add_argument("--only", metavar="PARTS", help=", ".join((*PARTS, "scale")))
    parser.add_argument(
        "--sizes", default=SCALE, help=f"what scale compares (default: {SCALE})"
    )
    parser.add_argument("--no-write", action="store_true", help="leave results alone")
    parser.add_argument(
        "--plan",
        action="append",
        metavar="KEYS:AGAINST=RUNS",
        help="works to measure, such as 10000:sql=5 (may be repeated)",
    )
    args = parser.parse_args()
    # These take longer than all the rest of the quick one.
    quick_parts = [part for part in PARTS if part not in ("exports", "packs")]
    args.parts = quick_parts if args.quick else PARTS
    if args.only:
        args.parts = args.only.split(",")
    if unknown := set(args.parts) - {*PARTS, "scale"}:
        parser.error(f"unknown part {', '.join(unknown)}")
    return args


def main():
    args = read_arguments()
    parts = args.parts
    start = time.monotonic()
    databases.start_odoo()
    if parts == ["scale"]:
        return scale_up(args)
    small = databases.prepare(SMALL)
    # Works look at the rows that they touch: less of the rest is enough to be quick.
    keys = LARGE if databases.ready(LARGE) or not args.quick else QUICK
    large = databases.prepare(keys)
    field = databases.prepare(QUICK) if args.quick else large
    rows, notes = [], []
    print(*HEADINGS, sep="  ")

    def save():
        if not args.no_write:
            facts = ["", versions(large), *notes]
            write_results(args, rows, facts, time.monotonic() - start)

    if "works" in parts:
        say("Works")
        rows += compare_works(field, plan_works(args), start + 24 * 60)
        save()
        databases.sql(field, "VACUUM")
    if "readers" in parts:
        say("Readers")
        rows += compare_readers(small, large, keys, 1 if args.quick else 9)
        save()
    if "exports" in parts:
        import exports

        say("Exports")
        notes += facts("Grouped exports of 100,000 lines", exports.measure(large))
        save()
    if "packs" in parts:
        import packs

        say("Evidence packs")
        for title, found in packs.measure_all(large):
            notes += facts(title, found)
        save()
    if "job" in parts:
        import job

        say("The job")
        rows += compare_job(small, large, keys, 1 if args.quick else 5)
        due = 5_000 if args.quick else 100_000
        notes += facts("The job among people", job.measure(field, due))
        save()
    if "servers" in parts:
        import servers

        say("Several servers")
        found = servers.measure(small, 10 if args.quick else 120)
        notes += facts("Two servers against one", found)
        save()
    unused = unused_indexes(large)
    text = ", ".join(f"`{index}` ({size})" for index, size in unused) or "none"
    notes += ["", f"Indexes that nothing used: {text}."]
    print(notes[-1])
    save()


def scale_up(args):
    """Measure what grows from the first size to the last; write scale.md."""
    import scale

    sizes = [int(size) for size in args.sizes.split(",")]
    names = {keys: databases.prepare(keys) for keys in sizes}
    found = {}
    for keys, name in names.items():
        say(f"{keys:,} keys")
        found[keys] = scale.measure(name, keys)
    print(*HEADINGS, sep="  ")
    first, last = names[sizes[0]], names[sizes[-1]]
    rows = compare_readers(first, last, sizes[-1], 5)
    rows += compare_job(first, last, sizes[-1], 3)
    lines = [
        "# Beyond a million keys",
        "",
        f"`./dev bench --only scale`, {time.strftime('%Y-%m-%d')}: *small* is the table"
        f" with {sizes[0]:,} keys. What the columns mean: [README](README.md).",
        "",
        *scale.table(found),
        "",
        *table(rows),
        versions(last),
        "",
    ]
    print("\n".join(lines))
    if not args.no_write:
        (HERE / "scale.md").write_text("\n".join(lines))


def table(rows):
    """Return the lines of the table of comparisons."""
    return [
        "| " + " | ".join(HEADINGS) + " |",
        "|---|--:|---" + "|--:" * (len(HEADINGS) - 3) + "|",
        *("| " + " | ".join(row.line()) + " |" for row in rows),
        "",
    ]


def plan_works(args):
    """Return which works are measured: ``[(number of keys, {against: runs})]``."""
    if args.plan:
        cut = (re.split("[:=]", text) for text in args.plan)
        return [(int(size), {against: int(runs)}) for size, against, runs in cut]
    if args.quick:
        return [
            (100, {"loop": 1}),
            (1_000, {"sql": 1, "auditlog": 1}),
            (10_000, {"sql": 1}),
        ]
    return [
        (1_000, {"sql": 7, "auditlog": 3, "loop": 1}),
        (10_000, {"sql": 5, "auditlog": 2}),
        (100_000, {"sql": 1}),
    ]


def facts(title, found):
    """Return the lines of the report that tell what was found."""
    print(title, json.dumps(found, indent=1, default=str), flush=True)
    return ["", f"## {title}", "", *(f"- {fact}: {found[fact]}" for fact in found)]


if __name__ == "__main__":
    sys.exit(main())
