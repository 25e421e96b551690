from datetime import datetime
from unittest.mock import patch
from zoneinfo import ZoneInfo

from freezegun import freeze_time
from psycopg2 import IntegrityError

from odoo import Command, fields
from odoo.exceptions import AccessError, RedirectWarning, UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger
from odoo.tools.safe_eval import safe_eval

from ..models import client_equipment_feature_many as feature_many
from .common import SoftwareKeyCommon


@tagged("post_install", "-at_install")
class TestFeature(SoftwareKeyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Feature = cls.env["client.equipment.feature"].with_user(cls.technician)
        cls.key = cls._enter("APPLY-1")

    def _last_entry(self, key):
        return key.audit_log_ids.sorted("number")[-1]

    def _check_nothing_happened(self, key, status="available"):
        key.invalidate_recordset()
        self.assertEqual(key.status, status)
        self.assertFalse(key.sudo().equipment_feature_ids)
        self.assertNotIn("applied", self._steps(key))

    # A1, A2

    def test_technician_applies_on_the_equipment_form(self):
        """A1, A2: Add a line, choose the key, save: key Applied, step on record."""
        with (
            Form(self.laptop.with_user(self.technician)) as form,
            form.equipment_feature_ids.new() as line,
        ):
            line.software_key_id = self.key.with_user(self.technician)
            line.remarks = "Installed at the reception"
        (feature,) = self.laptop.equipment_feature_ids
        self.assertEqual(feature.software_key_id, self.key)
        self.assertEqual(feature.applied_date, self.today)
        self.assertEqual(feature.applied_by_id, self.technician)
        self.assertEqual(feature.remarks, "Installed at the reception")
        self.assertEqual(self.key.status, "applied")
        self.assertEqual(self.key.equipment_id, self.laptop)
        entry = self._last_entry(self.key)
        self.assertEqual(self._steps(self.key), ["created", "applied"])
        self.assertEqual(entry.equipment_id, self.laptop)
        self.assertEqual(entry.user_id, self.technician)
        self.assertEqual(
            entry.description, "Applied to Equipment LAPTOP-12345 by Technician Tester"
        )

    def test_lists_that_were_looked_at(self):
        """A1: a new assignment is in the lists of its key and of its equipment at once,
        whether somebody has looked at them before or not."""
        seen, unseen = self._enter("SEEN-1", "SEEN-2")
        for key, equipment in ((seen, self.laptop), (unseen, self.spare_laptop)):
            if key == seen:
                self.assertFalse(key.equipment_feature_ids)
                self.assertFalse(equipment.equipment_feature_ids)
            feature = self._apply(key, equipment).with_env(self.env)
            self.assertEqual(key.equipment_feature_ids, feature)
            self.assertEqual(equipment.equipment_feature_ids, feature)

    def test_applied_date_is_the_users_own_today(self):
        """A1: where it is tomorrow already, the applied date is tomorrow."""
        for tz in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
            user = self._new_user(
                f"in_{tz}",
                "client_equipment_software_key.group_software_key_user",
                tz=tz,
            )
            with self.subTest(tz=tz), freeze_time("2031-03-03 10:30:00"):
                key = self._enter(f"TZ-{tz}")
                there = datetime.now(ZoneInfo("UTC")).astimezone(ZoneInfo(tz)).date()
                self.assertNotEqual(there, fields.Date.today())
                self.assertEqual(self._apply(key, user=user).applied_date, there)

    def test_applied_date_of_a_colleague_further_east(self):
        """A1, L3: what was applied where it is tomorrow already can be saved, and
        imported as it was exported, by somebody where it is not; no later day can."""
        with freeze_time("2031-03-03 10:30:00"):
            feature = self._apply(self.key, applied_date="2031-03-03")
            west = feature.with_user(self.technician).with_context(
                tz="Pacific/Pago_Pago"
            )
            self.assertEqual(str(fields.Date.context_today(west)), "2031-03-02")
            xml_id = "__export__.feature_of_a_colleague"
            self.env["ir.model.data"]._update_xmlids(
                [{"xml_id": xml_id, "record": feature}]
            )
            for day in ("2031-03-03", "2031-03-04"):
                west.write({"applied_date": "2031-03-03", "remarks": "Seen"})
                result = west.browse().load(
                    ["id", "applied_date", "remarks"], [[xml_id, day, "Imported"]]
                )
                self.assertEqual(bool(result["ids"]), day == "2031-03-03", result)
            self.assertEqual(str(feature.applied_date), "2031-03-03")

    def test_manager_records_somebody_elses_installation(self):
        """A1: only a manager may enter another user as Applied By."""
        with self.assertRefused(UserError, "in your own name only"):
            self._apply(self.key, applied_by_id=self.technician_2.id)
        with self.assertRefused(UserError, "in your own name only"):
            self.laptop.with_user(self.technician).write(
                {
                    "equipment_feature_ids": [
                        Command.create(
                            {
                                "software_key_id": self.key.id,
                                "applied_by_id": self.technician_2.id,
                            }
                        )
                    ]
                }
            )
        self._check_nothing_happened(self.key)
        feature = self._apply(
            self.key, user=self.manager, applied_by_id=self.technician_2.id
        )
        self.assertEqual(feature.applied_by_id, self.technician_2)
        entry = self._last_entry(self.key)
        self.assertEqual(entry.user_id, self.manager)

    def test_future_applied_date(self):
        """A8, bad input: an applied date in the future is refused, key named."""
        with self.assertRefused(ValidationError, "APPLY-1 cannot have been applied on"):
            self._apply(self.key, applied_date=self._in_days(2))
        self._check_nothing_happened(self.key)
        feature = self._apply(self.key, applied_date=self._in_days(-3))
        with self.assertRefused(ValidationError, "still to come. Enter today"):
            feature.applied_date = self._in_days(2)

    # A3

    def _offered(self, equipment, keys):
        """Return which of the keys the drop-down on the equipment offers."""
        domain = self.Feature._fields["software_key_id"].domain
        domain = safe_eval(
            domain,
            {
                "company_id": equipment.company_id.id,
                "partner_id": equipment.partner_id.id,
            },
        )
        Key = self.key.with_user(self.technician)
        found = Key.name_search("", domain, limit=None)
        return keys.browse([key_id for key_id, _name in found]) & keys

    def test_dropdown_offers_what_can_be_applied(self):
        """A3, K13: the drop-down offers what the server accepts, and only that."""
        last_day = self._enter_subscriptions("OFFER-1", end=0)
        over = self._enter_subscriptions("OFFER-2", end=1)
        taken, revoked, expired = (
            self._enter("OFFER-3"),
            self._enter("OFFER-4"),
            self._enter_subscriptions("OFFER-5", end=-1),
        )
        self._apply(taken)
        revoked.revoke()
        shared = self._enter("OFFER-6", company_id=False)
        foreign = self._enter(
            "OFFER-7", user=self.env.user, company_id=self.other_company.id
        )
        own = self._enter("OFFER-8", owner_id=self.customer.id)
        others_own = self._enter("OFFER-9", owner_id=self.other_customer.id)
        keys = last_day + over + taken + revoked + expired + shared + own
        keys = keys.sudo() + foreign + others_own.sudo()
        # The hours before the job: the day is over, the status says nothing of it.
        self.env.cr.execute(
            "UPDATE client_equipment_software_key SET validity_end = %s WHERE id = %s",
            [self._in_days(-1), over.id],
        )
        over.invalidate_recordset()
        offered = self._offered(self.laptop, keys)
        self.assertEqual(offered.sorted("id"), (last_day + shared + own).sorted("id"))
        for key in keys - foreign:
            with self.subTest(key=key.license_key):
                if key in offered:
                    self._apply(key)
                else:
                    with self.assertRaises(UserError):
                        self._apply(key)

    # A4, A5

    def test_server_refuses_what_the_dropdown_hides(self):
        """A5: through every route an unfit key is refused with key, status, advice."""
        applied, expired, revoked, over, lost = (
            self._enter("FIT-1"),
            self._enter_subscriptions("FIT-2", end=-1),
            self._enter("FIT-3"),
            self._enter_subscriptions("FIT-4"),
            self._enter("FIT-5"),
        )
        self._apply(applied, self.spare_laptop)
        revoked.revoke()
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE client_equipment_software_key SET validity_end = %s WHERE id = %s",
            [self._in_days(-1), over.id],
        )
        self.env.cr.execute(
            "UPDATE client_equipment_software_key SET status = 'applied' WHERE id = %s",
            [lost.id],
        )
        self.env.invalidate_all()
        routes = {
            "create": lambda user, key: self._apply(key, user=user),
            "equipment": lambda user, key: self.laptop.with_user(user).write(
                {"equipment_feature_ids": [Command.create({"software_key_id": key.id})]}
            ),
            "web_save": lambda user, key: self.laptop.with_user(user).web_save(
                {"equipment_feature_ids": [(0, 0, {"software_key_id": key.id})]}, {}
            ),
            "superuser": lambda user, key: self._apply(key, user=self.env.user),
            "key": lambda user, key: key.write(
                {
                    "equipment_feature_ids": [
                        Command.create({"equipment_id": self.laptop.id})
                    ]
                }
            ),
        }
        for key, problem in (
            (applied, "FIT-1 is applied to Spare Laptop .*Remove it there first"),
            (expired, "FIT-2 has expired .*Renew it, or choose another key"),
            (revoked, "FIT-3 is revoked .*Choose another key"),
            (over, "FIT-4 has expired .*Renew it, or choose another key"),
            (lost, "FIT-5 has the status Applied, although no equipment carries it"),
        ):
            entries = len(self._steps(key))
            for route, apply in routes.items():
                for user in (self.technician, self.manager):
                    with (
                        self.subTest(key=key.license_key, route=route, user=user.name),
                        self.assertRefused(UserError, problem),
                    ):
                        apply(user, key)
            self.assertEqual(len(self._steps(key)), entries)
        result = self.Feature.load(
            ["software_key_id", "equipment_id"],
            [[applied.display_name, self.laptop.display_name]],
        )
        self.assertFalse(result["ids"])
        self.assertIn("applied to Spare Laptop", result["messages"][0]["message"])

    @mute_logger("odoo.sql_db")
    def test_database_allows_one_assignment(self):
        """A4: straight SQL cannot put a key on two equipment."""
        self._apply(self.key)
        self.env.flush_all()
        with self.assertRefused(IntegrityError, "software_key_unique"):
            self.env.cr.execute(
                """
                INSERT INTO client_equipment_feature
                       (software_key_id, equipment_id, applied_date, applied_by_id)
                VALUES (%s, %s, now(), %s)
                """,
                [self.key.id, self.spare_laptop.id, self.technician.id],
            )

    def test_equipment_out_of_service(self):
        """Bad input: nothing is applied to equipment that is archived or gone."""
        for values in (
            {"active": False},
            {"state": "returned"},
            {"state": "retired"},
        ):
            laptop = self.laptop.copy(values)
            with (
                self.subTest(**values),
                self.assertRefused(UserError, "is not in service, so .*APPLY-1"),
            ):
                self._apply(self.key, laptop)
        self._check_nothing_happened(self.key)

    def test_missing_key_or_equipment(self):
        """E2: an assignment without a key, or to nothing, is refused."""
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            self.Feature.create({"equipment_id": self.laptop.id})
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            self.Feature.create({"software_key_id": self.key.id})
        self._check_nothing_happened(self.key)

    # A6

    def test_any_number_of_keys(self):
        """A6, L4: forty keys on one equipment, one entry for each."""
        keys = self._enter(*[f"MANY-{number}" for number in range(40)])
        self._apply(keys)
        self.assertEqual(self.laptop.software_key_count, 40)
        self.assertEqual(set(keys.mapped("status")), {"applied"})
        self.assertTrue(all(self._steps(key) == ["created", "applied"] for key in keys))

    def test_queries_do_not_grow(self):
        """Design 2: applying and removing cost no more queries for more keys."""

        def queries(count):
            keys = self._enter(*[f"Q-{count}-{number}" for number in range(count)])
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            features = self._apply(keys)
            self.env.flush_all()
            applied = self.env.cr.sql_log_count
            features.unlink()
            self.env.flush_all()
            return applied - before, self.env.cr.sql_log_count - applied

        queries(2)
        few, many = queries(3), queries(60)
        for less, more in zip(few, many, strict=True):
            self.assertLessEqual(more, less + 3)

    # A7

    def test_removing(self):
        """A7: the assignment goes, the key is Available, the removal on record."""
        routes = {
            "delete": lambda feature: feature.unlink(),
            "equipment": lambda feature: self.laptop.with_user(self.technician).write(
                {"equipment_feature_ids": [Command.delete(feature.id)]}
            ),
            "key": lambda feature: self.key.write(
                {"equipment_feature_ids": [Command.delete(feature.id)]}
            ),
            "recover": lambda feature: self.laptop.with_user(
                self.technician
            ).recover_software_keys(),
        }
        for route, remove in routes.items():
            with self.subTest(route=route):
                feature = self._apply(self.key)
                remove(feature)
                self.assertFalse(feature.exists())
                self.assertEqual(self.key.status, "available")
                self.assertFalse(self.key.equipment_id)
                entry = self._last_entry(self.key)
                self.assertEqual(entry.action, "revoked")
                self.assertEqual(entry.equipment_id, self.laptop)
                self.assertEqual(
                    (entry.status_before, entry.status_after), ("applied", "available")
                )
                self.assertRegex(
                    entry.description,
                    "Revoked from Equipment LAPTOP-12345 by (Technician|Manager)",
                )
        self.assertEqual(
            self._steps(self.key), ["created"] + ["applied", "revoked"] * len(routes)
        )

    def test_removing_along_with_a_change(self):
        """A2, A7, L2: what one write changes of an equipment, and takes off it or puts
        onto it: the entry of a removal tells where the key was, that of applying where
        it is."""
        laptop = self.laptop
        partner = self.env["res.partner"].create({"name": "Tour New Customer"})
        facts = ("equipment_name", "equipment_serial_no", "customer_name")
        for number, values in enumerate(
            (
                {"partner_id": partner.id},
                {"name": "Renamed", "serial_no": "LT-NEW"},
                {"state": "returned"},
                {"active": False},
            )
        ):
            with self.subTest(values), self.env.cr.savepoint() as savepoint:
                old, new = self._enter(f"ALONG-{number}-OLD", f"ALONG-{number}-NEW")
                commands = [Command.delete(self._apply(old).id)]
                if not {"state", "active"} & values.keys():
                    commands.insert(0, Command.create({"software_key_id": new.id}))
                before = self._last_entry(old)
                laptop.with_user(self.technician).write(
                    {"equipment_feature_ids": commands} | values
                )
                removed, applied = self._last_entry(old), self._last_entry(new)
                self.assertEqual(removed.action, "revoked")
                for name in facts:
                    self.assertEqual(removed[name], before[name])
                if len(commands) > 1:
                    self.assertEqual(applied.action, "applied")
                    self.assertEqual(applied.equipment_name, laptop.name)
                    self.assertEqual(applied.equipment_serial_no, laptop.serial_no)
                    self.assertEqual(applied.customer_id, laptop.partner_id)
                self.assertEqual((old + new).verify_audit_trail(), [])
                savepoint.rollback()
            self.env.invalidate_all()

    def test_removing_by_the_form(self):
        """A7: taking the line off in the form is a removal as well."""
        self._apply(self.key)
        with Form(self.laptop.with_user(self.technician)) as form:
            form.equipment_feature_ids.remove(0)
        self.assertEqual(self.key.status, "available")
        self.assertEqual(self._steps(self.key), ["created", "applied", "revoked"])

    def test_removing_after_the_end(self):
        """A7: a key whose validity has passed comes back Expired, in one entry."""
        before_job, after_job = (
            self._enter_subscriptions("END-1"),
            self._enter_subscriptions("END-2"),
        )
        features = self._apply(before_job + after_job)
        after_job.validity_end = self._in_days(-1)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE client_equipment_software_key SET validity_end = %s WHERE id = %s",
            [self._in_days(-1), before_job.id],
        )
        self.env.invalidate_all()
        features.unlink()
        self.assertEqual(before_job.status, "expired")
        self.assertEqual(after_job.status, "expired")
        self.assertEqual(self._steps(before_job), ["created", "applied", "revoked"])
        self.assertEqual(
            self._steps(after_job), ["created", "applied", "expired", "revoked"]
        )
        for key in before_job + after_job:
            entry = self._last_entry(key)
            self.assertEqual(entry.status_after, "expired")

    def test_who_may_not_remove(self):
        """E1: an auditor, or a user without a role, removes nothing."""
        feature = self._apply(self.key)
        for user in self.auditor, self.internal, self.portal:
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                feature.with_user(user).unlink()
        self.assertEqual(self.key.status, "applied")

    # A8

    def test_evidence_is_fixed(self):
        """A8: key, equipment and applied-by never change; date and remarks may."""
        feature = self._apply(self.key)
        other = self._enter("APPLY-2")
        for user in self.technician, self.manager, self.env.user:
            for values in (
                {"software_key_id": other.id},
                {"equipment_id": self.spare_laptop.id},
                {"applied_by_id": self.technician_2.id},
            ):
                with (
                    self.subTest(user=user.login, **values),
                    self.assertRefused(UserError, "is fixed, because it is evidence"),
                ):
                    feature.with_user(user).write(values)
            for laptop, command in (
                (self.spare_laptop, Command.link(feature.id)),
                (self.laptop, Command.unlink(feature.id)),
                (self.laptop, Command.clear()),
            ):
                with (
                    self.subTest(user=user.login, command=command),
                    self.assertRefused(UserError, "is fixed"),
                ):
                    laptop.with_user(user).write({"equipment_feature_ids": [command]})
            with (
                self.subTest(user=user.login, command="update"),
                self.assertRefused(UserError, "is fixed"),
            ):
                self.laptop.with_user(user).write(
                    {
                        "equipment_feature_ids": [
                            Command.update(feature.id, {"software_key_id": other.id})
                        ]
                    }
                )
        feature.write(
            {
                "applied_date": self._in_days(-4),
                "remarks": "Corrected",
                "applied_by_id": self.technician.id,
            }
        )
        self.assertEqual(feature.applied_date, self._in_days(-4))
        # The day, and not the remark, is evidence (K17).
        self.assertEqual(self._steps(self.key), ["created", "applied", "changed"])
        with self.assertRefused(UserError, "cannot be duplicated"):
            feature.copy()

    def test_technician_changes_no_key_through_the_assignment(self):
        """E1: fields of the key that the assignment shows cannot be written there."""
        feature = self._apply(self.key)
        before = self.key.read(["status", "key_type", "validity_end", "software_id"])
        for values in (
            {"status": "revoked"},
            {"key_type": "trial"},
            {"validity_end": self._in_days(3)},
            {"software_id": self.antivirus.id},
            {"company_id": self.other_company.id},
        ):
            feature.write(values)
        self.env.flush_all()
        self.env.invalidate_all()
        after = self.key.read(["status", "key_type", "validity_end", "software_id"])
        self.assertEqual(before, after)
        self.assertEqual(self.laptop.company_id, self.company)

    # A10

    def test_equipment_with_keys_stays(self):
        """A9, A10: equipment with keys is neither deleted, archived nor returned."""
        self._apply(self.key)
        laptop = self.laptop.with_user(self.manager)
        spare = self.spare_laptop.with_user(self.manager)
        for error, do in (
            (UserError, lambda: laptop.unlink()),
            (UserError, lambda: (spare + laptop).unlink()),
            (RedirectWarning, lambda: laptop.action_archive()),
            (RedirectWarning, lambda: laptop.write({"state": "returned"})),
            (RedirectWarning, lambda: laptop.write({"state": "retired"})),
        ):
            with self.assertRefused(
                error,
                "Reception Laptop .*still carries software keys: .*APPLY-1",
            ):
                do()
        self.assertTrue(laptop.exists() and self.spare_laptop.exists())
        self.assertEqual((laptop.active, laptop.state), (True, "in_service"))

    def test_trail_outlives_the_equipment(self):
        """A10: after the equipment is deleted its part of the trail stays readable."""
        self._apply(self.key).unlink()
        entries = self.key.audit_log_ids.sorted("number")
        descriptions = entries.mapped("description")
        self.laptop.with_user(self.manager).unlink()
        self.env.invalidate_all()
        self.assertFalse(entries.equipment_id)
        self.assertEqual(entries.mapped("description"), descriptions)
        for entry in entries[1:]:
            self.assertEqual(entry.equipment_name, "Reception Laptop")
            self.assertEqual(entry.equipment_serial_no, "LAPTOP-12345")
            self.assertEqual(entry.customer_name, "Tour Dental Practice")

    def test_moving_equipment_to_another_company(self):
        """E1: equipment with a company's keys cannot leave for another company."""
        self._apply(self.key)
        with self.assertRefused(UserError, "APPLY-1 belongs to the company Cobalt"):
            self.laptop.company_id = self.other_company
        with self.assertRefused(UserError, "APPLY-1 belongs to the company Granite"):
            self.key.sudo().write(
                {
                    "company_id": self.other_company.id,
                    "key_type": "trial",
                    "validity_end": self._in_days(9),
                }
            )

    # A11

    def test_filters_and_groups_of_the_list(self):
        """A11: the list is searched and grouped as the guide says."""
        keys = self._enter("LIST-1", "LIST-2")
        first = self._apply(keys[0], applied_date="2024-05-05", remarks="Front desk")
        second = self._apply(keys[1], self.spare_laptop, user=self.technician_2)
        both = first + second.sudo()
        for domain, found in (
            ([("software_key_id", "ilike", "list-1")], first),
            ([("equipment_id", "ilike", "67890")], second),
            ([("applied_by_id", "ilike", "technician 2")], second),
            ([("remarks", "ilike", "front")], first),
            ([("applied_date", "<", "2025-01-01")], first),
            ([("display_name", "ilike", "spare")], second),
            ([("partner_id", "ilike", "dental")], both),
        ):
            with self.subTest(domain=domain):
                features = self.Feature.search([("id", "in", both.ids), *domain])
                self.assertEqual(set(features.ids), set(found.ids))
        for group_by in (
            "software_id",
            "equipment_id",
            "partner_id",
            "applied_by_id",
            "applied_date:month",
        ):
            with self.subTest(group_by=group_by):
                groups = self.Feature.formatted_read_group(
                    [("id", "in", both.ids)], [group_by], ["__count"]
                )
                self.assertEqual(sum(group["__count"] for group in groups), 2)
        views = self.Feature.get_views([(False, "pivot"), (False, "graph")])["views"]
        self.assertIn("applied_by_id", views["pivot"]["arch"])
        self.assertIn("applied_date", views["graph"]["arch"])

    # Two companies

    def test_key_of_another_company(self):
        """E1, bad input: a key of another company is applied by no route."""
        foreign = self._enter(
            "FOREIGN-1", user=self.env.user, company_id=self.other_company.id
        )
        for user in self.technician, self.manager:
            with self.subTest(user=user.login):
                with self.assertRaises(AccessError):
                    self._apply(foreign, user=user)
                with self.assertRaises(AccessError):
                    self.laptop.with_user(user).write(
                        {
                            "equipment_feature_ids": [
                                Command.create({"software_key_id": foreign.id})
                            ]
                        }
                    )
                with self.assertRaises(AccessError):
                    foreign.with_user(user).write(
                        {
                            "equipment_feature_ids": [
                                Command.create({"equipment_id": self.laptop.id})
                            ]
                        }
                    )
        with mute_logger("odoo.sql_db"):
            result = self.Feature.load(
                ["software_key_id", "equipment_id"],
                [[foreign.display_name, self.laptop.display_name]],
            )
        self.assertFalse(result["ids"])
        # Somebody who works in both companies, and the superuser, may see both.
        both = self._new_user(
            "both",
            "client_equipment_software_key.group_software_key_user",
        )
        both.company_ids = self.company + self.other_company
        allowed = self.Feature.with_user(both).with_context(
            allowed_company_ids=both.company_ids.ids
        )
        values = {"software_key_id": foreign.id, "equipment_id": self.laptop.id}
        for Feature in allowed, self.env["client.equipment.feature"]:
            with self.assertRefused(
                UserError, "FOREIGN-1 belongs to the company Granite Services"
            ):
                Feature.create(values)
        self._check_nothing_happened(foreign)

    def test_equipment_of_another_company(self):
        """E1: a key is applied to no equipment that the user may not see."""
        foreign = self.laptop.copy({"company_id": self.other_company.id})
        shared = self._enter("SHARED-1", company_id=False)
        for user in self.technician, self.manager:
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self._apply(shared, foreign, user=user)
        self._check_nothing_happened(shared)

    def test_date_field_types(self):
        """A1: dates that come as text over the API are dates afterwards."""
        feature = self._apply(self.key, applied_date="2024-02-29")
        self.assertEqual(feature.applied_date, fields.Date.to_date("2024-02-29"))


class TestManyFeatures(SoftwareKeyCommon):
    """A2: thousands of assignments are made as a few are."""

    def _applied(self, few):
        """Return what a hundred assignments leave in the database and in the cache, and
        in the lists of their keys, where so many are few."""
        keys = self._enter(*[f"MANY-{number}" for number in range(60)])
        keys += self._enter(*[f"MANY-S{number}" for number in range(3)], seats=30)
        units = self.env["client.equipment"].create(
            [
                {"name": f"Many {n}", "company_id": self.company.id}
                for n in range(len(keys))
            ]
        )
        lines = [
            {
                "software_key_id": key.id,
                "equipment_id": unit.id,
                "remarks": unit.name if unit == units[3] else False,
                "applied_date": self._in_days(-(number % 3)),
            }
            for number, (key, unit) in enumerate(zip(keys, units, strict=True))
        ]
        lines += [lines[-1] | {"equipment_id": unit.id} for unit in units[:20]]
        Feature = self.env["client.equipment.feature"].with_user(self.technician)
        seen = keys[:5].equipment_feature_ids
        with patch.object(feature_many, "FEW", few):
            features = Feature.create(lines)
        names = [name for name, field in features._fields.items() if field.store]
        names = [name for name in names if not name.endswith(("_date", "id"))]
        cached = features.sudo().read([*names, "applied_date"], load="")
        listed = [len(key.equipment_feature_ids) for key in keys]
        self.env.invalidate_all()
        stored = features.sudo().read([*names, "applied_date"], load="")
        links = [
            (keys._ids.index(each.software_key_id.id), each.equipment_id.name)
            for each in features
        ]
        statuses = [*zip(keys.mapped("status"), keys.mapped("seats_used"), strict=True)]
        self.assertFalse(seen)
        self.assertEqual(cached, stored)
        for row in stored:
            del row["id"]
        return stored, listed, links, statuses, keys.audit_log_ids.mapped("action")

    def test_as_few(self):
        """A2: they leave the same rows, caches, lists, statuses and entries."""
        left = []
        for few in (0, 10_000):
            with self.env.cr.savepoint() as savepoint:
                left.append(self._applied(few))
                savepoint.rollback()
            self.env.invalidate_all()
        self.assertEqual(left[0], left[1])

    def test_refused(self):
        """A2, E1: of many, one that is not allowed keeps all from being made."""
        keys = self._enter(*[f"MANY-{number}" for number in range(4)])
        foreign = self.env["client.equipment"].create(
            {"name": "Elsewhere", "company_id": self.other_company.id}
        )
        Feature = self.env["client.equipment.feature"].with_user(self.technician)
        lines = [
            {"software_key_id": key.id, "equipment_id": self.laptop.id} for key in keys
        ]
        with patch.object(feature_many, "FEW", 0):
            for error, wrong in (
                (AccessError, {"equipment_id": foreign.id}),
                (UserError, {"software_key_id": keys[1].id}),
                (ValidationError, {"applied_date": self._in_days(3)}),
            ):
                with self.subTest(wrong=wrong), self.assertRaises(error):
                    with self.env.cr.savepoint():
                        Feature.create([lines[0] | wrong, *lines[1:]])
                self.env.invalidate_all()
                self.assertFalse(keys.equipment_feature_ids)
            self.assertEqual(len(Feature.create(lines)), 4)
