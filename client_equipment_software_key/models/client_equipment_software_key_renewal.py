import json
from datetime import date
from typing import Self

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from odoo.addons.client_equipment.arguments import checked

from .client_equipment_software_key import NAMED_MAX
from .client_equipment_software_key_entry import REFUSED


class ClientEquipmentSoftwareKey(models.Model):
    """Renewal and replacement."""

    _inherit = "client.equipment.software.key"

    @checked
    def renew(
        self,
        validity_end: date | None,
        reference: str | None = None,
        note: str | None = None,
    ) -> bool:
        """Renew the keys: move their end, restore their status, tell why (S3).

        Assignments stay. Each key gets the remark "Renewed subscription - expires
        DATE - Reference: REF" and one entry in its trail. The number of queries
        does not grow with the number of keys.

        :param validity_end: the new last valid day of all these keys (date or ISO
            text); False gives each one more period of its software
        :param str reference: order or contract, for the remark and the trail
        :param str note: added to the remark and the trail
        :return: True
        :raises UserError: where a key is permanent or revoked, or its new end has
            passed, naming it; nothing has been renewed then
        """
        self.check_access("write")
        self._lock_for_step()
        ends = self._renewal_ends(validity_end)
        problems = self._renewal_problems(ends)
        if problems:
            lines = [
                self.env._(
                    "%(count)s of %(total)s keys cannot be renewed, so none was:",
                    count=len(problems),
                    total=len(self),
                )
            ]
            lines += [
                f"{key.display_name}: {problem}"
                for key, problem in list(problems.items())[:NAMED_MAX]
            ]
            if len(problems) > NAMED_MAX:
                lines.append(self.env._("… and %s more", len(problems) - NAMED_MAX))
            raise UserError("\n".join(lines))
        self._transition(
            "renewed",
            self._renewed_statuses(),
            reason=note,
            sets={
                "validity_end": SQL("entry.validity_end_after"),
                "remarks": self._remarks_sql(set(ends.values()), reference, note),
            },
            new_ends={key.id: end for key, end in ends.items()},
            reason_code=reference and "reference",
            reason_data=reference,
        )
        return True

    def _renewal_ends(self, validity_end=False):
        """Return ``{key: new validity end}``; False where none can be proposed.

        :param validity_end: the same end for all; where empty, each key gets one
            more period of its software, counted from today where it would
            otherwise have ended by now
        """
        if validity_end:
            return dict.fromkeys(self, fields.Date.to_date(validity_end))
        today = self._today_by_company()
        ends = {}
        for key in self:
            now, software = today[key.company_id.id], key.software_id
            if key.validity_end:
                end = software._get_next_validity_end(key.validity_end)
            else:
                end = software._get_validity_end(now)
            if end and end < now:
                end = software._get_validity_end(now)
            ends[key] = end
        return ends

    def _renewal_problems(self, ends):
        """Return ``{key: why it cannot be renewed}`` for those that cannot.

        :param dict ends: what :meth:`_renewal_ends` gave
        """
        today = self._today_by_company()
        problems = {}
        for key in self:
            end = ends[key]
            if key.key_type == "permanent":
                problem = self.env._("permanent, so it never ends")
            elif key.status == "revoked":
                problem = self.env._("revoked; reinstate it first")
            elif not end:
                problem = self.env._(
                    "its software has no default validity; choose the new end"
                )
            elif problem := self._validity_end_problem(end):
                pass
            elif end < today[key.company_id.id]:
                problem = self.env._(
                    "the new end %s has passed; choose a later day",
                    self._say_date(end),
                )
            elif key.validity_start and end < key.validity_start:
                problem = self.env._(
                    "the new end %(end)s lies before its start %(start)s",
                    end=self._say_date(end),
                    start=self._say_date(key.validity_start),
                )
            else:
                continue
            problems[key] = problem
        return problems

    def _renewed_statuses(self):
        """Return ``{key id: the status that it has after its renewal}``."""
        facts = self._get_facts()
        return {key.id: key._take(facts[key.id], "renew").status for key in self}

    def _remarks_sql(self, ends, reference, note):
        """Return the SQL of the remarks of renewed keys: theirs, and a new line.

        :param ends: all the ends that they get
        """
        remarks = {}
        for end in ends:
            remark = self.env._("Renewed subscription - expires %s", end)
            if reference:
                remark += " - " + self.env._("Reference: %s", reference)
            remarks[str(end)] = f"{remark} - {note}" if note else remark
        return SQL(
            "concat_ws(E'\\n', NULLIF(key.remarks, ''),"
            " %s::jsonb ->> entry.validity_end_after::text)",
            json.dumps(remarks),
        )

    @checked
    def replace(self, license_key: str, note: str | None = None) -> Self:
        """Replace the key by a new license key, where it stands (S4).

        The old key is removed and revoked; the new one gets the same data and goes
        onto all equipment that the old one was on. Each keeps its own trail; the two
        are linked.

        :param str license_key: the new license key
        :param str note: kept in the audit trail of the old key
        :return: the new software key
        :raises UserError: where the key is revoked or has expired, or the new
            license key is in the system already; nothing has changed then
        """
        self.ensure_one()
        self.check_access("write")
        self._lock_for_step()
        if problem := self._replacement_problem(license_key):
            raise UserError(problem)
        features = self.sudo().equipment_feature_ids.sudo(False)
        assignments = [
            {"equipment_id": feature.equipment_id.id, "remarks": feature.remarks}
            for feature in features.sorted("seat")
        ]
        (vals,) = self.copy_data({"license_key": license_key})
        replacement = self.create(vals)
        features.unlink()
        replacement._write_fixed({"replaces_id": self.id})
        self._write_fixed({"replaced_by_id": replacement.id})
        # Never the license key itself: what is hashed cannot be hidden any more.
        self._revoke(
            note,
            reason_code="replaced",
            reason_data=replacement.license_key_hint,
        )
        self.env["client.equipment.feature"].create(
            [{**each, "software_key_id": replacement.id} for each in assignments]
        )
        return replacement

    def _replacement_problem(self, license_key=None):
        """Return in words why the key cannot be replaced, or None where it can.

        :param str license_key: the new license key, once it is known
        """
        self.ensure_one()
        if self.status == "revoked":
            return self.env._(
                "%s is revoked already. Enter the new key as a new software key.",
                self.display_name,
            )
        if self.status == "expired" or self._filtered_past_end():
            return self.env._(
                "The validity of %(key)s ended on %(end)s, and its replacement would "
                "end with it. Renew the key first, then replace it.",
                key=self.display_name,
                end=self._say_date(self.validity_end),
            )
        features = self.sudo().equipment_feature_ids.sudo(False)
        if features != features._filtered_access("unlink"):
            return self.env._(
                "%s is on equipment of another company. Let somebody replace it who "
                "works for that company, too.",
                self.display_name,
            )
        if license_key is None:
            return None
        license_key = self._normalize_license_key(license_key)
        (found,) = self._inspect_license_keys([license_key])
        if found["verdict"] in REFUSED:
            return "\n".join(
                (
                    self.env._("The license key must be unique!"),
                    self.env._(
                        "%(license_key)s is %(problem)s. Enter another one.",
                        license_key=license_key,
                        problem=self._verdict_text(found),
                    ),
                )
            )
        return None
