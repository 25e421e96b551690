from odoo.tests import HttpCase, tagged

from .common import SoftwareKeyMixin


@tagged("post_install", "-at_install")
class TestTold(SoftwareKeyMixin, HttpCase):
    """After an act the screen says what happened, and Undo takes it back."""

    def test_apply_and_remove(self):
        """A12, A7: Undo is the ordinary step back, and stands in the trail as such."""
        first, second = self._enter("TOLD-1", "TOLD-2")
        self._apply(second, remarks="At the desk", applied_date=self._in_days(-3))
        self.start_tour(
            f"/odoo/client-equipment/{self.laptop.id}",
            "told_apply_and_remove",
            login="sk_technician",
        )
        self.assertEqual(self._steps(first), ["created", "applied", "revoked"])
        self.assertEqual(
            self._steps(second), ["created", "applied", "revoked", "applied"]
        )
        self.assertRecordValues(
            second.equipment_feature_ids,
            [{"applied_date": self._in_days(-3), "remarks": "At the desk"}],
        )

    def test_revoke(self):
        """Section 4: a revoked key is reinstated by Undo."""
        key = self._enter("TOLD-1")
        self.start_tour(
            f"/odoo/software-keys/{key.id}", "told_revoke", login="sk_manager"
        )
        self.assertEqual(self._steps(key), ["created", "revoked", "reinstated"])
