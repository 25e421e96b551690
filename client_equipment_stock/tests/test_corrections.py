from odoo.tests import tagged

from .common import DeliveryCommon


@tagged("post_install", "-at_install")
class TestCorrections(DeliveryCommon):
    """G1: a transfer that is corrected after the fact corrects the register."""

    def test_misread_serial(self):
        """G1: the number of the delivery was wrong: it is the other unit."""
        wrong, right = lots = self._stock("MI-1", "MI-2")
        picking = self._deliver(wrong)
        equipment = self._units(wrong)
        equipment.location = "Reception"
        picking.move_line_ids.lot_id = right
        self.assertEqual(self._units(lots), equipment)
        self.assertRecordValues(
            equipment,
            [{"serial_no": "MI-2", "lot_id": right.id, "location": "Reception"}],
        )

    def test_other_unit_was_known(self):
        """G1: the wrong one had been elsewhere before: it is returned again, and the
        right one enters."""
        wrong, right = self._stock("MI-3", "MI-4")
        self._return(self._deliver(wrong))
        self.env.cr.execute(
            "UPDATE client_equipment SET create_date = create_date - interval '1 day'"
        )
        self.env.invalidate_all()
        picking = self._deliver(wrong, self.other_customer)
        picking.move_line_ids.lot_id = right
        self.assertEqual(self._units(wrong).state, "returned")
        self.assertRecordValues(
            self._units(right),
            [{"partner_id": self.other_customer.id, "picking_id": picking.id}],
        )

    def test_nothing_was_delivered(self):
        """G1: a quantity that is set to 0 was none; set to 1 again, it was."""
        lots = self._stock("MI-5")
        picking = self._deliver(lots)
        picking.move_line_ids.quantity = 0
        self.assertEqual(self._units(lots).state, "returned")
        picking.move_line_ids.quantity = 1
        self.assertEqual(self._units(lots).state, "in_service")

    def test_wrong_return(self):
        """G1: another unit than the receipt said has come back."""
        lots = first, second = self._stock("MI-6", "MI-7")
        self._deliver(lots)
        receipt = self._return(self.env["stock.picking"].search([], limit=1))
        self.assertEqual(set(self._units(lots).mapped("state")), {"returned"})
        line = receipt.move_line_ids.filtered(lambda line: line.lot_id == second)
        line.quantity = 0
        self.assertEqual(self._units(first).state, "returned")
        self.assertEqual(self._units(second).state, "in_service")

    def test_line_is_added(self):
        """G1: a unit that is added to a done delivery enters, too."""
        lots = first, second = self._stock("MI-8", "MI-9")
        picking = self._deliver(first)
        line = picking.move_line_ids
        line.copy({"lot_id": second.id, "move_id": line.move_id.id, "quantity": 1})
        self.assertEqual(self._units(lots).lot_id, lots)

    def test_renamed_serial(self):
        """G1: a serial number that is corrected in the inventory is in the register."""
        lots = self._stock("mi-10", "mi-11")
        self._deliver(lots)
        first, second = self._units(lots)
        second.serial_no = "Read off the unit"
        lots[0].with_user(self.warehouse_user).name = "MI-010"
        lots[1].with_user(self.warehouse_user).name = "MI-011"
        self.assertEqual(first.serial_no, "MI-010")
        self.assertEqual(second.serial_no, "Read off the unit")
