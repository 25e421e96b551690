import re

from odoo import models
from odoo.tools import split_every

from odoo.addons.client_equipment.arguments import checked

PORTION = 1000

# What a spreadsheet takes for the beginning of a formula, as half of them do behind
# blanks and quotes, and those for East Asia in full width; at the beginning of a text,
# and where one that expects semicolons tears a text with commas around it apart.
FORMULA = r"[\s'\"]*[=+\-@\uff1d\uff0b\uff0d\uff20]"
BEGINNING = r"(?:^|(?<=[;\r\n]))"
GUARDED = re.compile(rf"{BEGINNING}(?={FORMULA})|^(?=[\t\r\n])")
GUARD = re.compile(rf"{BEGINNING}'+(?={FORMULA})|^'+(?=[\t\r\n])")


def guard(value):
    """Return a cell for a CSV: a text gets an apostrophe wherever a spreadsheet would
    take it for a formula, any other value stays as it is (L3)."""
    return GUARDED.sub("'", value) if isinstance(value, str) else value


def unguard(value):
    """Return a cell of a CSV without the apostrophes that :func:`guard` put into it.

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
            portion = self.browse(ids).with_context(client_equipment_export=True)
            portion = super(ClientEquipmentExport, portion)
            rows += portion.export_data(fields_to_export)["datas"]
            self.env.invalidate_all()
        return {"datas": rows}
