from odoo import api, models

from ..trail import TOLD_FIELDS


class ClientEquipmentSoftwareKey(models.Model):
    """What a key is, beside its life: each change of it is a step, too (K17)."""

    _inherit = "client.equipment.software.key"

    @api.model
    def _get_told_fields(self):
        """Return the names of the fields whose change is told. For extension."""
        return set(TOLD_FIELDS)

    def _get_told(self, names):
        """Return ``{key id: {field: value}}``, each value as the audit trail keeps it:
        a record as its id and its name at this time."""
        return {
            key.id: {name: key._get_told_value(name) for name in sorted(names)}
            for key in self
        }

    def _get_told_value(self, name):
        field, value = self._fields[name], self[name]
        if field.type == "many2one":
            # The name belongs to the evidence, whoever reads or writes it.
            named = value.sudo().with_context(lang=None)
            return [value.id, named.display_name] if value else None
        return value and (str(value) if field.type == "date" else value) or None

    def _tell_changes(self, before, statuses, previous_ends, **step):
        """Write an entry for each of these keys that has changed.

        :param dict before: what :meth:`_get_told` gave before the write
        :param dict statuses: ``{key id: status}`` of the keys whose status follows from
            the change; the others keep theirs
        :param dict previous_ends: ``{key id: validity end}``: the move of an end is a
            step of its own, which comes after this
        :param step: what else :meth:`_transition` needs to know
        """
        changes = {
            key.id: [
                [name, before[key.id][name], value]
                for name, value in told.items()
                if not self._is_same(before[key.id][name], value)
            ]
            for key in self
            for told in [key._get_told(before[key.id])[key.id]]
        }
        changed = self.filtered(lambda key: changes[key.id])
        changed._transition(
            "changed",
            {key.id: statuses.get(key.id, key.status) for key in changed},
            previous_ends=previous_ends,
            changes=changes,
            **step,
        )

    @api.model
    def _is_same(self, before, after):
        """Tell whether two values are the same; records by their id."""
        if isinstance(before, list) and isinstance(after, list):
            return before[0] == after[0]
        return before == after
