from lxml import etree

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import SoldSoftwareCommon

OFFER = "client.equipment.renewal.offer"


@tagged("post_install", "-at_install")
class TestAccess(SoldSoftwareCommon):
    """G3, E1: who sells learns no key; who keeps keys learns no order."""

    def setUp(self):
        super().setUp()
        self.key = self._enter_subscriptions("SECRET-KEY-1")
        self._apply(self.key)
        self.order = self._quote(self.key)

    def test_salesperson_learns_no_key(self):
        """G3: a salesperson without a role for keys works with the quotation, and finds
        no license key in any field of it."""
        order = self.order.with_user(self.salesperson)
        for record in (order, order.order_line):
            self.assertNotIn("SECRET", str(record.read()))
        order.action_confirm()
        self.assertEqual(order.state, "sale")
        with self.assertRaises(AccessError):
            order.order_line.read(["renewal_offer_ids"])
        with self.assertRaises(AccessError):
            self.env[OFFER].with_user(self.salesperson).search_read([])
        with self.assertRaises(AccessError):
            self._quote(self.key, self.salesperson)
        for button in ("action_renew_software_keys", "action_view_renewed_keys"):
            self.assertFalse(self._buttons(order, button))
            with self.assertRaises(AccessError):
                getattr(order, button)()

    def test_manager_sees_no_button(self):
        """G3: who may not sell sees no button for quotations."""
        name = "action_make_renewal_quotations"
        self.assertFalse(self._buttons(self.key.with_user(self.manager), name, "list"))
        self.assertTrue(self._buttons(self.key.with_user(self.seller), name, "list"))

    def _buttons(self, records, name, view_type="form"):
        arch = etree.fromstring(records.get_view(view_type=view_type)["arch"])
        return arch.xpath(f"//button[@name='{name}']")

    def test_offers_are_the_systems(self):
        """G3, L1: nobody writes what was offered, as superuser neither."""
        offer = self.order.sudo().order_line.renewal_offer_ids
        values = {"seats": 9}
        for user in (self.boss, self.manager, self.seller):
            mine = offer.with_user(user)
            for act in (
                lambda mine=mine: mine.write(values),
                lambda mine=mine: mine.unlink(),
                lambda mine=mine: mine.create(values),
            ):
                with self.assertRaises(UserError):
                    act()
        with self.assertRaisesRegex(UserError, "set by the system alone"):
            offer.write(values)
        with self.assertRaisesRegex(UserError, "set by the system alone"):
            offer.create({"sale_line_id": offer.sale_line_id.id})
        with self.assertRaisesRegex(UserError, "set by the system alone"):
            self.key.write({"renewal_offer_ids": [Command.delete(offer.id)]})

    def test_other_company(self):
        """G3, E1: people of another company learn nothing of a shared key's offers."""
        shared = self._enter_subscriptions("SHARED-2", company_id=False)
        self._apply(shared)
        order = self._quote(shared)
        offer = order.sudo().order_line.renewal_offer_ids
        self.boss.write(
            {
                "company_ids": [Command.set(self.other_company.ids)],
                "company_id": self.other_company.id,
            }
        )
        self.env.invalidate_all()
        self.assertFalse(self.env[OFFER].with_user(self.boss).search([]) & offer)
        self.assertFalse(shared.with_user(self.boss).renewal_offer_ids)
        with self.assertRaisesRegex(UserError, "at no customer"):
            self._quote(shared, self.boss)
