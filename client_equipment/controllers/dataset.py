from typing import Any

from odoo import http
from odoo.http import request

from odoo.addons.web.controllers.dataset import DataSet


class FreshDataSet(DataSet):
    """Calls of the web client, in which nobody reads what is older than his own last
    step (E5): Odoo itself lets a replica answer however far it is behind."""

    def _is_readonly(self, rule, args):
        readonly = self._call_kw_readonly(rule, args)
        return readonly and request.env["ir.http"]._shows_last_step()

    @http.route(readonly=_is_readonly)
    def call_kw(
        self, model: str, method: str, args: list, kwargs: dict, path: str | None = None
    ) -> Any:
        return super().call_kw(model, method, args, kwargs, path)

    @http.route(readonly=_is_readonly)
    def call_button(
        self, model: str, method: str, args: list, kwargs: dict, path: str | None = None
    ) -> Any:
        return super().call_button(model, method, args, kwargs, path)
