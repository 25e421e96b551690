"""What pytest-odoo leaves out: what Odoo's own runner calls a failure is one here, and
each of several workers has a database of its own.
"""

import logging
import os
import shutil
import subprocess
from functools import partialmethod
from pathlib import Path

import pytest

from odoo.tests import HttpCase
from odoo.tools import config as odoo_config


def pytest_addoption(parser):
    parser.addoption(
        "--watch", action="store_true", help="show the browser, half a second a step"
    )


def pytest_xdist_auto_num_workers(config):
    """As many workers as cores for the whole; one process, which starts sooner and can
    be looked into, for a part."""
    part = config.option.keyword or config.option.lf or config.option.watch
    if part or any(".py" in argument for argument in config.args):
        return 0
    return len(os.sched_getaffinity(0))


def pytest_configure(config):
    if hasattr(config, "workerinput"):
        copy_database(config.workerinput["workerid"])
    if config.getoption("watch"):
        HttpCase.start_tour = partialmethod(
            HttpCase.start_tour, watch=True, step_delay=500, timeout=600
        )


def copy_database(worker):
    """Give this worker its own copy of the database, and of the files that go with it.

    pytest-odoo itself lets workers share the files: the tests of one would then sweep
    away what another has just written.
    """
    os.environ.pop("PYTEST_XDIST_WORKER")
    original = odoo_config["db_name"][0]
    name = f"{original}_{worker}"
    subprocess.run(["createdb", "-T", original, name], check=True)
    files = Path(odoo_config["data_dir"]) / "filestore"
    shutil.copytree(files / original, files / name, copy_function=os.link)
    odoo_config["db_name"] = [name]


class _Errors(logging.Handler):
    def __init__(self):
        super().__init__(logging.ERROR)
        self.lines = []

    def emit(self, record):
        self.lines.append(f"{record.name}: {self.format(record)}")


_errors = _Errors()
logging.getLogger("odoo").addHandler(_errors)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """Fail a test that logs an error which it does not expect by mute_logger or
    assertLogs, and a browser test that is skipped (no browser, no websocket-client).
    """
    report = (yield).get_result()
    if report.skipped and item.cls and issubclass(item.cls, HttpCase):
        report.outcome = "failed"
        report.longrepr = f"a browser test must run: {report.longrepr}"
    if report.passed and _errors.lines:
        report.outcome = "failed"
        report.longrepr = "errors in Odoo's log:\n" + "\n".join(_errors.lines)
    _errors.lines.clear()
