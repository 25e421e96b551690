"""An evidence pack of 100,000 keys, made by a process of its own (L7).

A part of ``./dev bench``.
"""

import json
import subprocess
import sys
import time

import databases
from databases import odoo_env, say
from measure import _memory
from works import acting

KEYS = 100_000
LIMIT = 30 * 60  # seconds


def measure(name, keys=KEYS):
    """Return what making a pack of about so many keys takes."""
    found = subprocess.run(
        [sys.executable, __file__, name, str(keys)],
        capture_output=True,
        timeout=LIMIT,
        check=True,
    )
    facts = json.loads(found.stdout)
    say(f"  {facts}")
    return facts


def make(name, keys):
    """Make a pack in this process; return ``{fact: value}``."""
    databases.start_odoo()
    with odoo_env(name) as env:
        auditor = acting(env, "auditor1")
        software = choose(auditor["client.equipment.software"], keys)
        pack = auditor["client.equipment.evidence.pack"].create(
            {"software_ids": software.ids}
        )
        pack.action_make()
        env.cr.commit()
        pack_id = pack.id
    idle = _memory("VmRSS")
    steps, trees, start = [], {}, time.perf_counter()
    with odoo_env(name) as env:
        job = env["client.equipment.evidence.pack"]
        while True:
            before = time.perf_counter()
            more = job._in_own_transaction("_make_step", pack_id, trees)
            steps.append(time.perf_counter() - before)
            if not more:
                break
        seconds = time.perf_counter() - start
        env.invalidate_all()
        pack = job.browse(pack_id)
        facts = {
            "keys": pack.verdict or pack.note,
            "seconds": round(seconds),
            "steps": len(steps),
            "longest step, seconds": round(max(steps), 1),
            "last steps": [round(step, 1) for step in steps[-4:]],
            "first step": round(steps[0], 1),
            "MB at most": round(_memory("VmHWM")),
            "MB before": round(idle),
            "files": {file.name: f"{file.size / 1e6:.1f} MB" for file in pack.file_ids},
        }
        pack.unlink()
        env.cr.commit()
    return facts


def choose(Software, keys):
    """Return software that has about so many keys."""
    chosen = Software
    groups = Software.env["client.equipment.software.key"]._read_group(
        [], ["software_id"], ["__count"]
    )
    for software, count in groups:
        if keys <= 0:
            break
        chosen |= software
        keys -= count
    return chosen


if __name__ == "__main__":
    print(json.dumps(make(sys.argv[1], int(sys.argv[2]))))
