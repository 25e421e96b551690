from odoo.tests import HttpCase, tagged

from .common import SoftwareKeyCommon, SoftwareKeyMixin


@tagged("post_install", "-at_install")
class TestDashboard(SoftwareKeyCommon):
    """What managers look at: counts on cards and buttons, and the lists behind."""

    def _behind(self, action, user=None):
        """Return the keys that the action's list shows, its default filters on."""
        filters = {
            "available": [("status", "=", "available")],
            "applied": [("status", "=", "applied")],
            "expired": [("status", "=", "expired")],
            "expiring_soon": [("expires_soon", "=", True)],
        }
        domain = list(action["domain"])
        for name in action["context"]:
            if name.startswith("search_default_"):
                domain += filters[name.removeprefix("search_default_")]
        return (
            self.env["client.equipment.software.key"]
            .with_user(user or self.manager)
            .search(domain)
        )

    def test_cards(self):
        """Each number on the card of a software opens just the keys it counts."""
        self._enter_subscriptions("SOON-1", "SOON-2", end=20)
        self._enter_subscriptions("LATE-1", end=200)
        self._apply(self._enter_subscriptions("APPLIED-1", end=25))
        self._enter_subscriptions("EXPIRED-1", end=-3)
        software = self.antivirus.with_user(self.manager)
        for status, field, count in (
            ("available", "available_count", 3),
            ("applied", "applied_count", 1),
            ("expired", "expired_count", 1),
            ("expiring_soon", "expiring_count", 3),
        ):
            with self.subTest(status=status):
                self.assertEqual(software[field], count)
                action = software.with_context(
                    software_key_search_status=status
                ).action_view_software_keys()
                self.assertEqual(len(self._behind(action)), count)

    def test_bar(self):
        """The bar of a card has each key once: what expires soon is in its own part."""
        self._enter_subscriptions("SOON-1", "SOON-2", end=20)
        self._enter_subscriptions("LATE-1", end=200)
        self._apply(self._enter_subscriptions("APPLIED-1", "APPLIED-2", end=200))
        self._apply(self._enter_subscriptions("APPLIED-3", end=25))
        self._enter_subscriptions("EXPIRED-1", end=-3)
        self.assertRecordValues(
            self.antivirus.with_user(self.manager),
            [
                {
                    "lasting_available_count": 1,
                    "lasting_applied_count": 2,
                    "expiring_count": 3,
                    "expired_count": 1,
                    "software_key_count": 7,
                }
            ],
        )

    def test_expiring_follows_the_lead_time(self):
        """S5: what expires soon is the company's lead time, also in searches."""
        key = self._enter_subscriptions("LEAD-1", end=40)
        Key = self.env["client.equipment.software.key"].with_user(self.manager)
        domain = [("id", "=", key.id), ("expires_soon", "=", True)]
        self.assertFalse(Key.search(domain))
        self.company.software_key_lead_days = 40
        self.assertEqual(Key.search(domain), key)
        self.assertTrue(key.expires_soon)

    def test_customer_button(self):
        """The customer's button counts and opens the keys on its equipment, those of
        its contacts included; the contact's counts its own."""
        contact = self.env["res.partner"].create(
            {"name": "Reception", "parent_id": self.customer.id}
        )
        self.spare_laptop.partner_id = contact
        self._apply(self._enter("C-1", "C-2"))
        self._apply(self._enter("C-3"), self.spare_laptop)
        for partner, count in ((self.customer, 3), (contact, 1)):
            partner = partner.with_user(self.technician)
            self.assertEqual(partner.software_key_count, count)
            action = partner.action_view_software_keys()
            self.assertEqual(len(self._behind(action, self.technician)), count)
        self.assertFalse(self.other_customer.software_key_count)


@tagged("post_install", "-at_install")
class TestDashboardTours(SoftwareKeyMixin, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._enter_subscriptions("SOON-1", "SOON-2", end=0)
        cls._enter_subscriptions("LATE-1", end=200)
        cls._apply(cls._enter_subscriptions("APPLIED-1", end=25))
        cls._enter_subscriptions("EXPIRED-1", end=-3)

    def test_numbers(self):
        """A11: each number on a card of software opens the list of just these keys; the
        renewals ahead as graph, calendar, pivot and list; pivot and graph of the keys
        by feature and status, and of the deployments by technician and month."""
        self.start_tour("/odoo/client-software", "numbers", login="sk_manager")

    def test_repair_selected(self):
        """S7: a manager repairs all that needs attention from the list."""
        keys = self._enter("WRONG-1", "WRONG-2")
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE client_equipment_software_key SET status = 'applied'"
            " WHERE id = ANY(%s)",
            [keys.ids],
        )
        self.env.invalidate_all()
        self.start_tour("/odoo/software-keys", "repair_selected", login="sk_manager")
        for key in keys:
            self.assertEqual(self._steps(key), ["created", "reinstated"])
