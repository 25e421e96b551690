"""What pytest-odoo leaves out: what Odoo's own runner would call a failure is one here too."""

import logging

import pytest
from odoo.tests import HttpCase

LOUD = logging.ERROR


class _Collector(logging.Handler):
    def __init__(self):
        super().__init__(LOUD)
        self.lines = []

    def emit(self, record):
        self.lines.append(f"{record.name}: {self.format(record)}")


@pytest.fixture(autouse=True)
def no_errors_logged():
    """An error in the log fails the test, unless ``mute_logger`` or ``assertLogs`` expects it."""
    collector = _Collector()
    logger = logging.getLogger("odoo")
    logger.addHandler(collector)
    yield
    logger.removeHandler(collector)
    if collector.lines:
        pytest.fail(
            "errors in Odoo's log:\n" + "\n".join(collector.lines), pytrace=False
        )


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """A browser test that is skipped (no browser, no websocket-client) has failed."""
    report = (yield).get_result()
    if report.skipped and item.cls and issubclass(item.cls, HttpCase):
        report.outcome = "failed"
        report.longrepr = f"a browser test must run, but was skipped: {report.longrepr}"
