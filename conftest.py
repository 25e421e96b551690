"""What pytest-odoo leaves out: what Odoo's own runner calls a failure is one here."""

import logging
from functools import partialmethod

import pytest

from odoo.tests import HttpCase


def pytest_addoption(parser):
    parser.addoption(
        "--watch", action="store_true", help="show the browser, half a second a step"
    )


def pytest_configure(config):
    if config.getoption("watch"):
        HttpCase.start_tour = partialmethod(
            HttpCase.start_tour, watch=True, step_delay=500, timeout=600
        )


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
