import logging
import re

import psycopg2

from odoo import models
from odoo.exceptions import UserError, ValidationError
from odoo.http import request
from odoo.tools import config

from ..exceptions import ChangedMeanwhile
from ..values import character_problem, id_problem, is_ours

_logger = logging.getLogger(__name__)

# How JSON spells the characters that no text can hold: half ones, and NUL.
UNUSABLE = re.compile(rb"\\u(0000|[dD][89a-fA-F])")

# What Odoo and PostgreSQL raise where they stumble over a request's own arguments.
MISUNDERSTOOD = (
    psycopg2.DataError,
    psycopg2.ProgrammingError,
    psycopg2.errors.ProgramLimitExceeded,
    psycopg2.errors.StatementTooComplex,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ValueError,
)

# What whoever was second hears from PostgreSQL, or from our own methods.
SECOND = (
    ChangedMeanwhile,
    psycopg2.errors.DeadlockDetected,
    psycopg2.errors.SerializationFailure,
)

# Where a session keeps the transaction in which its user has written last.
LAST_STEP = "client_equipment_last_step"

# How often who was second tries again at once, before Odoo lets him pause.
TRIES = 8


class IrHttp(models.AbstractModel):
    """The border of all calls from outside to the models of these addons."""

    _inherit = "ir.http"

    @classmethod
    def _dispatch(cls, endpoint):
        result = cls._dispatch_call(endpoint)
        if config["db_replica_host"] and request.session.uid:
            cls._remember_step()
        return result

    @classmethod
    def _remember_step(cls):
        """Let the session remember the transaction, where it has written something."""
        cr = request.env.cr
        if not cr.readonly:
            cr.flush()
            if transaction := _get_writing_transaction(cr):
                request.session[LAST_STEP] = transaction

    @classmethod
    def _shows_last_step(cls):
        """Tell whether the database that is asked, which may be a replica, knows of
        what the session's user has written last."""
        transaction = request.session.get(LAST_STEP)
        if not transaction:
            return True
        # All before the oldest that runs have ended. (Which of the others have, a
        # replica does not tell.)
        cr = request.env.cr
        cr.execute(
            "SELECT %s::xid8 < pg_snapshot_xmin(pg_current_snapshot())", [transaction]
        )
        return cr.fetchone()[0]

    @classmethod
    def _dispatch_call(cls, endpoint):
        # pylint: disable=super-method-mismatch
        model, method = cls._client_equipment_call()
        if not model:
            return super()._dispatch(endpoint)
        cls._check_client_equipment_call(model, method)
        try:
            return cls._dispatch_until_served(endpoint)
        except MISUNDERSTOOD as error:
            _logger.warning("%s.%s was not understood", model, method, exc_info=True)
            raise UserError(
                request.env._(
                    "The call of %(method)s of %(model)s cannot be understood: "
                    "%(error)s. Check its arguments.",
                    method=method,
                    model=model,
                    error=str(error).strip().partition("\n")[0][:200]
                    or type(error).__name__,
                )
            ) from error

    @classmethod
    def _client_equipment_call(cls):
        """Return model and method that the request calls, where they are of these
        addons; else two empty texts."""
        params = request.params
        model = params.get("__model__") or params.get("model")
        if not isinstance(model, str) or not is_ours(model):
            return "", ""
        return model, params.get("__method__") or params.get("method") or ""

    @classmethod
    def _check_client_equipment_call(cls, model, method):
        """Check what every call has: its characters, its records and its context.

        :raises ValidationError: naming what is wrong
        """
        params, env = request.params, request.env
        problem = where = None
        if UNUSABLE.search(request.httprequest.get_data()):
            where, problem = _find_unusable(env, params)
        if not problem:
            where, problem = "ids", _ids_problem(env, cls._given_ids(model, method))
        if not problem:
            given = params if "__model__" in params else params.get("kwargs")
            context = isinstance(given, dict) and given.get("context")
            if context and not isinstance(context, dict):
                where, problem = "context", env._("it has to be an object")
        if problem:
            raise ValidationError(
                env._(
                    "The call of %(method)s of %(model)s cannot be carried out, "
                    "because of %(argument)s: %(problem)s.",
                    method=method,
                    model=model,
                    argument=where,
                    problem=problem,
                )
            )

    @classmethod
    def _given_ids(cls, model, method):
        """Return the ids of the records that the request calls a method of."""
        params = request.params
        if "__model__" in params:
            return params.get("ids")
        function = getattr(request.registry.get(model), str(method), None)
        if getattr(function, "_api_model", False):
            return None
        args = params.get("args")
        return args[0] if isinstance(args, list) and args else None

    @classmethod
    def _dispatch_until_served(cls, endpoint):
        """Let who was second try again at once, with a fresh view.

        Odoo would do so, too, after a pause of up to two seconds. Each time somebody
        else has got what he wanted, so that it comes to an end. Where anything was done
        in the transaction before the call itself, that is Odoo's to undo, and to do
        again.
        """
        # pylint: disable=super-method-mismatch
        cr = request.env.cr
        request.env.flush_all()
        untouched = not (_get_writing_transaction(cr) or _waits_for_its_end(cr))
        for _try in range(TRIES if untouched else 0):
            try:
                result = super()._dispatch(endpoint)
                cr.flush()
                return result
            except SECOND:
                cr.rollback()
                request.env.transaction.reset()
                request.env.registry.reset_changes()
        return super()._dispatch(endpoint)


def _get_writing_transaction(cr):
    """Return the number of the transaction, or None where it has written nothing."""
    cr.execute("SELECT pg_current_xact_id_if_assigned()::text")
    return cr.fetchone()[0]


def _waits_for_its_end(cr):
    """Tell whether something is to be done when the transaction ends."""
    queues = (cr.precommit, cr.postcommit, cr.prerollback, cr.postrollback)
    return any(queue._funcs for queue in queues)


def _ids_problem(env, ids):
    """Return in words what keeps a value from being the ids of records, or None."""
    if not ids and (ids is None or ids is False or isinstance(ids, list)):
        return None
    ids = ids if isinstance(ids, list) else [ids]
    return next(filter(None, (id_problem(env, each) for each in ids)), None)


def _find_unusable(env, value, path=""):
    """Return where in a request's arguments a text holds a character that none can
    hold, and the problem in words; or two times None."""
    if isinstance(value, str):
        problem = character_problem(env, value)
        return (path, problem) if problem else (None, None)
    inner = []
    if isinstance(value, dict):
        inner = [(key, path) for key in value]
        inner += [(each, f"{path}.{key}".strip(".")) for key, each in value.items()]
    elif isinstance(value, list):
        inner = [(each, f"{path}.{number}") for number, each in enumerate(value)]
    for each, where in inner:
        found = _find_unusable(env, each, where)
        if found[1]:
            return found
    return None, None
