"""What a client may send as the arguments of a public method."""

import functools
import inspect
import typing
from collections.abc import Collection
from datetime import date

from odoo import fields
from odoo.exceptions import ValidationError

from .values import date_problem, integer_problem, text_problem


def checked(method):
    """Have a public method's arguments checked against its annotations (E2).

    Anybody may send anything over the API. What is of another type is refused in words
    that name the argument; a date may come as ISO text. Known are ``str``, ``int``,
    ``date``, ``dict``, ``list``, ``list`` of one of these, and ``| None``, for which
    False will do, too.

    :param method: a method of a model; ``@api.model`` goes above this
    :return: the method, with the same signature
    """
    signature = inspect.signature(method)
    kinds = {
        name: parameter.annotation
        for name, parameter in signature.parameters.items()
        if parameter.annotation is not inspect.Parameter.empty
    }

    @functools.wraps(method)
    def wrapper(self, *args, **kwargs):
        bound = signature.bind(self, *args, **kwargs)
        for name in kinds.keys() & bound.arguments.keys():
            value = bound.arguments[name]
            if problem := _problem(self.env, value, kinds[name]):
                raise ValidationError(
                    self.env._(
                        "%(argument)s of %(method)s cannot be %(value)s: %(problem)s.",
                        argument=name,
                        method=method.__name__,
                        value=ascii(value)[:60],
                        problem=problem,
                    )
                )
            bound.arguments[name] = _converted(value, kinds[name])
        return method(*bound.args, **bound.kwargs)

    wrapper.arguments_checked = True
    return wrapper


def _alternatives(kind):
    return typing.get_args(kind) if type(None) in typing.get_args(kind) else (kind,)


def _converted(value, kind):
    """Return a value that has been checked as one of its kind."""
    if value is None or value is False:
        return value
    kind = _alternatives(kind)[0]
    if kind is date:
        return fields.Date.to_date(value)
    if kind in (str, int):
        return kind(value)
    for each in typing.get_args(kind):
        return [_converted(item, each) for item in value]
    return value


def _problem(env, value, kind):
    """Return in words what keeps a value from being of a kind, or None."""
    kinds = _alternatives(kind)
    if value is None or value is False:
        return None if type(None) in kinds else env._("it is needed")
    if kinds[0] is str:
        return text_problem(env, value)
    if kinds[0] is date:
        return date_problem(env, value, far=True)
    if kinds[0] is int:
        if isinstance(value, bool | float):
            return env._("it has to be a whole number")
        return integer_problem(env, value)
    if kinds[0] is dict:
        return None if isinstance(value, dict) else env._("it has to be an object")
    if isinstance(value, str | dict) or not isinstance(value, Collection):
        return env._("it has to be a list")
    for each in typing.get_args(kinds[0]):
        problems = (_problem(env, item, each) for item in value)
        return next(filter(None, problems), None)
    return None
