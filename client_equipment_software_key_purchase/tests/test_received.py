from odoo import Command
from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from .common import PurchaseCommon

ENTERED = "TR-1", "TR-2", "TR-3", "TR-4", "TR-5", "TR-6", "TR-7"


@tagged("post_install", "-at_install")
class TestReceived(PurchaseCommon):
    """G2: what has been received follows the keys."""

    def test_filled_in(self):
        """G2: Enter Many Keys is filled in from the order; the keys carry its line."""
        order = self._order((self.antivirus_product, 10, 5))
        self.assertEqual(order.software_key_progress, "0 of 10 entered")
        dialog = self._dialog(order.with_user(self.buyer).action_enter_software_keys())
        self.assertEqual(dialog.software_id, self.antivirus)
        self.assertEqual(dialog.supplier_id, self.vendor)
        self.assertEqual(dialog.purchase_reference, order.name)
        self.assertEqual(dialog.key_type, "subscription")
        self.assertTrue(dialog.validity_end)
        self.assertEqual((dialog.seats, dialog.missing_count), (1, 10))
        keys = self._enter_by(order, *ENTERED)
        self.assertEqual(keys.purchase_line_id, order.order_line)
        self.assertEqual(keys.supplier_id, self.vendor)
        self.assertEqual(order.software_key_progress, "7 of 10 entered")
        self.assertEqual(order.order_line.qty_received, 7)
        action = order.with_user(self.buyer).action_view_software_keys()
        found = self.env[action["res_model"]].with_user(self.buyer)
        self.assertEqual(found.search(action["domain"], order="id"), keys)

    def test_partial_receipts(self):
        """G2: keys come one after another, to the first line that lacks some."""
        order = self._order(
            (self.office_product, 2, 50),
            (self.chair, 1, 9),
            (self.office_product, 3, 40),
        )
        first, chair, second = order.order_line
        self._enter_by(order, "PA-1")
        self._enter_by(order, "PA-2")
        self._enter_by(order, "PA-3", "PA-4")
        self.assertEqual(order.software_key_progress, "4 of 5 entered")
        self.assertEqual((first.qty_received, second.qty_received), (2, 2))
        self.assertEqual(chair.qty_received_method, "manual")
        self._enter_by(second, "PA-5")
        self.assertEqual(second.qty_received, 3)

    def test_volume_keys(self):
        """G2, K14: a line of 1 with 25 seats; a line of 25, by single keys or by one of
        25 seats; a pack of a dozen."""
        self.office.purchase_seats = 25
        pack = self._order((self.office_product, 1, 500))
        (key,) = self._enter_by(pack, "VO-1")
        self.assertEqual(key.seats, 25)
        self.assertEqual(pack.order_line.qty_received, 1)
        self.assertEqual(pack.software_key_progress, "1 of 1 entered")
        self.office.purchase_seats = 1
        self.assertEqual(pack.order_line.qty_received, 1)
        single = self._order((self.office_product, 25, 20))
        self._enter_by(single, *(f"SI-{number}" for number in range(25)))
        self.assertEqual(single.order_line.qty_received, 25)
        volume = self._order((self.office_product, 25, 20))
        (key,) = self._enter_by(volume, "VO-2", seats=25)
        self.assertEqual(volume.order_line.qty_received, 25)
        key.with_user(self.manager).seats = 20
        self.assertEqual(volume.order_line.qty_received, 20)
        dozen = {"product_uom_id": self.env.ref("uom.product_uom_dozen").id}
        dozens = self._order((self.office_product, 2, 120, dozen))
        keys = self._enter_by(dozens, *(f"DO-{number}" for number in range(12)))
        self.assertEqual(dozens.order_line.qty_received, 1)
        self.assertEqual(dozens.software_key_progress, "12 of 24 entered")
        self.assertEqual(set(keys.mapped("cost")), {10})

    def test_more_than_ordered(self):
        """G2: more than ordered asks first, and is no wall."""
        order = self._order((self.office_product, 2, 50))
        dialog = self._dialog(order.with_user(self.buyer).action_enter_software_keys())
        dialog.license_keys = "MO-1\nMO-2"
        self.assertFalse(dialog.exceeds_order)
        dialog.license_keys += "\nMO-3"
        self.assertTrue(dialog.exceeds_order)
        dialog.license_keys = "MO-1"
        dialog.seats = 3
        self.assertTrue(dialog.exceeds_order)
        dialog.seats = 1
        self._enter_by(order, "MO-1", "MO-2", "MO-3")
        self.assertEqual(order.order_line.qty_received, 3)
        self.assertEqual(order.software_key_progress, "3 of 2 entered")

    def test_deleted_and_returned(self):
        """G2: a key that is deleted, or taken off the order because it went back, has
        not been received; one that was revoked has."""
        order = self._order((self.office_product, 3, 50))
        keys = self._enter_by(order, "DE-1", "DE-2", "DE-3")
        keys[0].with_user(self.manager).revoke("Leaked")
        self.assertEqual(order.order_line.qty_received, 3)
        keys[1].with_user(self.manager).unlink()
        self.assertEqual(order.order_line.qty_received, 2)
        keys[2].with_user(self.buyer).purchase_line_id = False
        self.assertEqual(order.order_line.qty_received, 1)
        self.assertFalse(keys[2].cost)
        self.assertEqual(order.software_key_progress, "1 of 3 entered")

    def test_refund(self):
        """G2: what went back and was refunded leaves the order settled; keys and their
        cost follow the order, not its bills."""
        self.office_product.purchase_method = "receive"
        order = self._order((self.office_product, 3, 50))
        keys = self._enter_by(order, "RF-1", "RF-2", "RF-3")
        journal = self._new_journal()
        self._bill(order, journal, "in_invoice", 3)
        self.assertEqual(order.invoice_status, "invoiced")
        keys[0].with_user(self.buyer).purchase_line_id = False
        self.assertEqual(order.order_line.qty_to_invoice, -1)
        self._bill(order, journal, "in_refund", 1)
        self.assertEqual(order.order_line.qty_to_invoice, 0)
        self.assertEqual(order.invoice_status, "invoiced")
        self.assertEqual(keys.mapped("cost"), [0, 50, 50])

    def _new_journal(self):
        """Return a journal of the company for bills, whose vendor has an account."""
        expense, payable = (
            self.env["account.account"]
            .with_company(self.company)
            .create(
                [
                    {"name": kind, "code": code, "account_type": kind}
                    for kind, code in (("expense", "6001"), ("liability_payable", "4"))
                ]
            )
        )
        vendor = self.vendor.with_company(self.company)
        vendor.property_account_payable_id = payable
        return self.env["account.journal"].create(
            {
                "name": "Licenses",
                "code": "LIC",
                "type": "purchase",
                "company_id": self.company.id,
                "default_account_id": expense.id,
            }
        )

    def _bill(self, order, journal, kind, quantity):
        """Enter a vendor's bill or refund of so many units of the order."""
        line = order.sudo().order_line
        values = {
            "product_id": line.product_id.id,
            "purchase_line_id": line.id,
            "quantity": quantity,
            "price_unit": line.price_unit,
            "tax_ids": False,
        }
        self.env["account.move"].create(
            {
                "move_type": kind,
                "partner_id": self.vendor.id,
                "journal_id": journal.id,
                "invoice_line_ids": [Command.create(values)],
            }
        )

    def test_replaced(self):
        """G2, S4: what replaces a key takes its place in the order."""
        order = self._order((self.office_product, 1, 50))
        (key,) = self._enter_by(order, "RE-1")
        new = key.with_user(self.manager).replace("RE-2")
        self.assertEqual(order.sudo().order_line.software_key_ids, new.sudo())
        self.assertEqual(order.order_line.qty_received, 1)
        self.assertEqual((key.cost, new.cost), (0, 50))

    def test_cancelled(self):
        """G2: keys of a cancelled order stay, and no more are entered by it; the order
        cannot be deleted from under them."""
        order = self._order((self.office_product, 2, 50))
        (key,) = self._enter_by(order, "CA-1")
        order.button_cancel()
        self.assertEqual(order.software_key_progress, "1 of 2 entered")
        self.assertEqual(key.status, "available")
        with self.assertRefused(UserError, "was cancelled, so no keys"):
            order.with_user(self.buyer).action_enter_software_keys()
        with self.assertRefused(UserError, f"{order.name} cannot be deleted"):
            order.unlink()

    def test_named_later(self):
        """G2: a request that was made before its product was named follows the keys
        once it is confirmed; what was received by hand before stays."""
        self.office.product_id = False
        order, old = (
            self._order((self.office_product, 2, 50), confirm=False) for _ in range(2)
        )
        old.button_confirm()
        old.order_line.qty_received = 2
        self.office.product_id = self.office_product
        order.button_confirm()
        self._enter_by(order, "NA-1")
        self.assertEqual(order.order_line.qty_received, 1)
        self.assertEqual(old.order_line.qty_received, 2)
        self.assertFalse(old.software_key_progress)

    def test_no_software(self):
        """G2: an order of other things says so, where a program asks for its keys."""
        order = self._order((self.chair, 1, 50)).with_user(self.buyer)
        for act in order.action_enter_software_keys, order.action_renew_software_keys:
            with self.assertRefused(UserError, f"{order.name} orders no software"):
                act()

    def test_wrong_line(self):
        """G2: a key belongs to a line for its own software."""
        order = self._order((self.antivirus_product, 2, 50))
        with self.assertRefused(ValidationError, "not for the product of Tour Office"):
            self._enter("WR-1", user=self.buyer, purchase_line_id=order.order_line.id)
