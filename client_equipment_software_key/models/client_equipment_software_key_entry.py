from typing import Self

from odoo import api, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

from odoo.addons.client_equipment.arguments import checked

from ..license_key import hint, looks, seems_rounded
from ..secret import is_hidden
from .client_equipment_export_mixin import unguard
from .client_equipment_software_key import NAMED_MAX

# Verdicts on a line of a bulk entry that keep the list from being entered.
REFUSED = ("repeated", "existing", "invalid")
# After so many keys whoever watches a bulk entry hears how far it is.
ENTRY_BATCH = 500


class ClientEquipmentSoftwareKey(models.Model):
    """Entering keys by the hundred: bulk entry and import."""

    _inherit = "client.equipment.software.key"

    # Entry looks for keys that look alike (_inspect_license_keys): hash, because it
    # asks for equality alone.
    _license_key_folded = models.Index(f"USING hash (({looks('license_key')}))")

    @api.model
    @checked
    def load(self, fields: list[str], data: list[list]) -> dict:
        """Import rows, or none of them where a license key is repeated (K2).

        After an error Odoo goes on row by row and takes back the rows before it, so
        it would not see that a later row repeats one of those. Hence the whole file
        is looked through first.

        :return: as the base method; each bad license key is one message
        """
        self.check_access("create")
        # A software named by a CSV export of ours bears the guard, too (L3).
        data = [[unguard(cell) for cell in row] for row in data]
        if messages := self._find_bad_license_keys(fields, data):
            return {"ids": False, "messages": messages, "nextrow": 0}
        if "license_key" in fields:
            column = fields.index("license_key")
            self._tell_doubts([row[column] for row in data])
        return super().load(fields, data)

    @api.model
    def _tell_doubts(self, license_keys):
        """Tell the importing user which license keys look like others (K2), or like a
        number that a spreadsheet has rounded (K11).

        Beside the import: its own screen takes whatever it hears for an error.
        """
        doubts = [self._look_alike_problem(license_keys)]
        if rounded := [key for key in license_keys if seems_rounded(str(key))]:
            doubts.append(
                self.env._(
                    "A spreadsheet may have rounded these numbers, as it does with "
                    "more than 15 digits: %s",
                    ", ".join(rounded[:NAMED_MAX]),
                )
            )
        if warning := "\n".join(filter(None, doubts)):
            self.env.user._bus_send(
                "simple_notification",
                {
                    "type": "warning",
                    "sticky": True,
                    "title": self.env._("Check these license keys"),
                    "message": warning,
                },
            )

    @api.model
    def _find_bad_license_keys(self, fields, data):
        """Return an import error for each row whose license key cannot be entered.

        Who imports is told of keys that look like others, too.
        """
        if "license_key" not in fields or ".id" in fields:
            return []
        column = fields.index("license_key")
        texts = [row[column] for row in data]
        if "id" in fields:
            own = [row[fields.index("id")] for row in data]
            texts = self._texts_of_new_rows(texts, own)
        messages = []
        for found in self._inspect_license_keys(texts):
            match found["verdict"]:
                case "invalid":
                    message = self.env._(
                        "The license key %(license_key)s cannot be entered: "
                        "%(problem)s.",
                        license_key=found["license_key"],
                        problem=found["problem"],
                    )
                case "existing":
                    message = self.env._(
                        "The license key must be unique!\n%s is in the inventory "
                        "already. Take the row out of the file.",
                        found["license_key"],
                    )
                case "repeated":
                    message = self.env._(
                        "The license key must be unique!\n%s stands in the file more "
                        "than once. Take the repetition out of it.",
                        found["license_key"],
                    )
                case _:
                    continue
            number = found["line"] - 1
            messages.append(
                {
                    "type": "error",
                    "message": message,
                    "record": number,
                    "rows": {"from": number, "to": number},
                    "field": "license_key",
                }
            )
        return messages

    @api.model
    def _texts_of_new_rows(self, texts, external_ids):
        """Return the license keys of an import's rows, none of a row that updates.

        :param list texts: the license keys
        :param list external_ids: those of the rows, which may exist already
        """
        names = [name if "." in name else f"__import__.{name}" for name in external_ids]
        known = (
            self.env["ir.model.data"]
            .sudo()
            .search(
                [
                    ("model", "=", self._name),
                    ("name", "in", [name.split(".", 1)[1] for name in names]),
                ]
            )
        )
        known = set(known.mapped("complete_name"))
        return [
            "" if name in known else text
            for name, text in zip(names, texts, strict=True)
        ]

    @api.model
    @api.readonly
    def get_import_templates(self) -> list[dict]:
        """Return what the import screen offers for download (K11).

        :return: a list of ``{"label", "template"}``
        """
        return [
            {
                "label": self.env._("Import Template for Software Keys"),
                "template": "/client_equipment_software_key/static/xls/"
                "software_keys.xlsx",
            }
        ]

    @api.model
    @checked
    def bulk_enter(self, license_keys: list, values: dict) -> Self:
        """Enter a list of license keys with common values, all or nothing (K11, K2).

        :param list license_keys: texts; blank ones are passed over like the blank
            lines of a pasted list, but they count as lines where one is named
        :param dict values: what the keys have in common: ``software_id`` and,
            where wanted, type, validity, supplier and so on
        :return: the new software keys, in the order of the list
        :raises ValidationError: one error that names every offending line; nothing
            has been entered then
        """
        self.check_access("create")
        findings = self._inspect_license_keys(license_keys)
        if not findings:
            raise UserError(
                self.env._("There is no license key in the list. Paste at least one.")
            )
        refused = [found for found in findings if found["verdict"] in REFUSED]
        if refused:
            raise ValidationError(self._describe_refused(refused, len(findings)))
        vals_list = [
            {**values, "license_key": found["license_key"]} for found in findings
        ]
        keys = self.browse()
        for start in range(0, len(vals_list), ENTRY_BATCH):
            keys += self.create(vals_list[start : start + ENTRY_BATCH])
            self._note_entered(len(keys))
        return keys

    @api.model
    def _note_entered(self, count):
        """Tell the dialog that has asked for a bulk entry how far it is.

        :param int count: how many keys have been entered, all in this transaction
        """
        entry_id = self.env.context.get("software_key_bulk_entry_id")
        if isinstance(entry_id, int):
            entry = self.env["client.equipment.software.key.bulk.entry"]
            entry.browse(entry_id)._publish_progress(count)

    @api.model
    def _inspect_license_keys(self, license_keys):
        """Tell of each license key of a list whether it can be entered (K11).

        One query for any number of keys. It sees the keys of all companies, as the
        database does when it refuses a second one.

        :param license_keys: texts as they were pasted; blank ones are passed over
        :return: a list of dicts: ``line`` (counted from 1), ``license_key`` as it
            would be stored, ``verdict`` (``new``, ``similar``, ``repeated``,
            ``existing`` or ``invalid``), and with some verdicts ``other`` (the
            similar license key), ``first_line`` (where the list has it first),
            ``problem`` (in words) and ``status`` (of the existing key). Of a key that
            the user may not read he learns that it exists, and nothing else.
        """
        findings, first_lines = self._read_license_keys(license_keys)
        existing, similar, first_of_folded = self._find_alike(first_lines)
        for found in findings:
            license_key = found["license_key"]
            if found["verdict"] != "new":
                continue
            if license_key in existing:
                found |= {"verdict": "existing", "status": existing[license_key]}
            elif other := similar[license_key].get("other"):
                found |= {"verdict": "similar", "other": other} | similar[license_key]
            else:
                line, other = first_of_folded[similar[license_key]["folded"]]
                if line != found["line"]:
                    found |= {"verdict": "similar", "other": other, "first_line": line}
        return findings

    @api.model
    def _read_license_keys(self, license_keys):
        """Read a list of license keys, as it alone shows them.

        :return: ``(findings, {license key: the line that has it first})``
        """
        findings, first_lines = [], {}
        for line, text in enumerate(license_keys, 1):
            license_key, problem = self._tidy_license_key(text)
            if not license_key:
                continue
            found = {"line": line, "license_key": license_key, "verdict": "new"}
            if problem:
                found |= {"license_key": license_key + "…", "verdict": "invalid"}
                findings.append(found | {"problem": problem})
                continue
            first_line = first_lines.setdefault(license_key, line)
            if first_line != line:
                found |= {"verdict": "repeated", "first_line": first_line}
            findings.append(found)
        return findings, first_lines

    @api.model
    def _find_alike(self, first_lines):
        """Find the license keys of a list in the system, and what looks like them.

        :param first_lines: ``{license key: the line that has it first}``
        :return: ``{license key: the status of the key that is there, or False}``,
            ``{license key: what looks like it}``, and ``{as it looks: (line, license
            key) of the list's first}``
        """
        self.flush_model(["license_key", "status"])
        self.env.cr.execute(
            SQL(
                f"""
                WITH line AS (
                    SELECT license_key, number, {looks("license_key")} AS folded
                      FROM unnest(%s::text[], %s::int[]) AS line(license_key, number)
                )
                SELECT line.license_key, line.number, line.folded,
                       key.id, key.license_key, key.status
                  FROM line
                  LEFT JOIN LATERAL (
                    SELECT id, license_key, status
                      FROM client_equipment_software_key key
                     WHERE {looks("key.license_key")} = line.folded
                    OFFSET 0  -- each by the index: how all the others look is not asked
                  ) key ON TRUE
                """,
                list(first_lines),
                list(first_lines.values()),
            )
        )
        rows = self.env.cr.fetchall()
        # Also what lies in those of his companies that he does not look at just now.
        companies = self.env.user._get_company_ids()
        found = self.browse({row[3] for row in rows if row[3]})
        readable = found.with_context(allowed_company_ids=companies)._readable()
        readable = set(readable.ids)
        existing, similar, first_of_folded = {}, {}, {}
        for license_key, line, folded, key_id, other, status in rows:
            first_of_folded[folded] = min(
                (line, license_key), first_of_folded.get(folded, (line, license_key))
            )
            if other == license_key:
                existing[license_key] = key_id in readable and status
            elif key_id in readable:
                if is_hidden(self.env):
                    other = hint(other)
                similar[license_key] = {"other": other, "status": status}
            else:
                similar[license_key] = {"folded": folded}
        return existing, similar, first_of_folded

    @api.model
    def _verdict_text(self, found):
        """Return in words what :meth:`_inspect_license_keys` found of one line."""
        match found["verdict"]:
            case "repeated":
                return self.env._(
                    "repeated: line %s has it already", found["first_line"]
                )
            case "existing" if not found["status"]:
                return self.env._("in the system already")
            case "existing":
                return self.env._(
                    "in the system already (%s)",
                    self._selection_label("status", found["status"]),
                )
            case "invalid":
                return self.env._("%s: check what was pasted", found["problem"])
            case "similar" if found.get("first_line"):
                return self.env._(
                    "new, but looks like %(other)s in line %(line)s",
                    other=found["other"],
                    line=found["first_line"],
                )
            case "similar":
                return self.env._(
                    "new, but looks like %(other)s in the system (%(status)s)",
                    other=found["other"],
                    status=self._selection_label("status", found["status"]),
                )
        return self.env._("new")

    @api.model
    def _describe_refused(self, refused, total):
        """Return the error that names the lines of a refused list (K2)."""
        lines = []
        if any(found["verdict"] != "invalid" for found in refused):
            lines.append(self.env._("The license key must be unique!"))
        lines.append(
            self.env._(
                "%(count)s of %(total)s license keys cannot be entered, so none was. "
                "Take them out of the list, or correct them:",
                count=len(refused),
                total=total,
            )
        )
        lines += [
            self.env._(
                "Line %(line)s: %(license_key)s: %(problem)s",
                line=found["line"],
                license_key=found["license_key"],
                problem=self._verdict_text(found),
            )
            for found in refused[:NAMED_MAX]
        ]
        if len(refused) > NAMED_MAX:
            lines.append(self.env._("… and %s more", len(refused) - NAMED_MAX))
        return "\n".join(lines)
