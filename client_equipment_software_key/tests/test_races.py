# Other connections see only what is committed.
# pylint: disable=invalid-commit
import random
from itertools import count
from unittest.mock import patch

from odoo.http import request
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.base.models.ir_http import IrHttp

from .common import CommittedHttpCase

ROUNDS = 20
EQUIPMENT = "client.equipment"
FEATURE = "client.equipment.feature"
KEY = "client.equipment.software.key"
SOFTWARE = "client.equipment.software"


@tagged("post_install", "-at_install")
class TestRaces(CommittedHttpCase):
    """E5: rules that span records hold when two people act at the same moment.

    Whoever comes second is told in words, or served on what the first one left; nobody
    gets a failure of the server, and nobody waits a second.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.numbers = count(1)
        names = ["Race Stranger"] + [f"Race Mother {n + 1}" for n in range(ROUNDS)]
        partners = cls.env["res.partner"].create([{"name": name} for name in names])
        cls.stranger, cls.mothers = partners[0], partners[1:]
        cls.manager.group_ids += cls.env.ref("base.group_partner_manager")
        cls.cr.commit()

    @classmethod
    def _delete_all(cls):  # pylint: disable=missing-return
        super()._delete_all()
        units = cls.env[EQUIPMENT].with_context(active_test=False)
        units.search([("name", "=like", "Race Unit %")]).unlink()
        (cls.mothers + cls.stranger).unlink()
        cls.cr.commit()

    # What people do with a key and a unit

    def _apply(self, key, unit, spare):
        vals = {"software_key_id": key.id, "equipment_id": unit.id}
        return self.technician, FEATURE, "create", {"vals_list": [vals]}

    def _apply_next(self, key, unit, spare):
        arguments = {"ids": self.office.ids, "equipment_id": unit.id}
        return self.technician, SOFTWARE, "apply_next_available", arguments

    def _move_there(self, key, unit, spare):
        arguments = {
            "ids": spare.ids,
            "decisions": {"move": key.ids},
            "replacement_id": unit.id,
        }
        return self.technician, EQUIPMENT, "return_or_replace", arguments

    def _return(self, key, unit, spare):
        arguments = {"ids": unit.ids, "decisions": {}, "state": "returned"}
        return self.technician, EQUIPMENT, "return_or_replace", arguments

    def _archive(self, key, unit, spare):
        return self.manager, EQUIPMENT, "action_archive", {"ids": unit.ids}

    def _set_state(self, key, unit, spare):
        arguments = {"ids": unit.ids, "vals": {"state": "retired"}}
        return self.manager, EQUIPMENT, "write", arguments

    def _set_customer(self, key, unit, spare):
        arguments = {"ids": unit.ids, "vals": {"partner_id": self.stranger.id}}
        return self.manager, EQUIPMENT, "write", arguments

    def _set_company(self, key, unit, spare):
        arguments = {"ids": unit.ids, "vals": {"company_id": False}}
        return self.manager, EQUIPMENT, "write", arguments

    def _new_rounds(self, moved):
        """Commit, for each of the customers, a key bought for him, with a unit of his
        and a spare one that carries the key where it shall be moved.

        :return: a list of ``(key, unit, spare)``
        """
        number = next(self.numbers)
        values = {"software_id": self.office.id, "company_id": self.company.id}
        keys = self.env[KEY].with_user(self.manager)
        keys = keys.create(
            [
                values
                | {"license_key": f"RACE-{number:02}-{mother.id}"}
                | {"owner_id": mother.id}
                for mother in self.mothers
            ]
        )
        units, spares = (
            self.env[EQUIPMENT].create(
                [
                    {"name": f"Race Unit {number} {kind}", "partner_id": mother.id}
                    for mother in self.mothers
                ]
            )
            for kind in ("first", "spare")
        )
        if moved:
            self.env[FEATURE].create(
                [
                    {"software_key_id": key.id, "equipment_id": spare.id}
                    for key, spare in zip(keys, spares, strict=True)
                ]
            )
        self.cr.commit()
        return list(zip(keys, units, spares, strict=True))

    def _keys(self, rounds):
        return rounds[0][0].union(*(key for key, _unit, _spare in rounds))

    def _free(self, rounds):
        """Leave nothing that *Apply Next Available* could take the next time."""
        keys = self._keys(rounds)
        keys.equipment_feature_ids.unlink()
        keys.unlink()
        self.cr.commit()

    def _assert_served(self, outcomes):
        """Check that nobody got a failure of the server."""
        for status, answer in outcomes:
            self.assertLess(status, 500, answer)

    def _assert_rules(self, rounds, outcomes):
        """Check that no key stands where it must not, and how people fared."""
        for key, unit, _spare in rounds:
            if key.equipment_id == unit:
                self.assertEqual(key.equipment_feature_ids.equipment_id, unit)
                self.assertTrue(unit.active)
                self.assertEqual(unit.state, "in_service")
                self.assertEqual(unit.company_id, key.company_id)
                self.assertEqual(unit.partner_id, key.owner_id)
        keys = self._keys(rounds)
        self.assertFalse(any(keys.mapped("needs_attention")))
        self.assertEqual(keys.verify_audit_trail(), [])
        for each in outcomes:
            self._assert_served(each)
            for status, answer in each:
                if status >= 400:
                    self.assertRegex(answer["message"], r"[.](\n|$)", answer)

    @mute_logger("odoo.http", "odoo.sql_db", "odoo.service.model")
    def test_putting_a_key_there_against_taking_the_place_away(self):
        """E5, K13, A9: apply, apply next and move against return, archive, state,
        customer, company of the unit that the key goes to."""
        for put in (self._apply, self._apply_next, self._move_there):
            for take in (
                self._return,
                self._archive,
                self._set_state,
                self._set_customer,
                self._set_company,
            ):
                with self.subTest(put=put.__name__, take=take.__name__):
                    rounds = self._new_rounds(put == self._move_there)
                    outcomes = []
                    for there in rounds:
                        outcomes.append(self._call_at_once(put(*there), take(*there)))
                        self.assertEqual(self.delays, [])
                    self._assert_rules(rounds, outcomes)
                    for put_there, _taken_away in outcomes:
                        # Nobody is told of what he has just done himself.
                        self.assertNotRegex(
                            str(put_there[1]), r"applied to Race Unit \d+ spare"
                        )
                    self._free(rounds)

    @mute_logger("odoo.http", "odoo.sql_db", "odoo.service.model")
    def test_branch_that_leaves_its_mother(self):
        """K13, E5: a key bought for the mother company against a branch that leaves."""
        for put in (self._apply, self._apply_next, self._move_there):
            rounds = self._new_rounds(put == self._move_there)
            branches = self.mothers.create(
                [
                    {"name": "Race Branch", "parent_id": mother.id}
                    for mother in self.mothers
                ]
            )
            for (_key, unit, _spare), branch in zip(rounds, branches, strict=True):
                unit.partner_id = branch
            self.cr.commit()
            for there, branch in zip(rounds, branches, strict=True):
                leave = {"ids": branch.ids, "vals": {"parent_id": False}}
                outcomes = self._call_at_once(
                    put(*there), (self.manager, "res.partner", "write", leave)
                )
                self._assert_served(outcomes)
                # Contacts are Odoo's: whoever is second may pause.
                self.assertLessEqual(len(self.delays), 1)
            for (key, unit, _spare), branch in zip(rounds, branches, strict=True):
                if key.equipment_id == unit:
                    self.assertEqual(branch.parent_id, key.owner_id)
                self.assertFalse(key.needs_attention)
            self._free(rounds)
            self._remove(self.env[EQUIPMENT].union(*(unit for _, unit, _ in rounds)))
            self._remove(branches)

    @mute_logger("odoo.http", "odoo.sql_db", "odoo.service.model")
    def test_customer_who_goes_to_another_company(self):
        """E1, E5: equipment for a customer, or a key bought for him, against the
        company that he goes to."""
        other = self.env["res.company"].create({"name": "Race Company"})
        self.manager.company_ids += other
        self.cr.commit()
        self.addCleanup(self._remove, other)
        self.addCleanup(self.manager.write, {"company_ids": self.company.ids})
        software = {"software_id": self.office.id, "company_id": self.company.id}
        for model, vals, link in (
            (EQUIPMENT, {"name": "Race Unit sold"}, "partner_id"),
            (KEY, software | {"license_key": "RACE-SOLD"}, "owner_id"),
        ):
            for _round in range(ROUNDS):
                customer = self.mothers.create({"name": "Race Customer"})
                self.cr.commit()
                link_to = {"vals_list": [vals | {link: customer.id}]}
                go = {"ids": customer.ids, "vals": {"company_id": other.id}}
                outcomes = self._call_at_once(
                    (self.manager, model, "create", link_to),
                    (self.manager, "res.partner", "write", go),
                )
                self._assert_served(outcomes)
                # Contacts are Odoo's: whoever is second may pause.
                self.assertLessEqual(len(self.delays), 1)
                made = self.env[model].search([(link, "=", customer.id)])
                self.assertNotEqual(bool(made), customer.company_id == other)
                self._remove(made)
                self._remove(customer)

    @mute_logger("odoo.http", "odoo.sql_db", "odoo.service.model")
    def test_deleting_twice(self):
        """K10, E5: of two people who delete the same key one does it, and leaves one
        line; the other is told that it is gone, or that somebody was faster."""
        for key, _unit, _spare in self._new_rounds(moved=False):
            delete = (self.manager, KEY, "unlink", {"ids": key.ids})
            outcomes = self._call_at_once(delete, delete)
            self._assert_served(outcomes)
            self.assertEqual(self.delays, [])
            self.assertFalse(key.exists())
            lines = self.env["client.equipment.audit.deletion"].search_count(
                [("software_key_ref", "=", key.id)]
            )
            self.assertEqual(lines, 1)
            for status, answer in outcomes:
                if status >= 400:
                    self.assertRegex(answer["message"], "deleted|changed|meanwhile")

    def _remove(self, records):
        records.unlink()
        self.cr.commit()

    @mute_logger("odoo.http", "odoo.sql_db", "odoo.service.model")
    def test_returning_twice(self):
        """E5, A9: two people return the same unit, one moves its key, one archives."""
        rounds, outcomes = self._new_rounds(moved=True), []
        for key, unit, spare in rounds:
            recover = {
                "ids": spare.ids,
                "decisions": {"recover": key.ids},
                "state": "archived",
            }
            outcomes.append(
                self._call_at_once(
                    self._move_there(key, unit, spare),
                    (self.technician, EQUIPMENT, "return_or_replace", recover),
                )
            )
            self.assertEqual(self.delays, [])
        self._assert_rules(rounds, outcomes)
        for key, unit, spare in rounds:
            self.assertTrue(not spare.active or key.equipment_id in unit + spare)
        self._free(rounds)

    @mute_logger("odoo.http", "odoo.sql_db", "odoo.service.model")
    def test_second_is_served_at_once(self):
        """E5: of two steps that are both right, both are done, without a pause."""
        key = self._enter_subscriptions("SERVED-1")
        self.cr.commit()
        for number in range(ROUNDS):
            renew = {"ids": key.ids, "validity_end": str(self._in_days(100 + number))}
            note = {"ids": key.ids, "vals": {"validity_end": str(self._in_days(50))}}
            outcomes = self._call_at_once(
                (self.manager, KEY, "renew", renew), (self.manager, KEY, "write", note)
            )
            for status, answer in outcomes:
                self.assertEqual(status, 200, answer)
            self.assertEqual(self.delays, [])
        self.assertEqual(key.verify_audit_trail(), [])

    @mute_logger("odoo.http", "odoo.sql_db", "odoo.service.model")
    def test_another_addon_writes_before(self):
        """E6: what another addon has done for a request before its call, or has left
        for the commit, is there in the end, also where the call had to be made again.
        """
        unit = self.env[EQUIPMENT].create({"name": "Race Unit noted"})
        self.cr.commit()
        calls = [
            (self.manager, EQUIPMENT, "write", {"ids": unit.ids, "vals": vals})
            for vals in ({"location": "here"}, {"location": "there"})
        ]
        for note in (self._note_at_once, self._note_at_commit, self._note_in_cache):
            blank = [{"name": f"Race Blank {number}"} for number in range(10)]
            self.blanks = iter(self.env["res.partner.category"].create(blank).ids)
            self.cr.commit()
            before = IrHttp._pre_dispatch

            def noted(cls, rule, args, before=before, note=note):
                before(rule, args)
                note(request.env)

            with self.subTest(note=note.__name__):
                with (
                    patch.object(IrHttp, "_pre_dispatch", classmethod(noted)),
                    patch.object(random, "uniform", return_value=0.1),  # Odoo's pause
                ):
                    for _round in range(5):
                        for status, answer in self._call_at_once(*calls):
                            self.assertEqual(status, 200, answer)
                notes = self.env["res.partner.category"].search(
                    [("name", "=", "Race Note")]
                )
                self.assertEqual(len(notes), 10)
                notes.unlink()
                notes.search([("name", "=like", "Race Blank%")]).unlink()
                self.cr.commit()

    def _note_at_once(self, env):
        env["res.partner.category"].sudo().create({"name": "Race Note"})

    def _note_at_commit(self, env):
        env.cr.precommit.add(lambda: self._note_at_once(env))

    def _note_in_cache(self, env):
        if not hasattr(request, "race_blank"):  # Odoo may make the whole request again
            request.race_blank = next(self.blanks)
        blank = env["res.partner.category"].sudo().browse(request.race_blank)
        blank.name = "Race Note"
