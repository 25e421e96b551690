"""Two Odoo servers on one database, people of every role at both, two jobs at once."""

import threading
from datetime import date, timedelta

import load
from databases import forget, say, sql
from works import END, FEATURE, KEY

PEOPLE = 4  # of each role


def technician(person):
    dice, pick = person.random.random(), person.random.randrange
    if dice < 0.4:
        text = f"{pick(16**2):02X}"
        person.call(KEY, "name_search", name=text, domain=OFFERED, limit=8)
    elif dice < 0.75:
        status, keys = person.call(KEY, "search", domain=OFFERED, limit=40)
        if status == 200 and keys:
            # Everybody picks among the same few, so they meet.
            vals = {"software_key_id": person.random.choice(keys)}
            vals["equipment_id"] = 1 + pick(200)
            person.call(FEATURE, "create", vals_list=[vals])
    else:
        status, features = person.call(
            FEATURE, "search", domain=[["equipment_id", "<=", 200]], limit=40
        )
        if status == 200 and features:
            person.call(FEATURE, "unlink", ids=[person.random.choice(features)])


def manager(person):
    dice, pick = person.random.random(), person.random.randrange
    if dice < 0.3:
        stem = f"LOAD-{person.random.getrandbits(48):X}"
        vals = {"software_id": 1 + pick(40), "key_type": "subscription"}
        vals |= {"validity_end": str(date.today() + timedelta(days=90))}
        vals_list = [vals | {"license_key": f"{stem}-{number}"} for number in range(5)]
        person.call(KEY, "create", vals_list=vals_list)
        return
    domain = [["license_key", "=like", f"DUE-%{pick(10)}"]]
    if dice < 0.6:
        domain = [["license_key", "=like", "LOAD-%"]]
    status, keys = person.call(KEY, "search", domain=domain, limit=60)
    if status == 200 and keys:
        key = person.random.choice(keys)
        if person.random.random() < 0.8:
            person.call(KEY, "write", ids=[key], vals={"validity_end": str(END)})
        else:
            person.call(KEY, "revoke", ids=[key])


OFFERED = [["can_be_applied", "=", True]]


def throughput(name, keys, number, seconds):
    """Return ``(requests a second, answers, waits)`` at so many servers."""
    with load.servers(name, number) as ports:
        until = threading.Event()
        people = [
            load.Person(ports[index % number], keys[role][index], work, until)
            for role, work in (("technician", technician), ("manager", manager))
            for index in range(PEOPLE)
        ]
        jobs = [load.Job(name, pause=1) for _number in range(2)]
        for job in jobs:
            job.start()
        answers, waits, took = load.work_of(people, seconds, until)
        for job in jobs:
            job.stop()
    return len(waits) / took, answers, waits, [job.result for job in jobs]


def measure(small, seconds):
    """Return ``{fact: value}``."""
    name = "bench_servers"
    load.copy_database(small, name)
    load.enter_due(name, 3_000)
    keys = load.api_keys(name)
    forget(name)
    say(f"  one server, then two for {seconds} s")
    one, _answers, _waits, _jobs = throughput(name, keys, 1, max(seconds // 3, 7))
    two, answers, waits, jobs = throughput(name, keys, 2, seconds)
    result = {
        "requests a second at two": round(two, 1),
        "two against one": round(two / one, 2),
        "waits": load.spread(waits),
        "answers": {str(kind): count for kind, count in answers.items()},
        "unexpected": load.unexpected(answers),
        "failures of the job": sum(job["failures"] for job in jobs),
        "expired": sql(
            name,
            "SELECT count(*) FROM client_equipment_audit_log WHERE action = 'expired'",
        )[0][0],
        "problems": load.check(name),
    }
    forget(name)
    load.databases.drop(name)
    return result
