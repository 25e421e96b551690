import base64

from odoo.tests import tagged
from odoo.tools import SQL

from .attacks import ATTACKS
from .common import SoftwareKeyCommon
from .test_evidence_json import CHECKPOINT, INTACT, TAMPERED, EvidenceJsonMixin


@tagged("post_install", "-at_install")
class TestAttacks(EvidenceJsonMixin, SoftwareKeyCommon):
    """L5, L8, L9: what each of three verifiers says of each attack, as in the guide."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.revoked, cls.applied, gone = cls._enter_subscriptions(
            "ATTACK-REVOKED-1", "ATTACK-APPLIED-2", "ATTACK-GONE-3"
        )
        cls._apply(cls.applied)
        cls.applied.validity_end = cls._in_days(60)
        cls.revoked.license_file = base64.b64encode(b"license")
        cls.revoked.revoke("lost")
        cls.keys = cls.revoked + cls.applied
        gone.unlink()
        cls.env[CHECKPOINT].make()

    def test_attacks(self):
        """L5, L8, L9: each attack × each verifier, as the guide's table has it."""
        checkpoint = self.env[CHECKPOINT].with_user(self.auditor).make()
        self.assertEqual(self._who_finds(checkpoint.text), (False, False, False))
        for attack in ATTACKS:
            with self.subTest(attack.code), self.cr.savepoint() as savepoint:
                act = getattr(self, f"_attack_{attack.code}")
                kept = self.env[CHECKPOINT].with_user(self.auditor).make().text
                # An attack may be on what was kept at another time.
                kept = act() or kept
                self.env.invalidate_all()
                self.assertEqual(self._who_finds(kept), attack[2:])
                savepoint.rollback()
                self.env.invalidate_all()

    def _who_finds(self, kept):
        """Return what the auditor learns by each of the three."""
        keys = self.keys.exists()
        found = self.env[CHECKPOINT].with_user(self.auditor).verify(kept)
        self.assertNotEqual(found["intact"], bool(found["problem"]))
        self.env[CHECKPOINT].make()
        code, said = self._run(self._pack(keys), kept)
        self.assertIn(code, (INTACT, TAMPERED), said)
        return (
            bool(keys.with_user(self.auditor).verify_audit_trail()),
            not found["intact"],
            code == TAMPERED,
        )

    def _sql(self, query, *args, **kwargs):
        self.env.flush_all()
        self.env.cr.execute(SQL(query, *args, **kwargs))
        self.env.invalidate_all()

    def _rewrite(self, key):
        """Compute all hashes of a trail anew, and let the key remember the last."""
        self.env.flush_all()
        previous = None
        AuditLog = self.env["client.equipment.audit.log"]
        for entry in key.audit_log_ids.sorted("number"):
            self.env.cr.execute(
                SQL(
                    """
                    UPDATE client_equipment_audit_log log
                       SET hash = %s
                      FROM (
                        SELECT log.*, key.license_key, %s::varchar AS previous_hash
                          FROM client_equipment_audit_log log
                          JOIN client_equipment_software_key key
                            ON key.id = log.software_key_id
                      ) entry
                     WHERE entry.id = log.id
                       AND log.id = %s
                    RETURNING log.hash
                    """,
                    AuditLog._hash_of_any_version_sql(),
                    previous,
                    entry.id,
                )
            )
            (previous,) = self.env.cr.fetchone()
            number = entry.number
        self._sql(
            "UPDATE client_equipment_software_key"
            " SET audit_hash = %s, audit_number = %s WHERE id = %s",
            previous,
            number,
            key.id,
        )

    # What somebody does

    def _attack_fact(self):
        self._sql(
            "UPDATE client_equipment_audit_log SET user_name = 'Somebody'"
            " WHERE software_key_id = %s AND number = 2",
            self.revoked.id,
        )

    def _attack_middle(self):
        self._sql(
            "DELETE FROM client_equipment_audit_log"
            " WHERE software_key_id = %s AND number = 2",
            self.applied.id,
        )

    def _attack_swap(self):
        number = "UPDATE client_equipment_audit_log SET number = number + %s"
        self._sql(f"{number} WHERE software_key_id = %s", 1000, self.revoked.id)
        self._sql(
            "UPDATE client_equipment_audit_log SET software_key_id = %(sum)s"
            " - software_key_id WHERE software_key_id = ANY(%(ids)s)",
            sum=sum(self.keys.ids),
            ids=self.keys.ids,
        )
        self._sql(f"{number} WHERE software_key_id = %s", -1000, self.applied.id)

    def _attack_license_key(self):
        self._sql(
            "UPDATE client_equipment_software_key SET license_key = 'ATTACK-OTHER'"
            " WHERE id = %s",
            self.revoked.id,
        )

    def _cut_tail(self):
        """Undo the revocation."""
        self._sql(
            "DELETE FROM client_equipment_audit_log"
            " WHERE software_key_id = %s AND action = 'revoked'",
            self.revoked.id,
        )
        self._sql(
            "UPDATE client_equipment_software_key SET status = 'available'"
            " WHERE id = %s",
            self.revoked.id,
        )
        self._rewrite(self.revoked)

    _attack_tail = _cut_tail

    def _attack_rewrite_one(self):
        self._attack_fact()
        self._rewrite(self.revoked)

    def _attack_rewrite_all(self):
        self._sql("UPDATE client_equipment_audit_log SET user_name = 'Somebody'")
        for key in self.env["client.equipment.software.key"].search([]):
            self._rewrite(key)
        moments = self.env[CHECKPOINT].search([]).sorted("until").mapped("until")
        self._sql("DELETE FROM client_equipment_audit_checkpoint")
        for until in moments:
            self.env[CHECKPOINT]._make(until, 10)

    def _attack_backdated(self):
        key = self._enter("ATTACK-NEW-4")
        self._sql(
            "UPDATE client_equipment_audit_log"
            " SET action_date = action_date - interval '1 month'"
            " WHERE software_key_id = %s",
            key.id,
        )
        self._rewrite(key)

    def _attack_delete_key(self):
        self._sql(
            "DELETE FROM client_equipment_software_key WHERE id = %s", self.revoked.id
        )

    def _attack_delete_leaving_hashes(self):
        self.revoked.unlink()
        self.assertTrue(
            self.env["client.equipment.audit.deletion"].search(
                [("license_key_ending", "=", "KED-1")]
            )
        )

    def _attack_erase_deletion(self):
        self._sql("DELETE FROM client_equipment_audit_deletion_entry")
        self._sql("DELETE FROM client_equipment_audit_deletion")

    def _attack_old_backup(self):
        with self.cr.savepoint() as backup:
            self._enter("ATTACK-LATER-5")
            kept = self.env[CHECKPOINT].make().text
            backup.rollback()
        return kept

    def _attack_status(self):
        self._sql(
            "UPDATE client_equipment_software_key SET status = 'available'"
            " WHERE id = %s",
            self.revoked.id,
        )

    def _attack_key_fact(self):
        self._sql(
            "UPDATE client_equipment_software_key SET key_type = 'trial' WHERE id = %s",
            self.revoked.id,
        )

    def _attack_license_file(self):
        self._sql(
            "UPDATE ir_attachment SET store_fname = NULL, db_datas = 'another'"
            " WHERE res_model = %s AND res_field = 'license_file' AND res_id = %s",
            self.revoked._name,
            self.revoked.id,
        )

    def _attack_link(self):
        self._sql(
            "UPDATE client_equipment_audit_log SET equipment_id = %s"
            " WHERE software_key_id = %s AND number = 2",
            self.spare_laptop.id,
            self.applied.id,
        )

    def _attack_younger(self):
        kept = self.env[CHECKPOINT].make().text
        self.applied.equipment_feature_ids.unlink()
        self._sql(
            "UPDATE client_equipment_audit_log SET user_name = 'Somebody'"
            " WHERE software_key_id = %s AND number = 4",
            self.applied.id,
        )
        self._rewrite(self.applied)
        return kept

    def _attack_in_anothers_name(self):
        self._apply(self._enter("ATTACK-NAME-6"), user=self.technician_2)
