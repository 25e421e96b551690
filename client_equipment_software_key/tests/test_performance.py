from odoo import fields
from odoo.tests import Form
from odoo.tools import SQL

from .common import SoftwareKeyCommon

# Odoo writes up to a hundred rows with one INSERT, so this many are one batch.
FEW, MANY = 10, 100


class TestPerformance(SoftwareKeyCommon):
    """The design's "Speed": the cost of an operation in queries, and its growth.

    A budget is what was counted and a little room for other addons. Who exceeds it
    has most likely read or written in a loop.
    """

    def _queries(self, function):
        """Return how many queries the function takes with cold caches."""
        self.env.flush_all()
        # Not the caches of records alone: environments that happen to be alive still
        # remember their company and time zone.
        self.env.transaction.reset()
        before = self.env.cr.sql_log_count
        function()
        self.env.flush_all()
        return self.env.cr.sql_log_count - before

    def _assert_budget(self, function, budget):
        """Check the budget, and that a hundred records cost no more than ten.

        :param function: takes a batch's name and the number of keys, and returns
            the function to be counted
        """
        self._queries(function("warm", 1))
        few = self._queries(function("few", FEW))
        many = self._queries(function("many", MANY))
        self.assertLessEqual(many, few)
        self.assertLessEqual(few, budget)

    def _license_keys(self, batch, count):
        return [f"PERF-{batch}-{number:03}" for number in range(count)]

    def test_enter(self):
        """K11: entering many keys."""

        def enter(batch, count):
            return lambda: self._enter(*self._license_keys(batch, count))

        self._assert_budget(enter, 12)

    def test_defaults_are_common(self):
        """K11, A2: what comes by the thousand asks for its defaults once."""
        for model in ("", ".software", ".software.key", ".feature"):
            with self.subTest(model=model):
                common = self.env[f"client.equipment{model}"]._has_common_defaults()
                self.assertTrue(common)

    def test_enter_of_many_software(self):
        """K11: entering many keys, each of another software (an import)."""

        def enter(batch, count):
            software = self.env["client.equipment.software"].create(
                [{"name": f"Title {batch} {number}"} for number in range(count)]
            )
            rows = [
                {"license_key": license_key, "software_id": each.id}
                for license_key, each in zip(
                    self._license_keys(batch, count), software, strict=True
                )
            ]
            keys = self.env["client.equipment.software.key"].with_user(self.manager)
            return lambda: keys.create(rows)

        self._assert_budget(enter, 12)

    def test_apply(self):
        """A2: applying many keys."""

        def apply(batch, count):
            keys = self._enter_subscriptions(*self._license_keys(batch, count))
            return lambda: self._apply(keys)

        self._assert_budget(apply, 17)

    def test_remove(self):
        """A7: removing many keys."""

        def remove(batch, count):
            keys = self._enter_subscriptions(*self._license_keys(batch, count))
            features = self._apply(keys)
            return lambda: features.unlink()

        self._assert_budget(remove, 20)

    def test_move_end(self):
        """S3: a new validity end for many keys."""

        def move(batch, count):
            keys = self._enter_subscriptions(*self._license_keys(batch, count))
            return lambda: keys.write({"validity_end": self._in_days(400)})

        self._assert_budget(move, 15)

    def test_revoke(self):
        """Section 4: revoking many keys."""

        def revoke(batch, count):
            keys = self._enter(*self._license_keys(batch, count))
            return lambda: keys.revoke()

        self._assert_budget(revoke, 10)

    def _rows_written(self, function):
        """Return how many rows of keys the function writes."""
        self.env.flush_all()
        counts = []
        for run in (function, None):
            self.env.cr.execute(
                "SELECT n_tup_upd FROM pg_stat_xact_user_tables"
                " WHERE relname = 'client_equipment_software_key'"
            )
            counts += self.env.cr.fetchone()
            if run:
                run()
                self.env.flush_all()
        return counts[1] - counts[0]

    def test_each_key_once(self):
        """S3, A2, A7: a step writes each key once, whatever it changes of it."""
        keys = self._enter_subscriptions(*self._license_keys("once", FEW))
        steps = {
            "apply": lambda: self._apply(keys),
            "renew": lambda: keys.renew(self._in_days(400), "PO-1", "A note"),
            "remove": lambda: keys.equipment_feature_ids.unlink(),
            "revoke": lambda: keys.revoke("Sold"),
        }
        for name, step in steps.items():
            with self.subTest(step=name):
                self.assertEqual(self._rows_written(step), FEW)
        self.assertEqual(set(keys.mapped("audit_number")), {5})

    def _dialog(self, model, **context):
        """Open the dialog as the manager."""
        model = self.env[f"client.equipment.{model}"].with_user(self.manager)
        return Form(model.with_context(**context))

    def test_enter_many_dialog(self):
        """K11: the dialog, from the pasted list to its end."""

        def enter(batch, count):
            def run():
                dialog = self._dialog("software.key.bulk.entry")
                dialog.software_id = self.office
                dialog.license_keys = "\n".join(self._license_keys(batch, count))
                dialog.save().action_enter()

            return run

        self._assert_budget(enter, 25)

    def test_renew_dialog(self):
        """S3: the dialog for selected keys, from its opening to its end."""

        def renew(batch, count):
            keys = self._enter_subscriptions(*self._license_keys(batch, count))
            self._apply(keys[::2])

            def run():
                self._dialog(
                    "software.key.renewal", active_model=keys._name, active_ids=keys.ids
                ).save().action_renew()

            return run

        self._assert_budget(renew, 36)

    def test_return_dialog(self):
        """A9: the dialog for a unit with many keys, from its opening to its end."""

        def move(batch, count):
            unit, replacement = self.env["client.equipment"].create(
                [{"name": f"{batch} {n}", "company_id": self.company.id} for n in "12"]
            )
            self._apply(self._enter(*self._license_keys(batch, count)), unit)

            def run():
                dialog = self._dialog("return", default_equipment_id=unit.id)
                dialog.replacement_id = replacement
                dialog.save().action_confirm()

            return run

        self._assert_budget(move, 72)

    def test_apply_next_dialog(self):
        """A12: the dialog for many products, from its opening to its end."""

        def apply(batch, count):
            software = self.env["client.equipment.software"].create(
                [{"name": name} for name in self._license_keys(batch, count)]
            )
            for product in software:
                self._enter(product.name, software=product)

            def run():
                dialog = self._dialog("apply.next", default_equipment_id=self.laptop.id)
                dialog.software_ids.set(software)
                dialog.save().action_apply()

            return run

        self._assert_budget(apply, 66)

    def test_cards(self):
        """The cards of Software, with their counts."""
        Software = self.env["client.equipment.software"].with_user(self.manager)
        software = Software.create(
            [{"name": name} for name in self._license_keys("cards", MANY)]
        )
        self._enter("PERF-CARD", software=software[0])
        counts = dict.fromkeys(
            ["software_key_count", "expiring_count", "next_validity_end"], {}
        )

        def cards(_batch, count):
            return lambda: software[:count].web_read(counts)

        self._assert_budget(cards, 6)

    def test_smart_buttons(self):
        """The numbers of keys on equipment and customers."""
        customers = self.env["res.partner"].create(
            [{"name": name} for name in self._license_keys("customer", MANY)]
        )
        equipment = self.env["client.equipment"].create(
            [
                {
                    "name": customer.name,
                    "partner_id": customer.id,
                    "company_id": self.company.id,
                }
                for customer in customers
            ]
        )
        self._apply(self._enter("PERF-BUTTON"), equipment[0])
        for records in (equipment, customers):
            records = records.with_user(self.manager)

            def buttons(_batch, count, records=records):
                return lambda: records[:count].web_read({"software_key_count": {}})

            self._assert_budget(buttons, 6)

    def test_list(self):
        """K7: a page of the list, with equipment and customer."""
        Key = self.env["client.equipment.software.key"].with_user(self.technician)
        keys = self._enter(*self._license_keys("list", MANY))
        self._apply(keys)
        columns = ["license_key", "status", "validity_end"]
        links = ["software_id", "equipment_id", "partner_id"]
        asked = dict.fromkeys(columns, {}) | dict.fromkeys(
            links, {"fields": {"display_name": {}}}
        )

        def page(_batch, count):
            return lambda: Key.web_search_read(
                [("id", "in", keys.ids)], asked, limit=count
            )

        self._assert_budget(page, 8)

    def test_form(self):
        """K9: a key's form, whatever the length of its trail."""
        short, long = self._enter("PERF-SHORT", "PERF-LONG")
        for _number in range(10):
            self._apply(long).unlink()
        view = "client_equipment_software_key.client_equipment_software_key_view_form"
        manager = self.env(user=self.manager)

        def form(key):
            return lambda: Form(key.with_env(manager), view=view)

        self._queries(form(short))
        self.assertLessEqual(self._queries(form(long)), self._queries(form(short)) + 2)
        # (one looks for a license file, one tells how often the key was shown)
        self.assertLessEqual(self._queries(form(short)), 17)

    def test_equipment_form(self):
        """A1: saving an equipment with one more key."""
        key = self._enter("PERF-LINE")
        technician = self.env(user=self.technician)
        self._queries(lambda: Form(self.laptop.with_env(technician)))

        def save():
            with (
                Form(self.laptop.with_env(technician)) as form,
                form.equipment_feature_ids.new() as line,
            ):
                line.software_key_id = key

        self.assertLessEqual(self._queries(save), 60)

    def test_drop_down(self):
        """A3: the drop-down of the equipment form."""
        Key = self.env["client.equipment.software.key"].with_user(self.technician)
        self._enter(*self._license_keys("menu", FEW))
        domain = [("can_be_applied", "=", True)]
        search = Key.with_company(self.company).name_search
        self._queries(lambda: search("perf", domain, limit=8))
        self.assertLessEqual(
            self._queries(lambda: search("perf-menu", domain, limit=8)), 7
        )

    def test_due_keys_by_index(self):
        """S1: the job's batches come from an index, in its order."""
        for other_way in ("seqscan", "sort", "incremental_sort"):
            self.env.cr.execute(f"SET LOCAL enable_{other_way} = off")
        self.env.cr.execute(
            "EXPLAIN SELECT id FROM client_equipment_software_key"
            " WHERE status IN ('available', 'applied') AND validity_end < %s"
            " ORDER BY validity_end, id LIMIT 10",
            [fields.Date.today()],
        )
        plan = "\n".join(line for (line,) in self.env.cr.fetchall())
        self.assertIn("software_key_due", plan)
        self.assertNotIn("Sort", plan)

    def test_job(self):
        """S1: the job, for few and for many due keys."""

        def expire(batch, count):
            keys = self._enter_subscriptions(*self._license_keys(batch, count))
            # Their last day passes, as it does without anybody's doing.
            self.env.flush_all()
            self.env.cr.execute(
                "UPDATE client_equipment_software_key SET validity_end = %s"
                " WHERE id = ANY(%s)",
                [self._in_days(-1), keys.ids],
            )
            self.env.invalidate_all()

            def run():
                with self.enter_registry_test_mode():
                    job.method_direct_trigger()

            return run

        job = self.env.ref("client_equipment_software_key.ir_cron_expire")

        self._assert_budget(expire, 38)


class TestPerformanceOnRequest(TestPerformance):
    """K16: the same where license keys are hidden from who does it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.groups"]._set_license_key_display("on_request")

    def test_search_by_index(self):
        """K16: the whole license key and its ending are found by an index."""
        self.env.cr.execute("SET LOCAL enable_seqscan = off")
        keys = self.env(user=self.technician, su=True)["client.equipment.software.key"]
        for text in ("PERF-few-001", "w-001", "…w-001"):
            for operator in ("ilike", "="):
                query = keys._search([("license_key", operator, text)], order="remarks")
                self.env.cr.execute(SQL("EXPLAIN %s", query.select()))
                plan = "\n".join(line for (line,) in self.env.cr.fetchall())
                self.assertRegex(plan, r"Index Scan (on|using) \w+key__?license")
