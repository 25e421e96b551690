"""What a client may send as the arguments of a public method."""

import functools
import inspect
import typing
from datetime import date

from odoo import fields
from odoo.exceptions import ValidationError

from .models.client_equipment_mixin import (
    date_problem,
    id_problem,
    integer_problem,
    text_problem,
)


def checked(method):
    """Have a public method's arguments checked against its annotations (E2).

    Anybody may send anything over the API. What is of another type is refused in words
    that name the argument; a date may come as ISO text. Known are ``str``, ``int``,
    ``date``, ``list``, ``list[int]`` (database ids), ``dict`` and ``| None``, for which
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
            if convert := CONVERTED.get(_alternatives(kinds[name])[0]):
                bound.arguments[name] = value and convert(value)
        return method(*bound.args, **bound.kwargs)

    wrapper.arguments_checked = True
    return wrapper


def _alternatives(kind):
    return typing.get_args(kind) if type(None) in typing.get_args(kind) else (kind,)


def _whole_number_problem(env, value):
    if isinstance(value, bool | float):
        return env._("it has to be a whole number")
    return integer_problem(env, value)


def _dict_problem(env, value):
    return None if isinstance(value, dict) else env._("it has to be an object")


def _list_problem(env, value):
    return None if isinstance(value, list | tuple) else env._("it has to be a list")


def _ids_problem(env, value):
    return _list_problem(env, value) or next(
        filter(None, (id_problem(env, each) for each in value)), None
    )


PROBLEMS = {
    str: text_problem,
    date: date_problem,
    int: _whole_number_problem,
    dict: _dict_problem,
    list: _list_problem,
    list[int]: _ids_problem,
}
CONVERTED = {date: fields.Date.to_date}


def _problem(env, value, kind):
    """Return in words what keeps a value from being of a kind, or None."""
    kinds = _alternatives(kind)
    if value is None or value is False:
        return None if type(None) in kinds else env._("it is needed")
    return PROBLEMS[kinds[0]](env, value)
