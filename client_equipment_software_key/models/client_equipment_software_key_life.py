import psycopg2

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from odoo.addons.client_equipment.arguments import checked

from .client_equipment_software_key import LIVE_STATUSES

# So long a step waits for somebody who holds one of its keys.
LOCK_TIMEOUT = "3s"


class ClientEquipmentSoftwareKey(models.Model):
    """The life of a key: who may move it, where to, and the one step that moves it."""

    _inherit = "client.equipment.software.key"

    def _lock_for_step(self):
        """Lock the keys for a step in their life. Callers read the keys after this.

        :raises ChangedMeanwhile: where somebody has changed one of them since this
            transaction began
        :raises UserError: where somebody holds one of them for too long
        """
        try:
            with self._changed_meanwhile():
                self._lock_rows()
        except psycopg2.errors.LockNotAvailable as error:
            raise self._busy_error() from error

    def _lock_to_apply(self):
        """Check that each key can be applied, and lock them.

        The check comes first: where the lock is got, nothing has changed since. As
        :meth:`_lock_for_step`, but the caller has a savepoint and puts errors into
        words (``_learn_who_was_faster``).

        :raises UserError: where one cannot be applied, naming it and why
        """
        self._check_can_be_applied()
        self._lock_rows()

    def _lock_rows(self):
        """Lock the rows of the keys, in the order of their ids.

        So two steps that want the same keys do not block each other, and nobody waits
        for what he holds himself. Whoever holds one is waited for, some seconds at
        most; the caller's own limit is put back after that (or by its savepoint).
        """
        self.env.cr.execute(
            SQL(
                """
                SELECT set_config('software_key.timeout_before',
                                  current_setting('lock_timeout'), TRUE),
                       set_config('lock_timeout', %s, TRUE);
                SELECT FROM client_equipment_software_key
                 WHERE id = ANY(%s)
                 ORDER BY id
                   FOR NO KEY UPDATE;
                SELECT set_config('lock_timeout',
                                  current_setting('software_key.timeout_before'), TRUE)
                """,
                LOCK_TIMEOUT,
                list(self.ids),
            ),
            log_exceptions=False,
        )

    def _busy_error(self):
        return UserError(
            self.env._(
                "Somebody else is working on %s at this moment. Try again in a few "
                "seconds.",
                self._some_names(),
            )
        )

    def _check_can_be_applied(self):
        """Check that the keys are available, valid and free (A5).

        :raises UserError: naming the key, its status and what to do
        """
        past = self._filtered_past_end()
        taken = self.filtered("equipment_feature_ids")
        for key in self:
            if key in taken:
                problem = self.env._(
                    "%(key)s is applied to %(equipment)s already. Remove it there "
                    "first, or choose another key."
                )
            elif key.status == "revoked":
                problem = self.env._(
                    "%(key)s is revoked and cannot be applied. Choose another key."
                )
            elif key.status == "expired" or key in past:
                problem = self.env._(
                    "%(key)s has expired (valid until %(end)s) and cannot be applied. "
                    "Renew it, or choose another key."
                )
            elif key.status == "applied":
                problem = self.env._(
                    "%(key)s has the status Applied, although no equipment carries "
                    "it. Set its status back to Available, or choose another key."
                )
            else:
                continue
            raise UserError(
                problem
                % {
                    "key": key.display_name,
                    "equipment": key.equipment_feature_ids.equipment_id.display_name,
                    "end": self._say_date(key.validity_end),
                }
            )

    def _transition(self, action, status, ends_before=None, reason=None):
        """Set the status of the keys and have the step written to the audit trail.

        The only place where a status changes. Callers have locked the keys and
        checked that the step is allowed. Straight SQL, because this is the inner
        loop of every operation: one statement for any number of keys.

        :param str action: what the audit trail calls the step
        :param str status: the new status of all these keys
        :param dict ends_before: ``{key id: validity end before}`` of a moved end
        :param str reason: the user's reason, kept in the audit trail
        """
        if not self:
            return
        entry = self.env["client.equipment.audit.log"]._append_sql(
            self, action, status, ends_before, reason
        )
        self.modified(["equipment_id"], before=True)
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                WITH entry AS (%(entry)s)
                UPDATE client_equipment_software_key key
                   SET status = %(status)s,
                       equipment_id = (
                            SELECT feature.equipment_id
                              FROM client_equipment_feature feature
                             WHERE feature.software_key_id = key.id
                       ),
                       audit_number = entry.number,
                       audit_hash = entry.hash,
                       assignment_broken = FALSE,
                       write_uid = %(uid)s,
                       write_date = %(now)s
                  FROM entry
                 WHERE key.id = entry.software_key_id
                   AND key.id = ANY(%(key_ids)s)
                """,
                entry=entry,
                status=status,
                uid=self.env.uid,
                now=fields.Datetime.now(),
                # Known already, but it keeps PostgreSQL from reading all keys.
                key_ids=list(self.ids),
            )
        )
        changed = ["status", "equipment_id", "audit_number", "audit_hash"]
        self.invalidate_recordset(
            [*changed, "assignment_broken", "audit_log_ids", "write_uid", "write_date"],
            flush=False,
        )
        for inverse in self.pool.field_inverses[self._fields["equipment_id"]]:
            self.env[inverse.model_name].invalidate_model([inverse.name], flush=False)
        self.modified(changed)
        self._validate_fields(changed)

    def _settle(self, wanted=None, ends_before=None):
        """Take the step that a written status or a moved validity end asks for.

        :param str wanted: the status that the user chose, if any
        :param dict ends_before: ``{key id: validity end before the write}``
        :raises UserError: where the step is not allowed
        """
        past = set(self._filtered_past_end().ids)
        steps = {}
        for key in self:
            moved = ends_before is not None and ends_before[key.id] != key.validity_end
            if step := key._next_step(wanted, moved, key.id in past):
                steps.setdefault(step, []).append(key.id)
        for (action, status), key_ids in steps.items():
            self.browse(key_ids)._transition(action, status, ends_before)

    def _next_step(self, wanted, moved, past):
        """Return ``(action, status)`` of the key's next step, or None for no step.

        :param str wanted: the status that the user chose, if any
        :param bool moved: whether the validity end has been moved
        :param bool past: whether the validity end has passed
        :raises UserError: where the wanted status cannot be reached
        """
        self.ensure_one()
        assigned = bool(self.sudo().equipment_feature_ids)
        resting = "applied" if assigned else "available"
        if not wanted or wanted == self.status:
            if not moved:
                return None
            if past and self.status in LIVE_STATUSES:
                return "expired", "expired"
            if self.status == "expired" and not past:
                return "renewed", resting
            return "renewed", self.status
        match (self.status, wanted):
            case ("available" | "applied", "expired") if past:
                return "expired", "expired"
            case ("expired", "available" | "applied") if not past and wanted == resting:
                return "renewed", resting
            case ("available" | "expired" | "applied", "revoked") if not assigned:
                return "revoked", "revoked"
            case ("revoked" | "applied", "available") if not past and not assigned:
                return "reinstated", "available"
        raise UserError(self._why_not(wanted, assigned, past))

    def _why_not(self, wanted, assigned, past):
        """Return in words why the key cannot get the wanted status, and what to do."""
        if wanted == "expired":
            problem = self.env._(
                "%(key)s cannot be set to Expired, because its validity has not "
                "ended. Move its validity end, or revoke the key."
            )
            if self.status == "revoked":
                problem = self.env._("%(key)s is revoked and cannot expire any more.")
        elif assigned and not (past and wanted == "applied"):
            problem = self.env._(
                "%(key)s is applied to %(equipment)s, so it cannot be set to "
                "%(wanted)s. Remove the key from the equipment first."
            )
        elif wanted == "applied" and not assigned:
            problem = self.env._(
                "%(key)s cannot be set to Applied by hand. Apply it to an equipment: "
                "open the equipment, tab Software Keys, and add a line."
            )
        elif past:
            problem = self.env._(
                "The validity of %(key)s ended on %(end)s, so it cannot be set to "
                "%(wanted)s. Renew the key: enter a new validity end."
            )
        else:
            problem = self.env._("%(key)s cannot go from %(status)s to %(wanted)s.")
        return problem % {
            "key": self.display_name,
            "equipment": self.sudo().equipment_feature_ids.equipment_id.display_name,
            "status": self._selection_label("status", self.status),
            "wanted": self._selection_label("status", wanted),
            "end": self._say_date(self.validity_end),
        }

    def _settle_after_removal(self):
        """Take the keys back to the inventory after their assignments went (A7)."""
        # Of many keys only what is looked at: the ORM would read all their columns.
        self.fetch(["status", "validity_end", "company_id"])
        past = self._filtered_past_end()
        revoked = self.filtered(lambda key: key.status == "revoked")
        revoked._transition("revoked", "revoked")
        (past - revoked)._transition("revoked", "expired")
        (self - past - revoked)._transition("revoked", "available")

    @checked
    def revoke(self, reason: str | None = None):
        """Set the keys to Revoked, so that they can never be applied again.

        :param str reason: kept in the audit trail
        :return: True
        :raises UserError: where a key is applied, naming the equipment

        Serves the status table of the contract, section 4.
        """
        self.check_access("write")
        self._lock_for_step()
        for key in self:
            key._next_step("revoked", False, False)
        self.filtered(lambda key: key.status != "revoked")._transition(
            "revoked", "revoked", reason=reason
        )
        return True

    def action_revoke(self):
        """Button *Revoke*.

        :return: an action that tells which keys were revoked
        """
        revoked = self.filtered(lambda key: key.status != "revoked")
        self.revoke()
        return revoked._told_revoked()
