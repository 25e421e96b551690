# pylint: disable=context-overridden
import doctest
from pathlib import Path

from odoo import SUPERUSER_ID
from odoo.exceptions import UserError
from odoo.modules.migration import load_script
from odoo.tests import tagged
from odoo.tools import SQL, file_path, mute_logger
from odoo.tools.safe_eval import safe_eval

from odoo.addons.client_equipment import upgrade

from .common import ADDON, SoftwareKeyCommon

ADDONS = ("client_equipment", ADDON)
MIGRATIONS = Path(__file__).parents[1] / "migrations"


@tagged("post_install", "-at_install")
class TestRules(SoftwareKeyCommon):
    """E4: an upgrade that brings a rule which rows break stops, in words."""

    def test_examples(self):
        """E4: what a definition asks of rows is read from it."""
        self.assertEqual(doctest.testmod(upgrade).failed, 0)

    def test_each_rule_is_understood(self):
        """E4: each rule of our models is one that the upgrade can look for, and none
        is broken; what it cannot look for is an index or holds for new rows only."""
        rules = 0
        for name in self.env.registry:
            model = self.env[name]
            for found in model._table_objects.values():
                if found._module not in ADDONS:
                    continue
                definition = found.get_definition(self.env.registry)
                with self.subTest(found=definition), self.env.cr.savepoint():
                    if upgrade.rule_of(definition):
                        rules += 1
                        rows = upgrade.rows_in_the_way(
                            self.env.cr, model._table, definition
                        )
                        self.assertEqual(rows, [])
                    else:
                        self.assertRegex(definition, "^INDEX|NOT VALID$")
        declared = [each for addon in ADDONS for each in upgrade.declared_rules(addon)]
        self.assertEqual(len(declared), rules)
        self.assertGreater(rules, 15)

    def _break(self, table, name, statement, *args):
        """Let rows come in that break a rule, as before there was one."""
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "ALTER TABLE %s DROP CONSTRAINT IF EXISTS %s",
                SQL.identifier(table),
                SQL.identifier(name),
            )
        )
        self.env.cr.execute(SQL("DROP INDEX IF EXISTS %s", SQL.identifier(name)))
        self.env.cr.execute(SQL(statement, *args))

    def _upgrade(self, addon=ADDON):
        upgrade.stop_where_rows_are_in_the_way(self.env.cr, addon)

    @mute_logger("odoo.sql_db")
    def test_months(self):
        """E4: software with more than 600 months stops the upgrade, by its name."""
        self._upgrade()
        self._break(
            "client_equipment_software",
            "client_equipment_software_check_default_validity_months",
            "UPDATE client_equipment_software SET default_validity_months = 900"
            " WHERE id = %s",
            self.office.id,
        )
        with self.assertRefused(
            UserError, r"Office Professional \(id \d+\) .*600 months"
        ):
            self._upgrade()
        self.office.default_validity_months = 60
        self.env.flush_all()
        self._upgrade()

    @mute_logger("odoo.sql_db")
    def test_twice(self):
        """E4: what there is twice stops the upgrade; license keys stand in no log."""
        first, second = self._enter("TWICE-1", "TWICE-2")
        self._break(
            "client_equipment_software_key",
            "client_equipment_software_key_license_key_unique",
            "UPDATE client_equipment_software_key SET license_key = 'TWICE-1'"
            " WHERE id = %s",
            second.id,
        )
        with self.assertRefused(
            UserError, f"client_equipment_software_key: id {first.id}, id {second.id} "
        ) as caught:
            self._upgrade()
        self.assertNotIn("TWICE", str(caught.exception))

    @mute_logger("odoo.sql_db")
    def test_link(self):
        """E4: a link to what is not there stops the upgrade."""
        feature = self._apply(self._enter("LINK-1"))
        self.env.flush_all()
        definition = (
            "FOREIGN KEY (software_key_id, seat)"
            " REFERENCES client_equipment_software_key (id, seats) ON UPDATE CASCADE"
        )
        query = (self.env.cr, "client_equipment_feature", definition)
        self.assertEqual(upgrade.rows_in_the_way(*query), [])
        self.env.cr.execute("UPDATE client_equipment_software_key SET seats = 5")
        self.assertIn((feature.id, None), upgrade.rows_in_the_way(*query))

    def test_many(self):
        """E4: of many rows the first are named."""
        keys = self._enter(*[f"MANY-{number}" for number in range(20)])
        self._break(
            "client_equipment_software_key",
            "client_equipment_software_key_check_validity_end_required",
            "UPDATE client_equipment_software_key SET key_type = 'trial'"
            " WHERE id = ANY(%s)",
            keys.ids,
        )
        with self.assertRefused(UserError, f"id {keys[9].id}, and more") as caught:
            self._upgrade()
        self.assertNotIn(f"id {keys[10].id}", str(caught.exception))


@tagged("post_install", "-at_install")
class TestScripts(SoftwareKeyCommon):
    """E4: what the scripts of migrations/ do is what the models would have done."""

    def _migrate(self, path):
        self.env.flush_all()
        load_script(str(MIGRATIONS / path), Path(path).stem).migrate(self.env.cr, "")
        self.env.invalidate_all()

    def test_bound_as_new_assignments_are(self):
        """E4, K13: old assignments are bound to their place as new ones are."""
        branch = self.env["res.partner"].create(
            {"name": "Branch", "parent_id": self.customer.id}
        )
        at_branch = self.laptop.copy({"partner_id": branch.id})
        features = (
            self._apply(self._enter("BOUND-1"))
            + self._apply(self._enter("BOUND-2", company_id=False))
            + self._apply(self._enter("BOUND-3", owner_id=self.customer.id))
            + self._apply(
                self._enter("BOUND-4", owner_id=self.customer.id, company_id=False),
                at_branch,
            )
        )
        names = ["bound_company_ref", "bound_partner_ref"]
        bound = features.read(names)
        self.assertEqual(
            len({tuple(each[name] for name in names) for each in bound}), 4
        )
        self.env.cr.execute(
            "UPDATE client_equipment_feature"
            " SET bound_company_ref = NULL, bound_partner_ref = NULL"
        )
        self._migrate("19.0.1.1.0/post-migration.py")
        self.assertEqual(features.read(names), bound)

    def test_what_broke_a_rule_stays(self):
        """E4, K13: an assignment that broke a rule before is not bound, and found."""
        feature = self._apply(self._enter("BOUND-5"))
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE client_equipment_feature SET bound_company_ref = NULL;"
            " UPDATE client_equipment SET company_id = NULL"
        )
        self._migrate("19.0.1.1.0/post-migration.py")
        self.assertFalse(feature.bound_company_ref)
        self.assertTrue(feature.software_key_id.needs_attention)

    def test_rule_of_the_trail(self):
        """E1, E4: old databases get the rule that new ones are installed with."""
        rule = self.env.ref(f"{ADDON}.client_equipment_audit_log_rule_company")
        installed = rule.domain_force
        rule.domain_force = "[(1, '=', 1)]"
        self._migrate("19.0.1.1.0/post-migration.py")
        context = {"company_ids": [7]}
        self.assertEqual(
            safe_eval(rule.domain_force.strip(), context),
            safe_eval(installed.strip(), context),
        )

    def test_packs_begin_anew(self):
        """E4, L7: an evidence pack that is being made during an upgrade is made from
        the beginning afterwards; one that is made stays."""
        self._enter("PACK-1")
        Pack = self.env["client.equipment.evidence.pack"].with_user(self.auditor)
        packs = Pack.create([{}, {}])
        making, done = packs
        for pack in packs:
            pack.action_make()
        self.env.flush_all()
        for pack, steps in ((making, 3), (done, 99)):
            self._make_pack(pack, steps)
        self.assertEqual(packs.mapped("state"), ["making", "done"])
        self._migrate("19.0.3.0.0/post-evidence.py")
        self.assertEqual(packs.mapped("state"), ["waiting", "done"])
        self.assertTrue(done.file_ids)
        self.assertFalse(self.env["client.equipment.evidence.piece"].search([]))
        self._make_pack(making, 99)
        self.assertEqual(making.state, "done")
        self.assertEqual(len(making.file_ids), len(done.file_ids))

    def _make_pack(self, pack, steps):
        """Let the job take so many steps, or as many as there are."""
        job = self.env["client.equipment.evidence.pack"].with_user(SUPERUSER_ID)
        for _step in range(steps):
            if not job.with_context({})._make_step(pack.id):
                break
            self.env.flush_all()
        self.env.invalidate_all()

    def test_stale_indexes(self):
        """E4: indexes of fields that have lost their index= go, and no other."""
        self.env.cr.execute(
            "CREATE INDEX client_equipment_software_key__key_type_index"
            " ON client_equipment_software_key (key_type)"
        )
        query = (
            "SELECT indexname FROM pg_indexes WHERE tablename LIKE 'client_equipment%%'"
        )
        before = {name for (name,) in self.env.execute_query(SQL(query))}
        self._migrate("0.0.0/post-indexes.py")
        after = {name for (name,) in self.env.execute_query(SQL(query))}
        self.assertEqual(
            before - after, {"client_equipment_software_key__key_type_index"}
        )
        missing = self.env["client.equipment.software.key"].get_missing_guarantees()
        self.assertEqual(missing, [])

    def test_no_index_twice(self):
        """Speed: no write pays for an index of one field that another index, which
        begins with it, covers."""
        twice = self.env.execute_query(
            SQL(
                """
                SELECT one.indexrelid::regclass::text, more.indexrelid::regclass::text
                  FROM pg_index one
                  JOIN pg_index more ON more.indrelid = one.indrelid
                   AND more.indkey[0] = one.indkey[0] AND more.indnkeyatts > 1
                   AND more.indpred IS NULL
                  JOIN pg_class class ON class.oid = more.indexrelid
                  JOIN pg_am am ON am.oid = class.relam AND am.amname = 'btree'
                 WHERE one.indrelid::regclass::text LIKE 'client\\_equipment%%'
                   AND one.indnkeyatts = 1 AND one.indkey[0] <> 0
                   AND NOT one.indisunique AND one.indpred IS NULL
                   AND one.indexrelid::regclass::text LIKE '%%\\_\\_%%\\_index'
                   AND one.indclass[0] = more.indclass[0]
                """
            )
        )
        self.assertEqual(twice, [])

    def test_labels(self):
        """K2, E4: what nobody sees goes from stored serial numbers, asset tags and
        names; rows that would become one are named, not merged; license keys, of which
        trails speak, are named."""
        third = self.laptop.copy()
        tags = {self.laptop: "TAG-1", self.spare_laptop: "TAG\u200b-1", third: " TAG-3"}
        for unit, tag in tags.items():
            self._store(unit, asset_tag=tag)
        self._store(self.laptop, serial_no="SN\u200b-1\n2", name="Reception  Laptop ")
        self._store(self.spare_laptop, serial_no="\u200b")
        odd, plain = self._enter("ODD-1", "GR\u00d6SSE-1")
        self._store(odd, license_key="ODD\u200b-1")
        theirs = "client_equipment/migrations/19.0.3.0.0/post-labels.py"
        with self.assertLogs(level="WARNING") as logs:
            self._migrate(file_path(theirs))
            self._migrate("19.0.3.0.0/post-labels.py")
        self.assertRecordValues(
            self.laptop | self.spare_laptop | third,
            [
                {
                    "name": "Reception Laptop",
                    "serial_no": "SN-12",
                    "asset_tag": "TAG-1",
                },
                {
                    "name": "Spare Laptop",
                    "serial_no": False,
                    "asset_tag": "TAG\u200b-1",
                },
                {
                    "name": "Reception Laptop (copy)",
                    "serial_no": False,
                    "asset_tag": "TAG-3",
                },
            ],
        )
        said = "\n".join(logs.output)
        self.assertIn(f"(id {self.spare_laptop.id})", said)
        self.assertNotIn(f"id {third.id}", said)
        self.assertRegex(said, f"Replace it .*: id {odd.id}$")
        self.assertNotIn("ODD", said)
        self.assertEqual(odd.license_key, "ODD\u200b-1")

    def _store(self, record, **values):
        """Put values into a record as they could be stored once."""
        self.env.flush_all()
        for name, value in values.items():
            self.env.cr.execute(
                SQL(
                    "UPDATE %s SET %s = %s WHERE id = %s",
                    SQL.identifier(record._table),
                    SQL.identifier(name),
                    value,
                    record.id,
                )
            )
        self.env.invalidate_all()
