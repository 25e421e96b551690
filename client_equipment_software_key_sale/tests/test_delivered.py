from odoo import fields
from odoo.tests import tagged

from .common import SoldSoftwareCommon


@tagged("post_install", "-at_install")
class TestDelivered(SoldSoftwareCommon):
    """G3: sold software is delivered when its keys are on the customer's equipment."""

    def test_both_directions(self):
        """G3: each seat on a unit of the customer, its branches too, counts; one that
        is taken back does not count any more."""
        line = self._sell(3)
        self.assertEqual(line.qty_delivered_method, "software_keys")
        self.assertEqual(line.qty_delivered, 0)
        first, second = self._enter("D-1", "D-2", seats=2)
        self._apply(first)
        self.assertEqual(line.qty_delivered, 1)
        feature = self._apply(first, self.branch_laptop)
        self._apply(second, self.other_laptop)
        self.assertEqual(line.qty_delivered, 2)
        feature.with_user(self.technician).unlink()
        self.assertEqual(line.qty_delivered, 1)
        self.assertFalse(first.with_user(self.salesperson).has_access("read"))

    def test_never_twice(self):
        """G3: a seat counts for one order: the oldest that lacks one."""
        old, new = self._sell(1), self._sell(2)
        self._apply(self._enter("T-1"))
        self.assertEqual((old.qty_delivered, new.qty_delivered), (1, 0))
        feature = self._apply(self._enter("T-2"), self.spare_laptop)
        self.assertEqual((old.qty_delivered, new.qty_delivered), (1, 1))
        old.order_id._action_cancel()
        self.env.flush_all()
        self.assertEqual(new.qty_delivered, 2)
        new.product_uom_qty = 1
        self.env.flush_all()
        self.assertEqual(new.qty_delivered, 1)
        feature.unlink()
        self.assertEqual(new.qty_delivered, 1)

    def test_what_was_there_before(self):
        """G3: what was installed before the order has not been delivered by it; nor is
        more delivered than was ordered."""
        self._apply(self._enter("B-1"), applied_date=self._in_days(-3))
        line = self._sell(1)
        self.assertEqual(line.qty_delivered, 0)
        self._apply(self._enter("B-2"), self.spare_laptop)
        self._apply(self._enter("B-3"), self.branch_laptop)
        self.assertEqual(line.qty_delivered, 1)

    def test_not_ordered(self):
        """G3: a quotation delivers nothing, a cancelled order nothing any more."""
        line = self._sell(1, confirm=False)
        self._apply(self._enter("Q-1"))
        self.assertEqual(line.qty_delivered, 0)
        line.order_id.action_confirm()
        self.assertEqual(line.qty_delivered, 1)

    def test_unit_of_measure(self):
        """G3: a dozen is delivered by twelve seats."""
        line = self._sell(1, product_uom_id=self.env.ref("uom.product_uom_dozen").id)
        key = self._enter("DOZEN-1", seats=20)
        for number in range(6):
            unit = self.laptop.copy({"name": f"Unit {number}"})
            self._apply(key, unit)
        self.assertEqual(line.qty_delivered, 0.5)

    def test_packs(self):
        """G3, K14: of a product for five units, each seat is a fifth; a renewal takes
        as many packs as it needs."""
        self.office.purchase_seats = 5
        line = self._sell(1)
        end = self._in_days(30)
        key = self._enter(
            "PACK-1",
            seats=6,
            key_type="subscription",
            validity_end=end,
            owner_id=self.customer.id,
        )
        self._apply(key)
        self._apply(key, self.branch_laptop)
        self.assertEqual(line.qty_delivered, 0.4)
        self.assertEqual(self._quote(key).order_line.product_uom_qty, 2)

    def test_other_products(self):
        """G3: products that are no software are delivered as before."""
        plain = self.env["product.product"].create({"name": "Hour", "type": "service"})
        line = self._sell(1, plain)
        self.assertEqual(line.qty_delivered_method, "manual")
        line.qty_delivered = 1
        self._apply(self._enter("O-1"))
        self.assertEqual(line.qty_delivered, 1)

    def test_unit_goes_to_another_customer(self):
        """G3: the count follows unit, branch, owner and software."""
        line, other = self._sell(1), self._sell(1, partner=self.other_customer)
        key = self._enter("MOVE-1")
        self._apply(key, self.branch_laptop)
        self.assertEqual((line.qty_delivered, other.qty_delivered), (1, 0))
        self.branch_laptop.partner_id = self.other_customer
        self.assertEqual((line.qty_delivered, other.qty_delivered), (0, 1))
        self.branch_laptop.partner_id = self.branch
        self.branch.parent_id = self.other_customer
        self.assertEqual((line.qty_delivered, other.qty_delivered), (0, 1))
        key.owner_id = self.branch
        self.branch.parent_id = self.customer
        self.assertEqual((line.qty_delivered, other.qty_delivered), (1, 0))
        key.software_id = self.antivirus
        self.assertEqual((line.qty_delivered, other.qty_delivered), (0, 0))

    def test_other_company(self):
        """G3, E1: keys of another company deliver nothing here."""
        line = self._sell(1)
        key = self._enter(
            "FOREIGN-1", user=self.env.user, company_id=self.other_company.id
        )
        unit = self.laptop.copy(
            {"name": "Foreign", "company_id": self.other_company.id}
        )
        self._apply(key, unit, user=self.env.user)
        self.assertEqual(line.qty_delivered, 0)

    def test_invoice(self):
        """G3: with the policy to invoice what is delivered, the keys say how much."""
        self.office_product.invoice_policy = "delivery"
        line = self._sell(2)
        self.assertEqual(line.qty_to_invoice, 0)
        self._apply(self._enter("INV-1"))
        self.assertEqual(line.qty_to_invoice, 1)
        self.assertEqual(line.order_id.invoice_status, "to invoice")

    def test_renewals(self):
        """G3: a renewal is delivered when the keys have been renewed; of keys that are
        not the customer's own, those that he still has."""
        own, shared = self._enter_subscriptions("REN-1", "REN-2")
        own.owner_id = self.customer
        self._apply(own)
        feature = self._apply(shared, self.spare_laptop)
        order = self._quote(own | shared)
        order.action_confirm()
        line = order.order_line
        self.assertEqual(line.qty_delivered, 0)
        own.renew(self._in_days(400))
        self.assertEqual(line.qty_delivered, 1)
        shared.renew(self._in_days(400))
        self.assertEqual(line.qty_delivered, 2)
        feature.unlink()
        self.assertEqual(line.qty_delivered, 1)
        self.assertEqual(self._sell(1, self.antivirus_product).qty_delivered, 1)

    def test_many_orders(self):
        """G3: a step costs as many queries with many orders as with few."""
        queries = []
        for count, unit in ((2, self.laptop), (10, self.spare_laptop)):
            for _ in range(count):
                self._sell(1)
            key = self._enter(f"MO-{count}")
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self._apply(key, unit)
            self.env.flush_all()
            queries.append(self.cr.sql_log_count - before)
        self.assertLessEqual(queries[1], queries[0] + 3)

    def test_day_of_the_order(self):
        """G3: the day begins where the company is."""
        self.company.partner_id.tz = "Pacific/Auckland"
        line = self._sell(1)
        line.order_id.date_order = fields.Datetime.to_datetime("2026-03-01 13:00:00")
        self.assertEqual(str(line._get_day()), "2026-03-02")
