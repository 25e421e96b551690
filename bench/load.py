"""What job.py and servers.py share: servers, people at them, and what must hold."""

import http.client
import json
import os
import random
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing, contextmanager, suppress
from datetime import date, datetime, timedelta
from pathlib import Path

import databases
from databases import sql
from freezegun import freeze_time
from works import FEATURE, KEY, acting, feature_vals, fetch

PORTS = range(18_071, 18_171)
SERVED_BY = {"technician": 5, "manager": 5}


def copy_database(source, name):
    """Make a database of its own for people to work in; crons of others sleep."""
    databases.forget(source)
    databases.forget(name)
    databases.drop(name)
    sql("postgres", f'CREATE DATABASE "{name}" TEMPLATE "{source}"')
    sql(name, "UPDATE ir_cron SET active = false")


def enter_due(name, keys):
    """Enter keys a month ago that ended since; a half of them is applied.

    Everything through the product's own door, so the trails are what they are in
    real life; only the clock is set back.
    """
    today, past = date.today(), datetime.now() - timedelta(days=30)
    with databases.odoo_env(name) as env, freeze_time(past, tick=True):
        units = fetch(env.cr, "SELECT id FROM client_equipment ORDER BY id")
        batch = 10_000
        for first in range(0, keys, batch):
            found = acting(env, "manager1")[KEY].create(
                [
                    {
                        "license_key": f"DUE-{number:07}",
                        "software_id": 1 + number % 40,
                        "key_type": "subscription",
                        "validity_start": today - timedelta(days=300),
                        "validity_end": today - timedelta(days=1 + number % 20),
                        "company_id": env.company.id,
                    }
                    for number in range(first, min(first + batch, keys))
                ]
            )
            pairs = [(key, random.choice(units)) for key in found.ids[::2]]
            acting(env, "technician1")[FEATURE].create(feature_vals(pairs))
            env.cr.commit()
            env.invalidate_all()
    sql(name, "VACUUM ANALYZE client_equipment_software_key, client_equipment_feature")


def api_keys(name):
    """Return ``{role: [bearer key of each person]}``."""
    found = {}
    with databases.odoo_env(name) as env:
        for role, people in SERVED_BY.items():
            for number in range(1, people + 1):
                person = acting(env, f"{role}{number}")["res.users.apikeys"]
                key = person._generate(
                    None, "bench", datetime.now() + timedelta(hours=9)
                )
                found.setdefault(role, []).append(key)
        env.cr.commit()
    return found


@contextmanager
def servers(name, number, workers=2):
    """Give the ports of so many Odoo servers, on this machine only."""
    running, ports = [], []
    try:
        for port in random.sample(PORTS, number):
            log = Path(os.environ["ODOO_DATA_DIR"]) / f"server-{port}.log"
            command = ["odoo", "-d", name, f"--workers={workers}"]
            command += [f"--db-filter=^{name}$", f"--http-port={port}"]
            command += [f"--gevent-port={port + 200}", "--max-cron-threads=0"]
            command += ["--http-interface=127.0.0.1", "--log-level=warn"]
            command += ["--log-handler=odoo.service.model:INFO"]
            with log.open("w") as out:
                running.append(subprocess.Popen(command, stdout=out, stderr=out))
            ports.append(port)
        for port, server in zip(ports, running, strict=True):
            wait_for(port, server)
        yield ports
    finally:
        for server in running:
            server.terminate()
        for server in running:
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()


def wait_for(port, server):
    for _attempt in range(600):
        if server.poll() is not None:
            break
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        with suppress(OSError):
            link.request("GET", "/web/health")
            if link.getresponse().status == 200:
                return
        time.sleep(0.2)
    sys.exit(f"error: no answer at port {port}")


def pauses(ports):
    """Return the seconds that Odoo paused before running requests again."""
    logs = [Path(os.environ["ODOO_DATA_DIR"]) / f"server-{port}.log" for port in ports]
    return [
        float(found)
        for log in logs
        for found in re.findall(r"try again in ([\d.]+) sec", log.read_text())
    ]


class Person(threading.Thread):
    """Somebody who works at a server, one request after the other, until told."""

    def __init__(self, port, api_key, work, until):
        super().__init__(daemon=True)
        self.port, self.api_key, self.work, self.until = port, api_key, work, until
        self.link = None
        self.random = random.Random()
        self.answers, self.waits, self.failures = Counter(), [], []

    def call(self, model, method, **arguments):
        """Return ``(status, answer)`` of a request, and note how long it took."""
        start = time.perf_counter()
        if not self.link:
            self.link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {
            "Authorization": f"Bearer {self.api_key}",
            "Content-Type": "application/json",
        }
        body = json.dumps(arguments)
        try:
            self.link.request("POST", f"/json/2/{model}/{method}", body, headers)
            response = self.link.getresponse()
            status, text = response.status, response.read()
        except (http.client.HTTPException, ConnectionError):
            self.link = None  # a worker that has served its share leaves: come again
            return self.call(model, method, **arguments)
        self.waits.append((time.perf_counter() - start, start, method))
        answer = json.loads(text)
        self.answers[method, status, self._error(answer, status)] += 1
        return status, answer

    def _error(self, answer, status):
        return "" if status == 200 else answer.get("name", "?").rsplit(".", 1)[-1]

    def run(self):
        while not self.until.is_set():
            self.work(self)


def work_of(people, seconds=None, until=None):
    """Let the people work; return ``(answers, waits, seconds)``."""
    start = time.perf_counter()
    for person in people:
        person.start()
    if seconds:
        time.sleep(seconds)
        until.set()
    for person in people:
        person.join(120)
    answers = sum((person.answers for person in people), Counter())
    waits = sorted(wait for person in people for wait in person.waits)
    return answers, waits, time.perf_counter() - start


class LockWatch(threading.Thread):
    """Looks every few milliseconds who waits for somebody else's lock, and how long."""

    PAUSE = 0.005

    def __init__(self, name):
        super().__init__(daemon=True)
        self.name_of_database, self.until, self.waits = name, threading.Event(), {}

    def run(self):
        with closing(databases.connect(self.name_of_database, autocommit=True)) as link:
            cursor = link.cursor()
            while not self.until.wait(self.PAUSE):
                cursor.execute(
                    "SELECT pid, waitstart, clock_timestamp() - waitstart FROM pg_locks"
                    " WHERE NOT granted AND waitstart IS NOT NULL"
                )
                for pid, since, waited in cursor.fetchall():
                    self.waits[pid, since] = waited.total_seconds()

    def stop(self):
        """Return how long each wait took, in seconds, to within the pause."""
        self.until.set()
        self.join()
        return sorted(self.waits.values())


def unexpected(answers):
    """Return the answers that are neither success nor an error in plain words."""
    meant = {"UserError", "ValidationError", "MissingError"}
    return {
        str(kind): count
        for kind, count in answers.items()
        if kind[1] != 200 and kind[2] not in meant
    }


class Job(threading.Thread):
    """The scheduled action as Odoo's cron server runs it, in a process of its own."""

    def __init__(self, name, pause=0):
        super().__init__(daemon=True)
        command = [sys.executable, __file__, name, str(pause)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.ready = self.process.stdout.readline()
        self.result = None

    def run(self):
        """Let it begin, and wait for its end."""
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        self.result = json.loads(self.process.stdout.readline())
        self.process.wait(60)

    def stop(self):
        self.process.stdin.close()
        self.join(60)


def run_job(name, pause):
    """In the job's process: run the action until nothing is due, or until told."""
    from measure import measured

    from odoo.addons.base.models.ir_cron import IrCron

    databases.start_odoo()
    with databases.odoo_env(name) as env:
        cron = env.ref("client_equipment_software_key.ir_cron_expire").id
    print("ready", flush=True)
    sys.stdin.readline()
    told = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), told.set()), daemon=True).start()
    runs = 0
    with measured() as sample:
        while not told.is_set():
            sql(
                name,
                "UPDATE ir_cron SET active = true,"
                " nextcall = now() AT TIME ZONE 'UTC' - interval '1 minute'"
                " WHERE id = %s",
                cron,
            )
            IrCron._process_jobs(name)
            runs += 1
            if pause:
                told.wait(pause)
            elif not due_left(name):
                break
    (row,) = sql(name, "SELECT failure_count, active FROM ir_cron WHERE id = %s", cron)
    print(
        json.dumps(
            {
                "seconds": sample.seconds,
                "memory": sample.memory,
                "runs": runs,
                "failures": row[0],
                "active": row[1],
            }
        ),
        flush=True,
    )


def due_left(name):
    ((count,),) = sql(
        name,
        "SELECT count(*) FROM client_equipment_software_key"
        " WHERE status IN ('available', 'applied') AND validity_end < current_date",
    )
    return count


CHECKS = {
    "status, assignment and equipment_id disagree": """
        SELECT key.id FROM client_equipment_software_key key
          LEFT JOIN client_equipment_feature f ON f.software_key_id = key.id
         GROUP BY key.id
        HAVING key.seats_used <> count(f.id)
            OR key.equipment_id IS DISTINCT FROM
               CASE count(f.id) WHEN 1 THEN min(f.equipment_id) END
            OR (key.status = 'applied' AND count(f.id) < key.seats)
            OR (key.status = 'available' AND count(f.id) >= key.seats)
            OR (key.status = 'revoked' AND count(f.id) > 0)
    """,
    "a trail does not lead to its key's state": """
        SELECT key.id FROM client_equipment_software_key key
          LEFT JOIN client_equipment_audit_log log
            ON log.software_key_id = key.id AND log.number = key.audit_number
         WHERE log.status_after IS DISTINCT FROM key.status
            OR log.hash IS DISTINCT FROM key.audit_hash
            OR log.validity_end_after IS DISTINCT FROM key.validity_end
    """,
    "a trail has a step that does not follow from the one before": """
        SELECT software_key_id FROM (
            SELECT software_key_id, number, action, status_before,
                   lag(status_after) OVER trail AS before,
                   row_number() OVER trail AS place
              FROM client_equipment_audit_log
            WINDOW trail AS (PARTITION BY software_key_id ORDER BY number)
        ) entry
         WHERE number <> place OR status_before IS DISTINCT FROM before
            OR (number = 1) <> (action = 'created')
    """,
    "expired keys that expired twice in a row": """
        SELECT software_key_id FROM (
            SELECT software_key_id, action,
                   lag(action) OVER (PARTITION BY software_key_id ORDER BY number)
                   AS before FROM client_equipment_audit_log
        ) entry
         WHERE action = 'expired' AND before = 'expired'
    """,
}


def check(name, sample=20_000):
    """Return what is wrong in the database, in words with counts; {} if nothing."""
    problems = {
        problem: len(rows)
        for problem, query in CHECKS.items()
        if (rows := sql(name, query))
    }
    with databases.odoo_env(name) as env:
        keys = env[KEY].search([], order="write_date DESC, id", limit=sample)
        if findings := keys.verify_audit_trail():
            problems["verify_audit_trail"] = findings[:3]
    databases.forget(name)
    return problems


def percentile(waits, share):
    return waits[min(int(len(waits) * share), len(waits) - 1)][0] * 1000 if waits else 0


def spread(waits):
    return (
        f"median {percentile(waits, 0.5):.0f} ms, 99 % within "
        f"{percentile(waits, 0.99):.0f} ms, worst {percentile(waits, 1):.0f} ms "
        f"of {len(waits):,}"
    )


if __name__ == "__main__":
    run_job(sys.argv[1], float(sys.argv[2]))
