from odoo.tests import HttpCase, tagged

from .common import SoftwareKeyMixin

KEY = "WHOLE-65PRO-15555-XK7QD-12345"
NEXT = "WHOLE-NEXT0-15555-XK7QD-12346"


class ReadableKeys(SoftwareKeyMixin, HttpCase):
    """A15: the license key is whole, in monospace, and one tap copies it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.office.name = "Tour Office Professional Plus for Large Organisations"
        cls.laptop.name = "Reception Laptop beside the Window on the Ground Floor"
        cls.technician.name = "Maximiliane Technician-Featherstonehaugh"
        cls.next = cls._enter(NEXT)
        cls.key = cls._enter(KEY, owner_id=cls.customer.id)

    def _see_tab(self, tour):
        self.start_tour(
            f"/odoo/client-equipment/{self.laptop.id}", tour, login="sk_technician"
        )
        self.assertEqual(self.key.equipment_id, self.laptop)


@tagged("post_install", "-at_install")
class TestReadableKeys(ReadableKeys):
    browser_size = "1280x900"

    def test_tab(self):
        """A15: the tab and Apply Next Available."""
        self._see_tab("license_key_tab")

    def test_lists(self):
        """A15, A11, L2: no list cuts a license key, a person or an equipment, nor does
        a click that copies open the row. (tools/tests measure each view, each width.)
        """
        self._apply(self.key)
        self.start_tour("/odoo", "license_key_lists", login="sk_auditor")

    def test_typed_dates(self):
        """K5: what a typed date shows is what is stored, every time."""
        key = self._enter_subscriptions("TYPED-1")
        self.start_tour(
            f"/odoo/software-keys/{key.id}", "typed_dates", login="sk_manager"
        )
        self.assertEqual(key.validity_end, self._in_days(40))

    def test_remove_new_line(self):
        """A7: the trash icon on a new line, once the tab has been read-only."""
        self.laptop.state = "returned"
        self.start_tour(
            f"/odoo/client-equipment/{self.laptop.id}",
            "remove_new_line",
            login="sk_technician",
        )


@tagged("post_install", "-at_install")
class TestReadableKeysBesideChatter(ReadableKeys):
    """Where the chatter stands beside the form, the tab is narrowest."""

    browser_size = "1440x900"

    def test_tab(self):
        """A15: the tab and Apply Next Available."""
        self._see_tab("license_key_tab")


@tagged("post_install", "-at_install")
class TestReadableKeysOnPhone(ReadableKeys):
    browser_size = "390x844"
    touch_enabled = True

    def test_tab(self):
        """A15, K13: Add, choose what was bought for the customer, Apply."""
        self._see_tab("license_key_tab_phone")

    def test_left(self):
        """A15: Apply applies, leaving the page does not."""
        self.start_tour(
            f"/odoo/client-equipment/{self.laptop.id}",
            "license_key_left_phone",
            login="sk_technician",
        )
        self.assertEqual(self._steps(self.key), ["created"])

    def test_asked(self):
        """A7, A9: Remove and Return / Replace."""
        self._apply(self.key)
        self._see_tab("license_key_asked_phone")

    def test_form(self):
        """A15: the key's form, and Renew."""
        key = self._enter_subscriptions("WHOLE-RENEW-15555-XK7QD-12347")
        self.start_tour(
            f"/odoo/software-keys/{key.id}",
            "license_key_form_phone",
            login="sk_manager",
        )

    def test_many(self):
        """K11: Enter Many Keys."""
        action = "client_equipment_software_key_bulk_entry_action"
        self.start_tour(
            f"/odoo/action-client_equipment_software_key.{action}",
            "license_key_many_phone",
            login="sk_manager",
        )
