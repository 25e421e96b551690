from odoo import api, models


class BaseAutomation(models.Model):
    _inherit = "base.automation"

    @api.model
    def _get_listening(self, records, method, triggers):
        """Return the rules that listen to such records, as Odoo's own patches do.

        Asks the database only where there are rules for the model: there, Odoo has
        patched the method that these triggers hang on.

        :param str method: ``create`` or ``write``
        :param triggers: the triggers that Odoo hangs on it
        """
        if not self._is_patched(records, method):
            return self.browse()
        return self._get_actions(records, triggers)

    @api.model
    def _is_patched(self, records, method):
        """Tell whether Odoo has patched the method of the model, to hear it."""
        return hasattr(getattr(type(records), method), "origin")

    def _get_trigger_specific_field(self):
        """*State is set to* means the status, where a model has one and no state."""
        field = super()._get_trigger_specific_field()
        if field or self.trigger != "on_state_set":
            return field
        return field.search(
            [
                ("model_id", "=", self.model_id.id),
                ("name", "=", "status"),
                ("ttype", "=", "selection"),
            ]
        )
