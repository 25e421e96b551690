from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import SQL

from ..models.client_equipment_guarantee import Guarantee
from .common import SoftwareKeyCommon


@tagged("post_install", "-at_install")
class TestGuarantees(SoftwareKeyCommon):
    """S7: what the database should guarantee and does not is told."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Keys = cls.env["client.equipment.software.key"].with_user(cls.manager)

    def _drop(self, guarantee):
        """Take one thing away, as a careless upgrade or an administrator may."""
        table = SQL.identifier(guarantee.table)
        name = SQL.identifier(guarantee.name)
        if guarantee.kind == "index":
            # A unique index takes along what refers to it.
            self.env.cr.execute(SQL("DROP INDEX %s CASCADE", name))
        elif guarantee.kind == "trigger":
            self.env.cr.execute(SQL("DROP TRIGGER %s ON %s", name, table))
        elif guarantee.kind == "required":
            self.env.cr.execute(
                SQL("ALTER TABLE %s ALTER COLUMN %s DROP NOT NULL", table, name)
            )
        else:
            if guarantee.kind == "link":
                ((constraint,),) = self.env.execute_query(
                    SQL(
                        """
                        SELECT c.conname
                          FROM pg_constraint c JOIN pg_attribute a
                            ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
                         WHERE c.contype = 'f' AND c.conrelid = %s::regclass
                           AND a.attname = %s
                        """,
                        guarantee.table,
                        guarantee.name,
                    )
                )
                name = SQL.identifier(constraint)
            self.env.cr.execute(
                SQL("ALTER TABLE %s DROP CONSTRAINT %s CASCADE", table, name)
            )

    def test_each_is_missed(self):
        """S7: every constraint, index, foreign key, trigger and required column of our
        models is missed by name where it is gone, and nothing is where all is there."""
        self.assertEqual(self.Keys.get_missing_guarantees(), [])
        guarantees = list(self.Keys._get_guarantees())
        kinds = [guarantee.kind for guarantee, _model in guarantees]
        for kind in ("constraint", "index", "link", "required"):
            self.assertGreater(kinds.count(kind), 10, kind)
        models = {model._name for _guarantee, model in guarantees}
        self.assertLess(
            {"client.equipment", "client.equipment.feature", "res.company"}, models
        )
        for kind in set(kinds):
            of_kind = [each for each in guarantees if each[0].kind == kind]
            with self.subTest(kind=kind), self.env.cr.savepoint() as undone:
                for guarantee, _model in of_kind:
                    self._drop(guarantee)
                missing = set(self.Keys.get_missing_guarantees())
                undone.rollback()
                texts = {self.Keys._missing_text(*each) for each in of_kind}
                # A unique index takes along the links that rest upon it.
                self.assertLessEqual(texts, missing)
                if kind != "index":
                    self.assertEqual(texts, missing)
                for guarantee, _model in of_kind:
                    self.assertIn(guarantee.name, str(texts))
        self.assertEqual(self.Keys.get_missing_guarantees(), [])

    def test_old_definition(self):
        """S7: a constraint of our name that says something else is missed; an index
        that an administrator has made his own is not."""
        self.env.cr.execute(
            """
            ALTER TABLE client_equipment_feature
             DROP CONSTRAINT client_equipment_feature_always_in_service;
            ALTER TABLE client_equipment_feature
              ADD CONSTRAINT client_equipment_feature_always_in_service CHECK (TRUE);
            DROP INDEX client_equipment_software_key_status_validity;
            CREATE INDEX client_equipment_software_key_status_validity
                ON client_equipment_software_key (status, validity_end, id);
            """
        )
        (missing,) = self.Keys.get_missing_guarantees()
        self.assertIn("client_equipment_feature_always_in_service", missing)
        self.assertIn("Equipment Feature", missing)

    def test_nightly(self):
        """S7: the nightly check tells it in the server's log."""
        self._drop(
            Guarantee(
                "constraint",
                "client_equipment_feature",
                "client_equipment_feature_software_key_unique",
            )
        )
        cron = self.env.ref("client_equipment_software_key.ir_cron_check_consistency")
        with (
            self.enter_registry_test_mode(),
            self.assertLogs(
                "odoo.addons.client_equipment_software_key.models"
                ".client_equipment_software_key_consistency",
                "WARNING",
            ) as logs,
        ):
            cron.method_direct_trigger()
        self.assertIn("client_equipment_feature_software_key_unique", str(logs.output))

    def test_who(self):
        """S7, E1: only who manages keys is told."""
        for user in (self.technician, self.auditor, self.internal):
            with self.assertRaises(AccessError):
                self.Keys.with_user(user).get_missing_guarantees()
