from odoo import Command
from odoo.tests import Form, TransactionCase

from odoo.addons.client_equipment_software_key.tests.common import (
    ADDON,
    SoftwareKeyMixin,
)

BUYER = "purchase.group_purchase_user"


class PurchaseMixin(SoftwareKeyMixin):
    """A company that buys software keys.

    ``sk_buyer`` orders and enters keys; ``sk_purchaser`` orders, and has no right on
    keys; ``sk_manager`` manages keys, and has no right on orders.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.purchaser = cls._new_user("purchaser", f"base.group_user,{BUYER}")
        cls.buyer = cls._new_user(
            "buyer", f"{ADDON}.group_software_key_manager,{BUYER}"
        )
        cls.vendor = cls.env["res.partner"].create(
            {"name": "Tour Software Trade", "is_company": True}
        )
        cls.office_product, cls.antivirus_product, cls.chair = cls.env[
            "product.product"
        ].create(
            [
                {"name": name, "type": "service", "supplier_taxes_id": False}
                for name in ("Office License", "Antivirus License", "Chair Repair")
            ]
        )
        cls.office.product_id = cls.office_product
        cls.antivirus.product_id = cls.antivirus_product

    @classmethod
    def _order(cls, *lines, user=None, confirm=True, **values):
        """Order ``(product, quantity, price)`` each, as the purchaser; return it."""
        order = (
            cls.env["purchase.order"]
            .with_user(user or cls.purchaser)
            .create(
                {
                    "partner_id": cls.vendor.id,
                    "order_line": [
                        Command.create(
                            {
                                "product_id": product.id,
                                "product_qty": quantity,
                                "price_unit": price,
                                "tax_ids": False,
                            }
                            | (more[0] if more else {})
                        )
                        for product, quantity, price, *more in lines
                    ],
                }
                | values
            )
        )
        if confirm:
            order.button_confirm()
        return order

    @classmethod
    def _dialog(cls, action, user=None):
        """Return the form of the dialog that the action opens."""
        return Form(
            cls.env[action["res_model"]]
            .with_user(user or cls.buyer)
            .with_context(**action["context"])
        )

    @classmethod
    def _enter_by(cls, order, *license_keys, **values):
        """Enter the keys from their order (or order line), as the buyer does; return
        them."""
        dialog = cls._dialog(order.with_user(cls.buyer).action_enter_software_keys())
        dialog.license_keys = "\n".join(license_keys)
        for name, value in values.items():
            setattr(dialog, name, value)
        dialog.save().action_enter()
        return cls.env["client.equipment.software.key"].search(
            [("license_key", "in", license_keys)], order="id"
        )

    def _entry(self, key):
        """Return the last entry in the trail of the key."""
        return key.sudo().audit_log_ids.sorted("number")[-1]


class PurchaseCommon(PurchaseMixin, TransactionCase):
    """Base of the unit tests."""
