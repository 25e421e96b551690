from odoo.http import request

from odoo.addons.web.controllers.export import CSVExport, ExcelExport


def _is_ours(groups):
    return groups._model._name.startswith("client.equipment")


def _name_groups(groups, depth=0):
    """Give the groups below ``groups`` the names that the list shows on the screen."""
    if depth == len(groups._groupby):
        return
    field = groups._model._fields[groups._groupby[depth].split(":")[0]]
    if field.type == "selection":
        labels = dict(field._description_selection(groups._model.env))
        groups.children = {
            labels.get(value, value): group for value, group in groups.children.items()
        }
    for group in groups.children.values():
        _name_groups(group, depth + 1)


class GroupedExcelExport(ExcelExport):
    """XLSX of our grouped lists as they stand on the screen (L3).

    Odoo names the groups of a selection field by their technical values.
    """

    def from_group_data(self, fields, columns_headers, groups):
        if _is_ours(groups):
            _name_groups(groups)
        return super().from_group_data(fields, columns_headers, groups)


class GroupedCSVExport(CSVExport):
    """CSV of our grouped lists, laid out like the XLSX of them (L3).

    Odoo refuses to export grouped lists to CSV. Other addons' lists stay as they are.
    """

    def from_group_data(self, fields, columns_headers, groups):
        if not _is_ours(groups):
            return super().from_group_data(fields, columns_headers, groups)
        _name_groups(groups)
        rows = self._group_rows(fields, groups, depth=0)
        return self.from_data(fields, columns_headers, rows)

    def _group_rows(self, fields, groups, depth):
        """Yield the row of each group below ``groups``, followed by what is in it."""
        for label, group in groups.children.items():
            if isinstance(label, tuple | list):
                label = label[1]
            if not label and groups._groupby_type[depth] != "boolean":
                label = request.env._("Undefined")
            aggregates = group.aggregated_values
            yield [
                f"{'    ' * depth}{label} ({group.count})",
                *(aggregates.get(field["name"]) for field in fields[1:]),
            ]
            if group.children:
                yield from self._group_rows(fields, group, depth + 1)
            yield from group.data
