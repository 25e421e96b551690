"""Exports of grouped lists with 100,000 lines, each by a server of its own (L3)."""

import json
import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import requests
from databases import odoo_env, say
from load import PORTS, wait_for
from readers import specification
from works import FEATURE, TRAIL, acting

LINES = 100_000
GROUPED = {TRAIL: ["action", "user_id"], FEATURE: ["software_id", "applied_by_id"]}


def measure(name):
    """Return ``{export: seconds and MB}``; MB are more than the idle server's."""
    found = {}
    for model in GROUPED:
        with odoo_env(name) as env:
            ask = request_of(acting(env, "auditor1")[model])
        for kind in ("xlsx", "csv"):
            with server(name) as (address, pid):
                person = log_in(address, name)
                download(person, address, kind, ask(20))  # fills caches
                idle = memory(pid, "VmRSS")
                Path(f"/proc/{pid}/clear_refs").write_text("5")
                start = time.perf_counter()
                size = download(person, address, kind, ask(LINES))
                seconds = time.perf_counter() - start
                found[f"{model}, {kind}"] = (
                    f"{seconds:.0f} s, {memory(pid, 'VmHWM') - idle:.0f} MB more than"
                    f" the {idle:.0f} MB before, file of {size / 1e6:.1f} MB"
                )
                say(f"  {model}, {kind}: {found[f'{model}, {kind}']}")
    return found


def request_of(records):
    """Return a function that gives the web client's request for so many lines."""
    columns = records.fields_get(
        list(specification(records.env, records._name)), ["string", "type"]
    )
    fields = [
        {"name": name, "label": column["string"], "type": column["type"]}
        for name, column in columns.items()
    ]
    borders = {
        lines: records.search([], order="id", limit=1, offset=lines - 1).id
        for lines in (20, LINES)
    }
    return lambda lines: {
        "model": records._name,
        "fields": fields,
        "ids": False,
        "domain": [["id", "<=", borders[lines]]] if borders[lines] else [],
        "groupby": GROUPED[records._name],
        "import_compat": False,
        "context": {},
    }


@contextmanager
def server(name):
    """Give address and process of a server without workers, which does it all."""
    port = PORTS[0]
    command = [sys.executable, "-m", "odoo", "-d", name, f"--db-filter=^{name}$"]
    command += [f"--http-port={port}", "--http-interface=127.0.0.1", "--workers=0"]
    command += ["--max-cron-threads=0", "--log-level=error"]
    log = Path(os.environ["ODOO_DATA_DIR"]) / f"server-{port}.log"
    with log.open("w") as out:
        running = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        wait_for(port, running)
        yield f"http://127.0.0.1:{port}", running.pid
    finally:
        running.terminate()
        running.wait()


def log_in(address, name):
    person = requests.Session()
    credentials = {"db": name, "login": "auditor1", "password": "auditor1"}
    person.post(
        f"{address}/web/session/authenticate", json={"params": credentials}
    ).raise_for_status()
    return person


def download(person, address, kind, asked):
    """Return the size of the file that is exported."""
    token = re.search(r'csrf_token: "(\w+)"', person.get(f"{address}/odoo").text)[1]
    response = person.post(
        f"{address}/web/export/{kind}",
        data={"data": json.dumps(asked), "csrf_token": token},
        timeout=600,
    )
    response.raise_for_status()
    return len(response.content)


def memory(pid, kind):
    found = re.search(rf"{kind}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024
