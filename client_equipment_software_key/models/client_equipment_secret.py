from collections import defaultdict

from odoo import api, models
from odoo.tools import unique

from ..secret import Secret, as_stored, is_hidden


class Base(models.AbstractModel):
    """What fields that are secrets need of their models, whose ever they are (K16)."""

    _inherit = "base"

    @api.model
    def _post_model_setup__(self):
        result = super()._post_model_setup__()
        if self._name == "base":  # once, when all models have their fields
            self._keep_secrets_apart()
        return result

    @api.model
    def _keep_secrets_apart(self):
        """Have whatever depends on a secret computed for each reader, and neither
        stored nor tracked.

        What is stored would be the same for all: also where another addon declares such
        a field, or somebody makes it in Settings.
        """
        told = self._get_dependents()
        todo = [field for field in told if isinstance(field, Secret)]
        seen = {*todo}
        while todo:
            for field in told[todo.pop()] - seen:
                model = self.env[field.model_name]
                context = (*field.get_depends(model)[1], "uid")
                field._depends_context = tuple(unique(context))
                field.store = field.precompute = field.tracking = False
                if field.related:
                    field.search = field._search_related
                seen.add(field)
                todo.append(field)

    @api.model
    def _get_dependents(self):
        """Return ``{field: the fields that are computed from it}`` of all models."""
        dependents = defaultdict(set)
        for model in self.env.values():
            for field in model._fields.values():
                if field.compute:
                    for path in field.get_depends(model)[0]:
                        dependents[_end(model, field, path)].add(field)
        return dependents

    def _fetch_query(self, query, fields):
        """Fetch secrets as they are stored: the cache hides them."""
        if not any(isinstance(field, Secret) for field in fields) or not is_hidden(
            self.env
        ):
            return super()._fetch_query(query, fields)
        stored = super(Base, as_stored(self))
        return stored._fetch_query(query, fields).with_env(self.env)


def _end(model, field, path):
    """Return the field at the end of a path that another one depends on, or None.

    A name that is another record's depends on that record's name.
    """
    end = None
    for name in path.split("."):
        end = model._fields.get(name)
        if end is None:
            return None
        model = model.env[end.comodel_name] if end.relational else model
    if field.name == "display_name" and end.relational:
        return model._fields["display_name"]
    return end
