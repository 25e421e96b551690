from odoo import Command
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .common import ClientEquipmentCommon


@tagged("post_install", "-at_install")
class TestDeletion(ClientEquipmentCommon, HttpCase):
    """E2: what equipment depends on cannot be deleted, and whoever tries learns why."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env["res.company"].create({"name": "Granite Services"})
        cls.responsible = cls.env["res.users"].create(
            {
                "name": "Robin Responsible",
                "login": "ce_robin",
                "company_id": cls.company.id,
                "company_ids": [Command.set(cls.company.ids)],
            }
        )
        cls.laptop.write(
            {
                "company_id": cls.company.id,
                "user_id": cls.responsible.id,
                "active": False,
            }
        )
        cls.manager.group_ids += cls.env.ref("base.group_system") + cls.env.ref(
            "base.group_partner_manager"
        )

    def _refusal(self, record, method="unlink", *args):
        """Call the method in the manager's web client; return the words of its end."""
        params = {
            "model": record._name,
            "method": method,
            "args": [record.ids, *args],
            "kwargs": {},
        }
        with mute_logger("odoo.http", "odoo.sql_db"):
            answer = self.url_open("/web/dataset/call_kw", json={"params": params})
        error = answer.json()["error"]["data"]
        self.assertEqual(error["name"], "odoo.exceptions.ValidationError")
        self.assertNotIn("violates", error["message"])
        self.env.invalidate_all()
        self.assertTrue(record.exists())
        return error["message"]

    def _targets(self):
        return self.dentist, self.laptops, self.company, self.responsible

    def test_what_hangs_on_it_is_named(self):
        """E2: the refusal names the record, the equipment (archived, too), and what
        to do."""
        self.manager.company_ids += self.company
        self.authenticate("ce_manager", "ce_manager")
        for record in self._targets():
            with self.subTest(model=record._name):
                refusal = self._refusal(record)
                self.assertIn(f"{record.display_name} cannot be deleted", refusal)
                self.assertIn("Reception Laptop [LT-12345] (Equipment)", refusal)
                self.assertIn("Archive it instead.", refusal)

    def test_what_nobody_may_see_is_not_named(self):
        """E1: the refusal does not speak of equipment of another company."""
        self.authenticate("ce_manager", "ce_manager")
        for record in self._targets():
            with self.subTest(model=record._name):
                refusal = self._refusal(record)
                self.assertIn("something that you may not see", refusal)
                self.assertNotIn("Laptop", refusal)
                self.assertNotIn("LT-12345", refusal)

    def test_what_is_gone_cannot_be_chosen(self):
        """E2: a category that somebody has deleted meanwhile."""
        gone = self.env["client.equipment.category"].create({"name": "Gone"})
        vals = {"category_id": gone.id}
        gone.unlink()
        self.manager.company_ids += self.company
        self.authenticate("ce_manager", "ce_manager")
        refusal = self._refusal(self.laptop, "write", vals)
        self.assertIn("Category: what was chosen does not exist any more", refusal)
