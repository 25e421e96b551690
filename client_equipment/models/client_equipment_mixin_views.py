from datetime import date

from odoo import api, fields, models
from odoo.tools import format_date

from ..values import DATE_MAX

# The client's own style and widgets: see static/src.
VIEW_CLASS = "o_client_equipment_view"
BADGE_WIDTH = "100px"  # as long words of other languages need it
DATE_WIDGETS = {
    ("date", None): "client_equipment_date",
    ("date", "daterange"): "client_equipment_daterange",
    ("datetime", None): "client_equipment_datetime",
}


class ClientEquipmentMixin(models.AbstractModel):
    """How dates and lists of these addons' models are shown."""

    _inherit = "client.equipment.mixin"

    @api.model
    def _get_view(self, view_id=None, view_type="form", **options):
        """Dress every view: dates are written one way, nothing cuts its texts, and
        colours can be read."""
        arch, view = super()._get_view(view_id, view_type, **options)
        if view_type in ("form", "list", "kanban", "calendar"):
            _add_class(arch, VIEW_CLASS)
            self._dress(arch)
        return arch, view

    @api.model
    def _dress(self, node):
        """Give the dates of a view their widget, and its inner views their class and
        the title of what opens a line.

        :param node: a view, or a part of it, of this model
        """
        for child in node:
            field = child.tag == "field" and self._fields.get(child.get("name"))
            if not field:
                self._dress(child)
                continue
            if node.tag == "list" and child.get("widget") == "badge":
                child.set("width", child.get("width", BADGE_WIDTH))
            if widget := DATE_WIDGETS.get((field.type, child.get("widget"))):
                child.set("widget", widget)
            comodel = self.env[field.comodel_name] if field.relational else self
            for view in child if hasattr(comodel, "_dress") else ():
                view.set("line-title", self.env["ir.model"]._get(comodel._name).name)
                comodel._dress(view)
            if len(child):
                _add_class(child, VIEW_CLASS)

    @api.model
    def _say_date(self, day):
        """Return a day as every field shows it: in the reader's own format.

        For errors, the trail and drop-downs. What is stored for all readers keeps
        the format of ISO.

        :param day: a date, or False
        :return: text, empty where there is no day
        """
        return format_date(self.env, day)

    def _web_read_group_groupby_formatter(self, groupby_spec, values):
        """Let a date in the last days of the calendar be a group, too: Odoo stumbles
        over the beginning of the next one."""
        formatter = super()._web_read_group_groupby_formatter(groupby_spec, values)

        def format_group(value):
            try:
                return formatter(value)
            except (OverflowError, ValueError):
                if not _is_far(value):
                    raise
            start = fields.Date.to_string(value)
            return (start, start), [(groupby_spec.partition(":")[0], ">=", start)]

        return format_group

    def _web_read_group_fill_temporal(self, groups, *args, **kwargs):
        """Do not fill a graph's axis with all that lies before a far date."""
        near = [group for group in groups if not _is_far(group[0])]
        far = [group for group in groups if _is_far(group[0])]
        filled = near and super()._web_read_group_fill_temporal(near, *args, **kwargs)
        return [*filled, *far]


def _is_far(value):
    """Tell whether a value is a date beyond what can be entered."""
    return isinstance(value, date) and fields.Date.to_date(value) > DATE_MAX


def _add_class(node, name):
    node.set("class", " ".join(filter(None, (node.get("class"), name))))
