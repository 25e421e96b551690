from odoo import Command
from odoo.exceptions import UserError
from odoo.tools.safe_eval import safe_eval

from .common import ADDON, SoftwareKeyCommon


class TestCustomerOwned(SoftwareKeyCommon):
    """K13: a key that was bought for a customer stays with this customer."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.branch = cls.env["res.partner"].create(
            {"name": "Branch", "parent_id": cls.customer.id, "is_company": True}
        )
        cls.contact = cls.env["res.partner"].create(
            {"name": "Contact of Branch", "parent_id": cls.branch.id}
        )
        cls.foreign_laptop, cls.stock_laptop = cls.env["client.equipment"].create(
            [
                {
                    "name": "Foreign Laptop",
                    "partner_id": cls.other_customer.id,
                    "company_id": cls.company.id,
                },
                {"name": "Stock Laptop", "company_id": cls.company.id},
            ]
        )
        cls.shared = cls._enter("SHARED-1")
        cls.owned = cls._enter("OWNED-1", owner_id=cls.customer.id)

    def _offered(self, equipment, name="", limit=8):
        """Return the keys that the drop-down of the equipment offers, in order."""
        domain = safe_eval(
            self.env["client.equipment.feature"]._fields["software_key_id"].domain,
            {
                "company_id": equipment.company_id.id,
                "partner_id": equipment.partner_id.id,
            },
        )
        SoftwareKey = self.env["client.equipment.software.key"].with_user(
            self.technician
        )
        found = SoftwareKey.with_context(software_key_owned_first=True).name_search(
            name, domain, limit=limit
        )
        return self.owned.browse(key_id for key_id, _ in found)

    def test_fits(self):
        """K13: it goes onto the equipment of the customer, of its branches and of
        their contacts."""
        for partner in (self.customer, self.branch, self.contact):
            self.spare_laptop.partner_id = partner
            feature = self._apply(self.owned, self.spare_laptop)
            self.assertEqual(self.owned.equipment_id, self.spare_laptop)
            feature.unlink()

    def test_never_elsewhere(self):
        """K13: not onto another customer's equipment, nor onto nobody's, nor onto the
        customer's own when the key was bought for a branch."""
        for equipment in (self.foreign_laptop, self.stock_laptop):
            with self.assertRefused(
                UserError, "was bought for Tour Dental Practice and can only go onto"
            ):
                self._apply(self.owned, equipment)
        branch_key = self._enter("BRANCH-1", owner_id=self.branch.id)
        with self.assertRefused(UserError, "was bought for Branch and can only"):
            self._apply(branch_key, self.laptop)
        self.assertEqual((self.owned | branch_key).mapped("status"), ["available"] * 2)

    def test_later_changes(self):
        """K13: neither the owner of an applied key nor the customer of its equipment
        can be changed so that they disagree."""
        self._apply(self.owned)
        with self.assertRefused(UserError, "was bought for Tour Harbour Works"):
            self.owned.owner_id = self.other_customer
        with self.assertRefused(UserError, "was bought for Tour Dental Practice"):
            self.laptop.partner_id = self.other_customer

    def _editor(self, role, *groups):
        """Return a user who may edit contacts, too."""
        return self._new_user(role, ",".join(("base.group_partner_manager", *groups)))

    def test_contact_leaves(self):
        """K13, F16: a contact, or one above it, cannot leave the customer for whom a
        key on its equipment was bought, by whatever way."""
        self.spare_laptop.partner_id = self.contact
        self._apply(self.owned, self.spare_laptop)
        editor = self._editor("editor", f"{ADDON}.group_software_key_user")
        branch, contact, customer, other = (
            partner.with_user(editor)
            for partner in (
                self.branch,
                self.contact,
                self.customer,
                self.other_customer,
            )
        )
        for leave in (
            lambda: branch.write({"parent_id": False}),
            lambda: branch.write({"parent_id": other.id}),
            lambda: contact.write({"parent_id": other.id}),
            lambda: other.write({"child_ids": [Command.link(branch.id)]}),
            lambda: customer.write({"child_ids": [Command.unlink(branch.id)]}),
            lambda: branch.unlink(),
        ):
            with self.assertRefused(UserError, "cannot leave Tour Dental Practice"):
                leave()
            self.env.invalidate_all()
        with self.assertRefused(UserError, r"LAPTOP-67890\]: Tour Office .* OWNED-1"):
            branch.parent_id = False
        # Within the customer, and without such keys, contacts move as they like.
        contact.parent_id = customer
        self.assertEqual(self.owned.equipment_id, self.spare_laptop)
        self.owned.equipment_feature_ids.unlink()
        contact.parent_id = other

    def test_contact_leaves_unseen(self):
        """E1: who has no role for keys learns that he must ask, and no more."""
        self.spare_laptop.partner_id = self.branch
        self._apply(self.owned, self.spare_laptop)
        branch = self.branch.with_user(self._editor("plain_editor"))
        with self.assertRefused(UserError, "something that you may not see") as caught:
            branch.parent_id = False
        for secret in ("OWNED", "Office", "LAPTOP", "Spare"):
            self.assertNotIn(secret, str(caught.exception))

    def test_contacts_merged(self):
        """K13: merging contacts does not bring a key onto another customer's equipment
        either."""
        self.spare_laptop.partner_id = self.branch
        self._apply(self.owned, self.spare_laptop)
        twin = self.env["res.partner"].create(
            {"name": "Branch", "parent_id": self.other_customer.id}
        )
        merge = self.env["base.partner.merge.automatic.wizard"].create({})
        with self.assertRefused(UserError, "cannot leave Tour Dental Practice"):
            merge._merge((self.branch + twin).ids, twin, extra_checks=False)

    def test_offered_first(self):
        """K13: the drop-down of the customer's equipment offers owned keys first, also
        when typing and when it is cut off; elsewhere it never offers them."""
        newer = self._enter("SHARED-2")
        self.assertEqual(self._offered(self.laptop), self.owned + self.shared + newer)
        self.assertEqual(self._offered(self.laptop, "OWNED"), self.owned)
        self.assertEqual(self._offered(self.laptop, "Tour Office")[0], self.owned)
        self.assertEqual(self._offered(self.laptop, limit=1), self.owned)
        for equipment in (self.foreign_laptop, self.stock_laptop):
            self.assertEqual(self._offered(equipment), self.shared + newer)

    def test_offered_by_end(self):
        """A12, K13: after the customer's own, the drop-down has the key in front that
        *Apply Next Available* would take, however it is searched."""
        later, sooner = (
            self._enter_subscriptions(f"ENDS-{days}", end=days, software=self.office)
            for days in (300, 30)
        )
        expected = self.owned + sooner + later + self.shared
        feature = self.office.name
        for text in ("", feature, f"{feature} - "):
            self.assertEqual(self._offered(self.laptop, text), expected, text)
            self.assertEqual(self._offered(self.laptop, text, limit=2), expected[:2])
        found = self._offered(self.laptop, f"{feature} - ENDS")
        self.assertEqual(found, sooner + later)
        self.assertFalse(self._offered(self.laptop, "Another Feature - ENDS"))

    def test_forms_ask_for_it(self):
        """K13: the equipment form and the assignment form ask for owned keys first."""
        for model in ("client.equipment", "client.equipment.feature"):
            arch = self.env[model].get_view(view_type="form")["arch"]
            self.assertIn("software_key_owned_first", arch)

    def test_company_of_the_contact(self):
        """K13, E1: a contact that equipment or keys of one company name does not go to
        another company alone."""
        key = self._enter("COMPANY-OF-1", owner_id=self.customer.id)
        key.supplier_id = supplier = self.customer.create({"name": "Supplier"})
        for contact in self.customer, supplier:
            with self.assertRefused(UserError, "company inconsistencies"):
                contact.company_id = self.other_company
            contact.company_id = self.company
            contact.company_id = False
