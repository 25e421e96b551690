from odoo import Command
from odoo.tests import tagged

from odoo.addons.client_equipment_stock.tests.common import DeliveryCommon


@tagged("post_install", "-at_install")
class TestApps(DeliveryCommon):
    """G1: what is sold enters the register, whichever app makes its delivery."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.salesperson = cls._new_user("sales", "sales_team.group_sale_salesman")
        cls.purchaser = cls._new_user("purchase", "purchase.group_purchase_user")
        cls.vendor = cls.env["res.partner"].create({"name": "Hardware Trade"})

    def _sell(self, product):
        """Sell one to the branch."""
        order = (
            self.env["sale.order"]
            .with_user(self.salesperson)
            .create(
                {
                    "partner_id": self.customer.id,
                    "partner_shipping_id": self.branch.id,
                    "order_line": [Command.create({"product_id": product.id})],
                }
            )
        )
        order.action_confirm()
        return order

    def _buy(self, product):
        """Order from the supplier what was sold; return the transfers to come."""
        lines = self.env["purchase.order.line"].with_user(self.purchaser)
        order = lines.search([("product_id", "=", product.id)]).order_id
        order.button_confirm()
        return order.sudo().picking_ids

    def _validate(self, picking):
        picking = picking.with_user(self.warehouse_user)
        picking.move_ids.picked = True
        picking.button_validate()
        self.assertEqual(picking.state, "done")

    def _drop_shipped(self, name):
        """Return a new product that its supplier sends to the customers."""
        route = self.env.ref("stock_dropshipping.route_drop_shipping")
        supplier = {
            "partner_id": self.vendor.id,
            "price": 500,
            "company_id": self.company.id,
        }
        return self._new_product(
            name,
            supplier_taxes_id=False,
            route_ids=[Command.set(route.ids)],
            seller_ids=[Command.create(supplier)],
        )

    def _kit(self, *components):
        """Return a new product that is delivered as these."""
        kit = self._new_product("Workplace", tracking="none")
        self.env["mrp.bom"].create(
            {
                "product_tmpl_id": kit.product_tmpl_id.id,
                "type": "phantom",
                "company_id": self.company.id,
                "bom_line_ids": [
                    Command.create({"product_id": component.id})
                    for component in components
                ],
            }
        )
        return kit

    def _assert_delivered(self, picking, product, serial):
        """Check that the product's unit, and nothing else, stands at the branch."""
        units = self.env["client.equipment"].search(
            [("company_id", "=", self.company.id)]
        )
        self.assertRecordValues(
            units,
            [
                {
                    "serial_no": serial,
                    "product_id": product.id,
                    "partner_id": self.branch.id,
                    "picking_id": picking.id,
                    "state": "in_service",
                }
            ],
        )
        return units

    def test_drop_shipping(self):
        """G1: what the supplier sends is at the customer's place, under the serial
        number that was typed; what goes back to the supplier is not there any more."""
        product = self._drop_shipped("Aurora Server")
        self._sell(product)
        picking = self._buy(product)
        picking.move_line_ids.lot_name = "DS-1"
        self._validate(picking)
        unit = self._assert_delivered(picking, product, "DS-1")
        self._return(picking)
        self.assertEqual(unit.state, "returned")

    def test_kit(self):
        """G1: of a kit its units enter, not the kit."""
        mouse = self._new_product("Mouse", tracking="none", is_client_equipment=False)
        self._stock("KIT-1")
        self.env["stock.quant"]._update_available_quantity(
            mouse, self._warehouse().lot_stock_id, 1
        )
        order = self._sell(self._kit(self.laptop, mouse))
        self._validate(order.sudo().picking_ids)
        self._assert_delivered(order.sudo().picking_ids, self.laptop, "KIT-1")

    def test_drop_shipped_kit(self):
        """G1: both at once."""
        product = self._drop_shipped("Aurora Server")
        self._sell(self._kit(product))
        picking = self._buy(product)
        picking.move_line_ids.lot_name = "DK-1"
        self._validate(picking)
        self._assert_delivered(picking, product, "DK-1")
