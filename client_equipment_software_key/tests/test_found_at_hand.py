from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import SoftwareKeyCommon


@tagged("post_install", "-at_install")
class TestFoundAtHand(SoftwareKeyCommon):
    """What people look for beside the way of the guide."""

    def _why_not(self, name):
        SoftwareKey = self.env["client.equipment.software.key"]
        return SoftwareKey.with_user(self.technician).tell_why_not_offered(name)

    def test_why_not_offered(self):
        """A2: a drop-down that does not offer a key says where it is."""
        applied, revoked, free = self._enter("WHY-APPLIED", "WHY-REVOKED", "WHY-FREE")
        expired = self._enter_subscriptions("WHY-EXPIRED", end=1)
        expired.validity_end = self._in_days(-1)
        self._apply(applied)
        revoked.revoke()
        free.owner_id = self.other_customer
        for key, words in (
            (applied, "Applied to Reception Laptop [LAPTOP-12345]"),
            (expired, f"Expired on {self._in_days(-1):%m/%d/%Y}"),
            (revoked, "Revoked"),
            (free, "Bought for Tour Harbour Works"),
        ):
            self.assertEqual(
                self._why_not(key.license_key), f"{key.display_name}: {words}"
            )
        self.assertEqual(self._why_not("WHY-NOTHING"), "")

    def test_why_not_offered_in_other_company(self):
        """E1: nobody learns of another company's keys."""
        key = self._enter("WHY-APPLIED")
        key.sudo().company_id = self.other_company
        self.assertEqual(self._why_not("WHY-APPLIED"), "")

    def test_history(self):
        """L6: the history of a unit, a key, a customer is one click away."""
        key, other = self._enter("HISTORY-1", "HISTORY-2")
        self._apply(key)
        self._apply(other, equipment=self.spare_laptop)
        History = self.env["client.equipment.usage.history"].with_user(self.technician)
        for action, keys in (
            (self.laptop.action_view_history(), key),
            (other.action_view_history(), other),
            (self.customer.action_view_software_key_history(), key + other),
        ):
            self.assertEqual(action["res_model"], History._name)
            self.assertEqual(History.search(action["domain"]).software_key_id, keys)

    def test_qr_code(self):
        """A15: a picture of the license key, for who may read it."""
        key = self._enter("QR-1")
        picture = key.with_user(self.technician).get_qr_code()
        self.assertRegex(picture, "^data:image/png;base64,iVBOR")
        with self.assertRaises(AccessError):
            key.with_user(self.internal).get_qr_code()

    def test_offered_order(self):
        """K13, A12: what is listed to choose from is in the drop-down's order."""
        late = self._enter_subscriptions("ORDER-LATE", end=90)
        soon = self._enter_subscriptions("ORDER-SOON", end=10)
        owned = self._enter_subscriptions("ORDER-OWNED", end=50)
        owned.owner_id = self.customer
        SoftwareKey = self.env["client.equipment.software.key"]
        page = SoftwareKey.with_user(self.technician).with_context(
            software_key_owned_first=True
        )
        domain = [("license_key", "ilike", "ORDER-")]
        found = page.web_search_read(domain, {"license_key": {}}, limit=2)
        self.assertEqual(found["length"], 3)
        self.assertEqual(
            [record["id"] for record in found["records"]], (owned + soon).ids
        )
        rest = page.web_search_read(domain, {"license_key": {}}, offset=2, limit=2)
        self.assertEqual([record["id"] for record in rest["records"]], late.ids)

    def test_replacement_offered(self):
        """A9: units of the same customer are offered first, with the customer."""
        Equipment = self.env["client.equipment"].with_user(self.technician)
        other = self.laptop.copy(
            {"name": "Another Laptop", "partner_id": self.other_customer.id}
        )
        offers = Equipment.with_context(replacement_of=self.laptop.id)
        domain = [("id", "in", (self.spare_laptop + other).ids)]
        self.assertEqual(
            [unit_id for unit_id, _name in offers.name_search("", domain)],
            (self.spare_laptop + other).ids,
        )
        self.assertEqual(
            [unit_id for unit_id, _name in offers.name_search("", domain, limit=1)],
            self.spare_laptop.ids,
        )
        named = offers.with_context(formatted_display_name=True).browse(other.id)
        self.assertEqual(named.display_name, "Another Laptop\t--Tour Harbour Works--")
