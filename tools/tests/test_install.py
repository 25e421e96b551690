"""The addons come, are upgraded, and go: without a warning, and without a trace (E4).

Each step is a server of its own on a throw-away database: a copy of the template that
``./dev test`` leaves in the environment, or a new one where there is none.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest

ROOT = Path(__file__).parents[2]
TEMPLATE = os.environ.get("template")
REGISTER, PRODUCT = "client_equipment", "client_equipment_software_key"
LOUD = re.compile(r"^[0-9-]{10} [0-9:,]+ [0-9]+ (WARNING|ERROR|CRITICAL) .*", re.M)

# What an addon brings into a database: named, so that a difference tells what it is.
TRACES = {
    "tables": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
    "sequences": "SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'",
    "columns": "SELECT table_name || '.' || column_name FROM information_schema.columns"
    " WHERE table_schema = 'public'",
    "indexes": "SELECT indexname FROM pg_indexes WHERE schemaname = 'public'",
    "constraints": "SELECT conname FROM pg_constraint",
    "functions": "SELECT proname FROM pg_proc"
    " WHERE pronamespace = 'public'::regnamespace",
    # Not those that Odoo's own addons give to parts of our models (mail.selection__…,
    # sms.model_inherit__…): their records go, but Odoo removes external ids by the name
    # of the addon that goes. Its own Lunch leaves the same ones behind.
    "external ids": "SELECT module || '.' || name FROM ir_model_data"
    " WHERE module LIKE 'client\\_equipment%' OR name NOT LIKE '%\\_\\_%'",
    "models": "SELECT model FROM ir_model",
    "fields": "SELECT model || '.' || name FROM ir_model_fields",
    "scheduled actions": "SELECT cron_name FROM ir_cron",
    "server actions": "SELECT name->>'en_US' FROM ir_act_server",
    "window actions": "SELECT name->>'en_US' FROM ir_act_window",
    "groups": "SELECT name->>'en_US' FROM res_groups",
    "implied groups": "SELECT gid || ' ' || hid FROM res_groups_implied_rel",
    "privileges": "SELECT name->>'en_US' FROM res_groups_privilege",
    "access rights": "SELECT name FROM ir_model_access",
    "rules": "SELECT name FROM ir_rule",
    "menus": "SELECT name->>'en_US' FROM ir_ui_menu",
    "views": "SELECT name FROM ir_ui_view",
    "activity types": "SELECT name->>'en_US' FROM mail_activity_type",
    "reports": "SELECT report_name FROM ir_act_report_xml",
    "parameters": "SELECT key FROM ir_config_parameter",
    "messages": "SELECT 'message ' || model FROM mail_message"
    " WHERE model LIKE 'client.equipment%'",
    "activities": "SELECT 'activity ' || res_model FROM mail_activity"
    " WHERE res_model LIKE 'client.equipment%'",
    "attachments": "SELECT 'attachment ' || res_model FROM ir_attachment"
    " WHERE res_model LIKE 'client.equipment%'",
}


class Database:
    """A throw-away database and what one does with it from outside."""

    def __init__(self, name):
        self.name = name
        command = ["createdb", name, *(["-T", TEMPLATE] if TEMPLATE else [])]
        subprocess.run(command, check=True)
        if TEMPLATE:
            files = Path(os.environ["ODOO_DATA_DIR"]) / "filestore"
            if (files / TEMPLATE).exists():
                shutil.copytree(
                    files / TEMPLATE,
                    files / name,
                    copy_function=os.link,
                    dirs_exist_ok=True,
                )
        else:
            self.odoo("-i", "base_import,mail,web_tour")

    def drop(self):
        subprocess.run(["dropdb", "--if-exists", "--force", self.name], check=True)
        if data := os.environ.get("ODOO_DATA_DIR"):
            shutil.rmtree(Path(data) / "filestore" / self.name, ignore_errors=True)

    def odoo(self, *arguments, stdin=""):
        """Let Odoo do one thing with the database; any warning fails the test."""
        command, *arguments = arguments if stdin else ("server", *arguments)
        done = subprocess.run(
            [
                *(sys.executable, "-m", "odoo", command, "-d", self.name),
                *("--no-http", "--max-cron-threads=0", "--log-level=warn"),
                *(() if stdin else ("--stop-after-init",)),
                f"--addons-path={ROOT}",
                *arguments,
            ],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        loud = [line[0] for line in LOUD.finditer(done.stderr + done.stdout)]
        assert not loud, "\n".join(loud)
        return done.stdout

    def uninstall(self, addon):
        self.odoo(
            "shell",
            stdin="env['ir.module.module'].search("
            f"[('name', '=', '{addon}')]).button_immediate_uninstall()\n",
        )

    def traces(self):
        """Return ``{kind: the sorted names of all that is there}``."""
        with psycopg2.connect(dbname=self.name) as connection:
            cursor = connection.cursor()
            found = {}
            for kind, query in TRACES.items():
                cursor.execute(query)
                found[kind] = sorted(name or "" for (name,) in cursor.fetchall())
        connection.close()
        return found

    def execute(self, query):
        with psycopg2.connect(dbname=self.name) as connection:
            connection.cursor().execute(query)
        connection.close()

    def count(self, query):
        with psycopg2.connect(dbname=self.name) as connection:
            cursor = connection.cursor()
            cursor.execute(query)
            (number,) = cursor.fetchone()
        connection.close()
        return number


def assert_same(before, after):
    for kind, names in before.items():
        left = set(after[kind]) - set(names)
        assert not left, f"{kind} left behind: {sorted(left)}"
        gone = set(names) - set(after[kind])
        # Odoo itself forgets, in an upgrade, which addon named some added fields.
        gone = {name for name in gone if ".field_" not in name}
        assert not gone, f"{kind} that were there before: {sorted(gone)}"


@pytest.fixture
def database():
    database = Database(f"ce_install_{os.getpid()}")
    yield database
    database.drop()


def test_without_demo_data(database):
    """The product comes to a register in use and goes again; the register stays."""
    database.odoo("-i", REGISTER)
    before = database.traces()
    database.odoo("-i", PRODUCT)
    installed = database.traces()
    assert "client_equipment_software_key" in installed["tables"]
    assert database.count("SELECT count(*) FROM client_equipment_software_key") == 0
    database.odoo("-u", f"{REGISTER},{PRODUCT}")
    assert_same(installed, database.traces())
    database.uninstall(PRODUCT)
    assert_same(before, database.traces())


def test_with_demo_data(database):
    """Both come with their demo data, are upgraded, and go with all their records."""
    # Odoo loads demo data where the addons below have theirs.
    database.execute("UPDATE ir_module_module SET demo = true")
    before = database.traces()
    database.odoo("-i", PRODUCT, "--with-demo")
    installed = database.traces()
    keys = database.count("SELECT count(*) FROM client_equipment_software_key")
    assert keys > 0
    entries = database.count("SELECT count(*) FROM client_equipment_audit_log")
    database.odoo("-u", f"{REGISTER},{PRODUCT}")
    assert_same(installed, database.traces())
    # An upgrade is no step in the life of a key.
    assert keys == database.count("SELECT count(*) FROM client_equipment_software_key")
    assert entries == database.count("SELECT count(*) FROM client_equipment_audit_log")
    database.uninstall(REGISTER)
    assert_same(before, database.traces())
