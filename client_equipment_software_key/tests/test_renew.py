from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, HttpCase, tagged

from .common import SoftwareKeyCommon, SoftwareKeyMixin

WIZARD = "client.equipment.software.key.renewal"


class TestRenew(SoftwareKeyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.end = cls._in_days(400)

    def _dialog(self, keys):
        return Form(
            self.env[WIZARD]
            .with_user(self.manager)
            .with_context(active_model=keys._name, active_ids=keys.ids)
        )

    def test_month_ends(self):
        """S3: what ends on the last day of a month keeps ending on one."""
        for months, ends in (
            (1, ["2099-01-31", "2099-02-28", "2099-03-31", "2099-04-30"]),
            (
                12,
                ["2096-02-29", "2097-02-28", "2098-02-28", "2099-02-28", "2100-02-28"],
            ),
            (48, ["2084-02-29", "2088-02-29", "2092-02-29"]),
            (1, ["2099-01-30", "2099-02-28", "2099-03-31"]),
        ):
            self.antivirus.default_validity_months = months
            key = self._enter(
                f"MONTH-{months}-{ends[0]}",
                software=self.antivirus,
                key_type="subscription",
                validity_end=ends[0],
            )
            for end in ends[1:]:
                key.renew(False)
                self.assertEqual(str(key.validity_end), end)

    def test_renew(self):
        """The end moves, remark and trail tell the reference, the assignment and the
        status stay (S3, workflow 4)."""
        applied, spare = self._enter_subscriptions("RENEW-1", "RENEW-2")
        feature = self._apply(applied)
        spare.remarks = "Box 7"
        (applied | spare).renew(self.end.isoformat(), "PO00099", "third year")
        self.assertRecordValues(
            applied | spare,
            [
                {
                    "validity_end": self.end,
                    "status": "applied",
                    "equipment_id": self.laptop.id,
                    "remarks": f"Renewed subscription - expires {self.end} - "
                    "Reference: PO00099 - third year",
                },
                {
                    "validity_end": self.end,
                    "status": "available",
                    "equipment_id": False,
                    "remarks": f"Box 7\nRenewed subscription - expires {self.end} - "
                    "Reference: PO00099 - third year",
                },
            ],
        )
        self.assertTrue(feature.exists())
        entry = applied.audit_log_ids.sorted("number")[-1]
        self.assertRecordValues(
            entry,
            [
                {
                    "action": "renewed",
                    "status_before": "applied",
                    "status_after": "applied",
                    "validity_end_before": self._in_days(30),
                    "validity_end_after": self.end,
                    "user_id": self.manager.id,
                    "equipment_id": self.laptop.id,
                    "reason_code": "reference",
                    "reason_data": "PO00099",
                    "reason": "third year",
                }
            ],
        )
        self.assertEqual(self._steps(spare), ["created", "renewed"])

    def test_without_reference(self):
        """The remark has a reference only when one was given (S3)."""
        key = self._enter_subscriptions("RENEW-1")
        key.renew(self.end)
        self.assertEqual(key.remarks, f"Renewed subscription - expires {self.end}")

    def test_no_key(self):
        """S3, E2: called on no key at all it does nothing."""
        none = self.env["client.equipment.software.key"].with_user(self.manager)
        self.assertTrue(none.renew(self._in_days(90), reference="PO-1"))

    def test_restores_status(self):
        """An expired key comes back: Applied where it is installed (S3, section 4)."""
        keys = self._enter_subscriptions("RENEW-1", "RENEW-2", end=5)
        self._apply(keys[0])
        keys.write({"validity_end": self._in_days(-1)})
        self.assertEqual(keys.mapped("status"), ["expired", "expired"])
        keys.renew(self.end)
        self.assertEqual(keys.mapped("status"), ["applied", "available"])
        self.assertEqual(
            self._steps(keys[0]), ["created", "applied", "expired", "renewed"]
        )
        self.assertEqual(keys.equipment_id, self.laptop)
        self.assertEqual(keys.verify_audit_trail(), [])

    def test_one_more_period(self):
        """Without an end each key gets one more period of its software, counted from
        its own end, or from today where that has passed (S3)."""
        soon, later = (
            self._enter_subscriptions("RENEW-1"),
            self._enter_subscriptions("RENEW-2", end=60),
        )
        lapsed = self._enter_subscriptions("RENEW-3", end=-800)
        (soon | later | lapsed).renew(False)
        period = self.antivirus._get_validity_end
        self.assertEqual(
            (soon | later | lapsed).mapped("validity_end"),
            [period(self._in_days(30)), period(self._in_days(60)), period(self.today)],
        )
        self.assertEqual(lapsed.status, "available")

    def test_refused(self):
        """Permanent and revoked keys and ends in the past are refused by name, and
        nothing is renewed then (S3, E2)."""
        good, revoked = self._enter_subscriptions("RENEW-1", "RENEW-2")
        permanent = self._enter("RENEW-3")
        revoked.revoke()
        with self.assertRaises(UserError) as caught:
            (good | revoked | permanent).renew(self.end)
        self.assertEqual(
            str(caught.exception).splitlines(),
            [
                "2 of 3 keys cannot be renewed, so none was:",
                f"{revoked.display_name}: revoked; reinstate it first",
                f"{permanent.display_name}: permanent, so it never ends",
            ],
        )
        with self.assertRaisesRegex(UserError, "has passed; choose a later day"):
            good.renew(self._in_days(-1))
        with self.assertRaisesRegex(UserError, "lies before its start"):
            self._enter_subscriptions(
                "RENEW-4", validity_start=self._in_days(20)
            ).renew(self._in_days(10))
        other = self._enter("RENEW-5", key_type="trial", validity_end=self._in_days(30))
        with self.assertRaisesRegex(UserError, "no default validity"):
            other.renew(False)
        self.assertEqual(good.validity_end, self._in_days(30))
        self.assertEqual(self._steps(good), ["created"])

    def test_rights(self):
        """Technicians and auditors renew nothing, by the method or the dialog (E1)."""
        key = self._enter_subscriptions("RENEW-1")
        for user in (self.technician, self.auditor):
            with self.subTest(user=user.login):
                with self.assertRaises(AccessError):
                    key.with_user(user).renew(self.end)
                with self.assertRaises(AccessError):
                    self.env[WIZARD].with_user(user).create(
                        {"software_key_ids": key.ids}
                    )

    def test_queries(self):
        """A hundred keys, in stock, installed and expired, with remarks of their own,
        take no more queries than ten (S3)."""
        counts = []
        for count in (10, 100):
            keys = self._enter_subscriptions(
                *(f"RENEW-{count}-{number}" for number in range(count)), end=5
            )
            for key in keys:
                key.remarks = f"Remark {key.id}"
            self._apply(keys[: count // 2])
            keys[count // 4 : count // 4 * 3].write({"validity_end": self._in_days(-1)})
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            keys.renew(self.end, "PO00099")
            self.env.flush_all()
            counts.append(self.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0])

    def test_dialog_one_key(self):
        """The dialog of one key proposes one more period and renews (S3)."""
        key = self._enter_subscriptions("RENEW-1")
        dialog = self._dialog(key)
        end = self.antivirus._get_validity_end(self._in_days(30))
        self.assertEqual((dialog.mode, dialog.validity_end), ("date", end))
        dialog.reference = "PO00099"
        dialog.save().action_renew()
        self.assertEqual(key.validity_end, end)
        self.assertIn("Reference: PO00099", key.remarks)

    def test_dialog_many_keys(self):
        """The dialog shows what comes back, what is left out and why; the rest is
        renewed, each from its own end (S3)."""
        soon, expired = self._enter_subscriptions("RENEW-1", "RENEW-2", end=5)
        later = self._enter_subscriptions("RENEW-3", end=60)
        permanent = self._enter("RENEW-4")
        self._apply(expired)
        expired.write({"validity_end": self._in_days(-1)})
        dialog = self._dialog(soon | expired | later | permanent)
        self.assertEqual((dialog.mode, dialog.validity_end), ("period", False))
        self.assertEqual((dialog.key_count, dialog.renewable_count), (4, 3))
        for text in (
            "permanent, so it never ends",
            permanent.license_key,
            "Back from Expired: 1",
            "Applied",
        ):
            self.assertIn(text, dialog.preview)
        dialog.save().action_renew()
        self.assertEqual(
            later.validity_end, self.antivirus._get_validity_end(self._in_days(60))
        )
        self.assertEqual(expired.status, "applied")
        self.assertEqual(self._steps(permanent), ["created"])

    def test_dialog_same_end(self):
        """The same end may be chosen for all; keys that would end earlier than now
        are pointed out (S3)."""
        keys = self._enter_subscriptions("RENEW-1") | self._enter_subscriptions(
            "RENEW-2", end=500
        )
        dialog = self._dialog(keys)
        dialog.mode = "date"
        self.assertEqual(dialog.renewable_count, 0)
        dialog.validity_end = self.end
        self.assertEqual(dialog.preview.count("(earlier than now)"), 1)
        dialog.save().action_renew()
        self.assertEqual(keys.mapped("validity_end"), [self.end] * 2)


@tagged("post_install", "-at_install")
class TestRenewTour(SoftwareKeyMixin, HttpCase):
    def test_tour(self):
        """A manager selects keys in the list and renews them in one dialog, then one
        of them from its form (S3, workflow 4)."""
        keys = self._enter_subscriptions("RENEW-TOUR-1", "RENEW-TOUR-2", end=5)
        self._apply(keys[0])
        self.start_tour(
            "/odoo/software-keys", "software_key_renewal", login="sk_manager"
        )
        period = self.antivirus._get_validity_end
        end = period(self._in_days(5))
        self.assertEqual(sorted(keys.mapped("validity_end")), [end, period(end)])
        for key in keys:
            self.assertIn(f"expires {end} - Reference: PO00099", key.remarks)
        self.assertEqual(keys[0].status, "applied")
