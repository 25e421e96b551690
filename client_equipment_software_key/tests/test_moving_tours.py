from odoo.tests import HttpCase, tagged

from .common import SoftwareKeyMixin


@tagged("post_install", "-at_install")
class TestMovingTours(SoftwareKeyMixin, HttpCase):
    """The rules for moving and *Apply Software*, as people meet them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.third_laptop = cls.spare_laptop.copy(
            {"name": "Third Laptop", "serial_no": "LAPTOP-3"}
        )

    def _keep(self):
        """Return a key that stays with the laptop."""
        self.office.reassignment = "bound"
        key = self._enter("OEM-1")
        self._apply(key).unlink()
        return key

    def test_apply_software(self):
        """A13: three units, one has the software, one key is missing: it is said, and
        nothing can be applied until it is enough."""
        self._apply(self._enter("THERE-1"), self.spare_laptop)
        key = self._enter("ONE-1")
        self.start_tour(
            "/odoo/client-equipment", "apply_software_missing", login="sk_technician"
        )
        self.assertEqual(key.equipment_id, self.laptop)
        self.assertFalse(self.third_laptop.equipment_feature_ids)

    def test_technician_is_told(self):
        """A14: the drop-down says why a key is not offered."""
        self._keep()
        self.start_tour(
            f"/odoo/client-equipment/{self.spare_laptop.id}",
            "moving_rule_refused",
            login="sk_technician",
        )

    def test_manager_overrides(self):
        """A14: a manager applies a key against its rule, with a reason."""
        key = self._keep()
        self.start_tour(
            f"/odoo/software-keys/{key.id}",
            "moving_rule_overridden",
            login="sk_manager",
        )
        self.assertEqual(key.equipment_id, self.spare_laptop)

    def test_replacing_leaves_it_behind(self):
        """A14, A9: the dialog says which keys stay behind."""
        key = self._keep()
        self._apply(key)
        self.start_tour(
            f"/odoo/client-equipment/{self.laptop.id}",
            "moving_rule_replaced",
            login="sk_technician",
        )
        self.assertEqual((key.status, key.seats_kept), ("available", 1))
