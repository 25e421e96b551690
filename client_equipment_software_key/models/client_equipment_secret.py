from odoo import api, models

from ..secret import Secret, as_stored, is_hidden


class ClientEquipmentMixin(models.AbstractModel):
    """What fields that are secrets need of their models (K16)."""

    _inherit = "client.equipment.mixin"

    @api.model
    def _post_model_setup__(self):
        """Keep fields that show another model's secret apart for each reader."""
        for field in self._fields.values():
            if field.related and isinstance(field.related_field, Secret):
                field._depends_context = ("uid",)
        return super()._post_model_setup__()

    def _fetch_query(self, query, fields):
        """Fetch secrets as they are stored: the cache hides them."""
        if not is_hidden(self.env) or not any(
            isinstance(field, Secret) for field in fields
        ):
            return super()._fetch_query(query, fields)
        stored = super(ClientEquipmentMixin, as_stored(self))
        return stored._fetch_query(query, fields).with_env(self.env)
