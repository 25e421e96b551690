from psycopg2.errors import CheckViolation

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import DeliveryCommon


@tagged("post_install", "-at_install")
class TestDelivery(DeliveryCommon):
    """G1: units that are delivered to a customer enter the register."""

    def test_delivery(self):
        """G1: a unit becomes equipment with all that the delivery knows of it."""
        lots = self._stock("AL-0001", "AL-0002")
        picking = self._deliver(lots, self.branch)
        today = fields.Date.context_today(picking)
        self.assertRecordValues(
            self._units(lots),
            [
                {
                    "name": "Aurora Laptop 14",
                    "serial_no": lot.name,
                    "partner_id": self.branch.id,
                    "company_id": self.company.id,
                    "manufacturer": "Aurora",
                    "model": "AL-14",
                    "product_id": self.laptop.id,
                    "lot_id": lot.id,
                    "picking_id": picking.id,
                    "delivery_date": today,
                    "warranty_end": fields.Date.add(today, months=24),
                    "state": "in_service",
                    "user_id": False,
                }
                for lot in lots
            ],
        )

    def test_what_is_no_equipment(self):
        """G1: what is not marked, or has no serial number of its own, is none."""
        unmarked = self._new_product("Mouse", is_client_equipment=False)
        by_lot = self._new_product("Cable", tracking="lot")
        lots = self._stock("M-1", product=unmarked) + self._stock("C-1", product=by_lot)
        self._deliver(lots)
        self.assertFalse(self._units(lots))

    def test_nothing_is_known(self):
        """G1: without model, reference and warranty of the product, they stay empty."""
        plain = self._new_product(
            "Plain Laptop",
            client_equipment_manufacturer=False,
            client_equipment_warranty_months=0,
        )
        lots = self._stock("PL-1", product=plain)
        self._deliver(lots)
        self.assertRecordValues(
            self._units(lots),
            [{"manufacturer": False, "model": False, "warranty_end": False}],
        )

    def test_backorder(self):
        """G1: each unit enters when it goes: the rest with the backorder."""
        first, second = self._stock("BO-1"), self._stock("BO-2")
        picking = self._deliver(first, demand=2)
        self.assertEqual(self._units(first).picking_id, picking)
        self.assertFalse(self._units(second))
        backorder = picking.backorder_ids
        backorder.move_ids.lot_ids = second
        backorder.move_ids.picked = True
        backorder._action_done()
        self.assertEqual(self._units(second).picking_id, backorder)
        self.assertEqual(len(self._units(first + second)), 2)

    def test_cancelled(self):
        """G1: what is not delivered does not enter."""
        lots = self._stock("CA-1")
        self._prepare(lots).action_cancel()
        self.assertFalse(self._units(lots))

    def test_drop_shipping(self):
        """G1: what a supplier sends to a customer is the customer's: the transfer is
        with the supplier, its moves go to the customer."""
        lots = self._stock("DS-1")
        picking = self._prepare(
            lots,
            self.other_customer,
            location_id=self.env.ref("stock.stock_location_suppliers").id,
            partner_id=self.customer.id,
        )
        picking._action_done()
        self.assertEqual(self._units(lots).partner_id, self.customer)

    def test_customer_is_not_known(self):
        """G1: a delivery that names no customer brings equipment without one."""
        lots = self._stock("NC-1")
        picking = self._prepare(lots)
        picking.partner_id = False
        picking._action_done()
        self.assertRecordValues(
            self._units(lots), [{"partner_id": False, "state": "in_service"}]
        )

    def test_within_the_warehouse(self):
        """G1: what is moved within the company is nowhere else."""
        lots = self._stock("IN-1")
        shelf = self.env["stock.location"].create(
            {
                "name": "Shelf",
                "location_id": self._warehouse().lot_stock_id.id,
                "company_id": self.company.id,
            }
        )
        picking = self._deliver(lots, location_dest_id=shelf.id)
        self.assertEqual(picking.state, "done")
        self.assertFalse(self._units(lots))

    def test_no_right_on_equipment(self):
        """G1, E1: who delivers needs no right on equipment; he gets none, and does not
        follow what he has delivered."""
        lots = self._stock("NR-1")
        picking = self._deliver(lots)
        equipment = self._units(lots)
        self.assertEqual(equipment.create_uid, self.warehouse_user)
        self.assertNotIn(self.warehouse_user.partner_id, equipment.message_partner_ids)
        with self.assertRaises(AccessError):
            equipment.with_user(self.warehouse_user).read(["name"])
        for record in (lots, picking):
            with self.assertRaises(AccessError):
                record.with_user(self.warehouse_user).read(["client_equipment_count"])

    def test_linked_both_ways(self):
        """G1: equipment, serial number and delivery lead to each other, for those who
        may see both."""
        lots = self._stock("LI-1", "LI-2")
        picking = self._deliver(lots)
        both = self._new_user(
            "both",
            "stock.group_stock_user,client_equipment.group_client_equipment_user",
        )
        first, second = self._units(lots).with_user(both)
        self.assertEqual(first.action_view_delivery()["res_id"], picking.id)
        self.assertEqual(first.action_view_lot()["res_id"], lots[0].id)
        lot = lots[1].with_user(both)
        self.assertEqual(lot.client_equipment_count, 1)
        self.assertEqual(lot.action_view_client_equipment()["res_id"], second.id)
        picking = picking.with_user(both)
        self.assertEqual(picking.client_equipment_count, 2)
        action = picking.action_view_client_equipment()
        self.assertEqual(
            self.env["client.equipment"].search(action["domain"]), first + second
        )
        with self.assertRaises(AccessError):
            first.with_user(self.technician).read(["picking_id"])
        self.assertTrue(first.with_user(self.technician).read(["product_id", "name"]))

    def test_links_are_the_systems(self):
        """G1: nobody sets by hand which unit and which delivery it was."""
        lots = self._stock("SY-1", "SY-2")
        self._deliver(lots[0])
        equipment = self._units(lots[0])
        for values in ({"lot_id": lots[1].id}, {"picking_id": False}):
            with self.assertRaisesRegex(UserError, "set by the system alone"):
                equipment.write(values)
        other = self._new_product("Other Laptop")
        with self.assertRaisesRegex(UserError, "was delivered as"):
            equipment.product_id = other

    def test_many(self):
        """G1: a delivery of many units costs as many queries as one of two."""
        few, many = (
            self._stock(*(f"{name}-{number}" for number in range(count)))
            for name, count in (("FEW", 2), ("MANY", 20))
        )
        queries = []
        for lots in (few, many):
            line_ids = self._deliver(lots).move_line_ids.ids
            self._units(lots).unlink()
            self.env.flush_all()
            before = self.cr.sql_log_count
            self.env["stock.move.line"].browse(line_ids)._note_client_equipment()
            self.env.flush_all()
            queries.append(self.cr.sql_log_count - before)
            self.assertEqual(len(self._units(lots)), len(lots))
        self.assertLessEqual(queries[1], queries[0] + 2)

    @mute_logger("odoo.sql_db")
    def test_warranty(self):
        """G1: a warranty does not end before it begins, nor does it last for ever."""
        for months in (-1, 601):
            with self.assertRaises(CheckViolation), self.env.cr.savepoint():
                self.laptop.client_equipment_warranty_months = months
                self.env.flush_all()


@tagged("post_install", "-at_install")
class TestKnownUnits(DeliveryCommon):
    """G1: a unit that is in the register already never enters twice."""

    def _enter(self, serial, **values):
        return self.env["client.equipment"].create(
            {
                "name": "Entered by Hand",
                "serial_no": serial,
                "company_id": self.company.id,
            }
            | values
        )

    def test_by_product(self):
        """G1: by serial number and product, whoever had it before, even archived."""
        entered = self._enter(
            "KN-1",
            product_id=self.laptop.id,
            partner_id=self.other_customer.id,
            active=False,
            state="retired",
        )
        lots = self._stock("KN-1")
        picking = self._deliver(lots)
        self.assertRecordValues(
            self._units(lots),
            [
                {
                    "id": entered.id,
                    "name": "Entered by Hand",
                    "partner_id": self.customer.id,
                    "lot_id": lots.id,
                    "picking_id": picking.id,
                    "state": "in_service",
                    "active": True,
                }
            ],
        )

    def test_without_product(self):
        """G1: where no product was entered, at the same customer or at none."""
        same = self._enter("KN-2", partner_id=self.branch.id)
        nowhere = self._enter("KN-3")
        elsewhere = self._enter("KN-4", partner_id=self.other_customer.id)
        lots = self._stock("KN-2", "KN-3", "KN-4")
        self._deliver(lots)
        units = self._units(lots)
        self.assertEqual(units - same - nowhere - elsewhere, units[-1])
        self.assertEqual(units[:2], same + nowhere)
        self.assertEqual((same + nowhere).product_id, self.laptop)
        self.assertEqual(elsewhere.partner_id, self.other_customer)
        self.assertFalse(elsewhere.lot_id)

    def test_other_product(self):
        """G1: the same number of another product is another unit."""
        other = self._new_product("Boreal Printer")
        printer = self._enter("KN-5", product_id=other.id)
        lots = self._stock("KN-5")
        self._deliver(lots)
        self.assertEqual(len(self._units(lots)), 2)
        self.assertFalse(printer.lot_id)

    def test_warranty_that_lasts(self):
        """G1: a warranty that was entered stays where the product knows of none."""
        product = self._new_product("Plain", client_equipment_warranty_months=0)
        today = fields.Date.today()
        lasting = self._enter(
            "KN-6",
            product_id=product.id,
            warranty_end=fields.Date.add(today, days=90),
        )
        ended = self._enter(
            "KN-7",
            product_id=product.id,
            warranty_end=fields.Date.add(today, days=-90),
        )
        self._deliver(self._stock("KN-6", "KN-7", product=product))
        self.assertEqual(lasting.warranty_end, fields.Date.add(today, days=90))
        self.assertFalse(ended.warranty_end)


@tagged("post_install", "-at_install")
class TestCompanies(DeliveryCommon):
    """G1, E1: each company has its own register."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_company = cls.env["res.company"].create({"name": "Granite Services"})
        cls.other_user = cls._new_user("other", "stock.group_stock_user")
        cls.other_user.write(
            {
                "company_ids": [Command.set(cls.other_company.ids)],
                "company_id": cls.other_company.id,
            }
        )

    def test_two_companies(self):
        """G1: what another company has delivered is not touched, nor looked at."""
        theirs = self._stock("CO-1", company=self.other_company)
        self._deliver(theirs, company=self.other_company, user=self.other_user)
        equipment = self._units(theirs)
        self.assertEqual(equipment.company_id, self.other_company)
        ours = self._stock("CO-1")
        self._deliver(ours, self.other_customer)
        self.assertRecordValues(
            self._units(ours),
            [
                {"lot_id": theirs.id, "partner_id": self.customer.id},
                {"lot_id": ours.id, "partner_id": self.other_customer.id},
            ],
        )

    def test_shared_unit(self):
        """G1: a unit that all companies share becomes that of who delivers it."""
        shared = self.env["client.equipment"].create(
            {
                "name": "Shared",
                "serial_no": "CO-2",
                "company_id": False,
                "product_id": self.laptop.id,
            }
        )
        lots = self._stock("CO-2")
        self._deliver(lots)
        self.assertEqual(self._units(lots), shared)
        self.assertEqual(shared.company_id, self.company)
