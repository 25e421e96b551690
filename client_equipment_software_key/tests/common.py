import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partialmethod
from http.client import HTTPConnection
from importlib import import_module
from importlib.util import find_spec
from types import SimpleNamespace
from unittest.mock import patch

import psycopg2
from lxml import etree

from odoo import Command, api, fields
from odoo.modules.registry import DummyRLock, Registry
from odoo.service import model as model_service
from odoo.sql_db import Cursor
from odoo.tests import (
    BaseCase,
    HttpCase,
    TransactionCase,
    get_db_name,
    tagged,
)
from odoo.tools import SQL
from odoo.tools.safe_eval import safe_eval

from ..models import client_equipment_software_key_life as key_life

ADDON = "client_equipment_software_key"
# The addons to which tests that go over all models keep, where the other models have
# been looked at without them; else nothing.
GUARDED = {*filter(None, os.environ.get("GUARDED_ADDONS", "").split(","))}


def api_key(user):
    """Return a new key for a program that works in the user's name."""
    keys = user.env["res.users.apikeys"].with_user(user).sudo()
    return keys._generate("rpc", "test", None)


# Only after all addons are installed do users and partners have the values that other
# addons require of them.
@tagged("standard", "post_install", "-at_install")
class SoftwareKeyMixin:
    """A small service company: a user for each role, software, keys, equipment.

    For use with any of Odoo's test classes, HttpCase too; unit tests take
    :class:`SoftwareKeyCommon`. Log-ins are ``sk_technician`` and so on (password =
    log-in); everything belongs to ``cls.company``.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # These tests are one transaction, in which Python's clock is frozen and moved:
        # entries take their time from there, not from the transaction.
        AuditLog = cls.env.registry["client.equipment.audit.log"]
        moment = patch.object(AuditLog, "_get_moment", lambda _: fields.Datetime.now())
        moment.start()
        cls.addClassCleanup(moment.stop)
        cls.company, cls.other_company = cls.env["res.company"].create(
            [
                {"name": "Cobalt Services", "logo": False},
                {"name": "Granite Services", "logo": False},
            ]
        )
        roles = {
            "technician": f"{ADDON}.group_software_key_user",
            "technician_2": f"{ADDON}.group_software_key_user",
            "manager": f"{ADDON}.group_software_key_manager",
            "auditor": f"{ADDON}.group_software_key_auditor",
            "internal": "base.group_user",
            "portal": "base.group_portal",
        }
        for role, user in zip(roles, cls._new_users(roles), strict=True):
            setattr(cls, role, user)
        cls.customer, cls.other_customer = cls.env["res.partner"].create(
            [
                {"name": "Tour Dental Practice", "is_company": True},
                {"name": "Tour Harbour Works", "is_company": True},
            ]
        )
        cls.office, cls.antivirus = cls.env["client.equipment.software"].create(
            [
                {"name": "Tour Office Professional"},
                {
                    "name": "Tour Antivirus Enterprise",
                    "default_key_type": "subscription",
                    "default_validity_months": 12,
                },
            ]
        )
        cls.laptop, cls.spare_laptop = cls.env["client.equipment"].create(
            [
                {
                    "name": "Reception Laptop",
                    "serial_no": "LAPTOP-12345",
                    "partner_id": cls.customer.id,
                    "company_id": cls.company.id,
                },
                {
                    "name": "Spare Laptop",
                    "serial_no": "LAPTOP-67890",
                    "partner_id": cls.customer.id,
                    "company_id": cls.company.id,
                },
            ]
        )
        cls.today = fields.Date.today()

    @classmethod
    def _new_user(cls, role, groups, **values):
        """Return a new user ``sk_<role>`` of the company."""
        return cls._new_users({role: groups}, **values)

    @classmethod
    def _new_users(cls, roles, **values):
        """Return a new user ``sk_<role>`` of the company for each role, whose groups
        (comma-separated) are given.

        All at once, without mails that nobody reads, and without pictures in five sizes
        each: every class of tests does it.
        """
        unheard = cls.env["res.users"].with_context(
            no_reset_password=True, tracking_disable=True
        )
        Partner = cls.env.registry["res.partner"]
        with patch.object(Partner, "_avatar_generate_svg", lambda _: False):
            users = unheard.create(
                [
                    {
                        "login": f"sk_{role}",
                        "password": f"sk_{role}",
                        "name": f"{role.replace('_', ' ').title()} Tester",
                        "email": f"sk_{role}@example.com",
                        "group_ids": [
                            Command.link(cls.env.ref(group).id)
                            for group in groups.split(",")
                        ],
                        "company_id": cls.company.id,
                        "company_ids": [Command.set(cls.company.ids)],
                    }
                    | values
                    for role, groups in roles.items()
                ]
            )
        return users.with_env(cls.env)

    @classmethod
    def _our_models(cls):
        """Return the names of all models of these addons that have records."""
        ours = cls.env.registry.descendants(["client.equipment.mixin"], "_inherit")
        return sorted(name for name in ours if not cls.env[name]._abstract)

    @classmethod
    def _is_guarded(cls, name):
        """Tell whether tests that go over all models look at this one: all, or those
        that ``GUARDED_ADDONS`` add or change in any way."""
        parts = cls.env.registry[name].mro()
        return not GUARDED or any(
            vars(part).get("_module") in GUARDED for part in parts
        )

    def assertEnough(self, seen, number):
        """Check that a test that goes over all models has found more than so many
        cases; among the models of some addons, more than one."""
        self.assertGreater(len(seen), 1 if GUARDED else number)

    @classmethod
    def _give_rights_of_apps(cls, user):
        """Give the user the rights in Odoo's apps that fields of these models ask for,
        where addons that join those apps are installed."""
        groups = {
            group
            for model in cls._our_models()
            for field in cls.env[model]._fields.values()
            if (field._module or "").startswith("client_equipment")
            for group in (field.groups or fields.NO_ACCESS).split(",")
            if group != fields.NO_ACCESS and not group.startswith("client_equipment")
        }
        for group in sorted(groups):
            user.group_ids += cls.env.ref(group)

    @classmethod
    def _make_records_of_apps(cls):
        """Return records of the models that addons which join Odoo's apps have added.

        Such an addon makes them in ``tests/guards.py``: ``make_records(case)``.
        """
        return [
            records
            for make_records in cls._guards_of_apps("make_records")
            for records in make_records(cls)
        ]

    @classmethod
    def _guards_of_apps(cls, name):
        """Return what has this name in ``tests/guards.py`` of the addons that are
        installed."""
        modules = [
            f"odoo.addons.{addon}.tests.guards"
            for addon in sorted(cls.env.registry._init_modules)
            if addon.startswith("client_equipment")
        ]
        modules = map(import_module, filter(find_spec, modules))
        return [vars(module)[name] for module in modules if name in vars(module)]

    @classmethod
    def _in_days(cls, days):
        """Return the date ``days`` from today (before today where negative)."""
        return fields.Date.add(cls.today, days=days)

    def _count_opened(self, task, user):
        """Return how many records the number of a task on the overview opens."""
        action = self.env["ir.actions.act_window"]._for_xml_id(task["action"])
        records = self.env[action["res_model"]].with_user(user)
        domain = safe_eval(action["domain"] or "[]")
        if task["filter"]:
            view = records.get_view(view_type="search")
            path = f"//filter[@name='{task['filter']}']"
            (found,) = etree.fromstring(view["arch"]).xpath(path)
            domain += safe_eval(found.get("domain"))
        return records.search_count(domain)

    @classmethod
    def _enter(cls, *license_keys, software=None, user=None, **values):
        """Enter a key for each license key, as the manager, and return them."""
        return (
            cls.env["client.equipment.software.key"]
            .with_user(user or cls.manager)
            .create(
                [
                    {
                        "license_key": license_key,
                        "software_id": (software or cls.office).id,
                        "company_id": cls.company.id,
                    }
                    | values
                    for license_key in license_keys
                ]
            )
        )

    @classmethod
    def _enter_subscriptions(cls, *license_keys, end=30, **values):
        """Enter antivirus subscriptions that end in ``end`` days and return them."""
        values = {
            "software": cls.antivirus,
            "key_type": "subscription",
            "validity_start": cls._in_days(min(end, 0) - 335),
            "validity_end": cls._in_days(end),
        } | values
        return cls._enter(*license_keys, **values)

    @classmethod
    def _apply(cls, keys, equipment=None, user=None, **values):
        """Apply the keys to the equipment, as the technician; return the features."""
        return (
            cls.env["client.equipment.feature"]
            .with_user(user or cls.technician)
            .create(
                [
                    {
                        "software_key_id": key.id,
                        "equipment_id": (equipment or cls.laptop).id,
                    }
                    | values
                    for key in keys
                ]
            )
        )

    @contextmanager
    def assertRefused(self, exception, message):
        """Expect the error with this text (a pattern); what was done is undone, as a
        request would undo it (``assertRaisesRegex`` would leave it)."""
        with self.assertRaises(exception) as caught:
            yield caught
        self.assertRegex(str(caught.exception), message)

    def _steps(self, key):
        """Return the actions in the audit trail of the key, oldest first."""
        return key.sudo().audit_log_ids.sorted("number").mapped("action")


class SoftwareKeyCommon(SoftwareKeyMixin, TransactionCase):
    """Base of the unit tests."""


class CommittedCase(SoftwareKeyMixin, BaseCase):
    """Base of tests with several real connections, whose data must be committed.

    ``cls.env`` is one of these connections; what the tests leave is deleted at the
    end. Keep such tests few: nothing isolates them from each other.
    """

    @classmethod
    def setUpClass(cls):
        super(SoftwareKeyMixin, cls).setUpClass()
        # Odoo's own runner holds this lock, as HttpCase knows, too: no request would
        # ever get on.
        cls.classPatch(Registry, "_lock", DummyRLock())
        # A busy machine is no colleague who holds a key for too long.
        cls.classPatch(key_life, "LOCK_TIMEOUT", "60s")
        cls.registry = Registry(get_db_name())
        cls.cr = cls.registry.cursor()
        cls.addClassCleanup(cls.cr.close)
        cls.env = api.Environment(cls.cr, api.SUPERUSER_ID, {})
        cls.company = cls.env.company
        cls.today = fields.Date.today()
        cls.technician, cls.manager = cls._new_users(
            {
                "technician": f"{ADDON}.group_software_key_user",
                "manager": f"{ADDON}.group_software_key_manager",
            }
        )
        cls.office = cls.antivirus = cls.env["client.equipment.software"].create(
            {"name": "Concurrent Office"}
        )
        cls.equipment = cls.env["client.equipment"].create(
            [{"name": f"Concurrent Laptop {number}"} for number in range(1, 9)]
        )
        cls.laptop = cls.equipment[0]
        cls.cr.commit()
        cls.addClassCleanup(cls._delete_all)

    @contextmanager
    def _held_until_somebody_waits(self, key):
        """Let somebody else hold the key until the first one waits for it."""
        with ThreadPoolExecutor(1) as pool, self.registry.cursor() as holder:
            holder.execute(
                "SELECT FROM client_equipment_software_key WHERE id = %s"
                " FOR NO KEY UPDATE",
                [key.id],
            )

            def let_go():
                try:
                    self._wait_until_somebody()
                finally:
                    holder.rollback()

            held = pool.submit(let_go)
            yield
            held.result()

    def _wait_until_somebody(self, waits="wait_event_type = 'Lock'"):
        """Wait until another connection waits, for a lock or in another way.

        :param waits: a condition on ``pg_stat_activity``
        """
        query = SQL(
            "SELECT FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND state = 'active' AND %s",
            SQL(waits),
        )
        end = time.monotonic() + 60
        waiting = False
        while not waiting:
            self.assertLess(time.monotonic(), end, "nobody waits")
            time.sleep(0.01)
            with self.registry.cursor() as cr:
                cr.execute(query)
                waiting = cr.rowcount

    @classmethod
    def _delete_all(cls):
        """Delete what was committed: the trails go with their keys."""
        cls.cr.rollback()
        keys = cls.env["client.equipment.software.key"].search(
            [("software_id", "=", cls.office.id)]
        )
        keys.equipment_feature_ids.unlink()
        keys.unlink()
        # What stays of them for ever is in the way of the users, who are deleted, too.
        for table in (
            *("audit_deletion_entry", "audit_deletion", "audit_checkpoint"),
            "software_key_check",
        ):
            cls.cr.execute(f"DELETE FROM client_equipment_{table}")
        cls.office.unlink()
        cls.equipment.unlink()
        users = cls.technician + cls.manager
        partners = users.partner_id
        users.unlink()
        partners.unlink()
        cls.cr.commit()


class CommittedHttpCase(CommittedCase):
    """Base of tests whose people are at the real server, each on a connection of his
    own: retries, locks and answers are those that a client of ``/json/2`` gets."""

    delays = []

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.classPatch(model_service, "time", SimpleNamespace(sleep=cls._pause))
        cls.classPatch(Cursor, "execute", partialmethod(cls._execute, Cursor.execute))
        cls.api_keys = {user: api_key(user) for user in (cls.technician, cls.manager)}
        cls.cr.commit()

    @classmethod
    def _pause(cls, seconds):
        """Note that Odoo lets somebody pause before it tries again."""
        cls.delays.append(seconds)
        time.sleep(seconds)

    @staticmethod
    def _execute(cursor, execute, *args, **kwargs):
        """Note what PostgreSQL takes a second to find: two who wait for each other."""
        try:
            return execute(cursor, *args, **kwargs)
        except psycopg2.errors.DeadlockDetected as error:
            CommittedHttpCase.delays.append(error)
            raise

    def _call(self, user, model, method, **arguments):
        """Call the method as the user; return ``(status, answer)``."""
        server = HTTPConnection("127.0.0.1", HttpCase.http_port(), timeout=60)
        server.request(
            "POST",
            f"/json/2/{model}/{method}",
            json.dumps(arguments),
            {
                "Content-Type": "application/json",
                "Authorization": f"bearer {self.api_keys[user]}",
                "X-Odoo-Database": get_db_name(),
            },
        )
        answer = server.getresponse()
        content = answer.read()
        server.close()
        return answer.status, json.loads(content)

    def _call_at_once(self, *calls):
        """Make the calls at the same moment; return ``(status, answer)`` each.

        What cost anybody time then stands in ``self.delays``: seconds or errors.

        :param calls: ``(user, model, method, arguments)``
        """
        self.delays.clear()
        barrier = threading.Barrier(len(calls))

        def request(call):
            user, model, method, arguments = call
            barrier.wait()
            return self._call(user, model, method, **arguments)

        with ThreadPoolExecutor(len(calls)) as pool:
            outcomes = list(pool.map(request, calls))
        self.env.cr.rollback()  # a fresh look
        self.env.invalidate_all()
        return outcomes
