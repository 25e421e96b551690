from typing import Any

from odoo import models
from odoo.http import Response, Stream

from odoo.addons.client_equipment.values import is_ours

from .client_equipment_software_key_file import LICENSE_FILE
from .ir_attachment import PLAIN


class Download(Stream):
    """What a browser saves, and never shows, whatever the address asks for."""

    def get_response(
        self, as_attachment: bool | None = None, **kwargs: Any
    ) -> Response:
        return super().get_response(as_attachment=True, **kwargs)


class IrBinary(models.AbstractModel):
    _inherit = "ir.binary"

    def _find_record(self, *args, **kwargs):
        """Give what is in a field of ours to who may read the record, not to who has a
        link: Odoo makes one, good for weeks, for whatever is attached to a message."""
        record = super()._find_record(*args, **kwargs)
        is_field = record._name == "ir.attachment" and record.sudo().res_field
        if is_ours(record.sudo().res_model if is_field else record._name):
            record = record.sudo(False)
            record.check_access("read")
        return record

    def _get_stream_from(
        self, record, field_name="raw", filename=None, *args, **kwargs
    ):
        """Give a license file as a download under its own name (K15)."""
        stream = super()._get_stream_from(record, field_name, filename, *args, **kwargs)
        key = record
        if record._name == "ir.attachment":
            key = record._license_files()._get_keys()
        elif (record._name, field_name) != LICENSE_FILE:
            return stream
        if not key:
            return stream
        return Download(
            **vars(stream)
            | {"mimetype": PLAIN, "download_name": filename or key.license_file_name}
        )
