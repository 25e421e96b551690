from odoo.tests import HttpCase

from odoo.addons.client_equipment_software_key.tests.common import SoftwareKeyMixin

from .common import KEY, RuleMixin


class TestRuleForm(RuleMixin, SoftwareKeyMixin, HttpCase):
    """H2: an administrator makes a rule for a status on Odoo's own form."""

    def test_state_is_set_to(self):
        """H2: *State is set to* is offered for the status of keys, with its values."""
        self._new_user("admin", "base.group_system")
        action = self.env.ref("base_automation.base_automation_act")
        self.start_tour(
            f"/odoo/action-{action.id}",
            "client_equipment_software_key_rule",
            login="sk_admin",
        )
        rule = self.env["base.automation"].search([("model_name", "=", KEY)])
        self.assertEqual(rule.trigger_field_ids.name, "status")
        self.assertEqual(rule.filter_domain, "[('status', '=', 'expired')]")
