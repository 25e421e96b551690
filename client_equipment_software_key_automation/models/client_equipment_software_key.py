from typing import NamedTuple, Self

from odoo import api, models

from odoo.addons.base_automation.models.base_automation import (
    CREATE_TRIGGERS,
    WRITE_TRIGGERS,
)
from odoo.addons.client_equipment.arguments import checked


class Heard(NamedTuple):
    """What Odoo's own patches of ``create`` or ``write`` are about to hear.

    Handed down in the context, where nobody can send one from outside.
    """

    triggers: list[str]
    # {key id: {field: value before the write}}; None for a key that is being created
    old_values: dict[int, dict | None]


class ClientEquipmentSoftwareKey(models.Model):
    """Steps of a key, which are straight SQL, heard by automation rules.

    A step inside a ``create`` or ``write`` that a rule hears anyway, because Odoo has
    patched it, is left to that: once per step.
    """

    _inherit = "client.equipment.software.key"

    @api.model_create_multi
    @checked
    def create(self, vals_list: list[dict]) -> Self:
        if not self.env["base.automation"]._is_patched(self, "create"):
            return super().create(vals_list)
        keys = self.with_context(software_key_heard=Heard(CREATE_TRIGGERS, {}))
        keys = super(ClientEquipmentSoftwareKey, keys).create(vals_list)
        return keys.with_env(self.env)

    def write(self, vals: dict) -> bool:
        if not self.env["base.automation"]._is_patched(self, "write"):
            return super().write(vals)
        stored = [name for name in vals if getattr(self._fields.get(name), "store", 0)]
        old_values = {key.id: {name: key[name] for name in stored} for key in self}
        keys = self.with_context(software_key_heard=Heard(WRITE_TRIGGERS, old_values))
        return super(ClientEquipmentSoftwareKey, keys).write(vals)

    def _before_transition(self, action):
        """Note where the keys are: their entries tell the rest."""
        keys = super()._before_transition(action)
        if not self.env["base.automation"]._is_patched(self, "write"):
            return keys
        self.sudo().fetch(["equipment_id"])
        places = {key.id: key.equipment_id.id for key in self.sudo()}
        return keys.with_context(software_key_places=places)

    def _after_transition(self, action, audit_logs):  # pylint: disable=missing-return
        super()._after_transition(action, audit_logs)
        heard = self.env.context.get("software_key_heard")
        heard = heard if isinstance(heard, Heard) else Heard([], {})
        keys = self.with_context(software_key_heard=None)
        keys._tell_entries(audit_logs)
        if action != "created":
            keys._tell_update(audit_logs, heard)
        elif heard.triggers is CREATE_TRIGGERS:
            heard.old_values.update(dict.fromkeys(self.ids))

    def _tell_entries(self, audit_logs):
        """Run the rules on the creation of audit logs."""
        automations = self.env["base.automation"]._get_listening(
            audit_logs, "create", CREATE_TRIGGERS
        )
        for automation in automations.with_context(old_values=None):
            entries = audit_logs.with_env(automation.env)
            automation._process(automation._filter_post(entries, feedback=True))

    def _tell_update(self, audit_logs, heard):
        """Run the rules on the update of keys, but for those that Odoo runs itself."""
        automations = self.env["base.automation"]._get_listening(
            self, "write", WRITE_TRIGGERS
        )
        if not automations:
            return
        old_values = self._get_values_before(audit_logs)
        automations = automations.with_context(old_values=old_values)
        keys = self.with_env(automations.env)
        fit = {
            automation: keys._filtered_before(automation, old_values)._filtered_unheard(
                automation, heard
            )
            for automation in automations
        }
        for automation, found in fit.items():
            found, domain = automation._filter_post_export_domain(found, feedback=True)
            automation._process(found, domain_post=domain)

    def _get_values_before(self, audit_logs):
        """Return ``{key id: {field: value}}`` of what the step may have changed.

        Where a key has several entries, the first one tells what was before. A status
        that the step has left as it was may have been changed by the next one.
        """
        places = self.env.context.get("software_key_places", {})
        audit_logs = audit_logs.sudo()
        after = {entry.software_key_id: entry.status_after for entry in audit_logs}
        return {
            entry.software_key_id.id: {
                "status": entry.software_key_id.status
                if entry.status_before == after[entry.software_key_id]
                else entry.status_before,
                "validity_end": entry.validity_end_before,
                "equipment_id": self.env["client.equipment"].browse(
                    places.get(entry.software_key_id.id) or ()
                ),
            }
            for entry in reversed(audit_logs)
        }

    def _filtered_before(self, automation, old_values):
        """Return the keys that fitted the rule's *Before Update Domain*."""
        if not automation.sudo().filter_pre_domain:
            return self
        before = self.browse().concat(
            *(key.new(old_values[key.id], origin=key) for key in self)
        )
        return automation._filter_pre(before, feedback=True)._origin

    def _filtered_unheard(self, automation, heard):
        """Return the keys of which Odoo's own patch will not tell the rule."""
        if automation.sudo().trigger not in heard.triggers:
            return self
        odoo = automation.with_context(old_values=heard.old_values)
        return self.filtered(
            lambda key: (
                key.id not in heard.old_values
                or heard.triggers is WRITE_TRIGGERS
                and not odoo._check_trigger_fields(key)
            )
        )
