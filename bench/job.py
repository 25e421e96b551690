"""The scheduled job with very many due keys, while people work among them.

They remove, renew and try to apply keys that are due; the job must never fail, must
expire what is due and nothing that was renewed in time, and nobody may wait long.
"""

import threading

import load
from databases import forget, say, sql
from works import END, FEATURE, KEY

# After a thousand requests Python looks for the first time through all that a new
# worker of Odoo's has loaded, 200 to 400 ms long, whatever else goes on: let that be
# over.
WARM_SECONDS = 20


def measure(large, due, calm_seconds=5):
    """Return ``{fact: value}``.

    :param str large: the database to take a copy of
    :param int due: how many keys are due
    """
    name = "bench_job"
    load.copy_database(large, name)
    say(f"  entering {due:,} keys that are due")
    load.enter_due(name, due)
    keys = load.api_keys(name)
    forget(name)
    rows = sql(
        name,
        "SELECT key.id, f.id FROM client_equipment_software_key key"
        " LEFT JOIN client_equipment_feature f ON f.software_key_id = key.id"
        " WHERE license_key LIKE 'DUE-%%' ORDER BY key.id",
    )
    lock, renewed, removed = threading.Lock(), [], []

    def somewhere(person, kind):
        """Take a due key that nobody of us has touched, anywhere among them."""
        with lock:
            for _attempt in range(50):
                key, feature = rows[person.random.randrange(len(rows))]
                if key not in taken and bool(feature) >= (kind == "remove"):
                    taken.add(key)
                    return key, feature
        return rows[0]

    taken = set()

    def technician(person):
        key, feature = somewhere(person, "remove")
        if feature and person.random.random() < 0.6:
            status, _answer = person.call(FEATURE, "unlink", ids=[feature])
            if status == 200:
                removed.append(key)
        else:
            vals = {"software_key_id": key, "equipment_id": 1}
            person.call(FEATURE, "create", vals_list=[vals])

    def manager(person):
        key, _feature = somewhere(person, "renew")
        status, _answer = person.call(
            KEY, "write", ids=[key], vals={"validity_end": str(END)}
        )
        if status == 200:
            renewed.append(key)

    def people(port, until):
        works = [(technician, "technician"), (technician, "technician")]
        works += [(manager, "manager")]
        return [
            load.Person(port, keys[role][index], work, until)
            for index, (work, role) in enumerate(works)
        ]

    with load.servers(name, 1) as (port,):
        job = load.Job(name)
        until = threading.Event()
        load.work_of(people(port, until), WARM_SECONDS, until)
        until = threading.Event()
        _answers, calm, _seconds = load.work_of(
            people(port, until), calm_seconds, until
        )
        until = threading.Event()
        crowd = people(port, until)
        lock_watch = load.LockWatch(name)
        lock_watch.start()
        job.start()
        watch = threading.Thread(target=lambda: (job.join(), until.set()), daemon=True)
        watch.start()
        answers, waits, _seconds = load.work_of(crowd)
        lock_waits = lock_watch.stop()
        pauses = load.pauses([port])
    renewed_wrongly = sql(
        name,
        "SELECT id FROM client_equipment_software_key"
        " WHERE id = ANY(%s) AND (status = 'expired' OR validity_end <> %s)",
        renewed,
        END,
    )
    result = {
        "due": due,
        **job.result,
        "left": load.due_left(name),
        "renewed": len(renewed),
        "renewed and expired all the same": len(renewed_wrongly),
        "removed": len(removed),
        "calm": load.spread(calm),
        "waits": load.spread(waits),
        "waits for a lock": len(lock_waits),
        "longest wait for a lock ms": round(max(lock_waits, default=0) * 1000),
        "run again by Odoo": len(pauses),
        "longest pause ms": max(pauses, default=0) * 1000,
        "answers": {str(kind): count for kind, count in answers.items()},
        "unexpected": load.unexpected(answers),
        "problems": load.check(name),
    }
    forget(name)
    load.databases.drop(name)
    return result
