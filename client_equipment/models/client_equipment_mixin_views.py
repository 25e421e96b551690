from odoo import api, models
from odoo.tools import format_date

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
        """Dress every view: dates are written one way, no list cuts its texts, and
        colours can be read."""
        arch, view = super()._get_view(view_id, view_type, **options)
        if view_type in ("form", "list", "kanban"):
            _add_class(arch, VIEW_CLASS)
            self._dress(arch)
        return arch, view

    @api.model
    def _dress(self, node):
        """Give the dates of a view their widget, and its inner views their class.

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


def _add_class(node, name):
    node.set("class", " ".join(filter(None, (node.get("class"), name))))
