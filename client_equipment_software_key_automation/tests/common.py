from odoo import Command

KEY, AUDIT_LOG = "client.equipment.software.key", "client.equipment.audit.log"
NOTE = """
env["ir.logging"].create({
    "name": "rule %s",
    "message": f"{record.id} {record['action' if 'action' in record else 'status']}",
    "type": "server",
    "path": "",
    "func": "",
    "line": "",
})
"""


class RuleMixin:
    """Automation rules that tell which records they ran on; beside a SoftwareKeyMixin."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # What Odoo patches for a rule outlives its transaction.
        cls.addClassCleanup(cls.env["base.automation"]._unregister_hook)

    @classmethod
    def _rule(cls, model, trigger, *trigger_fields, action=None, **values):
        """Return a new rule, made by the administrator.

        :param action: values of its action; else it notes what :meth:`_noted` returns
        """
        fields = cls.env["ir.model.fields"]
        watched = [fields._get(model, name).id for name in trigger_fields]
        if watched:
            values["trigger_field_ids"] = [Command.set(watched)]
        model_id = cls.env["ir.model"]._get_id(model)
        rule = cls.env["base.automation"].create(
            {
                "name": f"{model} {trigger}",
                "model_id": model_id,
                "trigger": trigger,
                **values,
            }
        )
        rule.action_server_ids = [
            Command.create(
                {
                    "name": "Tell",
                    "model_id": model_id,
                    "usage": "base_automation",
                    **(action or {"state": "code", "code": NOTE % rule.id}),
                }
            )
        ]
        return rule

    def _noted(self, rule):
        """Return what the rule has run on since this was asked last: one
        ``"<id> <status of the key, or action of the entry>"`` for each time."""
        self.env.flush_all()
        lines = self.env["ir.logging"].search(
            [("name", "=", f"rule {rule.id}")], order="id"
        )
        noted = lines.mapped("message")
        lines.unlink()
        return noted
