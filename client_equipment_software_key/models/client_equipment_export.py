import re

from odoo import models
from odoo.tools import split_every

from odoo.addons.client_equipment.arguments import checked

PORTION = 1000

# What a spreadsheet takes for the beginning of a formula, as half of them do behind
# blanks and quotes, and those for East Asia in full width.
FORMULA = r"[\s'\"]*[=+\-@\uff1d\uff0b\uff0d\uff20]"
GUARDED = re.compile(rf"{FORMULA}|[\t\r\n]")
GUARD = re.compile(rf"^'+(?={FORMULA})")


def guard(value):
    """Return a cell for a CSV: a text that a spreadsheet would take for a formula
    gets an apostrophe before it, any other value stays as it is (L3)."""
    if isinstance(value, str) and GUARDED.match(value):
        return f"'{value}"
    return value


def unguard(value):
    """Return a cell of a CSV without the apostrophe that :func:`guard` put before it.

    An apostrophe before anything else is the text's own, and stays.
    """
    return GUARD.sub("", value) if isinstance(value, str) else value


class ClientEquipmentExport(models.AbstractModel):
    """For models of which very many records are exported (L3)."""

    _name = "client.equipment.export"
    _description = "Export in Portions"

    @checked
    def export_data(self, fields_to_export: list[str]):
        """Export in portions, and forget what was read for one before the next.

        Odoo forgets the records themselves, but keeps all that they link to: at
        100,000 lines that is most of what an export needs.
        """
        if not self:
            return super().export_data(fields_to_export)
        rows = []
        for ids in split_every(PORTION, self._ids, list):
            portion = super(ClientEquipmentExport, self.browse(ids))
            rows += portion.export_data(fields_to_export)["datas"]
            self.env.invalidate_all()
        return {"datas": rows}
