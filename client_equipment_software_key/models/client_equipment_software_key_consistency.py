import logging
from typing import Self

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL, split_every

from odoo.addons.client_equipment.arguments import checked

from ..lifecycle import Finding, finding
from .client_equipment_software_key import RepairedValues
from .client_equipment_software_key_seats import SeatStep

_logger = logging.getLogger(__name__)

VERIFY_BATCH = 2000
# Up to about so many keys the filter compares them with their assignments on the spot.
COMPARED_LIVE = 50_000

# What a key's own row shows to be wrong, and what the last check found beyond it.
BROKEN = """
    audit_broken OR assignment_broken
    OR status = 'applied' AND seats_used < seats
    OR status = 'available' AND seats_used >= seats
    OR status = 'revoked' AND seats_used > 0
    OR (seats_used = 1) <> (equipment_id IS NOT NULL)
    OR status = 'expired' AND validity_end IS NULL
"""
# Findings that are why the trail, too, says something else.
EXPLAINS_TRAIL = {
    *("revoked", "assigned", "gone", "nowhere"),
    *("seats", "seats used", "seat free", "intruding"),
}
BROKEN_TRAIL = "trail"  # the one finding that no step repairs
OTHER_FACTS = "facts"  # the key is not what an intact trail says
# What only its assignment shows: that it is another one than the key says, or that the
# key may not stand there, see _get_misfit.
DISAGREEING = """
    SELECT key.id
      FROM client_equipment_software_key key
      LEFT JOIN client_equipment_feature feature ON feature.software_key_id = key.id
      LEFT JOIN %(equipment)s equipment ON equipment.id = feature.equipment_id
     WHERE (
            (key.seats_used = 0) <> (feature.id IS NULL)
            OR key.seats_used = 1
               AND key.equipment_id IS DISTINCT FROM feature.equipment_id
            OR key.seats > 1 AND key.seats_used <> (
                SELECT count(*) FROM client_equipment_feature other
                 WHERE other.software_key_id = key.id
            )
            OR feature.id IS NOT NULL AND (
                equipment.active IS NOT TRUE
                OR equipment.state <> 'in_service'
                OR key.company_id IS NOT NULL
                   AND key.company_id IS DISTINCT FROM equipment.company_id
                OR key.owner_id IS NOT NULL
                   AND key.owner_id IS DISTINCT FROM equipment.partner_id
                   AND key.owner_id NOT IN (
                        WITH RECURSIVE above(id) AS (
                            SELECT equipment.partner_id
                             UNION
                            SELECT partner.parent_id
                              FROM above JOIN res_partner partner USING (id)
                        )
                        SELECT id FROM above WHERE id IS NOT NULL
                   )
            )
     )
"""


class ClientEquipmentSoftwareKey(models.Model):
    """Whether status, assignment, validity and audit trail of a key agree."""

    _inherit = "client.equipment.software.key"

    needs_attention = fields.Boolean(
        compute="_compute_needs_attention",
        search="_search_needs_attention",
        help="Status and assignment disagree, the key may not stand where it is, it is "
        "expired too late or too early, or the audit trail is broken.",
    )
    attention_note = fields.Char("Finding", compute="_compute_needs_attention")
    can_be_repaired = fields.Boolean(compute="_compute_needs_attention")
    assignment_broken = fields.Boolean(
        "Assignment Disagrees",
        readonly=True,
        fixed=True,
        copy=False,
        help="What the last check of status against assignment found.",
    )
    audit_broken = fields.Boolean(
        "Audit Trail Broken",
        readonly=True,
        fixed=True,
        copy=False,
        help="What the last check of the audit trail found.",
    )

    # The filter Needs Attention, among a million keys that are in order.
    _broken = models.Index(f"(id) WHERE {BROKEN}")

    @api.depends(
        "status",
        "validity_end",
        "company_id.partner_id.tz",
        "owner_id",
        "equipment_id",
        "seats",
        "seats_used",
        "seats_kept",
        "movable_from",
        "software_id.reassignment",
        "software_id.reassignment_days",
        "equipment_feature_ids.equipment_id.active",
        "equipment_feature_ids.equipment_id.state",
        "equipment_feature_ids.equipment_id.company_id",
        "equipment_feature_ids.equipment_id.partner_id",
        "assignment_broken",
        "audit_broken",
    )
    def _compute_needs_attention(self):
        findings = self._origin._get_findings()
        for key in self:
            found = findings.get(key._origin)
            key.needs_attention = bool(found)
            key.attention_note = found and key._finding_text(found)
            key.can_be_repaired = found and found.code != BROKEN_TRAIL

    def _search_needs_attention(self, operator, value):
        if operator != "in":
            return NotImplemented
        due = self._due_domain()
        early = Domain("status", "=", "expired") & self._validity_domain(
            ">=", self._today_by_company()
        )
        self.env.flush_all()
        # One subquery of index scans: an OR would read the whole table. Comparing with
        # the assignments does read it, so among very many keys that is left to the
        # check (by button, and every night).
        few = SQL(
            "(SELECT reltuples FROM pg_class"
            "  WHERE oid = 'client_equipment_software_key'::regclass) < %s",
            COMPARED_LIVE,
        )
        found = SQL(
            """
            SELECT id FROM client_equipment_software_key WHERE %s
            UNION ALL %s
            UNION ALL %s
            UNION ALL %s AND %s
            UNION ALL SELECT id FROM (%s) miscounted WHERE %s
            """,
            SQL(BROKEN),
            self.sudo()._search(due).select(),
            self.sudo()._search(early).select(),
            self._disagreeing_sql(),
            few,
            self._miscounted_sql(),
            few,
        )
        domain = Domain.custom(
            to_sql=lambda model, alias, query: SQL(
                "%s IN (%s)", SQL.identifier(alias, "id"), found
            ),
            predicate=lambda key: key.needs_attention,
        )
        return domain if True in value else ~domain

    # ------------------------------------------------------------------
    # Verifying audit trails
    # ------------------------------------------------------------------

    @api.readonly
    def verify_audit_trail(self) -> list[dict]:
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
    @checked
    def verify_next_audit_trails(
        self, after_id: int = 0, limit: int = VERIFY_BATCH
    ) -> dict:
        """Check the audit trails of the next keys that the user may see (L5).

        To verify everything, call it again with the ``last_id`` of the answer until
        ``count`` is 0: no call takes long, however many keys there are.

        :param int after_id: keys with a greater id are looked at
        :param int limit: how many, at most 2000
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
        for number in (after_id, limit):
            if int(number) < 0:
                raise UserError(
                    self.env._(
                        "%s is neither the id of a software key nor a number of keys. "
                        "Give a whole number, 0 or more.",
                        number,
                    )
                )
        limit = min(limit or VERIFY_BATCH, VERIFY_BATCH)  # 0 is no limit to a search
        return self.search([("id", ">", after_id)], order="id", limit=limit)

    def action_verify_audit_trail(self) -> dict:
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

    # ------------------------------------------------------------------
    # What disagrees, in words
    # ------------------------------------------------------------------

    def _get_findings(self):
        """Return ``{key: Finding}`` of the keys that need attention (S7)."""
        facts = self._get_facts(ended=True)
        told_otherwise = self._filtered_told_otherwise()
        intruding = self._get_intruders().software_key_id
        miscounted = self._filtered_miscounted()
        findings = {}
        for key in self:
            stands = (
                key.sudo()
                ._get_facts_of_place(facts[key.id])
                ._replace(intruding=key in intruding, miscounted=key in miscounted)
            )
            if key in told_otherwise:
                findings[key] = Finding(OTHER_FACTS, None)
            elif found := finding(stands):
                findings[key] = found
            elif key.audit_broken:
                findings[key] = Finding(BROKEN_TRAIL, None)
        return findings

    def _filtered_told_otherwise(self):
        """Return those of these keys, among the broken ones, that are not what their
        trail says, which is intact itself."""
        broken = self.filtered("audit_broken")
        if not broken:
            return broken
        return self._told_otherwise(
            self.env["client.equipment.audit.log"]._find(broken)
        )

    def _told_otherwise(self, rows):
        """Return the keys of which verifying found that they are not what an intact
        trail says.

        :param rows: what ``_find`` of the audit log gives
        """
        fields = self.env["client.equipment.audit.log"]._get_key_fields()
        told = self._get_told_fields() | {"validity_end"}
        return self.browse(
            key_id
            for key_id, _entry_id, problem, _number in rows
            if problem in fields and fields[problem][0] in told
        )

    def _repair_facts(self):
        """Give the keys back what their trails say of them."""
        for key in self:
            last = key.sudo().audit_log_ids.sorted("number")[-1]
            told = last._get_differing()
            # (the status follows from the rest, or is a finding after it)
            names = (self._get_told_fields() | {"validity_end"}) & told.keys()
            key.write(RepairedValues({name: told[name] for name in names}))

    def _get_facts_of_place(self, facts):
        """Return how the key stands and where it is, for ``lifecycle``.

        :param facts: how it stands, from :meth:`_get_facts`
        """
        places = self.equipment_feature_ids.equipment_id
        misfits = (self._get_misfit(each) for each in places)
        return facts._replace(
            elsewhere=self.seats_used != len(places)
            or self.equipment_id != (places if len(places) == 1 else places[:0]),
            misfit=next(filter(None, misfits), ""),
        )

    def _get_misfit(self, equipment):
        """Return why the key may not stand on the equipment (K13).

        :return: ``"out_of_service"``, ``"other_company"`` or ``"other_owner"``, or None
            where it may
        """
        self.ensure_one()
        if not equipment.active or equipment.state != "in_service":
            return "out_of_service"
        if self.company_id and self.company_id != equipment.company_id:
            return "other_company"
        if self.owner_id and self.owner_id not in equipment._get_key_owners():
            return "other_owner"
        return None

    def _finding_text(self, found):
        """Return in the reader's language what is wrong and how it is repaired.

        :param found: the ``Finding`` of ``lifecycle``; a code that another addon has
            added gets its words by an extension of this method
        """
        texts = {
            "revoked": self.env._(
                "The key is revoked, but still assigned to %(assigned)s. Repair: "
                "the assignment is removed."
            ),
            "assigned": self.env._(
                "The key is assigned to %(assigned)s, but says %(status)s "
                "(%(recorded)s). Repair: its status becomes %(after)s, on "
                "%(assigned)s."
            ),
            "gone": self.env._(
                "The key says that it is on %(recorded)s, but is not assigned to "
                "it any more. Repair: it is taken off there and becomes %(after)s."
            ),
            "nowhere": self.env._(
                "The status is Applied, but no equipment carries the key. Repair: "
                "its status becomes %(after)s."
            ),
            "out_of_service": self.env._(
                "The key is on %(assigned)s, which is not in service. Repair: it goes "
                "back to the inventory."
            ),
            "other_company": self.env._(
                "The key belongs to the company %(company)s, but is on %(assigned)s, "
                "which does not. Repair: it goes back to the inventory."
            ),
            "other_owner": self.env._(
                "The key was bought for %(owner)s, but is on %(assigned)s, which is "
                "not equipment of this customer. Repair: it goes back to the "
                "inventory."
            ),
            "intruding": self.env._(
                "The key is assigned to %(assigned)s behind the system's back, "
                "although the rule of its software keeps it for another unit. Repair: "
                "it goes back to the inventory."
            ),
            "miscounted": self.env._(
                "The key does not remember for which units its free seats are, as the "
                "rule of its software says. Repair: it is counted again."
            ),
            "late": self.env._(
                "The validity ended on %(end)s, but the status is %(status)s. "
                "Repair: its status becomes %(after)s (the hourly job does so too)."
            ),
            "early": self.env._(
                "The status is Expired, but the validity has not ended (%(end)s): a "
                "clock may have been ahead. Repair: its status becomes %(after)s."
            ),
            "seats": self.env._(
                "The key is assigned to other equipment than it says. Repair: each "
                "seat is taken or given back as it stands, and the status becomes "
                "%(after)s."
            ),
            "seats used": self.env._(
                "All seats are in use, but the status is %(status)s. Repair: it "
                "becomes %(after)s."
            ),
            "seat free": self.env._(
                "The status is Applied, although a seat is free. Repair: its status "
                "becomes %(after)s."
            ),
            OTHER_FACTS: self.env._(
                "The key is not what the last entry of its audit trail says: it was "
                "changed behind the system's back. Choose Verify to see what was. "
                "Repair: the key gets back what the trail says."
            ),
            BROKEN_TRAIL: self.env._(
                "The audit trail was changed behind the system's back. It cannot "
                "be repaired: choose Verify to see which entry, keep the backups "
                "of the database, and find out who had access."
            ),
        }
        key = self.sudo()
        text = texts.get(found.code) or self.env._(
            "The status is %(status)s, which does not fit. Repair: it becomes "
            "%(after)s."
        )
        return text % {
            "assigned": self._visible_name(key.equipment_feature_ids.equipment_id),
            "recorded": self._visible_name(key.equipment_id),
            "status": self._selection_label("status", self.status),
            "after": self._selection_label("status", found.step and found.step.status),
            "end": self._say_date(self.validity_end) or self.env._("no end"),
            "company": key.company_id.display_name,
            "owner": key.owner_id.display_name,
        }

    def _visible_name(self, equipment):
        """Return the name of an equipment, where the reader may know it (E1)."""
        if not equipment:
            return self.env._("on no equipment")
        if equipment.with_env(self.env).has_access("read"):
            return equipment._some_names()
        return self.env._("equipment of another company")

    # ------------------------------------------------------------------
    # Repairing
    # ------------------------------------------------------------------

    def repair(self) -> Self:
        """Repair the keys of these whose status and assignment disagree (S7).

        Each repair is a step in the audit trail. Keys that are in order, and broken
        audit trails, stay as they are.

        :return: the repaired keys
        :raises AccessError: where the user may not change keys
        """
        self.check_access("write")
        self._lock_for_step()
        self._check_trails()  # what a trail says comes before what a key looks like
        findings = self._get_findings()
        repaired = self.filtered(
            lambda key: key in findings and findings[key].code != BROKEN_TRAIL
        )
        other_facts = repaired.filtered(lambda key: findings[key].code == OTHER_FACTS)
        other_facts._repair_facts()
        repaired -= other_facts
        statuses = {}
        seats = repaired.filtered(lambda key: findings[key].code == "seats")
        for key in repaired - seats._repair_seats():
            if step := findings[key].step:
                statuses.setdefault(step.entry, {})[key.id] = step.status
        without = repaired.filtered(lambda key: not findings[key].step)
        # Also off equipment that only another company sees.
        intruders = without._get_intruders()
        without.sudo().equipment_feature_ids.filtered(
            lambda feature: (
                feature.software_key_id.status == "revoked"
                or feature in intruders
                or feature.software_key_id._get_misfit(feature.equipment_id)
            )
        ).unlink()
        without._count_kept_seats()
        for action, status_by_id in statuses.items():
            keys = self.browse(status_by_id)
            seats = action == "applied" and [
                SeatStep(key_id, equipment_id, seat, status_by_id[key_id])
                for key_id, equipment_id, seat in (
                    keys.sudo().equipment_feature_ids._get_seats()
                )
            ]
            keys._transition(
                action, status_by_id, reason_code="repaired", seats=seats or None
            )
        repaired |= other_facts
        repaired._check_trails()  # what was wrong may have hidden a broken trail
        return repaired

    def action_repair(self) -> bool:
        """Button *Repair*.

        :return: True
        """
        self.repair()
        return True

    # ------------------------------------------------------------------
    # Checking all keys: by button, and every night
    # ------------------------------------------------------------------

    @api.model
    def check_consistency(self) -> Self:
        """Check all keys that the user may see: status against assignment, validity,
        audit trails (S7).

        What is found is listed under the filter *Needs Attention* from then on. Among
        very many keys :meth:`check_next_consistency` shows how far it is.

        :return: the keys that need attention
        :raises AccessError: where the user may not change keys
        """
        batch = {"last_id": 0}
        while (batch := self.check_next_consistency(batch["last_id"]))["count"]:
            pass
        return self.search([("needs_attention", "=", True)])

    @api.model
    @checked
    def check_next_consistency(
        self, after_id: int = 0, limit: int = VERIFY_BATCH
    ) -> dict:
        """Check the next keys that the user may see, as :meth:`check_consistency` does.

        To check everything, call it again with the ``last_id`` of the answer until
        ``count`` is 0: then how many keys there are is counted anew, too.

        :param int after_id: keys with a greater id are looked at
        :param int limit: how many, at most 2000
        :return: ``{"count", "last_id"}``
        :raises AccessError: where the user may not change keys
        """
        self.check_access("write")
        keys = self._next_keys(after_id, limit)
        # What stands on equipment of another company is checked, too.
        keys.sudo()._check_trails()
        if not keys:
            self.env["client.equipment.software.key.count"].sudo()._correct()
        return {"count": len(keys), "last_id": keys[-1:].id or after_id}

    @api.model
    def action_check_consistency(self) -> dict:
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
    @api.readonly
    def action_view_needs_attention(self) -> dict:
        """Show the keys that a check has found.

        :return: a window action
        """
        return self.env["ir.actions.act_window"]._for_xml_id(
            "client_equipment_software_key"
            ".client_equipment_software_key_action_attention"
        )

    def _check_trails(self):
        """Verify these keys and their audit trails, and keep on each what was found.

        Keys that somebody works on at this moment are left to the next check.
        """
        rows = self.env["client.equipment.audit.log"]._find(self)
        broken = self.browse(row[0] for row in rows)
        told_otherwise = self._told_otherwise(rows)
        found = (broken | self._filtered_disagreeing())._get_findings()
        disagreeing = self.browse(
            key.id for key, (code, _) in found.items() if code != BROKEN_TRAIL
        )
        # A status that disagrees is told, and can be repaired, as such.
        broken -= (
            self.browse(
                key.id for key, (code, _) in found.items() if code in EXPLAINS_TRAIL
            )
            - told_otherwise
        )
        flags = ["assignment_broken", "audit_broken"]
        self.fetch(flags)
        changed = self.filtered(
            lambda key: (
                key.assignment_broken != (key in disagreeing)
                or key.audit_broken != (key in broken)
            )
        ).try_lock_for_update(allow_referencing=True)
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
                    list(disagreeing.ids),
                    list(broken.ids),
                    list(changed.ids),
                )
            )
            changed.invalidate_recordset(flags, flush=False)
            changed.modified(flags)

    @api.model
    def _disagreeing_sql(self):
        """Return the query for keys that disagree with their assignments."""
        equipment = self.env["client.equipment"]._table
        return SQL(DISAGREEING, equipment=SQL.identifier(equipment))

    @api.model
    def _miscounted_sql(self):
        """Return the query for keys that do not remember how many seats are kept, other
        than those whose rest has just ended."""
        return self._counted_sql(
            "(key.seats_kept > 0 OR EXISTS (SELECT FROM client_equipment_software rule"
            " WHERE rule.id = key.software_id AND rule.reassignment <> 'free'))"
            " AND (key.movable_from > %(today)s) IS NOT FALSE",
            today=fields.Date.today(),
        )

    def _filtered_disagreeing(self):
        """Return those of these keys that disagree with their assignment."""
        return self._filtered_miscounted() | self.browse(
            key_id
            for (key_id,) in self.env.execute_query(
                SQL("%s AND key.id = ANY(%s)", self._disagreeing_sql(), list(self.ids))
            )
        )

    def _filtered_miscounted(self):
        """Return those of these keys that remember a wrong number of kept seats."""
        keys = self._filtered_counted()
        if not keys:
            return keys
        return self.browse(
            key_id
            for (key_id,) in self.env.execute_query(
                SQL(
                    "SELECT id FROM (%s) counted WHERE id = ANY(%s)",
                    self._miscounted_sql(),
                    list(keys.ids),
                )
            )
        )

    @api.model
    def _cron_check_consistency(self):
        """Check all keys every night, in portions (S7).

        Where the time is up, Odoo starts the next run, which goes on from there: a run
        that is killed loses nothing.

        :return: whether the end was reached
        """
        # The job alone has access to it.
        check = self.env["client.equipment.software.key.check"].sudo()
        checked_id = check.search([], limit=1).checked_id
        left = self.search_count([("id", ">", checked_id)])
        time_left = self._tell_progress(remaining=left)
        ended = False
        while time_left and not ended:
            count, ended = check._in_own_transaction("_check_next_keys")
            time_left = self._tell_progress(count)
        if ended:
            check.env["client.equipment.software.key.count"]._in_own_transaction(
                "_correct"
            )
            self._tell_progress(remaining=0)
            if found := self.search_count([("needs_attention", "=", True)]):
                _logger.info("%s software keys need attention", found)
            for missing in self.get_missing_guarantees():
                _logger.warning("The database misses something: %s", missing)
        return ended
