import base64

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

from odoo.addons.client_equipment.fields import Label

from ..license_file import (
    DEFAULT_NAME,
    EMPTY,
    FILE_MAX,
    NO_BASE64,
    base_name,
    encoded,
    fingerprint,
)
from ..secret import READER, is_hidden

# Which attachments are license files.
LICENSE_FILE = ("client.equipment.software.key", "license_file")
LICENSE_FILE_FIELDS = {"license_file", "license_file_name"}


def whole(records: models.BaseModel) -> models.BaseModel:
    """Return records whose files are read as they are, also where a client has asked
    for sizes in their place."""
    asked = [name for name in records.env.context if name.startswith("bin_size")]
    return records.with_context(**dict.fromkeys(asked, False))


class ClientEquipmentSoftwareKey(models.Model):
    """The license file of a key, where its license is one (K15).

    The file is an attachment that is read with the key's rights and changed with the
    key alone (``ir.attachment``). The key keeps its name and its SHA-256, which stands
    in each entry of the audit trail, too.
    """

    _inherit = "client.equipment.software.key"

    license_file = fields.Binary(
        attachment=True,
        copy=False,
        exportable=False,
        groups=READER,  # as secret as the license key (K16)
        help="The file that the vendor has sent, where the license is a file.",
    )
    license_file_name = Label("License File's Name", copy=False)
    license_file_sha256 = fields.Char(
        "License File's SHA-256", readonly=True, fixed=True, copy=False
    )
    license_key_from_file = fields.Boolean(
        "Use the File's Fingerprint",
        store=False,
        help="Fill in the SHA-256 of the license file as license key, where it comes "
        "with neither a serial number nor a license id.",
    )

    @api.model
    def default_get(self, fields: list[str]) -> dict:
        """A license file is given with its key, never as a default of anybody."""
        vals = super().default_get(fields)
        for name in LICENSE_FILE_FIELDS & vals.keys():
            del vals[name]
        return vals

    # ------------------------------------------------------------------
    # Values
    # ------------------------------------------------------------------

    @api.model
    def _value_problem(self, field, value):
        if field.name == "license_file" and isinstance(value, str | bytes):
            return None  # looked at by what names the key, too
        return super()._value_problem(field, value)

    def _clean_values(self, vals):
        """Bring a license file and its name into their normal form.

        A file that comes without a name gets one; of an empty one the web client sends
        the name alone.
        """
        vals = super()._clean_values(vals)
        if not LICENSE_FILE_FIELDS & vals.keys():
            return vals
        name = base_name(str(vals.get("license_file_name") or ""))
        if "license_file_name" in vals:
            vals = vals | {"license_file_name": name}
        if "license_file" not in vals:
            return vals
        if vals["license_file"] in (None, False) and not name:
            return vals | {"license_file": False, "license_file_name": False}
        file, problem = encoded(vals["license_file"] or b"")
        if problem:
            license_key = vals.get("license_key")
            raise ValidationError(self._license_file_problem(problem, license_key))
        return vals | {"license_file": file, "license_file_name": name or DEFAULT_NAME}

    def _license_file_problem(self, problem, license_key=None):
        """Return in words what ``license_file.encoded`` has found.

        :param license_key: the new one of the keys, which names them then
        """
        if problem == NO_BASE64:
            reason = self.env._("it has to be a file, encoded as base64")
        elif problem == EMPTY:
            reason = self.env._("it is empty; attach it as the vendor has sent it")
        else:
            reason = self.env._(
                "it is larger than %s MB; attach the file alone that the license is",
                FILE_MAX // 2**20,
            )
        return self.env._(
            "The license file of %(key)s cannot be kept: %(problem)s.",
            key=license_key or self._some_names_or_new(),
            problem=reason,
        )

    def _no_license_file_error(self):
        return UserError(
            self.env._(
                "There is no license file of %s. Attach it first.",
                self._some_names_or_new(),
            )
        )

    def _some_names_or_new(self):
        return self._some_names() or self.env._("the new key")

    @api.model
    def _prepare_vals(self, vals):
        """Complete a new key's values by what follows from its license file."""
        file = vals.get("license_file")
        from_file = vals.pop("license_key_from_file", False)
        if not file and (from_file or vals.get("license_file_name")):
            raise self._no_license_file_error()
        if file:
            vals["license_file_sha256"] = fingerprint(file)
            if from_file and not vals.get("license_key"):
                vals["license_key"] = vals["license_file_sha256"]
        return super()._prepare_vals(vals)

    def _prepare_license_file(self, vals):
        """Note what the license file of the keys, which are locked, is going to be.

        :param dict vals: what is going to be written
        """
        if "license_file" in vals:
            file = vals["license_file"]
            self._write_fixed(
                {
                    "license_file_name": vals["license_file_name"],
                    "license_file_sha256": file and fingerprint(file),
                }
            )
        elif not vals.get("license_file_name"):
            vals.pop("license_file_name", None)
        elif without := self.filtered(lambda key: not key.license_file_sha256):
            raise without._no_license_file_error()

    @api.onchange("license_file", "license_key_from_file")
    def _onchange_license_file(self):
        """Look at the file at once; use its fingerprint where that is asked for."""
        if not self.license_file and not self.license_file_name:
            return None
        file, problem = encoded(self.license_file or b"")
        if problem:
            self.license_file = self.license_file_name = False
            return {
                "warning": {
                    "title": self.env._("Check the license file"),
                    "message": self._origin._license_file_problem(problem),
                }
            }
        self.license_file_name = base_name(self.license_file_name or "")
        if self.license_key_from_file and not self._origin:
            self.license_key = fingerprint(file)
        return None

    # ------------------------------------------------------------------
    # Reading
    # ------------------------------------------------------------------

    def _get_license_file(self):
        """Return ``(name, content)`` of the license file, for a download.

        Every download by a screen comes through here. One by whom license keys are
        hidden from is a look, which is put down (K16).

        :raises UserError: where there is none, or the user may not read it
        """
        self.ensure_one()
        self.check_access("read")
        # Whoever may read the key may have its license file.
        key = whole(self.sudo())
        if not key.license_file:
            raise self._no_license_file_error()
        if is_hidden(self.env):
            self._reveal(reason_code="file", reason_data=key.license_file_name)
        return key.license_file_name, base64.b64decode(key.license_file)

    # ------------------------------------------------------------------
    # Evidence
    # ------------------------------------------------------------------

    def _get_told_value(self, name):
        if name == "license_file":
            return self.license_file_sha256 or None
        return super()._get_told_value(name)

    def _with_other_file(self):
        """Return those of the keys whose stored file is not the one that they say.

        However it came about: the content on the disk counts, and every attachment that
        would be taken for the file.
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT key.id, attachment.id
                  FROM client_equipment_software_key key
                  LEFT JOIN ir_attachment attachment
                    ON attachment.res_model = %s
                   AND attachment.res_field = %s
                   AND attachment.res_id = key.id
                 WHERE key.id = ANY(%s)
                   AND num_nonnulls(key.license_file_sha256, attachment.id) > 0
                """,
                *LICENSE_FILE,
                list(self.ids),
            )
        )
        # Whoever may read a key learns whether it is intact, not what is in its file.
        attachments = self.env["ir.attachment"].sudo()
        # One query for all; their contents are read one by one.
        self.fetch(["license_file_sha256"])
        attachments.browse(row[1] for row in rows if row[1]).fetch(["store_fname"])
        return self.browse(
            dict.fromkeys(
                key_id
                for key_id, attachment_id in rows
                if attachments.browse(attachment_id)._get_sha256()
                != self.browse(key_id).license_file_sha256
            )
        )


class ClientEquipmentAuditLog(models.Model):
    _inherit = "client.equipment.audit.log"

    license_file_sha256 = fields.Char(
        "License File's SHA-256",
        readonly=True,
        help="SHA-256 of the license file that the key had then.",
    )

    def _tell_step(self):
        if self.action == "created" and self.license_file_sha256:
            return self.env._(
                "Created by %(user)s, with the license file SHA-256 %(sha256)s",
                user=self.user_name,
                sha256=self.license_file_sha256,
            )
        return super()._tell_step()

    def _tell_value(self, field, value):
        if field.type == "binary" and value:
            return self.env._("SHA-256 %s", value)
        return super()._tell_value(field, value)

    @api.model
    def _verify(self, keys):
        """Look at the license files, too, of keys of which nothing else was found."""
        findings = super()._verify(keys)
        found = keys.browse(each["software_key_id"] for each in findings)
        findings += [
            {
                "software_key_id": key.id,
                "audit_log_id": False,
                "problem": self.env._(
                    "%(key)s: the license file is not the one that its trail tells of: "
                    "it was changed or is missing.",
                    key=key.display_name,
                ),
            }
            for key in (keys - found)._with_other_file()
        ]
        return sorted(findings, key=lambda each: each["software_key_id"])


class ClientEquipmentAuditDeletion(models.Model):
    _inherit = "client.equipment.audit.deletion"

    license_file_sha256 = fields.Char(
        "License File's SHA-256",
        readonly=True,
        help="SHA-256 of the license file that went with the key.",
    )
