"""What keeps a value that a client gives from being one of a kind, in words."""

import json
from contextlib import suppress
from datetime import date

from odoo import fields
from odoo.api import Environment

# Texts of one line: more would not fit into PostgreSQL's indexes.
TEXT_MAX, TEXT_MAX_BYTES = 1000, 2000
# A name that is made of two of them has no more.
PAIR_MAX = 2 * TEXT_MAX + 3
# The largest number of PostgreSQL's integer, which ids are.
INTEGER_MAX = 2**31 - 1
# No date beyond these can break a calendar, or the grouping by it.
DATE_MIN, DATE_MAX = date(1900, 1, 1), date(2200, 12, 31)


class CheckedValues(dict):
    """A new record's values, which have passed the gate of the models already.

    For a ``create`` that completes them first. What comes from a client never is one.
    """


class CompleteValues(dict):
    """A new record's values that lack no default any more."""


def is_ours(model_name: str) -> bool:
    """Tell whether a model is one of these addons'."""
    return model_name.startswith("client.equipment")


def is_our_module(name: str) -> bool:
    """Tell whether an addon is one of these."""
    return name.startswith("client_equipment")


def text_problem(env: Environment, text: object, one_line: bool = True) -> str | None:
    """Return in words what keeps a value from being a text, or None.

    :param Environment env: for the language
    :param text: what a client has sent
    :param bool one_line: whether it has to fit into one line
    """
    if isinstance(text, bool | float) or not isinstance(text, str | int):
        return env._("it has to be a text")
    text = str(text)
    if problem := character_problem(env, text):
        return problem
    if one_line and len(text) > TEXT_MAX:
        return env._("longer than %s characters", TEXT_MAX)
    if one_line and len(text.encode()) > TEXT_MAX_BYTES:
        return env._("longer than %s bytes (some letters take several)", TEXT_MAX_BYTES)
    return None


def character_problem(env: Environment, text: str) -> str | None:
    """Return in words which character keeps a text from being stored, or None."""
    if "\0" in text:
        return env._("it holds a NUL character")
    try:
        text.isascii() or text.encode()
    except UnicodeEncodeError:
        return env._("it holds half a character (a lone surrogate)")
    return None


def integer_problem(env: Environment, number: object) -> str | None:
    """Return in words what keeps a value from being a whole number, or None."""
    with suppress(ValueError):
        if isinstance(number, str | int) and abs(int(number)) <= INTEGER_MAX:
            return None
        if isinstance(number, float) and number.is_integer():
            return None if abs(number) <= INTEGER_MAX else env._("it is too large")
    return env._("it has to be a whole number that is not too large")


def id_problem(env: Environment, record_id: object) -> str | None:
    """Return in words what keeps a value from being a database id, or None."""
    if (
        isinstance(record_id, int)
        and not isinstance(record_id, bool)
        and 0 < record_id <= INTEGER_MAX
    ):
        return None
    return env._("it has to be the database id of a record")


def date_problem(env: Environment, day: object, far: bool = False) -> str | None:
    """Return in words what keeps a value from being a date, or None.

    :param bool far: whether any day of the calendar will do
    """
    try:
        day = fields.Date.to_date(day) if isinstance(day, str | date) else None
    except ValueError:
        day = None
    if not day:
        return env._("it has to be a date, written YYYY-MM-DD")
    if not far and not DATE_MIN <= day <= DATE_MAX:
        return env._(
            "it has to lie between the years %(first)s and %(last)s",
            first=DATE_MIN.year,
            last=DATE_MAX.year,
        )
    return None


def json_problem(env: Environment, value: object) -> str | None:
    """Return in words what keeps a value from being stored as JSON, or None."""
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return env._("it has to be JSON")
    return character_problem(env, text.replace("\\u0000", "\0"))


def datetime_problem(env: Environment, moment: object) -> str | None:
    """Return in words what keeps a value from being a moment, or None."""
    with suppress(ValueError):
        if isinstance(moment, str | date) and fields.Datetime.to_datetime(moment):
            return None
    return env._("it has to be a moment, written YYYY-MM-DD HH:MM:SS, in UTC")
