import hashlib
from typing import Self

from odoo import api, models
from odoo.exceptions import UserError

from odoo.addons.client_equipment.arguments import checked

from .client_equipment_software_key_file import LICENSE_FILE, whole

PLAIN = "application/octet-stream"


class IrAttachment(models.Model):
    """What keeps a license file what its key says (K15): changed with the key alone,
    and neither public nor given to who holds a link."""

    _inherit = "ir.attachment"

    def _license_files(self):
        """Return those of the attachments that are license files, in sudo()."""
        # Which they are, everybody may ask; Odoo says who may read them.
        return self.sudo().filtered(lambda file: file._get_place()[:2] == LICENSE_FILE)

    def _get_place(self):
        return self.res_model, self.res_field, self.res_id

    def _get_sha256(self):
        """Return the SHA-256 of the content that is stored, False of no attachment."""
        return bool(self) and hashlib.sha256(whole(self).raw or b"").hexdigest()

    def _check_contents(self, values):
        """A license file is bytes: nobody makes a page of it, or a smaller picture."""
        place = values.get("res_model"), values.get("res_field")
        if place == LICENSE_FILE or self and self == self._license_files():
            values["mimetype"] = PLAIN  # (whose own it is that Odoo stores)
            return values
        return super()._check_contents(values)

    @api.model_create_multi
    @checked
    def create(self, vals_list: list[dict]) -> Self:
        attachments = super().create(vals_list)
        attachments._license_files()._check_license_files()
        return attachments

    def write(self, vals: dict) -> bool:
        places = {file: file._get_place() for file in self._license_files()}
        result = super().write(vals)
        if any(file._get_place() != place for file, place in places.items()):
            raise self._license_file_error()
        self._license_files()._check_license_files()
        return result

    def unlink(self) -> bool:
        self.check_access("unlink")  # before anybody learns what it is
        files = self._license_files()
        # The key has let go of the file before, or is gone itself.
        if any(key.license_file_sha256 for key in files._get_keys()):
            raise self._license_file_error()  # pylint: disable=no-raise-unlink
        return super().unlink()

    def _get_keys(self):
        keys = self.env[LICENSE_FILE[0]].sudo().browse(self.mapped("res_id"))
        return keys.exists()

    def _check_license_files(self):
        """Check that these license files are what their keys say, one of each.

        :raises UserError: where one is not
        """
        if not self:
            return
        model, field = LICENSE_FILE
        expected = {key.id: key.license_file_sha256 for key in self._get_keys()}
        there = self.search_count(
            [
                ("res_model", "=", model),
                ("res_field", "=", field),
                ("res_id", "in", list(expected)),
            ]
        )
        if there != len(self) or not all(
            file._get_sha256() == expected.get(file.res_id)
            and file.type == "binary"
            and file.mimetype == PLAIN
            and not (file.public or file.access_token or file.url)
            for file in self
        ):
            raise self._license_file_error()

    def _license_file_error(self):
        return UserError(
            self.env._(
                "The license file of a software key is changed on the key alone: open "
                "the key, and attach another file or take it off there."
            )
        )
