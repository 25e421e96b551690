from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from odoo.addons.client_equipment.arguments import checked
from odoo.addons.client_equipment.values import text_problem

from ..license_key import HINT_LENGTH, SHORT

REASON = "software_key_deletion_reason"
# What the hash of a deletion covers, with the hashes of the entries that went.
FACTS = (
    *("id", "date", "user_id", "user_name", "software_key_ref", "software_ref"),
    *("software_name", "company_ref", "license_key_ending", "license_file_sha256"),
    *("entry_count", "last_hash", "reason", "seats"),
)


class ClientEquipmentAuditDeletion(models.Model):
    """What stays of a deleted key: who deleted it, when, why, and how much went (K10).

    Written by the deletion itself, whatever the route. The hashes of the entries that
    went with the key stay too, without a fact, so that checkpoints from before (L8) can
    still be computed.
    """

    _name = "client.equipment.audit.deletion"
    _description = "Deleted Key"
    _inherit = [
        "client.equipment.audit.closed",
        "client.equipment.mixin",
        "client.equipment.export.mixin",
    ]
    _order = "date desc, id desc"
    _log_access = False

    date = fields.Datetime("Date and Time", required=True, readonly=True, index=True)
    user_id = fields.Many2one(
        "res.users",
        required=True,
        readonly=True,
        index=True,  # deleting a user
        ondelete="restrict",
    )
    user_name = fields.Char(
        "User's Name", readonly=True, help="Name of the user at that time."
    )
    software_key_ref = fields.Integer(
        "Software Key's Database ID", required=True, readonly=True, aggregator=None
    )
    software_ref = fields.Integer(
        "Feature's Database ID", readonly=True, aggregator=None
    )
    software_name = fields.Char(
        "Feature", readonly=True, help="Name of the software at that time."
    )
    company_ref = fields.Integer(
        "Company's Database ID",
        readonly=True,
        aggregator=None,
        exportable=False,
        help="Company of the key: only its people see the line.",
    )
    license_key_ending = fields.Char(
        readonly=True,
        help="The last five characters of the license key; nothing of one that has ten "
        "or fewer.",
    )
    seats = fields.Integer(
        readonly=True, aggregator=None, help="How many seats the key had."
    )
    entry_count = fields.Integer(
        "Entries",
        required=True,
        readonly=True,
        help="How many entries of the audit trail went with the key.",
    )
    last_hash = fields.Char(
        readonly=True, help="SHA-256 of the last entry of its audit trail."
    )
    reason = fields.Char(readonly=True, help="As the person gave it.")
    hash = fields.Char(
        "SHA-256",
        required=True,
        readonly=True,
        help="Over all that is said here, and the hashes of the entries that went.",
    )
    entry_ids = fields.One2many(
        "client.equipment.audit.deletion.entry", "deletion_id", "Hashes", readonly=True
    )

    def _closed_message(self, operation):
        if operation == "create":
            return self.env._(
                "The list of deleted keys is written by the system alone, when a "
                "software key is deleted."
            )
        return self.env._(
            "What is kept of a deleted key can never be changed or deleted."
        )

    @api.depends("software_name", "license_key_ending")
    def _compute_display_name(self):
        for deletion in self:
            ending = deletion.license_key_ending
            deletion.display_name = " - ".join(
                filter(None, [deletion.software_name, ending and f"…{ending}"])
            )

    @api.model
    def _record(self, keys):
        """Keep what stays of keys, which are deleted after this.

        The reason is what the context says under ``software_key_deletion_reason``.

        :raises ValidationError: where the reason is no text
        """
        reason = self.env.context.get(REASON) or None
        if reason and (problem := text_problem(self.env, reason)):
            raise ValidationError(
                self.env._("The reason for the deletion cannot be kept: %s.", problem)
            )
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                WITH gone AS (
                    SELECT nextval('client_equipment_audit_deletion_id_seq')::int AS id,
                           %(moment)s::timestamp AS date,
                           %(user_id)s AS user_id,
                           %(user_name)s AS user_name,
                           key.id AS software_key_ref,
                           software.id AS software_ref,
                           software.name AS software_name,
                           key.company_id AS company_ref,
                           CASE WHEN length(key.license_key) > %(short)s
                                THEN right(key.license_key, %(ending)s)
                                END AS license_key_ending,
                           key.license_file_sha256,
                           log.entry_count, log.hashes, key.audit_hash AS last_hash,
                           %(reason)s::varchar AS reason,
                           key.seats
                      FROM client_equipment_software_key key
                      JOIN client_equipment_software software
                        ON software.id = key.software_id
                      JOIN LATERAL (
                            SELECT count(*)::int AS entry_count,
                                   jsonb_agg(hash ORDER BY id) AS hashes
                              FROM client_equipment_audit_log
                             WHERE software_key_id = key.id
                      ) log ON TRUE
                     WHERE key.id = ANY(%(key_ids)s)
                     ORDER BY key.id
                ), deletion AS (
                    INSERT INTO client_equipment_audit_deletion (%(columns)s, hash)
                    SELECT %(columns)s, %(hash)s
                      FROM gone
                    RETURNING id, software_key_ref
                )
                INSERT INTO client_equipment_audit_deletion_entry (
                    id, deletion_id, action_date, hash
                )
                SELECT log.id, deletion.id, log.action_date, log.hash
                  FROM client_equipment_audit_log log
                  JOIN deletion ON deletion.software_key_ref = log.software_key_id
                 WHERE log.software_key_id = ANY(%(key_ids)s)
                """,
                moment=self.env["client.equipment.audit.log"]._get_moment(),
                user_id=self.env.uid,
                user_name=self.env.user.name,
                short=SHORT,
                ending=HINT_LENGTH,
                reason=reason and str(reason),
                key_ids=list(keys.ids),
                columns=SQL(", ").join(map(SQL.identifier, FACTS)),
                hash=self._hash_sql(),
            )
        )
        self.invalidate_model()
        self.env["client.equipment.audit.deletion.entry"].invalidate_model()

    @api.model
    def _hash_sql(self):
        """Return the SQL of a deletion's hash, over its columns and the ``hashes`` of
        the entries that went; the text is made as that of an entry."""
        return SQL(
            "encode(sha256(convert_to(jsonb_strip_nulls("
            "jsonb_build_object('entries', hashes, %s))::text, 'UTF8')), 'hex')",
            SQL(", ").join(SQL("%s, %s", name, SQL.identifier(name)) for name in FACTS),
        )

    @api.readonly
    def verify(self) -> list[dict]:
        """Return what was changed behind the system's back in these lines (L5).

        :return: list of ``{"deletion_id", "problem"}``, empty when all is intact
        """
        self.check_access("read")
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT id
                  FROM (
                    SELECT deletion.*, gone.hashes, gone.count
                      FROM client_equipment_audit_deletion deletion
                      LEFT JOIN LATERAL (
                            SELECT count(*), jsonb_agg(hash ORDER BY id) AS hashes
                              FROM client_equipment_audit_deletion_entry
                             WHERE deletion_id = deletion.id
                      ) gone ON TRUE
                     WHERE deletion.id = ANY(%s)
                  ) deletion
                 WHERE hash <> %s OR entry_count <> count
                 ORDER BY id
                """,
                list(self.ids),
                self._hash_sql(),
            )
        )
        return [
            {
                "deletion_id": deletion.id,
                "problem": self.env._(
                    "%s: what is kept of this deleted key was changed.",
                    deletion.display_name,
                ),
            }
            for deletion in self.browse(deletion_id for (deletion_id,) in rows)
        ]

    @api.readonly
    def action_verify(self) -> dict:
        """Button *Verify*: tell whether these lines are as they were written.

        :return: a client action
        """
        findings = self.verify()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "danger" if findings else "success",
                "sticky": bool(findings),
                "className": "o_software_key_told",  # each finding on its own line
                "message": "\n".join(each["problem"] for each in findings)
                or self.env._("What is kept of these deleted keys is intact."),
            },
        }


class ClientEquipmentAuditDeletionEntry(models.Model):
    """The hash of an entry that went with its key, under the entry's own id."""

    _name = "client.equipment.audit.deletion.entry"
    _description = "Hash of a Deleted Entry"
    _inherit = ["client.equipment.audit.closed", "client.equipment.mixin"]
    _order = "action_date, id"
    _rec_name = "hash"
    _log_access = False

    deletion_id = fields.Many2one(
        "client.equipment.audit.deletion",
        required=True,
        readonly=True,
        index=True,  # the hashes of a deleted key
        ondelete="restrict",
    )
    action_date = fields.Datetime("Date and Time", required=True, readonly=True)
    hash = fields.Char("SHA-256", required=True, readonly=True)

    # Checkpoints read all entries by date and id.
    _action_date = models.Index("(action_date, id)")

    def _closed_message(self, operation):
        return self.env["client.equipment.audit.deletion"]._closed_message(operation)


class ClientEquipmentSoftwareKey(models.Model):
    _inherit = "client.equipment.software.key"

    @checked
    def delete(self, reason: str | None = None) -> bool:
        """Delete the keys with their audit trails, saying why (K10).

        ``unlink`` does the same with the reason that the context gives under
        ``software_key_deletion_reason``.

        :param str reason: kept with what stays of the keys
        :return: True
        """
        return self.with_context(**{REASON: reason}).unlink()
