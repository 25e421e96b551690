from odoo.tests import tagged

from .common import DeliveryCommon


@tagged("post_install", "-at_install")
class TestReturn(DeliveryCommon):
    """G1: units that come back leave service, and go out again."""

    def test_return(self):
        """G1: what comes back is returned; whose it was stays known."""
        lots = self._stock("RE-1", "RE-2")
        self._return(self._deliver(lots))
        units = self._units(lots)
        self.assertEqual(set(units.mapped("state")), {"returned"})
        self.assertEqual(units.partner_id, self.customer)

    def test_delivered_anew(self):
        """G1: the same equipment goes to another customer, with a new warranty."""
        lots = self._stock("RE-3")
        receipt = self._return(self._deliver(lots))
        equipment = self._units(lots)
        picking = self._deliver(lots, self.other_customer)
        self.assertRecordValues(
            self._units(lots),
            [
                {
                    "id": equipment.id,
                    "partner_id": self.other_customer.id,
                    "state": "in_service",
                    "picking_id": picking.id,
                }
            ],
        )
        self.assertEqual(receipt.sudo()._get_client_equipment(), equipment)

    def test_unknown_unit(self):
        """G1: what comes back and was never entered stays out of the register."""
        lots = self._stock("RE-4")
        picking = self._deliver(lots)
        self._units(lots).unlink()
        self._return(picking)
        self.assertFalse(self._units(lots))

    def test_retired_meanwhile(self):
        """G1: a unit that somebody has retired before it came back stays retired."""
        lots = self._stock("RE-5")
        picking = self._deliver(lots)
        self._units(lots).state = "retired"
        self._return(picking)
        self.assertEqual(self._units(lots).state, "retired")
