"""Fields of these addons."""

from odoo import fields

from .text import as_seen


class Label(fields.Char):
    """A text of one line that people read off, type and paste: a name, a number, a key.

    What nobody sees of a text makes no difference, neither where it is entered
    (``client.equipment.mixin``) nor where it is searched for, whatever the route.
    """

    # What stands for a line break within the text.
    line_break = " "

    def as_seen(self, text):
        """Return a text as it is stored."""
        return as_seen(text, self.line_break)

    def _condition_to_sql(self, field_expr, operator, value, model, alias, query):
        if isinstance(value, str):
            value = self._searched(operator, value)
        elif operator in ("in", "not in"):
            value = [self._searched(operator, each) for each in value]
        return super()._condition_to_sql(
            field_expr, operator, value, model, alias, query
        )

    def _searched(self, operator, text):
        """Return what is searched for, where somebody gave this text.

        A backslash is one, except in a pattern.
        """
        if not isinstance(text, str):
            return text
        text = self.as_seen(text)
        if operator.endswith("like") and "=" not in operator:
            text = text.replace("\\", r"\\")
        return text


class Link(fields.Many2one):
    """A link of records that are made by the thousand."""

    def _update_inverses(self, records, value):
        """Tell the lists of the record they link to, where one has been looked at.

        Odoo comes to that, too, but compares the new records with the list's domain
        first, for each record that is linked to.
        """
        lists = records.pool.field_inverses[self]
        known = (value in each._get_cache(records.env) for each in lists)
        if isinstance(value, int) and not any(known):
            return None
        return super()._update_inverses(records, value)
