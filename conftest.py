"""What pytest-odoo leaves out: what Odoo's own runner calls a failure is one here, and
each of several workers has a database of its own.
"""

import inspect
import json
import logging
import os
import shutil
import signal
import subprocess
import time
from concurrent.futures import Future
from contextlib import suppress
from functools import lru_cache, partial, partialmethod
from pathlib import Path
from unittest.mock import patch

import freezegun
import pytest
import websocket
from _pytest.unittest import TestCaseFunction
from passlib.context import CryptContext

from odoo.tests import HttpCase, common
from odoo.tools import config as odoo_config
from odoo.tools import image

from odoo.addons.base.models import res_users
from odoo.addons.base.models.ir_asset import IrAsset


def pytest_addoption(parser):
    parser.addoption(
        "--watch", action="store_true", help="show the browser, half a second a step"
    )


def pytest_xdist_auto_num_workers(config):
    """One worker more than cores for the whole, because some of them always wait; one
    process, which starts sooner and can be looked into, for a part."""
    part = config.option.keyword or config.option.lf or config.option.watch
    if part or any(".py" in argument for argument in config.args):
        return 0
    return len(os.sched_getaffinity(0)) + 1


def pytest_configure(config):
    if hasattr(config, "workerinput"):
        copy_database(config.workerinput["workerid"])
    if config.getoption("watch"):
        if not os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
            raise pytest.UsageError("--watch needs a screen: DISPLAY is not set")
        HttpCase.start_tour = partialmethod(
            HttpCase.start_tour, watch=True, step_delay=500, timeout=600
        )
    else:
        common.ChromeBrowser = KeptBrowser
    TestCaseFunction.addSubTest = only_failed(TestCaseFunction.addSubTest)


def only_failed(add_sub_test):
    """Let a test report those of its parts that fail, not forty thousand others."""
    return lambda *args: args[-1] and add_sub_test(*args)


@pytest.fixture(scope="session", autouse=True)
def interrupt(load_http):
    """End at Ctrl-C: at once, or by force where somebody swallows it, as Odoo does
    while it starts a browser."""
    signal.signal(signal.SIGINT, stop_soon)


def stop_soon(*_signal):
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.alarm(5)
    raise KeyboardInterrupt


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


DAY = 24 * 60 * 60

# What pages leave behind, but for what they are made of.
LEFT = "cookies,file_systems,indexeddb,local_storage,websql"
# As where the address is no https: the worker would load each first page once more.
ALONE = "delete Navigator.prototype.serviceWorker"


class KeptBrowser(common.ChromeBrowser):
    """A browser that stays for the tests that follow, instead of one for each tour.

    What a tour gets of it is a window without cookies and whatever else a page can
    leave behind; it goes with the end of the tour, connections to the server included.
    What stays is what the browser has learnt of the scripts, half the work of a page.
    """

    kept = None  # process, port, connection to the whole of it

    def _chrome_start(self, user_data_dir, touch_enabled, headless=True, debug=False):
        self.for_touch = touch_enabled
        if self.kept:
            os.rmdir(user_data_dir)
        else:
            process, port = super()._chrome_start(user_data_dir, False)
            _, path = Path(user_data_dir, "DevToolsActivePort").read_text().split()
            KeptBrowser.kept = process, port, self._connect(port, path, 10)
        process, port, self.whole = self.kept
        return process, port

    def _spawn_chrome(self, cmd):
        """Start it, but not as a child of ours: Odoo ends those after each class of
        tests."""
        process, port = super()._spawn_chrome(["setsid", "--fork", *cmd])
        process.wait()
        return process, port

    def _connect(self, port, path, timeout):
        return websocket.create_connection(
            f"ws://{common.HOST}:{port}{path}",
            timeout,
            enable_multithread=True,
            suppress_origin=True,
            skip_utf8_validation=True,  # byte by byte, of all that the browser says
        )

    def _open_websocket(self):
        window = self._ask(self.whole, "Target.createTarget", url="about:blank")
        path = f"/devtools/page/{window['targetId']}"
        page = self._connect(self.devtools_port, path, 10)
        self._ask(page, "Network.clearBrowserCookies")
        origin = self.test_case.base_url()
        self._ask(page, "Storage.clearDataForOrigin", origin=origin, storageTypes=LEFT)
        self._ask(page, "Emulation.setTouchEmulationEnabled", enabled=self.for_touch)
        self._ask(page, "Page.enable")
        self._ask(page, "Page.addScriptToEvaluateOnNewDocument", source=ALONE)
        return page

    def _ask(self, connection, method, **params):
        """Let the browser, or a page of it, do something; return its answer."""
        connection.send(json.dumps({"id": -1, "method": method, "params": params}))
        while (answer := json.loads(connection.recv())).get("id") != -1:
            pass
        return answer["result"]

    def _websocket_send(self, method, **kwargs):
        if method == "HeapProfiler.collectGarbage":
            return Future()  # Odoo only notes how much there was
        return super()._websocket_send(method, **kwargs)

    def _websocket_request(self, method, **kwargs):
        """Let requests go without Odoo's look at each: the browser finds no way but to
        this machine (tools/bin/google-chrome)."""
        return method == "Fetch.enable" or super()._websocket_request(method, **kwargs)

    def _wait_ready(self, *args, **kwargs):
        with patch.object(self, "_websocket_request", self._ask_patiently):
            return super()._wait_ready(*args, **kwargs)

    def _ask_patiently(self, *args, **kwargs):
        """Ask twenty times a second, not as often as a page can answer that has other
        things to do."""
        time.sleep(0.05)
        return super()._websocket_request(*args, **kwargs)

    def stop(self):
        try:
            self.screencaster.stop()
            self._result.cancel()
            self._close_windows()
            self._receiver.join(10)
        except Exception:
            self.end()  # the next tour begins with another one
            raise

    def _close_windows(self):
        """Close the tour's window and all that it has opened."""
        for target in self._ask(self.whole, "Target.getTargets")["targetInfos"]:
            if target["type"] == "page" and target["url"] != "about:blank":
                window = {"targetId": target["targetId"]}
                self._ask(self.whole, "Target.closeTarget", **window)

    @classmethod
    def end(cls):
        """Close it, if there is one."""
        if KeptBrowser.kept:
            _process, _port, whole = KeptBrowser.kept
            KeptBrowser.kept = None
            whole.send(json.dumps({"id": 0, "method": "Browser.close"}))
            whole.close()


@pytest.fixture(scope="session", autouse=True)
def sockets(load_http):
    """After each tour Odoo closes its web sockets, among them those whose window has
    closed them a moment before."""
    from odoo.addons.bus.websocket import PollablePriorityQueue

    class Queue(PollablePriorityQueue):
        def put(self, item, *args, **kwargs):
            with suppress(OSError):
                super().put(item, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("odoo.addons.bus.websocket.PollablePriorityQueue", Queue)
        yield


@pytest.fixture(scope="session", autouse=True)
def done_once(load_http):
    """Spare what costs each class of tests the same again: the sizes of the one logo
    that all new companies have, passwords that resist years of guessing, a look at
    every name of every module each time that the clock is frozen, for the files of a
    bundle for each first page, a chat with OdooBot for each new user, and the lines of
    code at which each tour begins."""
    from odoo.addons.mail_bot.models.res_users import ResUsers

    quick = CryptContext(["pbkdf2_sha512"], pbkdf2_sha512__rounds=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(image, "image_process", lru_cache(image.image_process))
        patch.setattr(res_users, "MIN_ROUNDS", 1)
        patch.setattr(res_users, "KEY_CRYPT_CONTEXT", quick)
        patch.setattr(freezegun.api, "_get_module_attributes_hash", size_of_module)
        patch.setattr(IrAsset, "_get_asset_paths", find_once(IrAsset._get_asset_paths))
        patch.setattr(ResUsers, "_init_odoobot", lambda user: None)
        patch.setattr(inspect, "stack", partial(inspect.stack, 0))
        yield


def find_once(find_paths):
    """Return what finds a bundle's files, and remembers them."""
    found = {}

    def get_asset_paths(assets, bundle, assets_params):
        wanted = bundle, *assets_params.items()
        if wanted not in found:
            found[wanted] = find_paths(assets, bundle, assets_params)
        return found[wanted]

    return get_asset_paths


def size_of_module(module):
    """Return what tells whether a module has new names since its last look."""
    return f"{id(module)}-{len(getattr(module, '__dict__', ()))}"


@pytest.fixture(scope="class", autouse=True)
def one_day():
    """Begin no class of tests in the last minute before midnight (UTC): what it calls
    today stays today. A part of a minute, once a day."""
    left = DAY - time.time() % DAY
    if left < 60:
        time.sleep(left)


@pytest.fixture(scope="session", autouse=True)
def browser():
    """End it at the end."""
    yield
    KeptBrowser.end()


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
