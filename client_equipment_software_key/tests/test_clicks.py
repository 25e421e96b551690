from odoo.tests import HttpCase, tagged

from .common import SoftwareKeyMixin


class FewClicks(SoftwareKeyMixin, HttpCase):
    """A15: few clicks lead from the start of the web client to a copied key."""

    def _count(self, tour):
        key = self._enter("CLICKS-1")
        self.start_tour("/odoo", tour, login="sk_technician")
        self.assertEqual(key.equipment_id, self.laptop)


@tagged("post_install", "-at_install")
class TestFewClicks(FewClicks):
    def test_next(self):
        """A12: 4 clicks, and the software typed."""
        self._count("clicks_desktop_next")

    def test_choose(self):
        """A1: 5 clicks, and a part of the key typed."""
        self._count("clicks_desktop_choose")


@tagged("post_install", "-at_install")
class TestFewTaps(FewClicks):
    browser_size = "390x844"
    touch_enabled = True

    def test_next(self):
        """A12: 5 taps."""
        self._count("clicks_phone_next")

    def test_choose(self):
        """A1: 6 taps."""
        self._count("clicks_phone_choose")
