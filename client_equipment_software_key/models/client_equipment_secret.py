from odoo import api, models

from ..secret import Secret, as_stored, is_hidden


class Base(models.AbstractModel):
    """What fields that are secrets need of their models, whose ever they are (K16)."""

    _inherit = "base"

    @api.model
    def _post_model_setup__(self):
        """Keep related fields that show a secret apart for each reader.

        What is stored would be the same for all: also where somebody makes such a field
        in Settings.
        """
        for field in self._fields.values():
            if _shows_secret(field):
                field._depends_context = ("uid",)
                field.store, field.search = False, field._search_related
        return super()._post_model_setup__()

    def _fetch_query(self, query, fields):
        """Fetch secrets as they are stored: the cache hides them."""
        if not any(isinstance(field, Secret) for field in fields) or not is_hidden(
            self.env
        ):
            return super()._fetch_query(query, fields)
        stored = super(Base, as_stored(self))
        return stored._fetch_query(query, fields).with_env(self.env)


def _shows_secret(field):
    """Tell whether a field is a related one that ends at a secret."""
    while field.related:
        field = field.related_field
        if isinstance(field, Secret):
            return True
    return False
