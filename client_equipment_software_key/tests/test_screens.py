from odoo.tests import Form, tagged

from .common import SoftwareKeyCommon

GROUP_EQUIPMENT_USER = "client_equipment.group_client_equipment_user"


@tagged("post_install", "-at_install")
class TestScreens(SoftwareKeyCommon):
    """What each role finds on the screens."""

    def _arch(self, model, view_type, user):
        return self.env[model].with_user(user).get_view(view_type=view_type)["arch"]

    def test_equipment_user_without_keys(self):
        """E1: who only keeps the equipment works on as before, without the tab."""
        self._apply(self._enter("OFFICE-1"))
        user = self._new_user("equipment", GROUP_EQUIPMENT_USER)
        for view_type in ("form", "list", "kanban"):
            for shown_to, count in ((user, 0), (self.technician, 1)):
                self.assertEqual(
                    self._arch("client.equipment", view_type, shown_to).count(
                        'name="software_key_count"'
                    ),
                    count,
                )
        self.assertNotIn(
            "equipment_feature_ids", self._arch("client.equipment", "form", user)
        )
        with Form(self.laptop.with_user(user)) as form:
            form.location = "Reception"
        self.assertEqual(self.laptop.location, "Reception")

    def test_new_key_from_catalogue(self):
        """K5, K12: the feature fills in type and end; a permanent key has no end."""
        Key = self.env["client.equipment.software.key"].with_user(self.manager)
        self.assertFalse(Key.new({}).display_name)
        with Form(Key) as form:
            form.license_key = "AVENT-1"
            form.software_id = self.antivirus
            self.assertEqual(form.key_type, "subscription")
            self.assertEqual(form.validity_start, self.today)
            self.assertTrue(form.validity_end)
            form.key_type = "permanent"
            self.assertFalse(form.validity_end)
            form.key_type = "trial"
            form.validity_end = self._in_days(30)
        self.assertRecordValues(
            form.record,
            [
                {
                    "key_type": "trial",
                    "validity_end": self._in_days(30),
                    "display_name": "Tour Antivirus Enterprise - AVENT-1",
                }
            ],
        )

    def test_only_managers_set_the_status(self):
        """Section 4: the form offers the status by hand to managers alone."""
        for user, offered in (
            (self.manager, True),
            (self.technician, False),
            (self.auditor, False),
        ):
            arch = self._arch("client.equipment.software.key", "form", user)
            self.assertEqual('widget="selection"' in arch, offered)

    def test_only_managers_enter_many(self):
        """K11: Enter Many Keys stands above the list and the cards, for managers."""
        for view_type in ("list", "kanban"):
            for user, offered in (
                (self.manager, True),
                (self.technician, False),
                (self.auditor, False),
            ):
                arch = self._arch("client.equipment.software.key", view_type, user)
                self.assertEqual("Enter Many Keys" in arch, offered)
