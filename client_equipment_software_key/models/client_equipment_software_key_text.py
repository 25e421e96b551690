from odoo import api, models
from odoo.exceptions import UserError, ValidationError

from odoo.addons.client_equipment.values import text_problem

from ..license_key import as_stored
from ..license_key import problem as license_key_problem
from .client_equipment_export_mixin import unguard
from .client_equipment_software_key import NAMED_MAX


class ClientEquipmentSoftwareKey(models.Model):
    """The license key itself: how it is stored, and what is none (K2, K3)."""

    _inherit = "client.equipment.software.key"

    @api.model
    def _normalize_license_key(self, license_key):
        """Return a license key as it is stored (K2).

        What nobody sees of it goes, line breaks from pasting with the blanks around
        them, and the apostrophe that a CSV has before what a spreadsheet would take for
        a formula (L3).

        :raises ValidationError: where nothing is left, far too much, or what is no
            license key
        """
        text, problem = self._tidy_license_key(license_key)
        if problem:
            raise ValidationError(
                self.env._(
                    "The license key %(license_key)s… cannot be entered: %(problem)s. "
                    "Check what was pasted.",
                    license_key=text,
                    problem=problem,
                )
            )
        if not text:
            raise ValidationError(
                self.env._("The license key is empty. Enter the product key.")
            )
        return text

    @api.model
    def _tidy_license_key(self, license_key):
        """Return a license key as it is stored, or its beginning and what is wrong."""
        if not license_key:
            return "", None
        if problem := text_problem(self.env, license_key, one_line=False):
            return ascii(license_key)[:40], problem
        license_key = str(license_key)
        text = as_stored(unguard(as_stored(license_key)))
        if problem := self._license_key_problem(license_key) or text_problem(
            self.env, text
        ):
            return text[:40], problem
        return text, None

    @api.model
    def _license_key_problem(self, text):
        """Return in words what a pasted text is instead of a license key, or None."""
        match license_key_problem(text):
            case "file":
                return self.env._(
                    "this is the content of a license file; attach the file to a new "
                    "key as License File, and enter its serial number or license id, "
                    "or Use the File's Fingerprint"
                )
            case "columns":
                return self.env._(
                    "there is a tab in it, as between the columns of a spreadsheet; "
                    "enter the license key alone, or many at once by Enter Many Keys"
                )
            case "rounded":
                return self.env._(
                    "a spreadsheet has made a number of it and rounded that; format "
                    "the column as text there and enter the license key again"
                )
        return None

    @api.onchange("license_key")
    def _onchange_license_key(self):
        """Show the license key as it will be stored, and what it looks like (K2)."""
        if not self.license_key or self._origin:
            return None
        text, problem = self._tidy_license_key(self.license_key)
        if not problem:
            self.license_key = text
            if there := self.search([("license_key", "=", text)], limit=1):
                return there._repeated_warning()
            problem = self._look_alike_problem([text])
        return problem and {
            "warning": {
                "title": self.env._("Check the license key"),
                "message": problem,
            }
        }

    def _repeated_warning(self):
        """Say where this key is, beside the form, to whoever types it again."""
        unique = self.env._("The license key must be unique!")
        return {
            "warning": {
                "type": "notification",
                "title": self.env._("Check the license key"),
                "message": f"{unique} {self._tell_where()}",
            }
        }

    def _look_alike_problem(self, license_keys):
        """Return in words which of these license keys look like others, or False.

        Those of the key itself do not count: what replaces it may differ in case only.

        :param license_keys: as they are to be stored
        """
        lines = [
            self.env._(
                "%(license_key)s looks like %(other)s, which is in the system already "
                "(%(status)s).",
                license_key=found["license_key"],
                other=found["other"],
                status=self._selection_label("status", found["status"]),
            )
            for found in self._inspect_license_keys(license_keys)
            if found["verdict"] == "similar"
            and "status" in found
            and found["other"] not in self.mapped("license_key")
        ]
        if len(lines) > NAMED_MAX:
            lines[NAMED_MAX:] = [self.env._("… and %s more", len(lines) - NAMED_MAX)]
        return "\n".join(lines) or False

    def _check_same_license_key(self, vals):
        """Take the license key out of ``vals``, where it is the same.

        :raises UserError: where it would change (K3)
        """
        if "license_key" in vals:
            license_key = vals.pop("license_key") or self._normalize_license_key(False)
            for key in self:
                if key._get_license_key() != license_key:
                    raise UserError(
                        self.env._(
                            "The license key of %(key)s cannot be changed, because "
                            "its audit trail speaks of it. Delete this key and enter "
                            "the correct one anew.",
                            key=key.display_name,
                        )
                    )
