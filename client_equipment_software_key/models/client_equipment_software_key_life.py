import functools

import psycopg2

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.client_equipment.arguments import checked

from ..lifecycle import Facts, Refused, take
from .client_equipment_software_key import NAMED_MAX

# So long a step waits for somebody who holds one of its keys.
LOCK_TIMEOUT = "3s"
# Steps of the key itself, which stays where it is (or has not been anywhere).
KEEPS_PLACE = {"created", "expired", "renewed", "revealed"}


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

    def _lock_to_apply(self, wanted):
        """Check that each key can be applied so often, and lock them.

        The check comes first: where the lock is got, nothing has changed since. As
        :meth:`_lock_for_step`, but the caller has a savepoint and puts errors into
        words (``_learn_who_was_faster``).

        :param wanted: as :meth:`_check_can_be_applied` has it
        :raises UserError: where one cannot be applied, naming it and why
        """
        self._check_can_be_applied(wanted)
        self._lock_rows()

    def _lock_rows(self):
        """Lock the rows of the keys, in the order of their ids.

        So two steps that want the same keys do not block each other, and nobody waits
        for what he holds himself. Whoever holds one is waited for, some seconds at
        most; the caller's own limit is put back after that (or by its savepoint).

        Their software is held, too, so that its rule for moving stays as it is: its
        change and a step do not pass each other (``_follow_rules_of``).
        """
        self.env.cr.execute(
            SQL(
                """
                SELECT set_config('software_key.timeout_before',
                                  current_setting('lock_timeout'), TRUE),
                       set_config('lock_timeout', %s, TRUE);
                SELECT FROM client_equipment_software
                 WHERE id = ANY(ARRAY(
                    SELECT DISTINCT software_id FROM client_equipment_software_key
                     WHERE id = ANY(%s)
                 ))
                 ORDER BY id
                   FOR SHARE;
                SELECT FROM client_equipment_software_key
                 WHERE id = ANY(%s)
                 ORDER BY id
                   FOR NO KEY UPDATE;
                SELECT set_config('lock_timeout',
                                  current_setting('software_key.timeout_before'), TRUE)
                """,
                LOCK_TIMEOUT,
                list(self.ids),
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

    # ------------------------------------------------------------------
    # What may follow what: lifecycle.py, as data
    # ------------------------------------------------------------------

    def _get_facts(self, ended=False):
        """Return ``{key id: how the key stands}``, for ``lifecycle``.

        Straight SQL: thousands of keys stand in a few ways, so that few rows come back.

        :param bool ended: whether to look at who has ended, too
        :raises MissingError: where there is no such key
        """
        past = self._past_end_domain() if ended else Domain.FALSE
        self.env["client.equipment.feature"].flush_model(["software_key_id"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT status, COALESCE(used, 0), seats, COALESCE(%(past)s, FALSE),
                       array_agg(id)
                  FROM client_equipment_software_key
                  LEFT JOIN (
                    SELECT software_key_id, count(*)::int AS used
                      FROM client_equipment_feature
                     WHERE software_key_id = ANY(%(key_ids)s)
                     GROUP BY software_key_id
                  ) feature ON software_key_id = id
                 WHERE id = ANY(%(key_ids)s)
                 GROUP BY 1, 2, 3, 4
                """,
                past=self.sudo()._search(past).where_clause,
                key_ids=list(self.ids),
            )
        )
        facts = {
            key_id: Facts(*stands) for *stands, key_ids in rows for key_id in key_ids
        }
        self.browse(set(self.ids) - facts.keys()).mapped("status")
        return facts

    def _take(self, facts, cause, wanted=""):
        """Return the step that ``cause`` leads to (``lifecycle.take``).

        :param facts: how the key stands, from :meth:`_get_facts`
        :raises UserError: where it is not allowed, naming the key and what to do
        """
        try:
            return take(facts, cause, wanted)
        except Refused as refused:
            raise UserError(self._refusal_text(refused)) from None

    def _check_can_be_applied(self, wanted):
        """Check that the keys are available and valid, with a seat free (A5), and that
        their rules let them go there (A14).

        :param wanted: ``{key id: [(equipment id, whether its rule is overridden)]}``,
            one for each seat
        :raises UserError: naming the key, its status and what to do
        """
        facts = self._get_facts(ended=True)
        kept = self._get_kept_seats()
        for key in self:
            stands, places = facts[key.id], wanted[key.id]
            if len(places) > 1:  # is the last of them free, too?
                stands = stands._replace(used=stands.used + len(places) - 1)
            if key.id in kept:
                stands = key._with_moving_facts(stands, kept[key.id], places)
            key._take(stands, "apply")

    def _refusal_text(self, refused):
        """Return in words why the key cannot take a step, and what to do.

        :param refused: the ``Refused`` of ``lifecycle``; a code that another addon has
            added gets its words by an extension of this method
        """
        texts = {
            ("apply", "taken"): self.env._(
                "%(key)s is applied to %(equipment)s already. Remove it there "
                "first, or choose another key."
            ),
            ("apply", "one seat"): self.env._(
                "%(key)s has one seat, so it can be applied to one equipment only. "
                "Choose another key for the other equipment."
            ),
            ("apply", "all seats used"): self.env._(
                "%(key)s has %(seats)s seats, %(used)s of them in use: too few are "
                "free. Remove it from an equipment first, or choose another key."
            ),
            ("apply", "revoked"): self.env._(
                "%(key)s is revoked and cannot be applied. Choose another key."
            ),
            ("apply", "ended"): self.env._(
                "%(key)s has expired (valid until %(end)s) and cannot be applied. "
                "Renew it, or choose another key."
            ),
            ("apply", "lost"): self.env._(
                "%(key)s has the status Applied, although no equipment carries "
                "it. Set its status back to Available, or choose another key."
            ),
            ("apply", "stays"): self.env._(
                "%(key)s stays with %(kept)s, as the rule of its software says, and "
                "cannot go onto another unit. Choose another key, or ask a manager: he "
                "can apply it nevertheless, and say why."
            ),
            ("apply", "rests"): self.env._(
                "%(key)s has been on %(kept)s and cannot go onto another unit before "
                "%(free)s, as the rule of its software says. Choose another key, or "
                "ask a manager: he can apply it nevertheless, and say why."
            ),
            ("apply", "no way"): self.env._(
                "%(key)s has the status %(status)s and cannot be applied. Choose "
                "another key."
            ),
            ("set", "unknown status"): self.env._(
                "%(key)s cannot go from %(status)s to %(wanted)s: there is no such "
                "status. Choose one of the list."
            ),
            ("set", "revoked for good"): self.env._(
                "%(key)s is revoked and cannot expire any more."
            ),
            ("set", "not ended"): self.env._(
                "%(key)s cannot be set to Expired, because its validity has not "
                "ended. Move its validity end, or revoke the key."
            ),
            ("set", "remove first"): self.env._(
                "%(key)s is applied to %(equipment)s, so it cannot be set to "
                "%(wanted)s. Remove the key from the equipment first."
            ),
            ("set", "apply it"): self.env._(
                "%(key)s cannot be set to Applied by hand. Apply it to an equipment: "
                "open the equipment, tab Software Keys, and add a line."
            ),
            ("set", "renew first"): self.env._(
                "The validity of %(key)s ended on %(end)s, so it cannot be set to "
                "%(wanted)s. Renew the key: enter a new validity end."
            ),
            ("seats", "seats in use"): self.env._(
                "%(key)s is applied to %(equipment)s, so it cannot have fewer than "
                "%(used)s seats. Remove it from some of the equipment first."
            ),
            ("seats", "no seat"): self.env._(
                "%(key)s needs at least one seat. Revoke the key if it cannot be "
                "applied any more."
            ),
        }
        features = self.sudo().equipment_feature_ids
        code = refused.code
        if code == "taken" and not features:
            code = "one seat"
        text = texts.get((refused.cause, code)) or self.env._(
            "%(key)s cannot go from %(status)s to %(wanted)s."
        )
        kept = self.sudo()._get_kept_seats().get(self.id, ())
        return text % {
            "key": self.display_name,
            "equipment": features.equipment_id._some_names(NAMED_MAX),
            "used": len(features),
            "seats": self.seats,
            "status": self._selection_label("status", self.status),
            "wanted": self._selection_label("status", refused.wanted),
            "end": self._say_date(self.validity_end),
            "kept": self.sudo(False)._kept_names(kept),
            "free": self._say_date(self._free_again(kept)),
        }

    # ------------------------------------------------------------------
    # Steps
    # ------------------------------------------------------------------

    def _transition(
        self, action, statuses, seats=None, sets=None, unheard=None, **told
    ):
        """Set the status of the keys and have the step written to the audit trail.

        The only place where a status changes, called once per step for all its keys.
        Callers have locked the keys and checked that the step is allowed. Straight SQL,
        because this is the inner loop of every operation: one statement for any number
        of keys. Others hear it as if the ORM had written: stored computes,
        ``@api.constrains``, and :meth:`_after_transition`.

        :param str action: what the audit trail calls the step
        :param dict statuses: ``{key id: its status after the step}``
        :param seats: the ``SeatStep`` of each seat that was taken or given back: one
            entry each; else one of each key
        :param dict sets: what else the step sets: ``{field: SQL}`` of the ``key`` as it
            was before and its last new ``entry``
        :param list unheard: where it is not heard yet, because the same write takes
            another step: gets what is to be called after that
        :param told: what else the entries tell (``_append_sql`` of the audit log)
        """
        if not self:
            return
        keys = self._before_transition(action)
        AuditLog = self.env["client.equipment.audit.log"]
        entries = AuditLog._append_sql(self, action, statuses, seats, **told)
        sets = sets or {}
        self.env.flush_all()
        # What depends on the places that they leave is computed after the step.
        self.modified(["equipment_id"], before=True)
        rows = self.env.execute_query(
            SQL(
                """
                WITH RECURSIVE %(entries)s, head AS (
                    UPDATE client_equipment_software_key key
                       SET status = entry.status_after,
                           %(place)s
                           %(sets)s
                           audit_number = entry.number,
                           audit_hash = entry.hash,
                           assignment_broken = assignment_broken AND %(looked_at)s,
                           write_uid = %(uid)s,
                           write_date = %(now)s
                      FROM entry
                     WHERE key.id = entry.software_key_id
                       AND entry.is_last
                       AND key.id = ANY(%(key_ids)s)
                )
                SELECT id FROM entry
                """,
                entries=entries,
                place=self._place_sql(action, **told),
                sets=SQL().join(
                    SQL("%s = %s,", SQL.identifier(name), value)
                    for name, value in sets.items()
                ),
                uid=self.env.uid,
                now=self.env.cr.now(),
                looked_at=action == "revealed",
                # Known already, but it keeps PostgreSQL from reading all keys.
                key_ids=list(self.ids),
            )
        )
        changed = ["status", "equipment_id", "seats_used", "audit_number", "audit_hash"]
        changed += sets
        self.invalidate_recordset(
            [*changed, "assignment_broken", "audit_log_ids", "write_uid", "write_date"],
            flush=False,
        )
        for inverse in self.pool.field_inverses[self._fields["equipment_id"]]:
            self.env[inverse.model_name].invalidate_model([inverse.name], flush=False)
        self.modified(changed)
        self._keep_seats(action, **told)
        self._validate_fields(changed)
        audit_logs = AuditLog.browse(sorted(row[0] for row in rows))
        if unheard is None:
            keys._after_transition(action, audit_logs)
        else:
            hear = functools.partial(keys._after_transition, action, audit_logs)
            unheard.append(hear)

    def _keep_seats(self, action, reason_code=None, **_told):
        """Remember, after a step, which free seats are kept for a unit (A14)."""
        if action not in KEEPS_PLACE or reason_code == "repaired":
            self._count_kept_seats()

    @api.model
    def _place_sql(self, action, reason_code=None, **_told):
        """Return the SQL that takes over, after a step, where the assignments are."""
        if action in KEEPS_PLACE and reason_code != "repaired":
            return SQL()
        return SQL(
            """
            (equipment_id, seats_used) = (
                SELECT CASE WHEN count(*) = 1 THEN min(feature.equipment_id) END,
                       count(*)
                  FROM client_equipment_feature feature
                 WHERE feature.software_key_id = key.id
            ),
            """
        )

    def _before_transition(self, action):
        """Look at these keys before a step in their life, for other addons (H1).

        Empty: for extension, together with :meth:`_after_transition`. What a write has
        changed, the validity end too, has moved already, and assignments are made or
        removed already; the new entries tell of both.

        :param str action: what the audit trail will call the step
        :return: self, with a context that tells :meth:`_after_transition` what it needs
        """
        return self

    def _after_transition(self, action, audit_logs):
        """Do what other addons want to do after a step in the life of these keys (H1).

        Empty: for extension. Called once per step, whatever the route (form, dialog,
        import, API, the scheduled job, a repair), in the transaction of the step; where
        a write that moves ends takes several, after the last of them.

        :param str action: what the audit trail calls the step
        :param audit_logs: the new entries, one for each key (where seats are taken or
            given back, for each seat), in the order of their ids
        """

    def _apply_written_status(
        self, wanted=None, previous_ends=None, reason_code=None, unheard=None
    ):
        """Take the step that a written status or a moved validity end asks for.

        It is heard when all the keys have taken theirs: who hears it may move them.

        :param str wanted: the status that the user chose, if any
        :param dict previous_ends: ``{key id: validity end before the write}``
        :param str reason_code: the reason that the system itself gives
        :param unheard: what :meth:`_transition` has left to be called, if anything
        :raises UserError: where the step is not allowed
        """
        unheard = unheard or []
        facts = self._get_facts(ended=True)
        statuses = {}
        for key in self:
            if wanted and wanted != key.status:
                step = key._take(facts[key.id], "set", wanted)
            elif previous_ends and previous_ends[key.id] != key.validity_end:
                step = key._take(facts[key.id], "move end")
            else:
                continue
            statuses.setdefault(step.entry, {})[key.id] = step.status
        for action, status_by_id in statuses.items():
            self.browse(status_by_id)._transition(
                action,
                status_by_id,
                previous_ends=previous_ends,
                reason_code=reason_code,
                unheard=unheard,
            )
        for hear in unheard:
            hear()

    @checked
    def revoke(self, reason: str | None = None) -> bool:
        """Set the keys to Revoked, so that they can never be applied again.

        :param str reason: kept in the audit trail
        :return: True
        :raises UserError: where a key is applied, naming the equipment

        Serves the status table of the contract, section 4.
        """
        return self._revoke(reason)

    def _revoke(self, reason=None, **told):
        """Revoke the keys, for a reason that the system itself may give.

        :param told: ``reason_code`` and ``reason_data`` of the entries
        """
        self.check_access("write")
        self._lock_for_step()
        keys = self.filtered(lambda key: key.status != "revoked")
        facts = keys._get_facts()
        statuses = {
            key.id: key._take(facts[key.id], "set", "revoked").status for key in keys
        }
        keys._transition("revoked", statuses, reason=reason, **told)
        return True

    def action_revoke(self) -> dict:
        """Button *Revoke*.

        :return: an action that tells which keys were revoked
        """
        revoked = self.filtered(lambda key: key.status != "revoked")
        self.revoke()
        return revoked._told_revoked()
