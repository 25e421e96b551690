from unittest.mock import patch

from odoo.tests import HttpCase, tagged
from odoo.tests.common import ChromeBrowser

from .common import SoftwareKeyMixin

CODES = {"Tab": 9, "Enter": 13, "Escape": 27, "ArrowRight": 39}
TEXTS = {"Enter": "\r"}


class KeyboardBrowser(ChromeBrowser):
    """A browser whose page can press the keys of its keyboard: ``pressKey("Tab")``.

    What a key does is then the browser's doing: what Tab comes to, what Enter clicks.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._handlers["Runtime.bindingCalled"] = self._press
        self._websocket_request("Runtime.addBinding", params={"name": "pressKey"})

    def _press(self, payload, **_kwargs):
        *alt, key = payload.split("+")
        code = CODES.get(key) or ord(key.upper())
        event = {
            "key": key,
            "windowsVirtualKeyCode": code,
            "modifiers": 1 if alt else 0,
        }
        if len(key) == 1 and key.isalpha():
            event["code"] = f"Key{key.upper()}"
        text = {} if alt else {"text": TEXTS.get(key, key if len(key) == 1 else "")}
        for kind, more in (("keyDown", text), ("keyUp", {})):
            self._websocket_send(
                "Input.dispatchKeyEvent", params={"type": kind} | event | more
            )


@tagged("post_install", "-at_install")
class TestKeyboard(SoftwareKeyMixin, HttpCase):
    """A15: whoever has no mouse does each of these by Tab, Enter, Escape and typing."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        browser = patch("odoo.tests.common.ChromeBrowser", KeyboardBrowser)
        browser.start()
        cls.addClassCleanup(browser.stop)

    def _on(self, record, tour, login):
        path = {
            "client.equipment": "client-equipment",
            "client.equipment.software.key": "software-keys",
        }[record._name]
        self.start_tour(f"/odoo/{path}/{record.id}", tour, login=login)

    def test_apply_next(self):
        """A12: Apply Next Available."""
        key = self._enter("KEYS-1")
        self._on(self.laptop, "keyboard_apply_next", "sk_technician")
        self.assertEqual(key.equipment_id, self.laptop)

    def test_apply_line(self):
        """A1: Add a line, choose, remarks, save."""
        key = self._enter("KEYS-1")
        self._on(self.laptop, "keyboard_apply_line", "sk_technician")
        self.assertEqual(key.equipment_feature_ids.remarks, "by hand")

    def test_remove(self):
        """A7: remove."""
        key = self._enter("KEYS-1")
        self._apply(key)
        self._on(self.laptop, "keyboard_remove", "sk_technician")
        self.assertFalse(key.equipment_id)

    def test_return(self):
        """A9: Return / Replace."""
        key = self._enter("KEYS-1")
        self._apply(key)
        self._on(self.laptop, "keyboard_return", "sk_technician")
        self.assertEqual(self.laptop.state, "returned")
        self.assertFalse(key.equipment_id)

    def test_renew(self):
        """K5: Renew, with a typed date."""
        key = self._enter_subscriptions("KEYS-1")
        self._on(key, "keyboard_renew", "sk_manager")
        self.assertEqual(key.validity_end, self._in_days(400))

    def test_replace(self):
        """K6: Replace."""
        key = self._enter("KEYS-1")
        self._on(key, "keyboard_replace", "sk_manager")
        self.assertEqual(key.replaced_by_id.license_key, "KEYS-NEW")

    def test_revoke(self):
        """K6: Revoke."""
        key = self._enter("KEYS-1")
        self._on(key, "keyboard_revoke", "sk_manager")
        self.assertEqual(key.status, "revoked")

    def test_verify(self):
        """L5: Verify."""
        self._on(self._enter("KEYS-1"), "keyboard_verify", "sk_auditor")

    def test_enter_many(self):
        """K11: Enter Many Keys."""
        self._enter("KEYS-1")
        self.start_tour(
            "/odoo/software-keys", "keyboard_enter_many", login="sk_manager"
        )
        self.assertEqual(
            self.env["client.equipment.software.key"].search_count(
                [("license_key", "in", ("MANY-1", "MANY-2"))]
            ),
            2,
        )
