from odoo import Command
from odoo.tests import TransactionCase

from odoo.addons.client_equipment_software_key.tests.common import (
    ADDON,
    SoftwareKeyMixin,
)

ALL_ORDERS = "sales_team.group_sale_salesman_all_leads"
OWN_ORDERS = "sales_team.group_sale_salesman"


class SoldSoftwareMixin(SoftwareKeyMixin):
    """Software that is sold, to a customer with a branch and to another one.

    ``seller`` applies keys and sells, ``boss`` manages keys and sells, ``salesperson``
    sells alone.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.seller = cls._new_user(
            "seller", f"{ADDON}.group_software_key_user,{ALL_ORDERS}"
        )
        cls.boss = cls._new_user(
            "boss", f"{ADDON}.group_software_key_manager,{ALL_ORDERS}"
        )
        cls.salesperson = cls._new_user("salesperson", ALL_ORDERS)
        cls.office_product, cls.antivirus_product = cls.env["product.product"].create(
            [
                {"name": "Office, one year", "type": "service", "list_price": 90},
                {"name": "Antivirus, one year", "type": "service", "list_price": 40},
            ]
        )
        cls.office.product_id = cls.office_product
        cls.antivirus.product_id = cls.antivirus_product
        cls.branch = cls.env["res.partner"].create(
            {"name": "Harbour Branch", "parent_id": cls.customer.id, "type": "delivery"}
        )
        cls.branch_laptop, cls.other_laptop = cls.env["client.equipment"].create(
            [
                {
                    "name": name,
                    "serial_no": serial,
                    "partner_id": partner.id,
                    "company_id": cls.company.id,
                }
                for name, serial, partner in (
                    ("Branch Laptop", "BRANCH-1", cls.branch),
                    ("Other Laptop", "OTHER-1", cls.other_customer),
                )
            ]
        )

    @classmethod
    def _quote(cls, keys, user=None):
        """Return the quotations for the renewal of the keys, made by the seller."""
        return keys.with_user(user or cls.seller).make_renewal_quotations()

    @classmethod
    def _sell(cls, quantity, product=None, partner=None, confirm=True, **values):
        """Return the line of an order that the salesperson has made."""
        orders = cls.env["sale.order"].with_user(cls.salesperson)
        order = orders.create(
            {
                "partner_id": (partner or cls.customer).id,
                "order_line": [
                    Command.create(
                        {
                            "product_id": (product or cls.office_product).id,
                            "product_uom_qty": quantity,
                        }
                        | values
                    )
                ],
            }
        )
        if confirm:
            order.action_confirm()
        return order.order_line


class SoldSoftwareCommon(SoldSoftwareMixin, TransactionCase):
    """Base of the unit tests."""
