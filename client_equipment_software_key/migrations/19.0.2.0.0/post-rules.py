"""From 19.0.1.1.0: whose evidence packs are whose has changed."""

from odoo import SUPERUSER_ID, api
from odoo.sql_db import Cursor
from odoo.tools import convert_file

ADDON = "client_equipment_software_key"


def migrate(cr: Cursor, _version: str) -> None:
    """Write the record rule anew: no update touches rules that there are."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    convert_file(env, ADDON, "security/evidence_pack_rules.xml", {}, mode="init")
