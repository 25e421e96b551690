from odoo import fields
from odoo.tests import Form, HttpCase, tagged

from .common import SoftwareKeyCommon, SoftwareKeyMixin


@tagged("post_install", "-at_install")
class TestLooks(SoftwareKeyCommon):
    """What a screen says is so for whoever looks at it."""

    def test_assignment_status(self):
        """K14: a seat that is taken is Applied, whatever is left of its key."""
        key = self._enter_subscriptions("VOLUME-1", seats=25)
        feature = self._apply(key).with_user(self.technician)
        self.assertEqual(feature.status, "available")
        self.assertEqual(feature.assignment_status, "applied")
        key.validity_end = self._in_days(-1)
        self.assertEqual(feature.assignment_status, "expired")
        self.assertEqual(
            feature.fields_get(["assignment_status"])["assignment_status"]["selection"],
            key.fields_get(["status"])["status"]["selection"],
        )

    def test_repeated_license_key(self):
        """K2: who types a license key that is there already learns where it is."""
        there = self._enter("TWICE-1")
        self._apply(there)
        key = self.env["client.equipment.software.key"].with_user(self.manager).new()
        key.license_key = " TWICE-1"
        warning = key._onchange_license_key()["warning"]
        # A full stop stands behind the title.
        self.assertEqual(warning["title"], "Check the license key")
        self.assertEqual(
            warning["message"],
            f"The license key must be unique! {there.display_name}: "
            "Applied to Reception Laptop [LAPTOP-12345]",
        )

    def test_subscription_of_a_year(self):
        """K12: a subscription of new software ends in a year, as long as nobody says
        otherwise."""
        key = self.env["client.equipment.software.key"].with_user(self.manager)
        with Form(key) as form:
            form.license_key = "YEAR-1"
            form.software_id = self.office
            form.key_type = "subscription"
        self.assertEqual(form.record.validity_end, fields.Date.add(self.today, years=1))

    def test_checkpoint_name(self):
        """L8: a checkpoint is called by its moment in its reader's own format."""
        self.env["res.lang"]._activate_lang("de_DE")
        checkpoint = self.env["client.equipment.audit.checkpoint"].new(
            {"until": "2026-03-04 05:06:07"}
        )
        german = checkpoint.with_context(lang="de_DE", tz="UTC")
        self.assertEqual(german.display_name, "04.03.2026 05:06:07")


@tagged("post_install", "-at_install")
class TestLooksOnScreen(SoftwareKeyMixin, HttpCase):
    def setUp(self):
        super().setUp()
        # What stands in the database beside the test's own is not shown.
        self.env["client.equipment.software.key"].search(
            []
        ).company_id = self.other_company
        self._enter_subscriptions("ENDS-LATER", end=300)
        self._enter_subscriptions("ENDS-NEXT", end=70)
        self._enter_subscriptions("ENDS-LAST", end=400)

    def test_renewals(self):
        """K8: Renewals Ahead opens on what ends next, in the calendar and the list."""
        self.start_tour(
            "/odoo/software-key-renewals?view_type=calendar",
            "renewals_calendar",
            login="sk_manager",
        )

    def test_nothing_needs_attention(self):
        """S7: who looks for what needs attention learns that nothing does."""
        self.start_tour(
            "/odoo/software-key-overview", "nothing_needs_attention", login="sk_manager"
        )

    def test_quick_choice(self):
        """K11: column and heading chosen quickly, one after the other, both count."""
        self.start_tour("/odoo/software-keys", "vendor_table_quick", login="sk_manager")

    def test_until(self):
        """A3: where keys are offered, the last day of a key is not torn apart."""
        self.office.name = "Microsoft Office 365 Professional"
        self._enter_subscriptions("OFFC3-65PRO-12222-XK7QD-12342")
        self.start_tour(
            f"/odoo/client-equipment/{self.laptop.id}",
            "until_in_one_line",
            login="sk_technician",
        )
