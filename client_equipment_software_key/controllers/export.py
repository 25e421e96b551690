from odoo.http import request

from odoo.addons.web.controllers.export import CSVExport, ExcelExport

from ..report.xlsx_file import XlsxFile


def _is_ours(groups):
    return groups._model._name.startswith("client.equipment")


def _rows(fields, groups, depth=0):
    """Yield ``(row, is a group's)`` of each group below ``groups``, as the list shows
    them on the screen, followed by what is in it."""
    if depth == len(groups._groupby):
        return
    field = groups._model._fields[groups._groupby[depth].split(":")[0]]
    labels = {}
    if field.type == "selection":
        # Odoo names these groups by their technical values.
        labels = dict(field._description_selection(groups._model.env))
    for name, group in groups.children.items():
        if isinstance(name, tuple | list):
            name = name[1]
        if not name and field.type != "boolean":
            name = request.env._("Undefined")
        title = f"{'    ' * depth}{labels.get(name, name)} ({group.count})"
        aggregates = group.aggregated_values
        yield [title, *(aggregates.get(field["name"]) for field in fields[1:])], True
        yield from _rows(fields, group, depth + 1)
        yield from ((row, False) for row in group.data)


class GroupedExcelExport(ExcelExport):
    """XLSX of our grouped lists as they stand on the screen (L3).

    Odoo's own needs four times the memory, and names groups by technical values.
    """

    def from_group_data(self, fields, columns_headers, groups):
        if not _is_ours(groups):
            return super().from_group_data(fields, columns_headers, groups)
        with XlsxFile(request.env) as file:
            name = request.env["ir.model"]._get(groups._model._name).name
            sheet = file.add_sheet(name, columns_headers)
            for row, is_group in _rows(fields, groups):
                sheet.append(row, bold=is_group)
        return file.content


class GroupedCSVExport(CSVExport):
    """CSV of our grouped lists, laid out like the XLSX of them (L3).

    Odoo refuses to export grouped lists to CSV. Other addons' lists stay as they are.
    """

    def from_group_data(self, fields, columns_headers, groups):
        if not _is_ours(groups):
            return super().from_group_data(fields, columns_headers, groups)
        rows = (row for row, _is_group in _rows(fields, groups))
        return self.from_data(fields, columns_headers, rows)
