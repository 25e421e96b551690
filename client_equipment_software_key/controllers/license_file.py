import json

from odoo import http
from odoo.exceptions import UserError
from odoo.http import Response, request
from odoo.tools import html_escape


class LicenseFileController(http.Controller):
    @http.route(
        "/client_equipment_software_key/license_file/<int:key_id>",
        type="http",
        auth="user",
        methods=["POST"],
    )
    def license_file(self, key_id: int, **_parameters: str) -> Response:
        """Send the license file of a key, as the web client's ``download`` wants it."""
        key = request.env["client.equipment.software.key"].browse(key_id)
        try:
            name, content = key._get_license_file()
        except UserError as error:
            return self._refused(error)
        return request.make_response(
            content,
            [
                ("Content-Type", "application/octet-stream"),
                ("Content-Disposition", http.content_disposition(name)),
                ("X-Content-Type-Options", "nosniff"),
                ("Content-Security-Policy", "default-src 'none'"),
                ("Cache-Control", "no-store"),
            ],
        )

    def _refused(self, error):
        """Return why there is no download; the web client shows it in a dialog."""
        told = {
            "code": error.http_status,
            "message": "Odoo Server Error",
            "data": http.serialize_exception(error) | {"debug": ""},
        }
        return request.make_response(
            html_escape(json.dumps(told)),
            [("Content-Type", "text/html; charset=utf-8")],
            status=error.http_status,
        )
