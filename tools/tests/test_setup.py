"""The set-up heals what it can, and says of the rest what is wrong and what to do."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENV = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
PARTS = "for part in lib setup database odoo run test; do source tools/$part.sh; done"


def shell(script, **env):
    """Run a script with the functions of tools/; return its status and what it says."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"{PARTS}\n{script}"],
        cwd=ROOT,
        env=ENV | env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    return done.returncode, done.stdout


def shell_here(script):
    """Run a script like ``shell``, with the server and the files of this run."""
    ours = {name: value for name, value in os.environ.items() if name.startswith("PG")}
    files = shlex.quote(os.environ["ODOO_DATA_DIR"])
    return shell(f"export ODOO_DATA_DIR={files}; {script}", **ours)


def refused(script, *words, **env):
    """Check that the script ends with an error in these words, and without others'."""
    status, said = shell(script, **env)
    assert status == 1, said
    assert "error:" in said
    assert "Traceback" not in said
    for word in words:
        assert word in said


def wait_until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.1)


@pytest.fixture
def stranger():
    """A process that has nothing to do with us."""
    process = subprocess.Popen(["sleep", "600"])
    yield process
    process.kill()
    process.wait()


# The database server


class Server:
    """A database server in folders of its own, handled by tools/database.sh."""

    def __init__(self, folder):
        self.cache = folder
        folder.mkdir(exist_ok=True)
        (folder / "venv").symlink_to(ROOT / ".cache/venv")
        # PostgreSQL, which is not root, is to reach it
        for parent in (folder, *folder.parents):
            if parent.is_relative_to("/tmp") and parent != Path("/tmp"):
                parent.chmod(0o755)
        self.folder = folder / "test-postgres"
        self.pid_file = self.folder / "postmaster.pid"

    def run(self, script, kind="test", **env):
        prefix = f"cache={self.cache} data={self.cache.parent}/data; "
        return shell(f"{prefix} database {kind} 6>&1; {script}", **env)

    def pid(self):
        return int(self.pid_file.read_text().split()[0])

    def runs(self):
        return self.pid_file.exists() and Path(f"/proc/{self.pid()}").exists()

    def crash(self):
        """Start it and kill it: what it noted of itself stays."""
        status, said = self.run(
            "kill -9 $(head -1 $cache/test-postgres/postmaster.pid)"
        )
        assert status == 0, said
        wait_until(lambda: not self.runs())


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path / "cache")
    yield server
    wait_until(lambda: not server.pid_file.exists() or not server.runs())


def test_stale_pid(server, stranger):
    """The number of a server that was killed belongs to a stranger now: he is left
    alone, when the server starts and when it stops."""
    server.crash()
    lines = server.pid_file.read_text().splitlines()
    server.pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
    status, said = shell(f"tools/database-stop {server.folder}")
    assert (status, stranger.poll()) == (0, None), said
    server.pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
    status, said = server.run("psql -Atd postgres -c 'SELECT 42'")
    assert (status, said) == (0, "42\n")
    wait_until(lambda: not server.pid_file.exists())
    assert stranger.poll() is None
    assert not Path(lines[4]).exists(), "the folder of the killed server's socket"


def test_copied(server):
    """A copy of the folder of a server that runs is a server of its own: the other is
    neither stopped nor taken for it."""
    status, said = server.run("""
        cp -a $cache/test-postgres $cache/copy-postgres
        (server_stop $cache/copy-postgres
        server_start $cache/copy-postgres ''
        psql -Atd postgres -h $(server_socket $cache/copy-postgres) -c 'SELECT 42'
        server_stop $cache/copy-postgres)
        psql -Atd postgres -c 'SELECT 43'
    """)
    assert (status, said) == (0, "42\n43\n")


def test_orphans(server):
    """While something of a killed server still writes, no other one starts on its
    data."""
    status, said = server.run(
        """
        psql -qd postgres -c 'DO $$ BEGIN LOOP END LOOP; END $$' 2>/dev/null 8>&- &
        busy="SELECT pid FROM pg_stat_activity WHERE query LIKE 'DO%'"
        until orphan=$(sql postgres "$busy") && [[ $orphan ]]; do sleep 0.1; done
        kill -9 $(head -1 $data/postgres/postmaster.pid)
        (unset PGHOST; database run) || true
        kill -9 $orphan""",
        kind="run",
    )
    assert status == 0
    assert "still in use" in said


def test_socket_lost(server):
    """A server whose socket somebody swept away is started anew."""
    status, said = server.run(
        "rm -r $PGHOST; unset PGHOST; database test; psql -Atd postgres -c 'SELECT 42'"
    )
    assert (status, said) == (0, "42\n")


def test_damaged_data(server):
    """Data for tests are made anew; of those to keep it is said where they are."""
    server.folder.mkdir(mode=0o700)
    (server.folder / "PG_VERSION").write_text("9.6\n")
    status, said = server.run("psql -Atd postgres -c 'SELECT 42'")
    assert (status, said) == (0, "42\n")
    kept = server.cache.parent / "data/postgres"
    kept.mkdir(parents=True, mode=0o700)
    (kept / "PG_VERSION").write_text("9.6\n")
    status, said = server.run("", kind="run")
    assert status == 1
    assert f"Its data are in {kept}" in said
    assert "move them away" in said
    assert "did not start: \n" not in said, "the reason is missing"
    assert (kept / "PG_VERSION").read_text() == "9.6\n"


def test_own_server(server):
    """PGHOST names a server that is down, that does not answer, whose role is unknown,
    or may too little or too much."""
    own = {"PGHOST": "127.0.0.1", "PGPORT": "1"}
    refused("database test", "PGHOST=127.0.0.1", "refused", **own)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        own["PGPORT"] = str(mute.getsockname()[1])
        refused("database test", "timeout expired", PGCONNECT_TIMEOUT="2", **own)
    status, said = server.run("""
        sql postgres 'CREATE ROLE guest LOGIN; CREATE ROLE postgres LOGIN SUPERUSER'
        (PGUSER=nobody_here; database test) || echo "status $?"
        (PGUSER=guest; database test) || echo "status $?"
        (PGUSER=postgres; database test) || echo "status $?"
        database test
    """)
    assert status == 0
    unknown, guest, postgres = said.split("status 1\n")[:3]
    assert 'role "nobody_here" does not exist' in unknown
    assert "ALTER ROLE guest CREATEDB" in guest
    assert "postgres, whom Odoo refuses" in postgres
    assert said.endswith("status 1\n"), "the owner is let in, without a word"


def test_own_settings(server, tmp_path):
    """What somebody has set for servers and work of his own changes nothing."""
    (tmp_path / "psqlrc").write_text("\\timing on\n\\x on\n")
    status, said = server.run(
        "sql postgres 'SELECT current_user'",
        PGSERVICE="elsewhere",
        PGHOSTADDR="192.0.2.1",
        PGREQUIREAUTH="scram-sha-256",
        PGDATABASE="other",
        PSQLRC=str(tmp_path / "psqlrc"),
    )
    assert (status, said) == (0, "odoo\n")
    bypass = (
        "from urllib.request import proxy_bypass as p; print(p('127.0.0.1'), p('a'))"
    )
    proxy = {"http_proxy": "http://192.0.2.1:3128"}
    for none in ("no_proxy", "NO_PROXY"):
        status, said = shell(f'python -c "{bypass}"', **proxy, **{none: "a"})
        assert (status, said) == (0, "True True\n")
    env = 'env | grep -E "^(CDPATH|POSTM|PYTHON|ODOO_|PIP_[TU])" | sort; python_works'
    theirs = {"PYTHONWARNINGS": "error", "ODOO_RC": "/x", "ODOO_DEV": "all"}
    theirs |= {"PIP_TARGET": "/x", "PIP_TIMEOUT": "kept", "ODOO_ROOT": "kept"}
    status, said = shell(env, CDPATH="/", POSTMASTER="me@here", **theirs)
    assert (status, said) == (0, "ODOO_ROOT=kept\nPIP_TIMEOUT=kept\nPIP_USER=0\n")


def test_full_disk():
    """Whatever fails on a full disk says that it is full."""
    refused(
        "df() { echo Avail; echo 3; }; die 'it failed'", "it failed", "3 MB are free"
    )
    _status, said = shell("df() { echo Avail; echo 3000; }; die 'it failed'")
    assert "MB are free" not in said


def test_read_only():
    """Where nothing can be written, that is what is said."""
    refused(
        "root=/proc cache=/proc/cache; begin ce_test", "cannot write to /proc/cache"
    )
    refused("data=/proc/data; run", "cannot write to /proc/data")
    begin = "setup() { :; }; database() { PGHOST=none; }; begin ce_test"
    refused(begin, "cannot write to /nonexistent", TMPDIR="/nonexistent")


def test_of_somebody_else(tmp_path):
    """What another user has set up is his: it is said whose, and how to take it."""
    user = "" if os.geteuid() else "setpriv --reuid=nobody --clear-groups"
    refused(
        f"cd /; export -f writable die; {user} bash -euc 'writable /etc'",
        "/etc belongs to root: run ./dev as that user",
        "sudo chown -R",
    )
    if not os.geteuid():  # who could, and would take it away from its owner
        os.chown(tmp_path, 65534, -1)
        refused(f"cache={tmp_path}; lock", f"{tmp_path} belongs to nobody")


def test_root_who_may_not():
    """Root of a container, who may become nobody else, is told why and what to do."""
    refused("as_postgres() { false; }; database test", "run ./dev as another user")


# Serving

FAKE_ODOO = """#!{python}
import http.server, signal, socket

signal.signal(signal.SIGHUP, signal.SIG_IGN)  # Odoo would start again

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response({status} if self.path == "/web/login" else 200)
        self.send_header("Location", "/web/database/selector")
        self.end_headers()

    def log_message(self, *_args):
        print("asked", flush=True)

server = http.server.HTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
server.socket = socket.socket(fileno=3)
server.serve_forever()
"""


@contextmanager
def served(folder, status=200, port=0, **env):
    """A server, started by serve.py, that answers with this status."""
    odoo = folder / "odoo"
    odoo.write_text(FAKE_ODOO.format(python=sys.executable, status=status))
    odoo.chmod(0o755)
    process = subprocess.Popen(
        [sys.executable, ROOT / "tools/serve.py", str(port)],
        env=ENV | {"PATH": f"{folder}:{ENV['PATH']}"} | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def address(process):
    """Return where it says that it is ready."""
    for line in process.stdout:
        if found := re.search(r"Ready: +http://127.0.0.1:(\d+)", line):
            return int(found[1])
    return None


def test_two_at_once(tmp_path):
    """Two checkouts that are started together take two ports; a port of one's own
    choice is said to be taken."""
    with served(tmp_path) as one, served(tmp_path) as other:
        ports = {address(one), address(other)}
        assert len(ports) == 2 and None not in ports
        taken = min(ports)
        with served(tmp_path, port=taken) as third:
            said, _ = third.communicate(timeout=30)
            assert third.returncode == 1
            assert f"error: something else listens on port {taken}" in said
        refused(f"check_port {taken}", f"something else listens on port {taken}")


def test_port():
    """A port is a number."""
    for port in ("abc", "0", "65536", "-1", "1e3"):
        refused(f"run --port {port}", f"from 1 to 65535, not {port}")
    refused("run --port", "from 1 to 65535")
    refused("run --dev=xml --port=", "from 1 to 65535")


def test_error_500(tmp_path):
    """A server that cannot show its first page is ended, after a few questions."""
    with served(tmp_path, status=500) as server:
        said, _ = server.communicate(timeout=30)
    assert server.returncode == -signal.SIGTERM
    assert "error:" in said and "500" in said
    assert said.count("asked") == 3


def test_elsewhere(tmp_path):
    """A server that sends people elsewhere has not the database that it should."""
    with served(tmp_path, status=303) as server:
        said, _ = server.communicate(timeout=30)
    assert server.returncode == -signal.SIGTERM
    assert "instead of its first page" in said and "/web/database/selector" in said


def test_slow(stranger, capsys, monkeypatch):
    """Who waits for a server that does not answer is told so."""
    monkeypatch.syspath_prepend(ROOT / "tools")
    import serve

    monkeypatch.setattr(serve, "PATIENCE", 0.2)
    monkeypatch.setattr(serve, "lives", lambda _process: not capsys.readouterr().err)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"http://127.0.0.1:{mute.getsockname()[1]}"
        assert "was ended" in serve.why_it_ends(os.getppid(), url, stranger.pid)


def test_terminal_closed(tmp_path):
    """With its terminal the server ends; Odoo itself would start again, unseen."""
    with served(tmp_path) as server:
        assert address(server)
        os.killpg(server.pid, signal.SIGHUP)
        said, _ = server.communicate(timeout=30)
    assert server.returncode == -signal.SIGTERM
    assert "the terminal was closed" in said


def test_database_ends(tmp_path, stranger):
    """When the database server is killed beneath it, the server ends and says so."""
    with served(tmp_path, POSTMASTER=str(stranger.pid)) as server:
        assert address(server)
        stranger.kill()
        stranger.wait()
        said, _ = server.communicate(timeout=30)
    assert server.returncode == -signal.SIGTERM
    assert "the database server was ended" in said


def test_websocket_process():
    """With workers, Odoo starts the process of its websockets by the name of its own
    command."""
    script = f"setup >/dev/null; exec python {ROOT}/tools/bin/odoo gevent --version"
    status, said = shell(script)
    assert status == 0 and "Odoo Server 19.0" in said


# Odoo and Python


def test_path():
    """A path that others would read as a list or a command is refused."""
    for sign in ':,"$`':
        refused(f"root='/tmp/a{sign}b'; setup", "rename the folder")


def test_no_odoo(tmp_path):
    """ODOO_ROOT must hold Odoo 19, wherever one says it from."""
    refused("setup_odoo", "no Odoo 19.0 in ODOO_ROOT=/none", ODOO_ROOT="/none")
    release = tmp_path / "there/odoo/release.py"
    release.parent.mkdir(parents=True)
    release.write_text("version_info = (18, 0, 0, FINAL, 0, '')\n")
    refused("setup_odoo", "no Odoo 19.0 in", ODOO_ROOT=str(tmp_path / "there"))
    release.write_text("version_info = (19, 0, 0, FINAL, 0, '')\n")
    script = f"cd {tmp_path}; setup_odoo; cd /; setup_odoo; echo $odoo"
    status, said = shell(script, ODOO_ROOT="there", CDPATH=str(tmp_path))
    assert (status, said) == (0, f"{tmp_path}/there\n")


def test_no_python(tmp_path):
    """Where no Python fits, that is said, and no package asked for that is there."""
    prefix = f"cache={tmp_path}; find_python() {{ false; }}"
    refused(f"{prefix}; setup_python", "Python 3.11 or 3.12 is needed")
    # What Debian has is what counts, not what somebody has activated.
    complete = not subprocess.call(["/usr/bin/python3", "-c", "import ensurepip, venv"])
    for activated in ("true", "false"):
        python = f"python3() {{ {activated}; }}"
        status, said = shell(f"{prefix}; {python}; missing_packages")
        assert status == 0
        assert ("python3" in said) != complete


def test_half_installed(tmp_path):
    """What pip has left half done is neither what was nor what is to be; and what it
    has put elsewhere is not there."""
    installed = tmp_path / "venv/installed.lock"
    installed.parent.mkdir()
    installed.write_text("of another branch")
    (tmp_path / "pip.log").write_text(
        "ERROR: Exception:\nTraceback:\nReadTimeout: timed out\n"
    )
    prefix = f"cache={tmp_path}; python_works() {{ [[ ! -e $cache/elsewhere ]]; }}"
    refused(f"{prefix}; growing() {{ false; }}; setup_python", "install them: ReadTime")
    assert not installed.read_text()
    pip = "growing() { touch $cache/elsewhere; }"
    refused(f"{prefix}; {pip}; setup_python", "pip has put them elsewhere")
    assert not installed.read_text()


def test_last_line(tmp_path):
    """Why Odoo does not begin is no line of its log, and said all the same."""
    odoo = "odoo() { echo no such option; return 2; }"
    status, said = shell(f"{odoo}; odoo_step {tmp_path}/log || echo $?")
    assert (status, said) == (0, "no such option\n1\n")


def test_files_lost(tmp_path):
    """A ready database whose files somebody swept away is made anew."""
    script = """
        database_exists() { true; }
        drop_databases() { :; }
        drop_database() { :; }
        odoo_step() { echo made; exit; }
        keep_database ready state mail
        echo kept
    """
    script = f"cache={tmp_path} ODOO_DATA_DIR={tmp_path}; {script}"
    status, said = shell(script)
    assert status == 0
    assert said.endswith("made\n")
    name = shell("sha256sum <<<state | cut -c1-12")[1].strip()
    (tmp_path / f"filestore/ce_ready_{name}").mkdir(parents=True)
    status, said = shell(script)
    assert (status, said) == (0, "kept\n")


FAKE_APT = """#!/usr/bin/env bash
# as apt does it: what has the right size already is not fetched again
case $* in
  *"Origin: Debian")
    echo "http://security.invalid/ main"
    echo "http://mirror.invalid/ main" ;;
  *indextargets*) echo "http://browser.invalid/ main" ;;
  *download*)
    echo fetched $(cut -d" " -f3 ../sources.list) >>"$FETCHED"
    [[ -e odoo-19_1_all.deb ]] || dpkg-deb -b "$PACKAGE" odoo-19_1_all.deb ;;
esac
"""


def test_damaged_package(tmp_path):
    """A package that was damaged on its way is fetched anew, from Debian's mirror,
    whatever else apt knows."""
    (tmp_path / "tools").mkdir()
    for name in ("lib.sh", "odoo-source"):
        (tmp_path / "tools" / name).write_text((ROOT / "tools" / name).read_text())
    package, programs = tmp_path / "package", tmp_path / "bin"
    (package / "DEBIAN").mkdir(parents=True)
    (package / "DEBIAN/control").write_text(
        "Package: odoo-19\nVersion: 1\nArchitecture: all\n"
        "Maintainer: nobody <nobody@example.com>\nDescription: none\n"
    )
    release = "usr/lib/python3/dist-packages/odoo/release.py"
    (package / release).parent.mkdir(parents=True)
    (package / release).write_text("")
    programs.mkdir()
    (programs / "apt-get").write_text(FAKE_APT)
    (programs / "apt-get").chmod(0o755)
    damaged = tmp_path / ".cache/odoo.new/debs/odoo-19_1_all.deb"
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(b"!<arch>\n" + bytes(600))
    done = subprocess.run(
        ["bash", tmp_path / "tools/odoo-source"],
        env=ENV
        | {
            "PATH": f"{programs}:{ENV['PATH']}",
            "PACKAGE": str(package),
            "FETCHED": str(tmp_path / "fetched"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "damaged" in done.stderr
    assert (tmp_path / ".cache/odoo" / release).exists()
    once = "fetched http://mirror.invalid/ http://mirror.invalid/\n"
    assert (tmp_path / "fetched").read_text() == once * 2


# What a run leaves, and how it ends


def test_moved(tmp_path):
    """A checkout that moved, with an Odoo that moved, is still the same."""
    states = []
    for name in ("here", "there"):
        addon = tmp_path / name / "client_equipment"
        odoo = tmp_path / name / "odoo"
        for path in (addon / "__manifest__.py", odoo / "odoo/release.py"):
            path.parent.mkdir(parents=True)
            path.write_text("{}")
        (addon / "tests").mkdir()
        (addon / "tests/test_one.py").write_text(name)
        states.append(
            shell(f"root={addon.parent} odoo={odoo}; addons_state client_equipment")[1]
        )
        (addon / "__manifest__.py").write_text("{'version': 2}")
        states.append(
            shell(f"root={addon.parent} odoo={odoo}; addons_state client_equipment")[1]
        )
    assert states[:2] == states[2:]
    assert states[0] != states[1]


def test_left_over(tmp_path, stranger):
    """The folders of runs that were killed are swept away, with their browsers; those
    of others not."""
    gone, lives, other = (
        tmp_path / name
        for name in ("odoo-test.9999999.abc", f"odoo-test.{stranger.pid}.abc", "else")
    )
    for folder in (gone, lives, other):
        folder.mkdir()
    left = "import time; time.sleep(600)", f"--user-data-dir={gone}/profile"
    browser = subprocess.Popen([sys.executable, "-c", *left])
    status, said = shell("sweep", TMPDIR=str(tmp_path))
    assert status == 0, said
    assert browser.wait(30) == -signal.SIGTERM
    assert (gone.exists(), lives.exists(), other.exists()) == (False, True, True)


def test_interrupt(tmp_path):
    """Ctrl-C ends a run in a few seconds, also where somebody swallows it."""
    script = tmp_path / "swallow.py"
    script.write_text(
        "import signal, time, conftest\n"
        "signal.signal(signal.SIGINT, conftest.stop_soon)\n"
        "try:\n"
        "    print('begun', flush=True)\n"
        "    time.sleep(60)\n"
        "except KeyboardInterrupt:\n"
        "    print('swallowed', flush=True)\n"
        "time.sleep(60)\n"
    )
    process = subprocess.Popen(
        [sys.executable, script],
        env=os.environ | {"PYTHONPATH": f"{ROOT}:{os.environ['PYTHONPATH']}"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "begun\n"
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=20)
    assert said == "swallowed\n"
    assert process.returncode == -signal.SIGALRM


def test_no_pipe_is_left():
    """Who reads only the beginning of what another says may end before that one has
    said all, which then fails: now and then, and more often on a busy machine."""
    scripts = [path for path in (ROOT / "tools").rglob("*") if path.is_file()]
    early = re.compile(r".*\|\s*(?:head|grep -[a-z]*[qm]|sed .*q).*")
    for path in [ROOT / "dev", ROOT / "bench/run", *scripts]:
        if path.suffix == ".sh" or path.read_bytes().startswith(b"#!/usr/bin/env bash"):
            left = early.findall(path.read_text())
            assert not left, (path, left)


def test_no_screen():
    """Who wants to look on where there is no screen is told so."""
    env = {name: value for name, value in ENV.items() if "DISPLAY" not in name}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--odoo-database=none", "--watch"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "--watch needs a screen" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ("docs nosuchname", "there is no picture nosuchname, but: "),
        ("tset", "there is no ./dev tset"),
        ("lint client_equipment", "knows no client_equipment"),
        ("test nofile.py", "there is no file nofile.py"),
        ("test client_equipment_no/tests/test_x.py::X", "there is no file client_equ"),
    ],
)
def test_wrong_words(arguments, word):
    """What does not exist is said not to, before anything is set up."""
    done = subprocess.run(
        [ROOT / "dev", *arguments.split()],
        env=ENV,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert word in done.stderr
    assert "==>" not in done.stderr
