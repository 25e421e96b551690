"""The databases of the benchmark: made once, kept, updated with the addons."""

import hashlib
import os
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path

import data
import psycopg2
import works

import odoo
from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry
from odoo.tools import config

ADDONS = "client_equipment,client_equipment_software_key,auditlog,bench_plain"
HERE = Path(__file__).parent
# Validity ends are counted from the day the data was made: older data has keys due.
MAX_AGE = 5 * 24 * 3600


def say(text):
    print(f"\033[1m==>\033[0m {text}", file=sys.stderr, flush=True)


def connect(name, autocommit=False):
    """Return a connection by psycopg2 alone, which knows nothing of Odoo."""
    connection = psycopg2.connect(dbname=name)
    connection.autocommit = autocommit
    if not autocommit:
        connection.set_session(isolation_level="REPEATABLE READ")
    return connection


def sql(name, query, *args):
    with closing(connect(name, autocommit=True)) as connection:
        cursor = connection.cursor()
        cursor.execute(query, args)
        return cursor.fetchall() if cursor.description else []


def start_odoo():
    """Let this process be an Odoo that serves nothing."""
    config.parse_config(
        ["--no-http", "--max-cron-threads=0", "--log-level=critical", "--workers=0"],
        setup_logging=True,
    )


def install(name, *args):
    log = Path(os.environ["ODOO_DATA_DIR"]) / "install.log"
    with log.open("w") as out:
        command = [sys.executable, "-m", "odoo", "-d", name, *args, "--no-http"]
        command += ["--stop-after-init", "--max-cron-threads=0", "--log-level=warn"]
        if subprocess.run(command, stdout=out, stderr=out, check=False).returncode:
            sys.exit(f"error: Odoo could not make {name} (see {log})")


def exists(name):
    query = "SELECT 1 FROM pg_database WHERE datname = %s"
    return bool(sql("postgres", query, name))


def drop(name):
    sql("postgres", f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def comment(name):
    (row,) = sql(
        "postgres",
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database"
        " WHERE datname = %s",
        name,
    )
    return (row[0] or "").split()


def recipe_of_data():
    paths = [HERE / "data.py", *sorted(HERE.glob("addons/**/*.py"))]
    return hashlib.sha256(b"".join(p.read_bytes() for p in paths)).hexdigest()[:16]


def ready(keys):
    """Tell whether the database with that many keys can be used as it is."""
    name = f"bench_{keys}"
    made = comment(name) if exists(name) else ()
    return (
        len(made) == 3
        and made[1] == recipe_of_data()
        and time.time() - float(made[2]) < MAX_AGE
    )


def prepare(keys):
    """Return the name of the database with that many keys, made if need be."""
    state = os.environ["BENCH_STATE"]
    recipe = recipe_of_data()
    name = f"bench_{keys}"
    if ready(keys):
        made = comment(name)
        if made[0] != state:
            say(f"Updating the addons in {name}")
            install(name, "-u", "client_equipment,client_equipment_software_key")
            remember(name, state, recipe, made[2])
        return name
    drop(name)
    if not exists("bench_empty") or comment("bench_empty") != [state, recipe]:
        say("Making an empty database with Odoo")
        drop("bench_empty")
        install("bench_empty", "-i", ADDONS)
        remember("bench_empty", state, recipe)
    say(f"Making {name}")
    start = time.monotonic()
    sql("postgres", f'CREATE DATABASE "{name}" TEMPLATE bench_empty')
    try:
        with odoo_env(name) as env:
            data.generate(env, keys)
            works.Auditlog.copy(env.cr)
            env.cr.commit()
        sql(name, "VACUUM ANALYZE")
    except BaseException:
        forget(name)
        drop(name)
        raise
    remember(name, state, recipe, time.time())
    say(f"  {time.monotonic() - start:.0f} s")
    return name


def remember(name, *facts):
    text = " ".join(map(str, facts))
    sql("postgres", f"COMMENT ON DATABASE \"{name}\" IS '{text}'")


@contextmanager
def put_back(name):
    """Let the caller commit what he undoes: if he is interrupted, the database is made
    anew."""
    facts = comment(name)
    remember(name)
    yield
    remember(name, *facts)


def forget(name):
    """Close what this process holds of the database."""
    Registry.delete(name)
    odoo.sql_db.close_db(name)


@contextmanager
def odoo_env(name, uid=SUPERUSER_ID):
    with Registry(name).cursor() as cr:
        yield api.Environment(cr, uid, {})
        cr.rollback()
