from odoo import fields
from odoo.tests import tagged

from .common import PurchaseCommon


@tagged("post_install", "-at_install")
class TestCosts(PurchaseCommon):
    """G2: keys carry what they cost."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.currency = cls.env["res.currency"].create(
            {"name": "TST", "symbol": "T", "rounding": 0.01}
        )
        cls.env["res.currency.rate"].create(
            {
                "name": "2020-01-01",
                "currency_id": cls.currency.id,
                "company_id": cls.company.id,
                "rate": 2,
            }
        )

    def test_price(self):
        """G2: a key costs the line's price per seat, discount and seats counted, and
        follows a correction of the order."""
        order = self._order((self.office_product, 10, 20, {"discount": 10}))
        single, volume = self._enter_by(order, "PR-1") + self._enter_by(
            order, "PR-2", seats=5
        )
        self.assertEqual((single.cost, volume.cost), (18, 90))
        self.assertEqual(single.currency_id, order.currency_id)
        order.order_line.discount = 0
        self.assertEqual((single.cost, volume.cost), (20, 100))

    def test_currencies(self):
        """G2: the cost is in the currency of the order, and in the company's at the
        rate of the order."""
        order = self._order((self.office_product, 3, 10), currency_id=self.currency.id)
        keys = self._enter_by(order, "CU-1", "CU-2", "CU-3")
        self.assertEqual(keys.currency_id, self.currency)
        self.assertEqual(keys.company_currency_id, self.company.currency_id)
        self.assertEqual(keys.mapped("cost"), [10, 10, 10])
        self.assertEqual(keys.mapped("company_cost"), [5, 5, 5])
        self.assertRecordValues(
            self._entry(keys[0]).with_user(self.manager),
            [
                {
                    "purchase_order": order.name,
                    "cost": 10,
                    "cost_currency": "TST",
                    "company_cost": 5,
                }
            ],
        )
        self.assertIn(f"bought by {order.name}", self._entry(keys[0]).description)
        self.assertEqual(keys.with_user(self.manager).verify_audit_trail(), [])

    def test_pivots(self):
        """G2: cost per software, supplier, month and customer."""
        order = self._order(
            (self.office_product, 2, 30), (self.antivirus_product, 1, 8)
        )
        first, second = self._enter_by(order, "PI-1", "PI-2")
        self._enter_by(order, "PI-3")
        self._apply(first)
        month = fields.Datetime.start_of(first.create_date, "month")
        for by, expected in (
            ("software_id", {self.office: 60, self.antivirus: 8}),
            ("supplier_id", {self.vendor: 68}),
            ("create_date:month", {month: 68}),
            ("partner_id", {self.customer: 30, self.customer.browse(): 38}),
        ):
            with self.subTest(by=by):
                groups = second.with_user(self.manager)._read_group(
                    [("license_key", "=like", "PI-%")], [by], ["company_cost:sum"]
                )
                self.assertEqual(dict(groups), expected)

    def test_no_order(self):
        """G2: without an order no cost, and none is told."""
        (key,) = self._enter("NO-1")
        self.assertFalse(key.cost or key.currency_id)
        self.assertRecordValues(
            self._entry(key), [{"purchase_order": False, "company_cost": 0}]
        )
        self.assertEqual(key.with_user(self.manager).verify_audit_trail(), [])
