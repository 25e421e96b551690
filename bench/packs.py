"""An evidence pack, made by a process of its own and verified by its program (L7).

A part of ``./dev bench``.
"""

import base64
import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import databases
from databases import odoo_env, say
from measure import _memory
from works import acting

LIMIT = 30 * 60  # seconds


def measure_all(name):
    """Yield ``(title, facts)`` of a small pack and of a large one."""
    for keys in (10_000, 100_000):
        yield f"An evidence pack of {keys:,} keys", measure(name, keys)


def measure(name, keys):
    """Return what making and verifying a pack of about so many keys takes."""
    found = subprocess.run(
        [sys.executable, __file__, name, str(keys)],
        stdout=subprocess.PIPE,
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
        pack = auditor["client.equipment.evidence.pack"].create(choose(auditor, keys))
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
            "verified": verify(pack),
            "files": {file.name: f"{file.size / 1e6:.1f} MB" for file in pack.file_ids},
        }
        pack.unlink()
        env.cr.commit()
    return facts


def verify(pack):
    """Return how long the pack's own program takes over its JSON, and what it says."""
    with TemporaryDirectory() as folder:
        paths = {}
        for file in pack.file_ids:
            path = Path(folder) / file.name
            path.write_bytes(
                base64.b64decode(file.with_context(bin_size=False).content)
            )
            paths[".json" in path.name or path.suffix] = str(path)
        start = time.perf_counter()
        said = subprocess.run(
            [sys.executable, "-I", paths[".py"], paths[True]],
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - start
    return f"{seconds:.1f} s, exit code {said.returncode}"


def choose(env, keys):
    """Return values of a pack of about so many keys: of some software, or of some
    customers where that is less than one software has."""
    groups = env["client.equipment.software.key"]._read_group(
        [], ["software_id"], ["__count"]
    )
    counts = [count for _software, count in groups]
    if keys < min(counts):
        customers = env["res.partner"].search([("name", "=like", "Customer %")])
        share = max(keys * len(customers) // sum(counts), 1)
        return {"partner_ids": customers[:share].ids}
    chosen = []
    for software, count in groups:
        if keys <= 0:
            break
        chosen.append(software.id)
        keys -= count
    return {"software_ids": chosen}


if __name__ == "__main__":
    print(json.dumps(make(sys.argv[1], int(sys.argv[2]))))
