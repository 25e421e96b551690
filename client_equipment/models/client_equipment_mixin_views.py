from odoo import api, models
from odoo.tools import format_date

# The client's own widgets and list style: see static/src.
LIST_CLASS = "o_client_equipment_list"
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
        """Dress every view: dates are written one way, and no list cuts its texts."""
        arch, view = super()._get_view(view_id, view_type, **options)
        if view_type in ("form", "list", "kanban"):
            self._dress(arch)
        return arch, view

    @api.model
    def _dress(self, node):
        """Give a view's dates their widget, and its lists their class.

        :param node: a view, or a part of it, of this model
        """
        if node.tag == "list":
            _add_class(node, LIST_CLASS)
        for child in node:
            field = child.tag == "field" and self._fields.get(child.get("name"))
            if not field:
                self._dress(child)
                continue
            if widget := DATE_WIDGETS.get((field.type, child.get("widget"))):
                child.set("widget", widget)
            for view in child:
                self.env[field.comodel_name]._dress(view)
                if view.tag == "list":
                    _add_class(child, LIST_CLASS)

    @api.model
    def _say_date(self, day):
        """Return a day as every field shows it: in the reader's own format.

        For errors, the trail and drop-downs. What is stored for all readers keeps
        the format of ISO.

        :param day: a date, or False
        :return: text, empty where there is no day
        """
        return format_date(self.env, day)


def _add_class(node, name):
    node.set("class", f"{node.get('class', '')} {name}".strip())
