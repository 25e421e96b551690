import logging

import psycopg2

from odoo import models
from odoo.exceptions import UserError
from odoo.http import request

from ..exceptions import ChangedMeanwhile

_logger = logging.getLogger(__name__)

# What Odoo and PostgreSQL raise where they stumble over a request's own arguments.
MISUNDERSTOOD = (
    psycopg2.DataError,
    psycopg2.errors.ProgramLimitExceeded,
    psycopg2.errors.SyntaxError,
    psycopg2.errors.UndefinedFunction,
    AssertionError,
    AttributeError,
    LookupError,
    OverflowError,
    TypeError,
    ValueError,
)


# What whoever was second hears from PostgreSQL, or from our own methods.
SECOND = (
    ChangedMeanwhile,
    psycopg2.errors.DeadlockDetected,
    psycopg2.errors.SerializationFailure,
)


class IrHttp(models.AbstractModel):
    """The border of all calls from outside to the models of these addons."""

    _inherit = "ir.http"

    @classmethod
    def _dispatch(cls, endpoint):
        model, method = cls._client_equipment_call()
        if not model:
            return super()._dispatch(endpoint)
        try:
            return cls._dispatch_twice(endpoint)
        except MISUNDERSTOOD as error:
            _logger.warning("%s.%s was not understood", model, method, exc_info=True)
            raise UserError(
                request.env._(
                    "The call of %(method)s of %(model)s cannot be understood: "
                    "%(error)s. Check its arguments.",
                    method=method,
                    model=model,
                    error=str(error).strip().partition("\n")[0][:200],
                )
            ) from error

    @classmethod
    def _client_equipment_call(cls):
        """Return model and method that the request calls, where they are of these
        addons; else two empty texts."""
        params = request.params
        model = params.get("__model__") or params.get("model")
        if not isinstance(model, str) or not model.startswith("client.equipment"):
            return "", ""
        return model, params.get("__method__") or params.get("method") or ""

    @classmethod
    def _dispatch_twice(cls, endpoint):
        """Let who was second try again at once, with a fresh view.

        Odoo would do so, too, after a pause of up to two seconds. Nothing else has
        happened in this transaction but that the request was let in.
        """
        try:
            result = super()._dispatch(endpoint)
            request.env.cr.flush()
            return result
        except SECOND:
            request.env.cr.rollback()
            request.env.transaction.reset()
            request.env.registry.reset_changes()
        return super()._dispatch(endpoint)
