from datetime import timedelta

from freezegun import freeze_time
from lxml import etree

from odoo import fields
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger
from odoo.tools.safe_eval import safe_eval

from .common import ADDON, SoftwareKeyMixin


@tagged("post_install", "-at_install")
class TestFirstScreen(SoftwareKeyMixin, HttpCase):
    """What each role's first screen opens with, and how one looks beyond it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with freeze_time(fields.Datetime.now() - timedelta(days=40)):
            cls.old = cls._enter("FIRST-OLD")
        cls.stock, cls.used, cls.late, cls.gone = cls.keys = cls._enter_subscriptions(
            "FIRST-STOCK", "FIRST-USED", "FIRST-LATE", "FIRST-GONE"
        )
        cls._apply(cls.used + cls.late)
        cls.late.validity_end = cls._in_days(-1)
        cls.gone.revoke()

    def _open(self, action, user):
        """Return what the user's default filters leave of the action's records."""
        env = self.env(user=user)
        action = env["ir.actions.act_window"]._for_xml_id(f"{ADDON}.{action}")
        model = env[action["res_model"]]
        search = etree.fromstring(model.get_view(view_type="search")["arch"])
        defaults = safe_eval(action["context"])
        records = model.search([("display_name", "ilike", "FIRST-")])
        for node in search.iter("filter"):
            if defaults.get(f"search_default_{node.get('name')}"):
                domain = safe_eval(node.get("domain"))
                records = records.filtered_domain(domain)
        return records

    def test_software_keys(self):
        """Managers open Software Keys with what is in stock or in use, technicians with
        what they can install, auditors with all of it."""
        action = "client_equipment_software_key_action"
        for user, keys in (
            (self.manager, self.old + self.stock + self.used + self.late),
            (self.technician, self.old + self.stock),
            (self.auditor, self.old + self.keys),
        ):
            self.assertEqual(self._open(action, user), keys.sorted("id", reverse=True))

    @mute_logger("odoo.sql_db")  # Odoo notes the user's first settings meanwhile
    def test_everybody_logs_in(self):
        """E1: this app's first screen does not keep anybody from logging in by a
        program, portal users either."""
        for user in (self.technician, self.auditor, self.internal, self.portal):
            with self.subTest(user.login):
                self.authenticate(user.login, user.login)
                answer = self.url_open(
                    "/web/session/get_session_info", json={"params": {}}
                ).json()
                self.assertEqual(answer["result"]["uid"], user.id)

    def test_manager(self):
        self.start_tour(
            "/odoo/software-keys", "first_screen_manager", login="sk_manager"
        )

    def test_technician(self):
        self.start_tour(
            "/odoo/software-keys", "first_screen_technician", login="sk_technician"
        )

    def test_auditor(self):
        """Auditors open Audit Logs with the last 30 days, newest first."""
        self.start_tour(
            "/odoo/software-key-audit-logs", "first_screen_auditor", login="sk_auditor"
        )

    def test_search_panel(self):
        """The panel beside the list: status and feature, and whole license keys."""
        self._enter("PANEL-OFFICE-XK7QD-12345-67890")
        late = self._enter_subscriptions("PANEL-LATE-8MWRT-5910-12345")
        late.validity_end = self._in_days(-1)
        self.start_tour(
            "/odoo/software-keys", "software_key_search_panel", login="sk_manager"
        )


@tagged("post_install", "-at_install")
class TestFirstScreenOnPhone(SoftwareKeyMixin, HttpCase):
    browser_size = "390x844"
    touch_enabled = True

    def test_technician(self):
        """On a phone, whose search bar is folded, nothing is filtered unseen; the panel
        lies on top."""
        applied = self._enter("FIRST-USED")
        self._enter("FIRST-STOCK")
        self._apply(applied)
        self.start_tour(
            "/odoo/software-keys", "first_screen_phone", login="sk_technician"
        )
