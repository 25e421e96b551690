"""What a client may send as the arguments of a public method."""

import functools
import inspect
import typing
from collections.abc import Callable, Collection
from datetime import date
from functools import partial
from typing import NewType

from odoo import fields
from odoo.exceptions import ValidationError

from .values import date_problem, integer_problem, text_problem

# A text of any number of lines; ``str`` is one line.
Lines = NewType("Lines", str)


def checked(method: Callable) -> Callable:
    """Have a public method's arguments checked against its annotations (E2).

    Anybody may send anything over the API. What is of another type is refused in words
    that name the argument; a date may come as ISO text. Known are ``str``, ``Lines``,
    ``int``, ``date``, ``dict``, ``list``, ``list`` of one of these, and ``| None``, for
    which False will do, too.

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
        for name in filter(bound.arguments.__contains__, kinds):
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


@functools.cache
def _parsed(kind):
    """Return ``(plain kind, that of its items or None, whether None will do)``."""
    kinds = typing.get_args(kind) if type(None) in typing.get_args(kind) else (kind,)
    (of_items,) = typing.get_args(kinds[0]) or (None,)
    return typing.get_origin(kinds[0]) or kinds[0], of_items, type(None) in kinds


def _whole_number_problem(env, value):
    if isinstance(value, bool | float):
        return env._("it has to be a whole number")
    return integer_problem(env, value)


def _dict_problem(env, value):
    return None if isinstance(value, dict) else env._("it has to be an object")


def _list_problem(env, value):
    if isinstance(value, str | dict) or not isinstance(value, Collection):
        return env._("it has to be a list")
    return None


# What keeps a value from being of a kind, and how it is made one. (Looked up, not
# compared with: tests that freeze time put another class in the place of ``date``.)
KINDS = {
    str: (text_problem, str),
    Lines: (partial(text_problem, one_line=False), str),
    # (Whether a far date will do, the method itself says.)
    date: (partial(date_problem, far=True), fields.Date.to_date),
    int: (_whole_number_problem, int),
    dict: (_dict_problem, lambda value: value),
    list: (_list_problem, lambda value: value),
}


def _converted(value, kind):
    """Return a value that has been checked as one of its kind."""
    if value is None or value is False:
        return value
    kind, of_items, _optional = _parsed(kind)
    if of_items:
        return [_converted(item, of_items) for item in value]
    return KINDS[kind][1](value)


def _problem(env, value, kind):
    """Return in words what keeps a value from being of a kind, or None."""
    kind, of_items, optional = _parsed(kind)
    if value is None or value is False:
        return None if optional else env._("it is needed")
    if problem := KINDS[kind][0](env, value):
        return problem
    if of_items:
        problems = (_problem(env, item, of_items) for item in value)
        return next(filter(None, problems), None)
    return None
