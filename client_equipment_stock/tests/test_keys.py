from unittest import SkipTest

from odoo.tests import Form, HttpCase, tagged

from .common import STOCK_USER, DeliveryCommon, DeliveryMixin

PRODUCT = "client_equipment_software_key"


class KeyMixin:
    """Software keys on what is delivered, where the addon for them is installed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if "client.equipment.software.key" not in cls.env:
            raise SkipTest(f"{PRODUCT} is not installed")
        cls.technician = cls._new_user("keys", f"{PRODUCT}.group_software_key_user")
        cls.office = cls.env["client.equipment.software"].create(
            {"name": "Tour Office Professional"}
        )
        cls.key, cls.owned_key = cls.env["client.equipment.software.key"].create(
            [
                {
                    "license_key": license_key,
                    "software_id": cls.office.id,
                    "company_id": cls.company.id,
                    "owner_id": owner.id,
                }
                for license_key, owner in (
                    ("OFFICE-1", cls.customer.browse()),
                    ("OFFICE-2", cls.customer),
                )
            ]
        )

    def _apply(self, key, equipment):
        """Apply the key to the equipment, as the technician."""
        return (
            self.env["client.equipment.feature"]
            .with_user(self.technician)
            .create({"software_key_id": key.id, "equipment_id": equipment.id})
        )

    def _asked(self, equipment):
        """Return the activity that asks for Return / Replace."""
        return equipment.activity_search(
            ["client_equipment_stock.mail_activity_type_return"]
        )


@tagged("post_install", "-at_install")
class TestKeys(KeyMixin, DeliveryCommon):
    """G1: what is delivered and comes back may carry software keys."""

    def setUp(self):
        super().setUp()
        self.lots = self._stock("KE-1")
        self.delivery = self._deliver(self.lots)
        self.equipment = self._units(self.lots)

    def test_return_with_keys(self):
        """G1: keys on what has come back stay until Return / Replace, of which the
        responsible is reminded; then the reminder is done."""
        self._apply(self.key, self.equipment)
        self.equipment.user_id = self.technician
        self._return(self.delivery)
        self.assertEqual(self.equipment.state, "in_service")
        self.assertEqual(self.key.status, "applied")
        activity = self._asked(self.equipment)
        self.assertEqual(activity.user_id, self.technician)
        self.assertEqual(activity.summary, "Return / Replace")
        self.assertNotIn("OFFICE", activity.note)
        dialog = self.equipment.with_user(self.technician).action_return_or_replace()
        returning = Form(
            self.env[dialog["res_model"]]
            .with_user(self.technician)
            .with_context(**dialog["context"])
        ).save()
        returning.action_confirm()
        self.assertEqual(self.equipment.state, "returned")
        self.assertEqual(self.key.status, "available")
        self.assertFalse(self._asked(self.equipment))

    def test_nobody_is_responsible(self):
        """G1: else whoever has applied a key is reminded."""
        self._apply(self.key, self.equipment)
        self._return(self.delivery)
        self.assertEqual(self._asked(self.equipment).user_id, self.technician)

    def test_delivered_anew_with_keys(self):
        """G1, K13: keys that are still on it never go to another customer unasked, nor
        keep the warehouse from working."""
        for key in self.key + self.owned_key:
            with self.subTest(key=key.license_key):
                feature = self._apply(key, self.equipment)
                self._return(self.delivery)
                delivery = self._deliver(self.lots, self.other_customer)
                self.assertEqual(delivery.state, "done")
                self.assertEqual(self.equipment.partner_id, self.customer)
                activity = self._asked(self.equipment)
                self.assertIn(self.other_customer.name, activity.note)
                feature.unlink()
                self._return(delivery)
                self.delivery = self._deliver(self.lots)

    def test_shared_with_keys(self):
        """E1: what all companies read of a shared unit names nobody's customer."""
        shared = self.env["client.equipment"].create(
            {
                "name": "Shared",
                "serial_no": "KE-3",
                "company_id": False,
                "product_id": self.laptop.id,
            }
        )
        self.key.company_id = False
        self._apply(self.key, shared)
        self._deliver(self._stock("KE-3"))
        self.assertFalse(shared.company_id)
        self.assertIn("another customer", self._asked(shared).note)

    def test_correction_with_keys(self):
        """G1: the keys stay on the unit, whose number alone was misread."""
        feature = self._apply(self.key, self.equipment)
        right = self._stock("KE-2")
        self.delivery.move_line_ids.lot_id = right
        self.assertEqual(self.equipment.lot_id, right)
        self.assertEqual(feature.equipment_id, self.equipment)
        self.assertFalse(self._asked(self.equipment))

    def test_wrong_return_with_keys(self):
        """G1: nobody is reminded any more of what has not come back."""
        self._apply(self.key, self.equipment)
        receipt = self._return(self.delivery)
        receipt.move_line_ids.quantity = 0
        self.assertFalse(self._asked(self.equipment))
        self.assertEqual(self.equipment.state, "in_service")


@tagged("post_install", "-at_install")
class TestTour(KeyMixin, DeliveryMixin, HttpCase):
    def test_delivery(self):
        """G1: deliver, open the new equipment from the delivery, install a key."""
        lots = self._stock("AL-TOUR")
        # Where Odoo's delivery costs are, too, it takes that to see a transfer.
        contacts = "base.group_partner_manager"
        groups = f"{STOCK_USER},{PRODUCT}.group_software_key_user,{contacts}"
        user = self._new_user("both", groups)
        picking = self._prepare(lots, self.branch, user=user)
        self.start_tour(
            f"/odoo/action-stock.action_picking_tree_all/{picking.id}",
            "client_equipment_stock_delivery",
            login="st_both",
        )
        self.assertEqual(self.key.equipment_id, self._units(lots))
        self.assertEqual(self.key.equipment_id.partner_id, self.branch)
