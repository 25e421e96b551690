from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger


@tagged("post_install", "-at_install")
class TestWebClient(HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        new_test_user(
            cls.env, "ce_user", "client_equipment.group_client_equipment_user"
        )
        cls.dental = cls.env["res.partner"].create({"name": "Tour Dental Practice"})
        cls.env["client.equipment"].create(
            {"name": "Tour Printer", "serial_no": "TOUR-1", "asset_tag": "TOUR-TAG-1"}
        )

    def test_register_equipment(self):
        """A user registers equipment in the web client, is warned of the serial
        number, finds it again by it and returns it."""
        self.start_tour(
            "/odoo/client-equipment", "client_equipment_register", login="ce_user"
        )
        equipment = self.env["client.equipment"].search([("name", "=", "Tour Laptop")])
        self.assertRecordValues(
            equipment,
            [
                {
                    "serial_no": "TOUR-2",
                    "partner_id": self.dental.id,
                    "state": "returned",
                    "company_id": self.env.company.id,
                }
            ],
        )

    def _create_error(self, vals):
        """Return what the server answers over HTTP when ``vals`` are refused."""
        self.authenticate("ce_user", "ce_userx")
        with mute_logger("odoo.sql_db", "odoo.http"):
            response = self.url_open(
                "/web/dataset/call_kw/client.equipment/create",
                json={
                    "params": {
                        "model": "client.equipment",
                        "method": "create",
                        "args": [vals],
                        "kwargs": {},
                    }
                },
            )
        return response.json()["error"]["data"]["message"]

    def test_refusals_say_what_to_do(self):
        """What the database refuses reaches the user in words."""
        for vals, words in (
            ({"name": " "}, "Name"),
            (
                {"name": "Two", "asset_tag": "tour-tag-1"},
                "The asset tag TOUR-TAG-1 belongs to another equipment",
            ),
            (
                {
                    "name": "Two",
                    "delivery_date": "2026-03-02",
                    "warranty_end": "2026-03-01",
                },
                "cannot end before its delivery",
            ),
        ):
            with self.subTest(vals=vals):
                self.assertIn(words, self._create_error(vals))


@tagged("post_install", "-at_install")
class TestPhone(HttpCase):
    browser_size = "390x844"
    touch_enabled = True

    def test_scan(self):
        """A tag before the phone's camera opens its unit; one that nobody has says so,
        and the filter can be taken away."""
        new_test_user(
            self.env, "ce_user", "client_equipment.group_client_equipment_user"
        )
        self.env["client.equipment"].create(
            [
                {"name": "Tour Printer", "asset_tag": "TOUR-TAG-1"},
                {"name": "Other Printer", "asset_tag": "TOUR-TAG-2"},
            ]
        )
        self.start_tour(
            "/odoo/client-equipment", "client_equipment_scan", login="ce_user"
        )
