"""An upgrade loses nothing, and stops in words where rows break a rule that it brings
(E4)."""

import ast
import os
import subprocess

import pytest
from test_install import PRODUCT, REGISTER, STATE, assert_same, traces
from throwaway import HISTORY, READY, ROOT, Database

MANIFEST = f"{PRODUCT}/__manifest__.py"
RULE = "client_equipment_software_check_default_validity_months"
STALE = "client_equipment_software__user_id_index"
ENTRIES = "SELECT id, hash FROM client_equipment_audit_log ORDER BY id"
GUARANTEES = "SELECT count(*) FROM pg_constraint WHERE conname = '%s'"
INDEXES = "SELECT count(*) FROM pg_indexes WHERE indexname = '%s'"
# Where keys and seats are guarded.
GUARDED = "('client_equipment_feature', 'client_equipment_software_key')"
DEFINITIONS = f"""
    SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
     WHERE conrelid::regclass::text IN {GUARDED}
     UNION
    SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN {GUARDED}
"""
STORED = (
    "definitions",
    "tables",
    "columns",
    "indexes",
    "constraints",
    "functions",
    "scheduled actions",
    "activity types",
    "rules",
)

CHECK = """
keys = env["client.equipment.software.key"].search([])
assert not keys.verify_audit_trail()
assert not keys.filtered("needs_attention").mapped("attention_note")
"""


def git(*arguments):
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, check=True
    ).stdout


def unpack(commit, folder):
    """Put our addons into the folder as they were then."""
    archive = git("archive", commit, "--", ":(glob)client_equipment*/**")
    subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)


def version(manifest):
    return ast.literal_eval(manifest.decode())["version"]


def assert_stored_alike(upgraded, new):
    """Check that an upgraded database has all that a new one has, and no more."""
    for kind in new.keys() & STORED:
        missing = set(new[kind]) - set(upgraded[kind])
        stale = set(upgraded[kind]) - set(new[kind])
        assert not missing and not stale, (kind, missing, stale)


def last_of_previous_version():
    """Return the commit before the one that raised the version to the present one."""
    present = version((ROOT / MANIFEST).read_bytes())
    changes = git("log", "--format=%H", "-G", '"version":', "--", MANIFEST).split()
    for change in changes:
        before = f"{change.decode()}^"
        if version(git("show", f"{before}:{MANIFEST}")) != present:
            return before
    raise AssertionError("there is only one version")


@pytest.fixture
def database():
    database = Database(f"ce_upgrade_{os.getpid()}")
    yield database
    database.drop()


@pytest.fixture
def new():
    """A database with our addons as they are installed now."""
    database = Database(f"ce_new_{os.getpid()}", READY)
    yield database
    database.drop()


def key_facts(database):
    return database.execute(
        "SELECT id, license_key, status, equipment_id, validity_end, audit_number,"
        " audit_hash FROM client_equipment_software_key ORDER BY id"
    )


@pytest.mark.skipif(not HISTORY, reason="no history: git fetch --unshallow")
def test_upgrade(database, new, tmp_path):
    """No warning; no key, assignment or entry is lost or changed, because an upgrade is
    no step in the life of a key; every trail still verifies; the database is what a new
    one would be; and all go with their demo data.

    Automation has come by itself, where Odoo's Automation Rules are (H2).
    """
    unpack(last_of_previous_version(), tmp_path)
    # Odoo loads demo data where the addons below have theirs.
    database.execute("UPDATE ir_module_module SET demo = true")
    bare = traces(database)
    database.odoo("-i", PRODUCT, "--with-demo", f"--addons-path={tmp_path}")
    assert database.execute(STATE) == [("installed",)]
    keys, entries = key_facts(database), database.execute(ENTRIES)
    assert keys and entries
    database.odoo("-u", REGISTER)
    assert (key_facts(database), database.execute(ENTRIES)) == (keys, entries)
    database.odoo("shell", stdin=CHECK)
    upgraded, installed = traces(database), traces(new)
    upgraded["definitions"] = [str(row) for row in database.execute(DEFINITIONS)]
    installed["definitions"] = [str(row) for row in new.execute(DEFINITIONS)]
    assert_stored_alike(upgraded, installed)
    database.uninstall(REGISTER)
    assert_same(bare, traces(database))


def test_from_the_first_version(new):
    """It stops where a row breaks a rule; then it ends with what it began with."""
    installed = traces(new)
    new.execute(f"""
        UPDATE ir_module_module SET latest_version = '19.0.1.0.0'
         WHERE name LIKE 'client\\_equipment%';
        ALTER TABLE client_equipment_software DROP CONSTRAINT {RULE};
        INSERT INTO client_equipment_software
               (name, default_key_type, default_validity_months)
        VALUES ('Old Backup', 'trial', 900);
        CREATE INDEX {STALE} ON client_equipment_software (user_id);
    """)
    with pytest.raises(AssertionError, match=r"Old Backup \(id \d+\) .*600 months"):
        new.odoo("-u", PRODUCT)
    assert new.count(INDEXES % STALE) == 1, "it stopped before it did anything"
    new.execute("UPDATE client_equipment_software SET default_validity_months = 6")
    new.odoo("-u", PRODUCT)
    assert new.count(GUARANTEES % RULE) == 1
    assert new.count(INDEXES % STALE) == 0
    assert_same(installed, traces(new))
