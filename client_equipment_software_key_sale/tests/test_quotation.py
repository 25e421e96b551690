from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import OWN_ORDERS, SoldSoftwareCommon


@tagged("post_install", "-at_install")
class TestQuotation(SoldSoftwareCommon):
    """G3: one draft quotation for each customer, for the keys that end."""

    def test_one_for_each_customer(self):
        """G3: over several units and branches, a line for each software that names the
        units, at the price of the customer's price list."""
        customer = self.customer.with_company(self.company)
        customer.property_product_pricelist = self.env["product.pricelist"].create(
            {
                "name": "A fifth off",
                "company_id": self.company.id,
                "item_ids": [
                    Command.create({"compute_price": "percentage", "percent_price": 20})
                ],
            }
        )
        first, second, third = self._enter_subscriptions(
            "SECRET-1", "SECRET-2", "SECRET-3"
        )
        office = self._enter(
            "SECRET-4", key_type="subscription", validity_end=first.validity_end
        )
        self._apply(first | office)
        self._apply(second, self.branch_laptop)
        self._apply(third, self.other_laptop)
        orders = self._quote(first | second | third | office)
        self.assertRecordValues(
            orders,
            [
                {"partner_id": partner.id, "state": "draft", "user_id": self.seller.id}
                for partner in (self.customer, self.other_customer)
            ],
        )
        self.assertRecordValues(
            orders[0].order_line.sorted("price_unit"),
            [
                {
                    "product_id": self.antivirus_product.id,
                    "product_uom_qty": 2,
                    "price_unit": 32,
                },
                {
                    "product_id": self.office_product.id,
                    "product_uom_qty": 1,
                    "price_unit": 72,
                },
            ],
        )
        text = orders.order_line.sorted("price_unit")[0].name
        self.assertEqual(orders[1].order_line.price_unit, 40)
        self.assertIn("Tour Antivirus Enterprise", text)
        self.assertIn("Reception Laptop [LAPTOP-12345]", text)
        self.assertIn("Branch Laptop [BRANCH-1]", text)
        self.assertNotIn("Other Laptop", text)
        for key in first | second | third | office:
            self.assertNotIn(key.license_key, "".join(orders.order_line.mapped("name")))

    def test_customers_own_keys(self):
        """G3: keys that were bought for the customer count with all their seats, on
        whatever unit they are, or on none."""
        key = self._enter_subscriptions("OWN-1", seats=5, owner_id=self.branch.id)
        self._apply(key, self.branch_laptop)
        order = self._quote(key)
        self.assertEqual(order.partner_id, self.customer)
        self.assertEqual(order.order_line.product_uom_qty, 5)
        self.assertIn("not installed: 4", order.order_line.name)
        customer = self.env["res.partner"].create({"name": "Without Units"})
        order = self._quote(self._enter_subscriptions("OWN-2", owner_id=customer.id))
        self.assertEqual(order.partner_id, customer)

    def test_shared_seats(self):
        """G3, K14: of a key that customers share, each is offered his own seats."""
        key = self._enter_subscriptions("SHARED-1", seats=10)
        for unit in (self.laptop, self.branch_laptop, self.other_laptop):
            self._apply(key, unit)
        orders = self._quote(key)
        self.assertEqual(orders.partner_id, self.customer + self.other_customer)
        self.assertEqual(orders.order_line.mapped("product_uom_qty"), [2, 1])

    def test_left_out_and_said(self):
        """G3: what is not quoted is said, and why: nothing is left out in silence."""
        quoted, permanent, spare, mine, unsold = (
            self._enter_subscriptions("LO-1")
            + self._enter("LO-2")
            + self._enter_subscriptions("LO-3", "LO-4", "LO-5")
        )
        self._apply(quoted | permanent | mine)
        backup = self.env["client.equipment.software"].create({"name": "Tour Backup"})
        unsold.software_id = backup
        self._apply(unsold)
        before = self._quote(quoted)
        keys = (quoted | permanent | spare | mine | unsold).with_user(self.seller)
        action = keys.action_make_renewal_quotations()
        message = action["params"]["message"]
        for text in (
            f"Tour Antivirus Enterprise (1): quoted already ({before.name})",
            "Tour Office Professional (1): permanent",
            "Tour Antivirus Enterprise (1): at no customer",
            "Tour Backup (1): their software names no product",
        ):
            self.assertIn(text, message)
        self.assertNotIn("LO-", message)
        order = self.env["sale.order"].browse(action["params"]["next"]["res_id"])
        self.assertEqual(order.order_line.renewal_offer_ids.software_key_id, mine)
        with self.assertRaisesRegex(UserError, "nothing to quote"):
            self._quote(keys)
        self.antivirus_product.sale_ok = False
        other = self._enter_subscriptions("LO-6")
        self._apply(other)
        with self.assertRaisesRegex(UserError, "names no product that can be sold"):
            self._quote(other)

    def test_declined(self):
        """G3: a customer who declines keeps his keys, and is not asked again for this
        period; where he thinks better of it, the quotation is set back."""
        key = self._enter_subscriptions("DECLINED-1")
        self._apply(key)
        self.assertFalse(key.renewal_state)
        order = self._quote(key)
        self.assertEqual(key.renewal_state, "quoted")
        order.action_cancel()
        self.assertEqual((key.renewal_state, key.status), ("declined", "applied"))
        found = key.search([("renewal_state", "=", "declined")])
        self.assertEqual(found, key)
        with self.assertRaisesRegex(
            UserError, f"declined for this period .{order.name}"
        ):
            self._quote(key)
        order.action_draft()
        self.assertEqual(key.renewal_state, "quoted")
        order.action_cancel()
        key.renew(self._in_days(400))
        self.assertFalse(key.renewal_state)
        self.assertEqual(key.search([("renewal_state", "=", False)]) & key, key)
        self.assertTrue(self._quote(key))

    def test_line_removed(self):
        """G3: what is taken off a quotation can be offered anew."""
        key = self._enter_subscriptions("REMOVED-1")
        self._apply(key)
        order = self._quote(key)
        order.order_line.unlink()
        self.assertFalse(key.renewal_state)
        self.assertNotEqual(self._quote(key), order)

    def test_offered_once(self):
        """G3: two people who quote the same keys at once do not offer them twice."""
        key = self._enter_subscriptions("ONCE-1")
        self._apply(key)
        offer = self._quote(key).order_line.renewal_offer_ids
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaisesRegex(Exception, "offered_once"),
        ):
            self._offer_again(offer)

    def _offer_again(self, offer):
        self.env.cr.execute(
            "INSERT INTO client_equipment_renewal_offer (sale_line_id, software_key_id,"
            " partner_id, company_id, validity_end, seats)"
            " SELECT sale_line_id, software_key_id, partner_id, company_id,"
            " validity_end, seats FROM client_equipment_renewal_offer WHERE id = %s",
            [offer.id],
        )

    def test_companies_and_currencies(self):
        """G3: each company quotes its own keys, in the currency of the price list."""
        both = self.company | self.other_company
        self.seller.company_ids = both
        euro = self.env.ref("base.EUR")
        self.env["res.currency.rate"].create(
            {"currency_id": euro.id, "company_id": self.other_company.id, "rate": 0.5}
        )
        euro.active = True
        pricelist = self.env["product.pricelist"].create(
            {
                "name": "Euro",
                "currency_id": euro.id,
                "company_id": self.other_company.id,
            }
        )
        self.customer.with_company(
            self.other_company
        ).property_product_pricelist = pricelist
        mine = self._enter_subscriptions("COMPANY-1")
        self._apply(mine)
        theirs = self._enter_subscriptions(
            "COMPANY-2",
            user=self.env.user,
            company_id=self.other_company.id,
            owner_id=self.customer.id,
        )
        keys = (mine | theirs).with_user(self.seller)
        orders = keys.with_context(
            allowed_company_ids=both.ids
        ).make_renewal_quotations()
        self.assertEqual(orders.company_id, both)
        self.assertEqual(orders[0].currency_id, self.company.currency_id)
        self.assertEqual(orders[1].currency_id, euro)
        self.assertEqual(orders[1].order_line.price_unit, 20)

    def test_own_orders_only(self):
        """G3: who sees his own orders alone makes them his own."""
        self.customer.user_id = self.boss
        self.seller.group_ids -= self.env.ref(
            "sales_team.group_sale_salesman_all_leads"
        )
        self.seller.group_ids += self.env.ref(OWN_ORDERS)
        key = self._enter_subscriptions("MINE-1")
        self._apply(key)
        self.assertEqual(self._quote(key).user_id, self.seller)

    def test_language(self):
        """G3, E3: the customer reads the quotation in his own language's dates."""
        self.env["res.lang"]._activate_lang("de_DE")
        self.customer.lang = "de_DE"
        key = self._enter_subscriptions("LANG-1")
        self._apply(key)
        self.assertIn(
            key.validity_end.strftime("%d.%m.%Y"), self._quote(key).order_line.name
        )

    def test_many(self):
        """G3: many keys of one customer cost as many queries as few."""
        queries = []
        for name, count in (("FEW", 2), ("MANY", 20)):
            keys = self._enter_subscriptions(
                *(f"{name}-{number}" for number in range(count)),
                owner_id=self.customer.id,
            )
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self._quote(keys)
            self.env.flush_all()
            queries.append(self.cr.sql_log_count - before)
        self.assertLessEqual(queries[1], queries[0] + 5)

    def test_without_right_on_orders(self):
        """G3: a key manager who may not sell is told so."""
        key = self._enter_subscriptions("NOSALE-1")
        self._apply(key)
        with self.assertRaises(AccessError):
            self._quote(key, self.manager)
