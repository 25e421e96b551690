"""From 19.0.2.0.0: license keys are shown to the same people as before (K16)."""

from odoo import SUPERUSER_ID, api


def migrate(cr, _version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    env["res.groups"]._set_license_key_display("always")
