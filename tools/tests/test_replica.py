"""A read replica (E5): it answers what only reads, the primary does what writes."""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

import psycopg2
import pytest
import requests
from test_setup import shell, wait_until
from throwaway import ROOT, Database, free_port

from odoo.tests import get_db_name

NAME = "ce_replica"
KEY = "client.equipment.software.key"
TRAIL = "client_equipment_audit_log"
# Nothing but what the test does: no vacuum in the background, no disk to wait for.
OPTIONS = (
    "-c fsync=off -c autovacuum=off -c max_wal_senders=4"
    " -c synchronous_standby_names=walreceiver -c synchronous_commit=local"
)

WAITS_FOR_REPLICA = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = %s AND wait_event = 'SyncRep'"
)

# People, keys, a checkpoint; the last line tells of them.
PREPARE = """
import json, sys
groups = "client_equipment_software_key.group_software_key_%s"
users = env["res.users"].create([
    {"name": role, "login": role, "password": role,
     "group_ids": [(4, env.ref("base.group_user").id), (4, env.ref(groups % role).id)]}
    for role in ("user", "manager")
])
software = env["client.equipment.software"].create({"name": "Replicated"})
laptops = env["client.equipment"].create(
    [{"name": "Replicated Laptop"}, {"name": "Spare Laptop"}])
keys = env["client.equipment.software.key"].create([
    {"license_key": f"REPLICA-{n}", "software_id": software.id} for n in (1, 2, 3, 4)
])
env["client.equipment.feature"].create(
    {"software_key_id": keys[2].id, "equipment_id": laptops[1].id})
api_key = env["res.users.apikeys"].with_user(users[0]).sudo()._generate(
    "rpc", "test", None)
env.cr.commit()
checkpoint = env["client.equipment.audit.checkpoint"].make()
env.cr.commit()
shown = {
    name: list(model.fields_get())
    for name, model in env(user=users[1]).items()
    if name.startswith("client.equipment") and not model._abstract
    and not model._transient and model.has_access("read")
}
told = [api_key, laptops[0].id, keys.ids, checkpoint.text, shown]
print("TOLD" + json.dumps(told), file=sys.stderr)
"""


class Server:
    """A PostgreSQL of its own that ends with this process, however that ends."""

    def __init__(self, folder):
        self.folder = folder
        self.lock = Path(f"{folder}.users").open("w")
        fcntl.flock(self.lock, fcntl.LOCK_SH)

    def start(self, before=""):
        status, said = shell(
            f'{before}\nserver_start {self.folder} "{OPTIONS}"\nkeep {self.folder}\n'
            f"server_socket {self.folder}"
        )
        assert status == 0, said
        self.socket = said.split()[-1]
        self.env = {"PGHOST": self.socket, "PGPORT": "5432", "PGUSER": "odoo"}

    def stop(self):
        shell(f"server_stop {self.folder}")
        self.lock.close()

    def sql(self, query, *args, dbname="postgres"):
        connection = psycopg2.connect(
            host=self.socket, port=5432, user="odoo", dbname=dbname
        )
        with closing(connection):
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(query, args)
            return cursor.fetchone()[0] if cursor.description else None

    def catch_up(self, primary):
        """Wait until this replica has all that the primary has done so far."""
        written = primary.sql("SELECT pg_current_wal_lsn()")
        wait_until(lambda: self.sql("SELECT pg_last_wal_replay_lsn() >= %s", written))

    def pause(self, primary):
        """Let this replica stand still, with all that the primary has done so far."""
        self.catch_up(primary)
        self.sql("SELECT pg_wal_replay_pause()")
        wait_until(
            lambda: self.sql("SELECT pg_get_wal_replay_pause_state()") == "paused"
        )

    def resume(self):
        self.sql("SELECT pg_wal_replay_resume()")

    def set_commit(self, how):
        """Let commits of new connections wait for the replica (``remote_apply``) or
        for nobody (``local``)."""
        self.sql(f"ALTER DATABASE {NAME} SET synchronous_commit = {how}")
        self.transactions()

    def transactions(self):
        """Return how many transactions of the database ended here, as counted once
        its connections are closed."""
        self.sql(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = %s",
            NAME,
        )
        wait_until(
            lambda: (
                not self.sql(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = %s", NAME
                )
            )
        )
        return self.sql(
            "SELECT xact_commit + xact_rollback FROM pg_stat_database"
            " WHERE datname = %s",
            NAME,
        )

    def looks_at(self, table):
        """Return how often the table was looked at, by any of its indexes or whole."""
        self.transactions()
        return self.sql(
            "SELECT seq_scan + idx_scan FROM pg_stat_user_tables WHERE relname = %s",
            table,
            dbname=NAME,
        )


class Loaded(Database):
    """The database on the primary."""

    def __init__(self, primary):
        self.name, self.env = NAME, primary.env
        env = os.environ | self.env
        subprocess.run(["createdb", NAME], env=env, check=True)
        with subprocess.Popen(
            ["pg_dump", get_db_name()], stdout=subprocess.PIPE
        ) as dump:
            load = ["psql", "-qo", "/dev/null", "-v", "ON_ERROR_STOP=1", NAME]
            subprocess.run(load, env=env, stdin=dump.stdout, check=True)

    def prepare(self):
        said = self.odoo("shell", stdin=PREPARE, **self.env)
        return json.loads(re.search(r"TOLD(.*)", said)[1])


class Client:
    """A person at the server: in the web client, or a program with an API key."""

    def __init__(self, url, api_key=None, login=None):
        self.url, self.session = url, requests.Session()
        if api_key:
            self.session.headers["Authorization"] = f"bearer {api_key}"
        else:
            user = {"db": NAME, "login": login, "password": login}
            self.post("/web/session/authenticate", params=user)

    def post(self, path, **body):
        answer = self.session.post(f"{self.url}{path}", json=body, timeout=60)
        assert answer.ok, answer.text
        answer = answer.json()
        if isinstance(answer, dict) and "jsonrpc" in answer:
            assert "error" not in answer, answer
            return answer["result"]
        return answer

    def json2(self, method, model=KEY, **arguments):
        return self.post(f"/json/2/{model}/{method}", **arguments)

    def call(self, method, *args, model=KEY, button=False, **kwargs):
        return self.post(
            f"/web/dataset/call_{'button' if button else 'kw'}",
            params={"model": model, "method": method, "args": args, "kwargs": kwargs},
        )

    def save(self, key_id, remarks):
        (saved,) = self.call(
            "web_save", [key_id], {"remarks": remarks}, {"remarks": {}}
        )
        return saved["remarks"]

    def read(self, key_id, name):
        (key,) = self.call("web_read", [key_id], {name: {}})
        return key[name]


@contextmanager
def served(primary, standby, folder):
    """Let Odoo serve; yield its address."""
    port = free_port()
    command = [
        *("setpriv", "--pdeathsig", "TERM"),  # a killed test leaves nothing running
        *(sys.executable, "-m", "odoo", "server", "-d", NAME),
        *(f"--db_host={primary.socket}", f"--db_replica_host={standby.socket}"),
        *("--max-cron-threads=0", "--log-level=warn", f"--addons-path={ROOT}"),
        *("--http-interface=127.0.0.1", f"--http-port={port}"),
        f"--data-dir={folder / 'data'}",
    ]
    with (folder / "odoo.log").open("w") as output:
        server = subprocess.Popen(
            command, env=os.environ | primary.env, stdout=output, stderr=output
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: answers(url))
        yield url
    finally:
        server.terminate()
        server.wait()


def answers(url):
    try:
        return requests.get(f"{url}/web/health", timeout=5).ok
    except requests.ConnectionError:
        return False


@pytest.fixture
def replicated():
    """Yield primary, standby and what is in their database."""
    folder = Path(tempfile.mkdtemp(prefix=f"odoo-test.{os.getpid()}.", dir="/tmp"))
    folder.chmod(0o711)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        primary, standby = Server(folder / "primary"), Server(folder / "standby")
        stack.callback(primary.stop)
        primary.start()
        told = Loaded(primary).prepare()
        stack.callback(standby.stop)
        standby.start(
            f"mkdir -m 700 {standby.folder}; give_to_postgres {standby.folder}\n"
            f'as_postgres "$(pgbin)/pg_basebackup" -h {primary.socket} -U odoo -R'
            f" --checkpoint=fast -D {standby.folder}"
        )
        yield primary, standby, told, folder


def reads(url, api_key, key_ids, checkpoint, shown):
    """Return what people read: a call by each way for each kind, and all that any list
    or form can show."""
    program, person = Client(url, api_key), Client(url, login="manager")
    found = [("license_key", "like", "REPLICA-")]
    spec = {"license_key": {}, "status": {}, "software_id": {"fields": {}}}
    return [
        lambda: program.json2("search", domain=found),
        lambda: program.json2("search_count", domain=found),
        lambda: program.json2("search_read", domain=found, fields=["license_key"]),
        lambda: program.json2("name_search", name="REPLICA"),
        lambda: program.json2("tell_why_not_offered", name="REPLICA-1"),
        lambda: person.call("get_overview"),
        lambda: program.json2("verify_audit_trail", ids=key_ids),
        lambda: person.call(
            "verify", checkpoint, model="client.equipment.audit.checkpoint"
        ),
        lambda: person.call("get_views", [[False, "list"], [False, "search"]]),
        lambda: person.call("web_search_read", found, spec, limit=80, count_limit=1000),
        lambda: person.call(
            "web_read", key_ids, {"audit_log_ids": {"fields": {"hash": {}}}}
        ),
        lambda: person.call("web_name_search", "REPLICA", {"display_name": {}}),
        lambda: person.call("web_read_group", found, ["status"], ["__count"]),
        lambda: person.call("get_job_health"),
        lambda: person.call("get_missing_guarantees"),
        lambda: person.call("action_view_history", key_ids, button=True),
        *(
            partial(
                person.call, "web_search_read", [], dict.fromkeys(names, {}), model=m
            )
            for m, names in shown.items()
        ),
    ]


def test_replica(replicated):
    """E5: the replica answers lists, searches, drop-downs, counts and verifying, the
    primary none of them; steps are the primary's, which alone decides. Whoever has
    written something reads it at once."""
    primary, standby, told, folder = replicated
    api_key, laptop_id, key_ids, checkpoint, shown = told
    with served(primary, standby, folder) as url:
        calls = reads(url, api_key, key_ids, checkpoint, shown)
        for call in calls:  # the server's caches are filled, the browser is known
            call()
        standby.catch_up(primary)
        for number, call in enumerate(calls):
            before = primary.transactions(), standby.transactions()
            assert call() is not None
            assert primary.transactions() == before[0], f"call {number} of the primary"
            assert standby.transactions() > before[1], f"call {number} of the replica"
        check_verify_all(primary, standby, url)
        check_behind(primary, standby, url, api_key, laptop_id, key_ids)
        check_at_once(primary, standby, url, key_ids)
        primary.set_commit("local")
        standby.stop()
        for call in calls:  # the primary does what the replica cannot
            call()


def check_verify_all(primary, standby, url):
    """Check that the replica looks at all trails, and the primary notes who did so."""
    person = Client(url, login="manager")
    standby.catch_up(primary)
    before = primary.looks_at(TRAIL), standby.looks_at(TRAIL)
    assert person.call("verify_next_audit_trails")["count"] == 4
    assert person.call("verify_next_audit_trails", 10**6)["count"] == 0
    assert primary.looks_at(TRAIL) == before[0]
    assert standby.looks_at(TRAIL) > before[1]


def check_behind(primary, standby, url, api_key, laptop_id, key_ids):
    """Check what holds where the replica is behind: in the web client nobody reads what
    is older than his own last step; steps look at the primary."""
    person, other = Client(url, login="manager"), Client(url, login="user")
    program = Client(url, api_key)
    feature = {"software_key_id": key_ids[0], "equipment_id": laptop_id}
    [key_id, *_others, revoked_id] = key_ids
    standby.pause(primary)
    assert person.save(key_id, "Saved") == "Saved"
    assert person.read(key_id, "remarks") == "Saved"
    assert not other.read(key_id, "remarks")
    program.json2("create", "client.equipment.feature", vals_list=[feature])
    assert person.read(key_id, "status") == "applied"
    assert other.read(key_id, "status") == "available"
    twice = program.session.post(
        f"{url}/json/2/client.equipment.feature/create", json={"vals_list": [feature]}
    )
    assert twice.status_code == 422, twice.text
    person.call("action_revoke", [revoked_id], button=True)
    assert person.read(revoked_id, "status") == "revoked"
    standby.resume()
    wait_until(lambda: other.read(revoked_id, "status") == "revoked")
    before = primary.transactions()
    assert person.read(revoked_id, "status") == "revoked"
    assert primary.transactions() == before, "all is on the replica now"


def check_at_once(primary, standby, url, key_ids):
    """Check that with ``remote_apply`` a step ends when the replica knows of it, so
    that nobody at all reads what is older."""
    primary.set_commit("remote_apply")
    person, other = Client(url, login="manager"), Client(url, login="user")
    for number in range(10):
        person.save(key_ids[1], f"Save {number}")
        assert other.read(key_ids[1], "remarks") == f"Save {number}"
    standby.pause(primary)
    with ThreadPoolExecutor() as pool:
        saving = pool.submit(person.save, key_ids[1], "Waiting")
        wait_until(lambda: primary.sql(WAITS_FOR_REPLICA, NAME))
        assert not saving.done()
        standby.resume()
        assert saving.result(30) == "Waiting"
    assert other.read(key_ids[1], "remarks") == "Waiting"
