from odoo.tests import HttpCase, tagged

from .common import SoftwareKeyMixin


@tagged("post_install", "-at_install")
class TestEquipmentDialogs(SoftwareKeyMixin, HttpCase):
    """The dialogs of the equipment form, as the technician uses them."""

    def test_apply_next_available(self):
        """A12: choosing the software is enough."""
        self._enter_subscriptions("NEXT-LATE", end=90)
        soon = self._enter_subscriptions("NEXT-SOON", end=10)
        self.start_tour(
            "/odoo/client-equipment", "apply_next_available", login="sk_technician"
        )
        self.assertEqual(soon.equipment_id, self.laptop)
        self.assertEqual(soon.equipment_feature_ids.applied_by_id, self.technician)

    def test_return(self):
        """A9: the status Returned leads to the dialog; the key moves to the
        replacement, and the equipment is returned."""
        key = self._enter("RETURN-1")
        self._apply(key)
        self.start_tour(
            "/odoo/client-equipment", "return_equipment", login="sk_technician"
        )
        self.assertEqual(key.equipment_id, self.spare_laptop)
        self.assertEqual(self.laptop.state, "returned")


@tagged("post_install", "-at_install")
class TestEquipmentDialogsOnPhone(SoftwareKeyMixin, HttpCase):
    browser_size = "390x844"
    touch_enabled = True

    def test_apply_next_available(self):
        """A12: on a phone, too, choosing the software is enough."""
        self._enter_subscriptions("NEXT-LATE", end=90)
        soon = self._enter_subscriptions("NEXT-SOON", end=10)
        self.start_tour(
            f"/odoo/client-equipment/{self.laptop.id}",
            "apply_next_available_phone",
            login="sk_technician",
        )
        self.assertEqual(soon.equipment_id, self.laptop)
