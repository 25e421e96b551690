import logging

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, split_every

from .client_equipment_audit_log import REPAIRED
from .client_equipment_software_key import LIVE_STATUSES

_logger = logging.getLogger(__name__)

VERIFY_BATCH = 2000
# Up to about so many keys the filter compares them with their assignments on the spot.
COMPARED_LIVE = 50_000

# What a key's own row shows to be wrong, and what the last check found beyond it.
BROKEN = """
    audit_broken OR assignment_broken
    OR status = 'applied' AND equipment_id IS NULL
    OR status IN ('available', 'revoked') AND equipment_id IS NOT NULL
"""


class ClientEquipmentSoftwareKey(models.Model):
    """Whether status, assignment, validity and audit trail of a key agree."""

    _inherit = "client.equipment.software.key"

    needs_attention = fields.Boolean(
        compute="_compute_needs_attention",
        search="_search_needs_attention",
        help="Status and assignment disagree, the validity has ended without the key "
        "being expired, or the audit trail is broken.",
    )
    attention_note = fields.Char("Finding", compute="_compute_needs_attention")
    can_be_repaired = fields.Boolean(compute="_compute_needs_attention")
    assignment_broken = fields.Boolean(
        "Assignment Disagrees",
        readonly=True,
        copy=False,
        help="What the last check of status against assignment found.",
    )
    audit_broken = fields.Boolean(
        "Audit Trail Broken",
        readonly=True,
        copy=False,
        help="What the last check of the audit trail found.",
    )

    # The filter Needs Attention, among a million keys that are in order.
    _broken = models.Index(f"(id) WHERE {BROKEN}")

    @api.depends(
        "status",
        "validity_end",
        "equipment_id",
        "equipment_feature_ids.equipment_id",
        "assignment_broken",
        "audit_broken",
    )
    def _compute_needs_attention(self):
        findings = self._find_inconsistencies()
        for key in self:
            problem, repair = findings.get(key, ("", None))
            key.needs_attention = bool(problem)
            key.attention_note = problem
            key.can_be_repaired = bool(repair)

    def _search_needs_attention(self, operator, value):
        if operator != "in":
            return NotImplemented
        self.flush_model(
            ["status", "equipment_id", "assignment_broken", "audit_broken"]
        )
        self.env["client.equipment.feature"].flush_model(["equipment_id"])
        due = self._due_domain()
        # One subquery of index scans: an OR would read the whole table. Comparing with
        # the assignments does read it, so among very many keys that is left to the
        # check (by button, and every night).
        found = SQL(
            """
            SELECT id FROM client_equipment_software_key WHERE %s
            UNION ALL %s
            UNION ALL
            SELECT key.id
              FROM client_equipment_software_key key
              LEFT JOIN client_equipment_feature feature
                     ON feature.software_key_id = key.id
             WHERE key.equipment_id IS DISTINCT FROM feature.equipment_id
               AND (SELECT reltuples FROM pg_class
                     WHERE oid = 'client_equipment_software_key'::regclass) < %s
            """,
            SQL(BROKEN),
            self.sudo()._search(due).select(),
            COMPARED_LIVE,
        )
        domain = Domain.custom(
            to_sql=lambda model, alias, query: SQL(
                "%s IN (%s)", SQL.identifier(alias, "id"), found
            ),
            predicate=lambda key: key.needs_attention,
        )
        return domain if True in value else ~domain

    def verify_audit_trail(self):
        """Check the audit trail of these keys against tampering (L5).

        Every hash is computed again, and the last entry is compared with the status,
        validity end and equipment that the key has now.

        :return: list of ``{"software_key_id", "audit_log_id", "problem"}`` with the
            first finding of each key, ``audit_log_id`` False where the entry is
            gone; empty when all is intact (or when called on no keys: to verify all
            of them, see :meth:`verify_next_audit_trails`)
        :raises AccessError: where the user may not read the keys
        """
        self.check_access("read")
        AuditLog = self.env["client.equipment.audit.log"]
        AuditLog.check_access("read")
        findings = []
        for key_ids in split_every(VERIFY_BATCH, self.ids, list):
            findings += AuditLog._verify(self.browse(key_ids))
        return findings

    @api.model
    def verify_next_audit_trails(self, after_id=0, limit=VERIFY_BATCH):
        """Check the audit trails of the next keys that the user may see (L5).

        To verify everything, call it again with the ``last_id`` of the answer until
        ``count`` is 0: no call takes long, however many keys there are.

        :param int after_id: keys with a greater id are looked at
        :param int limit: how many
        :return: ``{"count", "last_id", "findings"}``, findings as in
            :meth:`verify_audit_trail`
        """
        keys = self._next_keys(after_id, limit)
        return {
            "count": len(keys),
            "last_id": keys[-1:].id or after_id,
            "findings": keys.verify_audit_trail(),
        }

    @api.model
    def _next_keys(self, after_id, limit):
        return self.search([("id", ">", after_id)], order="id", limit=limit)

    def action_verify_audit_trail(self):
        """Verify the audit trails of these keys, showing the progress (L5).

        :return: a client action
        """
        return {
            "type": "ir.actions.client",
            "tag": "verify_audit_trail",
            "name": self.env._("Verify Audit Trail"),
            "target": "new",
            "params": {"key_ids": self.ids},
        }

    def _find_inconsistencies(self):
        """Return what is wrong with these keys, and how to repair it (S7).

        :return: ``{key: (words, repair)}`` of the keys that need attention; a repair
            is ``(action, status)`` for :meth:`_transition`, ``"remove"`` where the
            assignment has to go, None where nothing can be repaired
        """
        past = self._filtered_past_end()
        findings = {}
        for key in self:
            assigned = key.sudo().equipment_feature_ids.equipment_id
            recorded = key.sudo().equipment_id
            is_past = key in past or key.status == "expired"
            repair = None
            if assigned and key.status == "revoked":
                repair = "remove"
                words = self.env._(
                    "The key is revoked, but still assigned to %(assigned)s. Repair: "
                    "the assignment is removed."
                )
            elif assigned and (
                recorded != assigned or key.status not in ("applied", "expired")
            ):
                repair = ("applied", "expired" if is_past else "applied")
                words = self.env._(
                    "The key is assigned to %(assigned)s, but says %(status)s "
                    "(%(recorded)s). Repair: its status becomes %(after)s, on "
                    "%(assigned)s."
                )
            elif recorded and not assigned:
                after = "expired" if is_past else "available"
                repair = ("revoked", key.status == "revoked" and "revoked" or after)
                words = self.env._(
                    "The key says that it is on %(recorded)s, but is not assigned to "
                    "it any more. Repair: it is taken off there and becomes %(after)s."
                )
            elif key.status == "applied" and not assigned:
                repair = (
                    ("expired", "expired") if is_past else ("reinstated", "available")
                )
                words = self.env._(
                    "The status is Applied, but no equipment carries the key. Repair: "
                    "its status becomes %(after)s."
                )
            elif key in past and key.status in LIVE_STATUSES:
                repair = ("expired", "expired")
                words = self.env._(
                    "The validity ended on %(end)s, but the status is %(status)s. "
                    "Repair: its status becomes %(after)s (the hourly job does so "
                    "too)."
                )
            elif key.audit_broken:
                words = self.env._(
                    "The audit trail was changed behind the system's back. It cannot "
                    "be repaired: choose Verify to see which entry, keep the backups "
                    "of the database, and find out who had access."
                )
            else:
                continue
            findings[key] = (
                words
                % {
                    "assigned": assigned.display_name,
                    "recorded": recorded.display_name or self.env._("on no equipment"),
                    "status": self._selection_label("status", key.status),
                    "after": self._selection_label(
                        "status", repair[1] if isinstance(repair, tuple) else ""
                    ),
                    "end": self._say_date(key.validity_end),
                },
                repair,
            )
        return findings

    def repair(self):
        """Repair the keys of these whose status and assignment disagree (S7).

        Each repair is a step in the audit trail. Keys that are in order, and broken
        audit trails, stay as they are.

        :return: the repaired keys
        :raises AccessError: where the user may not change keys
        """
        self.check_access("write")
        self._lock_to_move()
        steps = {}
        for key, (_words, repair) in self._find_inconsistencies().items():
            if repair:
                steps.setdefault(repair, []).append(key.id)
        for step, key_ids in steps.items():
            keys = self.browse(key_ids)
            if step == "remove":
                keys.equipment_feature_ids.unlink()
            else:
                keys._transition(*step, reason=REPAIRED)
        repaired = self.browse(sum(steps.values(), []))
        repaired.filtered("audit_broken")._check_trails()
        return repaired

    def action_repair(self):
        """Button *Repair*.

        :return: True
        """
        self.repair()
        return True

    @api.model
    def check_consistency(self):
        """Check all keys: status against assignment, validity, audit trails (S7).

        What is found is listed under the filter *Needs Attention* from then on. Among
        very many keys :meth:`check_next_consistency` shows how far it is.

        :return: the keys that need attention
        :raises AccessError: where the user may not change keys
        """
        self.check_access("write")
        self._check_all_trails()
        return self.search([("needs_attention", "=", True)])

    @api.model
    def check_next_consistency(self, after_id=0, limit=VERIFY_BATCH):
        """Check the next keys, of all companies, as :meth:`check_consistency` does.

        To check everything, call it again with the ``last_id`` of the answer until
        ``count`` is 0.

        :param int after_id: keys with a greater id are looked at
        :param int limit: how many
        :return: ``{"count", "last_id"}``
        :raises AccessError: where the user may not change keys
        """
        self.check_access("write")
        keys = self.sudo()._next_keys(after_id, limit)
        keys._check_trails()
        return {"count": len(keys), "last_id": keys[-1:].id or after_id}

    @api.model
    def action_check_consistency(self):
        """Check all keys, showing the progress and what was found.

        :return: a client action
        """
        self.check_access("write")
        return {
            "type": "ir.actions.client",
            "tag": "check_consistency",
            "name": self.env._("Check Consistency"),
            "target": "new",
        }

    @api.model
    def action_view_needs_attention(self):
        """Show the keys that a check has found.

        :return: a window action
        """
        return self.env["ir.actions.act_window"]._for_xml_id(
            "client_equipment_software_key"
            ".client_equipment_software_key_action_attention"
        )

    def _check_all_trails(self, after_batch=lambda count: None):
        """Verify the audit trail of every key, of all companies.

        :param after_batch: called with the number of keys of each batch
        """
        last_id = 0
        while (batch := self.check_next_consistency(last_id))["count"]:
            last_id = batch["last_id"]
            after_batch(batch["count"])

    def _check_trails(self):
        """Verify these keys and their audit trails, and keep on each what was found."""
        findings = self.env["client.equipment.audit.log"]._verify(self)
        broken = self.browse(finding["software_key_id"] for finding in findings)
        # A status that disagrees is told, and can be repaired, as such.
        repairable = self.browse(
            key.id
            for key, (_, repair) in broken._find_inconsistencies().items()
            if repair
        )
        broken -= repairable
        changed = self.filtered(
            lambda key: (
                key.assignment_broken != (key in repairable)
                or key.audit_broken != (key in broken)
            )
        )
        if changed:
            # Straight SQL: nothing of the key itself changes.
            self.env.cr.execute(
                SQL(
                    """
                    UPDATE client_equipment_software_key
                       SET assignment_broken = id = ANY(%s),
                           audit_broken = id = ANY(%s)
                     WHERE id = ANY(%s)
                    """,
                    list(repairable.ids),
                    list(broken.ids),
                    list(changed.ids),
                )
            )
            found = ["assignment_broken", "audit_broken"]
            changed.invalidate_recordset(found, flush=False)
            changed.modified(found)

    @api.model
    def _cron_check_consistency(self):
        """Check all keys every night; a run that is killed loses nothing (S7)."""
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=self.search_count([]))
        self._check_all_trails(cron._commit_progress)
        cron._commit_progress(remaining=0)
        if found := self.search_count([("needs_attention", "=", True)]):
            _logger.info("%s software keys need attention", found)
