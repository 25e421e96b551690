# Other connections see only what is committed.
# pylint: disable=invalid-commit
import re

from odoo import Command, api
from odoo.exceptions import UserError
from odoo.service.model import retrying
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from ..models.res_company import SHOWN_TO
from .common import CommittedCase, SoftwareKeyMixin, api_key

KEY = "client.equipment.software.key"
CLOSED = "client.equipment.audit.closed"
DELETION = "client.equipment.audit.deletion"
# Where an empty field says no more than that something is gone.
MAY_BECOME_EMPTY = {
    ("client.equipment.audit.log", "equipment_id"),  # its name and id are kept
    ("client.equipment.audit.log", "customer_id"),  # its name and id are kept
    ("client.equipment.evidence.pack", "checkpoint_id"),  # nobody can delete one
    (KEY, "replaced_by_id"),
    (KEY, "replaces_id"),
}


@tagged("post_install", "-at_install")
class TestDeletion(SoftwareKeyMixin, HttpCase):
    """E1, E2: what something depends on cannot be deleted, and whoever tries learns
    why, in words."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.administrator = cls._new_user(
            "administrator", "base.group_system,base.group_partner_manager"
        )
        cls.outsider = cls._new_user(
            "outsider",
            "base.group_system,base.group_partner_manager",
            company_id=cls.other_company.id,
            company_ids=[Command.set(cls.other_company.ids)],
        )

    def _fields(self):
        """Return the many2one fields of our models that have a foreign key."""
        ours = self.env.registry.descendants(["client.equipment.mixin"], "_inherit")
        return [
            field
            for name in ours
            if self.env[name]._auto
            for field in self.env[name]._fields.values()
            if field.type == "many2one" and field.store
            if field.name not in ("create_uid", "write_uid")
        ]

    def test_nothing_becomes_empty_unseen(self):
        """E1: an empty field may mean "shared by all": no deletion empties one, but
        where that is harmless."""
        emptied = {
            (field.model_name, field.name)
            for field in self._fields()
            if field.ondelete == "set null"
        }
        self.assertEqual(emptied, MAY_BECOME_EMPTY)

    def _filled(self):
        """Return for each restricted field a record in which it is filled."""
        partners = self.env["res.partner"].create(
            [{"name": f"Partner {number}"} for number in range(3)]
        )
        companies = self.env["res.company"].create(
            [{"name": f"Company {number}"} for number in range(2)]
        )
        self.administrator.company_ids += companies
        users = [
            self._new_user(f"used_{number}", "base.group_user") for number in range(3)
        ]
        software = self.env["client.equipment.software"].create(
            {"name": "Used Software", "user_id": users[0].id}
        )
        key = self._enter(
            "USED-1",
            software=software,
            owner_id=partners[0].id,
            supplier_id=partners[1].id,
        )
        closing_key = self._enter(
            "USED-2", user=self.env.user, company_id=companies[0].id
        )
        self.laptop.partner_id = partners[0]
        feature = self._apply(key, user=self.env.user, applied_by_id=users[1].id)
        category = self.env["client.equipment.category"].create({"name": "Used"})
        unit = self.spare_laptop
        unit.write(
            {
                "partner_id": partners[2].id,
                "category_id": category.id,
                "user_id": users[2].id,
            }
        )
        gone = self._enter("USED-3")
        gone.unlink()
        deletion = self.env[DELETION].search([("software_key_ref", "=", gone.id)])
        closing_unit = self.env["client.equipment"].create(
            {"name": "Used Unit", "company_id": companies[1].id}
        )
        filled = {
            (KEY, "software_id"): key,
            (KEY, "owner_id"): key,
            (KEY, "supplier_id"): key,
            (KEY, "company_id"): closing_key,
            (KEY, "equipment_id"): key,
            ("client.equipment.feature", "software_key_id"): feature,
            ("client.equipment.feature", "equipment_id"): feature,
            ("client.equipment.feature", "applied_by_id"): feature,
            ("client.equipment.audit.log", "user_id"): key.audit_log_ids[-1:],
            ("client.equipment.audit.log", "software_id"): key.audit_log_ids[-1:],
            (DELETION, "user_id"): deletion,
            ("client.equipment.audit.checkpoint", "user_id"): self.env[
                "client.equipment.audit.checkpoint"
            ]
            .with_user(self.manager)
            .make()
            .sudo(),
            (f"{DELETION}.entry", "deletion_id"): deletion.entry_ids[0],
            ("client.equipment.software", "user_id"): software,
            ("client.equipment", "partner_id"): unit,
            ("client.equipment", "category_id"): unit,
            ("client.equipment", "user_id"): unit,
            ("client.equipment", "company_id"): closing_unit,
        }
        for fill_links in self._guards_of_apps("fill_links"):
            filled |= fill_links(self)
        return filled

    def _kept_by_apps(self):
        """Return the fields whose records Odoo's apps themselves never delete."""
        return {link for links in self._guards_of_apps("KEPT") for link in links}

    def _delete(self, user, record):
        """Delete the record over /json/2; return the words of the refusal."""
        with mute_logger("odoo.http", "odoo.sql_db"):
            answer = self.url_open(
                f"/json/2/{record._name}/unlink",
                json={"ids": record.ids},
                headers={"Authorization": f"Bearer {self.api_keys[user]}"},
            )
        self.env.invalidate_all()
        self.assertTrue(record.exists())
        self.assertIn(answer.status_code, (403, 422), answer.text)
        self.assertNotIn("violates", answer.text)
        return answer.json()["message"]

    def test_each_deletion_is_refused_in_words(self):
        """E2: the refusal says which record, and what depends on it; E1: but nothing
        of another company."""
        self.api_keys = {
            user: api_key(user) for user in (self.administrator, self.outsider)
        }
        filled = self._filled()
        for field in self._fields():
            closed = self.env.registry.descendants([CLOSED], "_inherit")
            if field.ondelete != "restrict" or field.comodel_name in closed:
                continue  # nobody deletes what is closed
            if (field.model_name, field.name) in self._kept_by_apps():
                continue
            record = filled[field.model_name, field.name]
            target = record[field.name].sudo(False)
            with self.subTest(field=str(field)):
                name = target.display_name
                self.assertIn(name, self._delete(self.administrator, target))
                refusal = self._delete(self.outsider, target)
                for foreign in ("USED", "LAPTOP", "Laptop", "Used Unit"):
                    if foreign not in name:
                        self.assertNotIn(foreign, refusal)

    def test_companies_of_evidence(self):
        """E1, L1: whatever company a rule shows evidence to by its number, which no
        foreign key keeps, is kept."""
        shown = {
            (rule.model_id.model, name)
            for rule in self.env["ir.rule"].search([("domain_force", "!=", False)])
            if CLOSED in self.env[rule.model_id.model]._inherit_module
            for name in re.findall(r"'(\w+)', 'in', company_ids", rule.domain_force)
        }
        self.assertEqual(shown, {*SHOWN_TO.items()})

    def test_company_of_the_past(self):
        """E1, L1: a company of which evidence alone is left, the entries of equipment
        that is gone or a deleted key, stays: nobody else may read that."""
        with_unit, with_key, without = companies = self.env["res.company"].create(
            [{"name": f"Past {name}"} for name in ("One", "Two", "Three")]
        )
        self.administrator.company_ids += companies
        unit = self.env["client.equipment"].create(
            {"name": "Past Unit", "company_id": with_unit.id}
        )
        shared = self._enter("PAST-SHARED", company_id=False)
        self._apply(shared, unit, user=self.administrator).unlink()
        unit.unlink()
        self._enter(
            "PAST-DELETED-1", user=self.administrator, company_id=with_key.id
        ).unlink()
        no_role = self._new_user("no_role", "base.group_erp_manager")
        no_role.company_ids += companies
        for company in (with_unit, with_key):
            for user in (self.administrator, no_role):
                with self.assertRefused(
                    UserError, f"{company.name} cannot be deleted, because"
                ) as caught:
                    company.with_user(user).unlink()
            self.assertNotRegex(str(caught.exception), "(?i)key|PAST-|unit")
        if "stock.warehouse" not in self.env:  # which every company has, and needs
            without.with_user(self.administrator).unlink()
        shared = shared.with_user(self.administrator).with_context(
            allowed_company_ids=self.administrator.company_ids.ids
        )
        entries = shared.audit_log_ids
        self.assertEqual(
            entries.sorted("number").mapped("action"), ["created", "applied", "revoked"]
        )


@tagged("post_install", "-at_install")
class TestDeletionRace(CommittedCase):
    """E5: what came about since we looked keeps a record, too, and says so in words."""

    def _refusal(self, record, act):
        """Delete the record as a manager who looked before ``act``."""
        with self.registry.cursor() as cr:
            env = api.Environment(cr, self.manager.id, {})
            mine = record.with_env(env)
            self.assertTrue(mine.exists())
            act()
            self.cr.commit()
            with self.assertRaises(UserError) as caught:
                retrying(mine.unlink, env)
        self.assertNotIn("violates", str(caught.exception))
        return str(caught.exception)

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_somebody_was_faster(self):
        """E5: software that gets a key, a category that gets equipment, equipment and
        a key that meet, all in the moment in which they are deleted."""
        software = self.env["client.equipment.software"].create({"name": "Racing"})
        category = self.env["client.equipment.category"].create({"name": "Racing"})
        laptop = self.equipment[1]
        key, other = self._enter("RACING-1", "RACING-2")
        self.cr.commit()
        refusal = self._refusal(
            category, lambda: laptop.write({"category_id": category.id})
        )
        self.assertIn("Racing cannot be deleted", refusal)
        self.assertIn("Concurrent Laptop 2 (Equipment)", refusal)
        refusal = self._refusal(
            software, lambda: self._enter("RACING-3", software=software)
        )
        self.assertIn("Racing cannot be deleted", refusal)
        self.assertIn("RACING-3", refusal)
        self._refusal(laptop, lambda: self._apply(key, laptop))
        self._refusal(other, lambda: self._apply(other, self.laptop))
        laptop.category_id = False
        category.unlink()
        software.software_key_ids.unlink()
        software.unlink()
        self.cr.commit()
