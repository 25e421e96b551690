import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Thread

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
    """Automation rules that tell what they ran on; beside a SoftwareKeyMixin."""

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


class Listener(BaseHTTPRequestHandler):
    """The program of somebody else, which keeps what it is told."""

    def do_POST(self):
        size = int(self.headers["Content-Length"])
        self.server.told.put(json.loads(self.rfile.read(size)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args):
        """Say nothing on the screen."""


class ListenerMixin:
    """A server at ``webhook_url`` that keeps what is posted to it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
        cls.server.told = Queue()
        cls.addClassCleanup(cls.server.server_close)
        cls.webhook_url = f"http://127.0.0.1:{cls.server.server_port}/steps"
        thread = Thread(target=cls.server.serve_forever, daemon=True)
        thread.start()
        cls.addClassCleanup(thread.join)
        cls.addClassCleanup(cls.server.shutdown)

    def _told(self, count, *names):
        """Wait for so many posts, and no more; return them, or these facts of each."""
        posts = [self.server.told.get(timeout=20) for _ in range(count)]
        self.assertTrue(self.server.told.empty())
        if not names:
            return posts
        return [tuple(post[name] for name in names) for post in posts]
