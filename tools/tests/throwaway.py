"""A throw-away database, and what one does with it from outside."""

import os
import re
import shutil
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psycopg2

ROOT = Path(__file__).parents[2]
TEMPLATE, READY = os.environ.get("template"), os.environ.get("ready")
# Of an archive, a shallow clone and somebody else's, git does not know what was before.
HISTORY = (ROOT / ".git").exists() and not subprocess.call(
    "test $(git rev-parse --is-shallow-repository) = false", cwd=ROOT, shell=True
)
# Pages of Odoo's own unit tests, which nobody opens: before any tests it builds the
# bundles of all pages that there are.
UNIT_TESTS = """
    UPDATE ir_ui_view SET active = false
     WHERE key IN ('web.test_helpers', 'web.unit_tests_suite')
"""
LOUD = re.compile(r"^[0-9-]{10} [0-9:,]+ [0-9]+ (WARNING|ERROR|CRITICAL) .*", re.M)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Database:
    """A copy of the template that ``./dev test`` leaves in the environment, or a new
    database where there is none."""

    def __init__(self, name, template=TEMPLATE):
        self.name = name
        command = ["createdb", name, *(["-T", template] if template else [])]
        subprocess.run(command, check=True)
        if template:
            files = Path(os.environ["ODOO_DATA_DIR"]) / "filestore"
            if (files / template).exists():
                shutil.copytree(
                    files / template,
                    files / name,
                    copy_function=os.link,
                    dirs_exist_ok=True,
                )
        else:
            self.odoo("-i", "base_automation,base_import,mail,web_tour")

    def drop(self):
        subprocess.run(["dropdb", "--if-exists", "--force", self.name], check=True)
        if data := os.environ.get("ODOO_DATA_DIR"):
            shutil.rmtree(Path(data) / "filestore" / self.name, ignore_errors=True)

    def odoo(self, *arguments, stdin="", **env):
        """Let Odoo do one thing with the database; any warning fails the test.

        :return: its log
        """
        if any(argument.startswith("--test-tags") for argument in arguments):
            self.execute(UNIT_TESTS)
        command, *arguments = arguments if stdin else ("server", *arguments)
        done = subprocess.run(
            [
                *(sys.executable, "-m", "odoo", command, "-d", self.name),
                *("--max-cron-threads=0", "--log-level=warn"),
                *(("--no-http",) if stdin else (f"--http-port={free_port()}",)),
                *(() if stdin else ("--stop-after-init",)),
                f"--addons-path={ROOT}",
                *arguments,
            ],
            env=os.environ | env,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        loud = [line[0] for line in LOUD.finditer(done.stderr + done.stdout)]
        assert not loud, "\n".join(loud)
        return done.stderr

    def uninstall(self, *addons):
        """Let Odoo take these away, and what needs them."""
        self.odoo(
            "shell",
            stdin="env['ir.module.module'].search("
            f"[('name', 'in', {addons})]).button_immediate_uninstall()\n",
        )

    def execute(self, query):
        """Return the rows that the query gives, if it is one that gives rows."""
        with closing(psycopg2.connect(dbname=self.name)) as connection, connection:
            cursor = connection.cursor()
            cursor.execute(query)
            return cursor.fetchall() if cursor.description else None

    def count(self, query):
        [(number,)] = self.execute(query)
        return number
