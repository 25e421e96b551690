import base64
import io

from freezegun import freeze_time
from lxml import etree
from openpyxl import load_workbook

from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.client_equipment_software_key.tests.common import SoftwareKeyCommon

KEY = "client.equipment.software.key"


@tagged("post_install", "-at_install")
class TestSeams(SoftwareKeyCommon):
    """H1: what another addon adds once works on every route."""

    def test_status_of_its_own(self):
        """H1: a status and two steps, set by a manager, refused for applying in words
        of the addon's own, told in the trail, counted, listed, in order."""
        key = self._enter("SEAM-1")
        key.status = "quarantine"
        with self.assertRefused(UserError, "SEAM-1.* is in quarantine. Release it"):
            self._apply(key)
        self.assertEqual(self.office.software_key_count, 1)
        self.assertFalse(key.needs_attention)
        key.status = "available"
        self._apply(key)
        steps = ["created", "quarantined", "released", "applied"]
        self.assertEqual(self._steps(key), steps)
        self.assertTrue(all(key.audit_log_ids.mapped("description")))
        with self.assertRaises(UserError):
            key.status = "quarantine"  # while it is in use

    def test_heard(self):
        """H1: each step is heard."""
        keys = self._enter("SEAM-2", "SEAM-3")
        self._apply(keys[0]).unlink()
        self.assertEqual(keys.mapped("heard"), [3, 1])

    def test_example(self):
        """H1: the example of the developers' page says on the equipment that a key has
        expired there."""
        key = self._enter_subscriptions("SEAM-7", end=1)
        self._apply(key)
        with freeze_time(self._in_days(3)):
            self.env.invalidate_all()
            key.with_user(self.manager).status = "expired"
        told = self.laptop.message_ids.filtered(
            lambda message: "has expired here" in str(message.body)
        )
        self.assertEqual(len(told), 1)
        self.assertNotIn("SEAM-7", told.body)

    def test_fact_of_its_own(self):
        """H1, L5: an entry has the addon's fact, and the hash covers it."""
        key = self._enter("SEAM-4", cost_centre="4711")
        self._apply(key)
        self.assertEqual(set(key.audit_log_ids.mapped("cost_centre")), {"4711"})
        self.assertEqual(key.verify_audit_trail(), [])
        key.cost_centre = "4712"
        self.assertEqual(key.verify_audit_trail(), [])
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE client_equipment_audit_log SET cost_centre = '4713' WHERE id = %s",
            [key.audit_log_ids.ids[0]],
        )
        self.env.invalidate_all()
        self.assertEqual(len(key.verify_audit_trail()), 1)

    def test_told(self):
        """H1: the overview, a reminder and the words of a step have what the addon
        says."""
        key = self._enter("SEAM-8", cost_centre="4711")
        self.assertIn("for 4711", key.audit_log_ids.description)
        key.status = "quarantine"
        tasks = key.with_user(self.manager).get_overview()["tasks"]
        self.assertEqual(tasks[-1]["count"], 1)
        self.office.minimum_available = 3
        self.env["client.equipment.software"]._cron_remind()
        self.assertIn("3 missing", self.office.activity_ids.note)

    def test_columns_of_its_own(self):
        """H1, L6, L7: usage history and evidence pack have the addon's column."""
        key = self._enter("SEAM-5", cost_centre="4711")
        self._apply(key)
        history = self.env["client.equipment.usage.history"].with_user(self.manager)
        line = history.search([("software_key_id", "=", key.id)])
        self.assertEqual(line.cost_centre, "4711")
        self.assertTrue(history.search([("cost_centre", "=", "4711")]))
        pack = self.env["client.equipment.evidence.pack"].with_user(self.manager)
        pack = pack.create({"software_ids": [(6, 0, self.office.ids)]})
        with self.enter_registry_test_mode():
            pack.action_make()
            self.env.ref(
                "client_equipment_software_key.ir_cron_evidence"
            ).method_direct_trigger()
        self.env.invalidate_all()
        cells = {
            cell.value
            for sheet in load_workbook(io.BytesIO(base64.b64decode(self._xlsx(pack))))
            for row in sheet.iter_rows()
            for cell in row
        }
        self.assertLess({"Cost Centre", "4711"}, cells)

    def _xlsx(self, pack):
        file = pack.file_ids.filtered(lambda file: file.name.endswith(".xlsx"))
        return file.content

    def test_views(self):
        """H1: named anchors take what the addon adds, on every screen."""
        for model, kind, anchor in (
            (KEY, "form", "//group[@name='origin']/field[@name='cost_centre']"),
            (KEY, "kanban", "//footer[@name='footer']/field[@name='cost_centre']"),
            (KEY, "search", "//filter[@name='group_by_cost_centre']"),
            (f"{KEY}.renewal", "form", "//footer/span[@name='seams']"),
            ("client.equipment.usage.history", "list", "//field[@name='cost_centre']"),
        ):
            with self.subTest(model=model, kind=kind):
                view = self.env[model].with_user(self.manager).get_view(view_type=kind)
                self.assertTrue(etree.fromstring(view["arch"]).xpath(anchor))

    def test_equipment_in_another_table(self):
        """H1: where equipment is kept in another table, the trail knows it."""
        self.assertEqual(self.laptop._table, "elsewhere_unit")
        key = self._enter("SEAM-6", owner_id=self.customer.id)
        feature = self._apply(key)
        entry = key.audit_log_ids.sorted("number")[-1]
        self.assertEqual(entry.equipment_id, self.laptop)
        self.assertIn("LAPTOP-12345", entry.description)
        self.assertEqual(key.verify_audit_trail(), [])
        self.assertFalse(key.search([("needs_attention", "=", True)]))
        self.assertEqual(key.with_user(self.manager).get_missing_guarantees(), [])
        with self.assertRaises(UserError):
            self.laptop.with_user(self.technician).action_archive()
        feature.unlink()
        self.assertEqual(key.status, "available")
