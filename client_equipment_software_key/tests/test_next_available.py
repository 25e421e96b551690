# Other connections see only what is committed.
# pylint: disable=invalid-commit
import threading

from odoo import api
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .common import CommittedCase, SoftwareKeyCommon

PEOPLE = 8


class TestNextAvailable(SoftwareKeyCommon):
    """A12: the software is chosen, the key is found."""

    def _next(self, software, equipment=None, user=None, **kwargs):
        return (
            software.with_user(user or self.technician)
            .apply_next_available((equipment or self.laptop).id, **kwargs)
            .software_key_id
        )

    def test_expires_first(self):
        """A12: the key that expires first but is still valid is taken, permanent keys
        last."""
        permanent = self._enter("PERM", software=self.antivirus, key_type="permanent")
        late, soon = self._enter_subscriptions("LATE", end=300) | (
            self._enter_subscriptions("SOON", end=3)
        )
        passed = self._enter_subscriptions("PASSED", end=1)
        self.env.cr.execute(
            "UPDATE client_equipment_software_key SET validity_end = %s WHERE id = %s",
            [self._in_days(-1), passed.id],
        )
        passed.invalidate_recordset()
        self.assertEqual(passed.status, "available")
        taken = [self._next(self.antivirus) for _ in range(3)]
        self.assertEqual(taken, [soon, late, permanent])
        self.assertEqual(soon.status, "applied")
        self.assertEqual(self._steps(soon), ["created", "applied"])

    def test_not_begun_last(self):
        """A12: a key whose validity has not begun is taken only when nothing else is
        left."""
        future = self._enter_subscriptions(
            "FUTURE", end=30, validity_start=self._in_days(5)
        )
        now = self._enter_subscriptions("NOW", end=300)
        self.assertEqual(self._next(self.antivirus), now)
        self.assertEqual(self._next(self.antivirus), future)

    def test_owned_before_shared(self):
        """A12, K13: keys bought for the customer come before shared ones, and those of
        another customer never."""
        shared = self._enter_subscriptions("SHARED", end=3)
        owned = self._enter_subscriptions("OWNED", end=90, owner_id=self.customer.id)
        self._enter_subscriptions("OTHER", end=1, owner_id=self.other_customer.id)
        self.assertEqual(self._next(self.antivirus), owned)
        self.assertEqual(self._next(self.antivirus), shared)
        with self.assertRefused(UserError, "1 of Tour Antivirus Enterprise"):
            self._next(self.antivirus)

    def test_company(self):
        """A12: keys of the equipment's company and shared ones only."""
        self._enter("GRANITE", user=self.env.user, company_id=self.other_company.id)
        shared = self._enter("EVERYBODY", company_id=False)
        self.assertEqual(self._next(self.office), shared)
        with self.assertRefused(UserError, "No key is left for Reception Laptop"):
            self._next(self.office)

    def test_several_software(self):
        """A12: several products at once, all or nothing; the error says how many are
        missing and of what."""
        office = self._enter("OFFICE-1")
        both = self.office | self.antivirus
        with self.assertRefused(UserError, r"1 missing \(1 of Tour Antivirus"):
            self._next(both)
        self.assertEqual(office.status, "available")
        antivirus = self._enter_subscriptions("AV-1")
        self.assertEqual(self._next(both, remarks="Set up"), office | antivirus)
        self.assertEqual(
            (office | antivirus).equipment_feature_ids.mapped("remarks"),
            ["Set up", "Set up"],
        )

    def test_refusals(self):
        """A12, E1, E2: equipment that is gone or out of service is refused in words;
        an auditor may not apply."""
        self._enter("OFFICE-1")
        with self.assertRaises(AccessError):
            self._next(self.office, user=self.auditor)
        self.spare_laptop.state = "retired"
        with self.assertRefused(UserError, "Spare Laptop.* is not in service"):
            self._next(self.office, self.spare_laptop)
        self.spare_laptop.unlink()
        with self.assertRefused(UserError, "does not exist any more"):
            self._next(self.office, self.spare_laptop)

    def test_queries(self):
        """A12: queries do not grow with the number of software products."""
        software = self.env["client.equipment.software"].create(
            [{"name": f"Suite {number}"} for number in range(22)]
        )
        for number, product in enumerate(software):
            self._enter(f"SUITE-{number}", software=product)
        counts = []
        for part in (software[:2], software[2:]):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self._next(part)
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0] + 3)

    def test_dialog(self):
        """A12: the dialog shows which keys it will take, then takes them."""
        soon = self._enter_subscriptions("SOON", end=3)
        self._enter_subscriptions("LATE", end=30)
        action = self.laptop.with_user(self.technician).action_apply_next_available()
        wizard = Form(
            self.env[action["res_model"]]
            .with_user(self.technician)
            .with_context(**action["context"])
        )
        wizard.software_ids.add(self.antivirus)
        self.assertEqual(wizard.software_key_ids[:], soon)
        self.assertFalse(wizard.missing_names)
        wizard.software_ids.add(self.office)
        self.assertEqual(wizard.missing_names, self.office.name)
        wizard.software_ids.remove(self.office.id)
        wizard.save().action_apply()
        self.assertEqual(soon.equipment_id, self.laptop)

    def test_drop_down_shows_numbers(self):
        """A12: the drop-down of the dialog shows how many keys could be applied."""
        self._enter_subscriptions("AV-1", "AV-2")
        self._enter_subscriptions("AV-3", owner_id=self.other_customer.id)
        names = dict(
            self.env["client.equipment.software"]
            .with_user(self.technician)
            .with_context(
                formatted_display_name=True, software_key_available_for=self.laptop.id
            )
            .name_search("Tour")
        )
        self.assertEqual(
            names[self.antivirus.id], "Tour Antivirus Enterprise\t--2 available--"
        )
        self.assertEqual(
            names[self.office.id], "Tour Office Professional\t--0 available--"
        )


@tagged("post_install", "-at_install")
class TestNextAvailableAtOnce(CommittedCase):
    """A12: eight people at once, each with a connection of their own."""

    def _enter_for_all(self, keys):
        """Enter that many keys, which all can see."""
        keys = self.env["client.equipment.software.key"].create(
            [
                {"license_key": f"AT-ONCE-{number}", "software_id": self.office.id}
                for number in range(keys)
            ]
        )
        self.cr.commit()
        self.addCleanup(self._delete, keys)

    def _delete(self, keys):
        self.cr.rollback()
        keys.equipment_feature_ids.unlink()
        keys.unlink()
        self.cr.commit()

    def _software(self, cr):
        """Return the software as a technician on another connection sees it."""
        return self.office.with_env(api.Environment(cr, self.technician.id, {}))

    def _all_at_once(self):
        """Let each person apply the next key; return what each got (key id or error).

        All of them look at the database first, so that each sees all keys available.
        Odoo's own repetition of failed requests is not in play here.
        """
        start = threading.Barrier(PEOPLE)
        got = []

        def apply(equipment_id):
            try:
                with self.registry.cursor() as cr:
                    software = self._software(cr)
                    self.assertEqual(software.name, "Concurrent Office")
                    start.wait(30)
                    feature = software.apply_next_available(equipment_id)
                    key_id = feature.software_key_id.id
                got.append(key_id)
            except Exception as error:
                got.append(error)

        people = [
            threading.Thread(target=apply, args=[equipment_id])
            for equipment_id in self.equipment.ids
        ]
        for person in people:
            person.start()
        for person in people:
            person.join()
        return got

    def test_enough_keys(self):
        """A12: eight people, eight keys: eight different keys, nobody fails."""
        self._enter_for_all(PEOPLE)
        got = self._all_at_once()
        self.assertTrue(all(isinstance(key_id, int) for key_id in got), got)
        self.assertEqual(len(set(got)), PEOPLE)

    def test_too_few_keys(self):
        """A12: eight people, five keys: five get one each, three are told so."""
        self._enter_for_all(5)
        got = self._all_at_once()
        taken = {key_id for key_id in got if isinstance(key_id, int)}
        errors = [error for error in got if not isinstance(error, int)]
        self.assertEqual(len(taken), 5, got)
        self.assertEqual(len(errors), 3, got)
        for error in errors:
            self.assertIsInstance(error, UserError)
            self.assertIn("1 missing (1 of Concurrent Office)", str(error))

    def test_stale_view(self):
        """A12: all have looked before the first one applied, so each sees keys as
        available that the others take meanwhile: still nobody fails or waits."""
        self._enter_for_all(PEOPLE)
        people = []
        for _unit in self.equipment:
            software = self._software(self.registry.cursor())
            self.assertEqual(software.available_count, PEOPLE)
            people.append(software)
        got = set()
        try:
            for software, equipment_id in zip(people, self.equipment.ids, strict=True):
                feature = software.apply_next_available(equipment_id)
                got.add(feature.software_key_id.id)
                software.env.cr.commit()
        finally:
            for software in people:
                software.env.cr.close()
        self.assertEqual(len(got), PEOPLE)
