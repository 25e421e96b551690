import json
from typing import Any

from odoo import http
from odoo.http import Response, request

from odoo.addons.client_equipment.values import is_ours
from odoo.addons.web.controllers.export import CSVExport, ExcelExport, GroupsTreeNode
from odoo.addons.web.controllers.pivot import TableExporter

from ..models.client_equipment_export_mixin import guard
from ..report.xlsx_file import XlsxFile


def _exported_model():
    """Return the name of the model whose list the request exports."""
    return json.loads(request.params["data"])["model"]


def _grouping_field(model, groupby):
    """Return the field that ``groupby`` ends at, a path with or without a granularity.

    :param str groupby: for example ``software_id.publisher`` or ``action_date:month``
    """
    *path, name = groupby.split(":")[0].split(".")
    for link in path:
        model = model[link]
    return model._fields[name]


def _group_label(field, value):
    """Return a group's value as the list shows it on the screen."""
    if isinstance(value, tuple | list):
        value = value[1]
    match field.type:
        case "boolean":
            return request.env._("Yes") if value else request.env._("No")
        case "integer" | "float" | "monetary":
            return value or 0
        case "selection" if value:
            # Odoo names these groups by their technical values.
            return dict(field._description_selection(request.env)).get(value, value)
    return value or request.env._("Undefined")


def _rows(fields, groups, depth=0):
    """Yield ``(row, is a group's)`` of each group below ``groups``, as the list shows
    them on the screen, followed by what is in it."""
    if depth == len(groups._groupby):
        return
    field = _grouping_field(groups._model, groups._groupby[depth])
    for value, group in groups.children.items():
        title = f"{'    ' * depth}{_group_label(field, value)} ({group.count})"
        aggregates = group.aggregated_values
        yield [title, *(aggregates.get(field["name"]) for field in fields[1:])], True
        yield from _rows(fields, group, depth + 1)
        yield from ((row, False) for row in group.data)


class SoftwareKeyExcelExport(ExcelExport):
    """XLSX of our lists as they stand on the screen, in which a text is a text (L3).

    Odoo's own makes formulas and links of texts; of grouped lists it needs four times
    the memory, and names groups by technical values. Other addons' lists stay as they
    are.
    """

    def from_data(
        self, fields: list, columns_headers: list[str], rows: list
    ) -> bytes | str:
        model_name = _exported_model()
        if not is_ours(model_name):
            return super().from_data(fields, columns_headers, rows)
        return self._file(model_name, columns_headers, ((row, False) for row in rows))

    def from_group_data(
        self, fields: list, columns_headers: list[str], groups: GroupsTreeNode
    ) -> bytes | str:
        model_name = groups._model._name
        if not is_ours(model_name):
            return super().from_group_data(fields, columns_headers, groups)
        return self._file(model_name, columns_headers, _rows(fields, groups))

    def _file(self, model_name, columns_headers, rows):
        with XlsxFile() as file:
            name = request.env["ir.model"]._get(model_name).name
            sheet = file.add_sheet(name, columns_headers)
            for row, is_group in rows:
                sheet.append(row, bold=is_group)
        return file.content


class SoftwareKeyCSVExport(CSVExport):
    """CSV of our lists, in which no text becomes a formula (L3).

    Odoo does not see all that a spreadsheet takes for one, and refuses to export
    grouped lists: ours are laid out like the XLSX of them. Other addons' lists stay as
    they are.
    """

    def from_data(
        self, fields: list, columns_headers: list[str], rows: list
    ) -> bytes | str:
        if is_ours(_exported_model()):
            columns_headers = map(guard, columns_headers)
            rows = (map(guard, row) for row in rows)
        return super().from_data(fields, columns_headers, rows)

    def from_group_data(
        self, fields: list, columns_headers: list[str], groups: GroupsTreeNode
    ) -> bytes | str:
        if not is_ours(groups._model._name):
            return super().from_group_data(fields, columns_headers, groups)
        rows = (row for row, _is_group in _rows(fields, groups))
        return self.from_data(fields, columns_headers, rows)


class SoftwareKeyPivotExport(TableExporter):
    """XLSX of our pivots, in whose headings no text becomes a formula (L3)."""

    @http.route()
    def export_xlsx(self, data: str, **kw: Any) -> Response:
        table = json.loads(data if isinstance(data, str) else data.read())
        if table and is_ours(table["model"]):
            headings = [*table["measure_headers"], *table["rows"]]
            for row in table["col_group_headers"]:
                headings += row
            for heading in headings:
                heading["title"] = guard(heading["title"])
        return super().export_xlsx(json.dumps(table), **kw)
