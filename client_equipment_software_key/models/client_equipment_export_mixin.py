import re
from itertools import groupby

from odoo import models
from odoo.tools import split_every

from odoo.addons.client_equipment.arguments import checked
from odoo.addons.client_equipment.models.client_equipment_mixin import EXPORTING

EXPORT_BATCH = 1000

# What a spreadsheet takes for the beginning of a formula, as half of them do behind
# blanks and quotes, and those for East Asia in full width; at the beginning of a text,
# and where one that expects semicolons tears a text with commas around it apart.
SIGN = r"=+\-@\uff1d\uff0b\uff0d\uff20"
BEGINNING = re.compile(
    rf"(?:^|(?<=[;\r\n]))(?=[\s'\"{SIGN}])(?P<before>[\s'\"]*)(?P<sign>[{SIGN}]?)"
)


def guard(value: object) -> object:
    """Return a cell for a CSV: a text gets an apostrophe wherever a spreadsheet would
    take it for a formula, any other value stays as it is (L3)."""
    return _at_beginnings("", "'", value)


def unguard(value: object) -> object:
    """Return a cell of a CSV without the apostrophes that :func:`guard` put into it.

    An apostrophe before anything else is the text's own, and stays.
    """
    return _at_beginnings("'+", "", value)


def _at_beginnings(old, new, value):
    """Return a text with ``new`` for the pattern ``old`` at the beginning of each line
    up to a sign, and of a text that begins with a tab or a line break.

    Blanks and quotes are gone over once, however many there are.
    """
    if not isinstance(value, str):
        return value

    def replaced(found):
        before, sign = found.groups()
        if sign:
            return re.sub(rf"(?:^|(?<=[\r\n])){old}", new, before) + sign
        if found.start():
            return before
        return re.sub(rf"^{old}(?=[\t\r\n])", new, before)

    return BEGINNING.sub(replaced, value)


class ClientEquipmentExportMixin(models.AbstractModel):
    """For models of which very many records are exported (L3)."""

    _name = "client.equipment.export.mixin"
    _description = "Export in Portions"

    @checked
    def export_data(self, fields_to_export: list[str]) -> dict:
        """Export in portions, and forget what was read for one before the next.

        Odoo forgets the records themselves, but keeps all that they link to: at
        100,000 lines that is most of what an export needs.
        """
        if not self:
            return super().export_data(fields_to_export)
        rows = []
        for ids in split_every(EXPORT_BATCH, self._ids, list):
            portion = self.browse(ids).with_context(client_equipment_export=EXPORTING)
            portion = super(ClientEquipmentExportMixin, portion)
            rows += portion.export_data(fields_to_export)["datas"]
            self.env.invalidate_all()
        return {"datas": rows}

    def _export_rows(self, fields, *, _is_toplevel_call=True):
        """Leave out what lies behind a link that the reader may not follow, as that of
        a shared key to equipment of another company; Odoo would refuse the whole list.
        """
        hiding = _is_toplevel_call and {
            number: hidden
            for number, path in enumerate(fields)
            if (hidden := self._leading_to_hidden(path))
        }
        if not hiding:
            return super()._export_rows(fields, _is_toplevel_call=_is_toplevel_call)
        rows = []
        # Runs of neighbours, in their order, which Odoo's own groupby would not keep.
        for left_out, run in groupby(  # pylint: disable=bad-builtin-groupby
            self, lambda record: [n for n, hidden in hiding.items() if record in hidden]
        ):
            records = super(
                ClientEquipmentExportMixin, self.browse([each.id for each in run])
            )
            paths = [
                path[:1] if number in left_out else path
                for number, path in enumerate(fields)
            ]
            rows += [
                ["" if number in left_out else cell for number, cell in enumerate(row)]
                for row in records._export_rows(paths)
            ]
        return rows

    def _leading_to_hidden(self, path):
        """Return the records of which a path of fields leads through one that the user
        may not read."""
        hidden = self.browse()
        for depth in range(1, len(path)):
            way = ".".join(path[:depth])
            linked = (self - hidden).mapped(way)
            if not isinstance(linked, models.BaseModel):
                break
            if forbidden := linked - linked._filtered_access("read"):
                hidden |= (self - hidden).filtered(
                    lambda record, way=way, forbidden=forbidden: (
                        record.mapped(way) & forbidden
                    )
                )
        return hidden
