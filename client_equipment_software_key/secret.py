"""License keys are secrets (K16): the field that shows them to their readers alone.

There are two ways to a stored value: the cache of the ORM, which everything that Python
does reads, and SQL. Here both are hidden behind; whoever asks and by whatever route
(read, related and computed fields, names, export, domain, order, groups, aggregates)
gets the hint instead. It is the user who counts, not ``sudo()``: Odoo shows names and
related fields with its rights.
"""

import re
from collections.abc import MutableMapping

from odoo import SUPERUSER_ID
from odoo.api import Environment
from odoo.models import BaseModel
from odoo.tools import SQL

from odoo.addons.client_equipment.fields import Label

from .license_key import HINT, HINT_LENGTH, hint

READER = "client_equipment_software_key.group_license_key_reader"
# Of the one query that fills the cache, and of conditions on what is stored: no client
# can give a context this object.
_STORED = object()
_CONTEXT = "secret"
# PostgreSQL finds endings of so many characters by the trigrams of its index.
ENDING_MIN = 3
# So much of a long text tells it from most others; more would cost more.
SOUGHT = 10


def is_hidden(env: Environment) -> bool:
    """Tell whether secrets are hidden from the user, who may still have one shown."""
    if env.uid == SUPERUSER_ID or env.context.get(_CONTEXT) is _STORED:
        return False
    return not (env.uid and env.user.has_group(READER))


def as_stored(model: BaseModel) -> BaseModel:
    """Return the model for a query of what is stored, whoever reads it.

    For the query alone: nothing may be computed there.
    """
    return model.with_context(**{_CONTEXT: _STORED})


def hint_sql(column: SQL) -> SQL:
    """Return the SQL of a column's hint, as ``license_key.hint`` gives it."""
    return SQL(
        f"('{HINT}' || right(%s, LEAST({HINT_LENGTH}, GREATEST(length(%s) / 2, 1))))",
        column,
        column,
    )


class Secret(Label):
    """A text that is whole for the readers of secrets, and a hint to others.

    Others find it by the whole text, or by what the hint shows; no other part of it can
    be found out by a condition, an order or a group.
    """

    def stored(self, record: BaseModel) -> str | bool:
        """Return the whole value of a record, for what the system does with it."""
        self.__get__(record)  # brings it into the cache
        return record.env.transaction.field_data[self].get(record.id) or False

    # ------------------------------------------------------------------
    # The cache
    # ------------------------------------------------------------------

    def _get_cache_impl(self, env):
        if self.related:  # of a model that holds keys by ``_inherits``: one for each
            return super()._get_cache_impl(env)
        cache = env.transaction.field_data[self]
        return _Hints(cache) if is_hidden(env) else cache

    # ------------------------------------------------------------------
    # Queries
    # ------------------------------------------------------------------

    def _description_sortable(self, env):
        """Offer no list sorted by what is not shown: last characters have no order of
        use, and no index."""
        return not is_hidden(env) and super()._description_sortable(env)

    def to_sql(self, model: BaseModel, alias: str) -> SQL:
        """Return what a query sees of the field: what it compares, sorts, groups."""
        column = super().to_sql(model, alias)
        return hint_sql(column) if is_hidden(model.env) else column

    def _condition_to_sql(self, field_expr, operator, value, model, alias, query):
        positive = operator.removeprefix("not ")
        if not is_hidden(model.env) or positive not in ("in", *LIKE):
            return super()._condition_to_sql(
                field_expr, operator, value, model, alias, query
            )

        def stored(operator, value):
            return super(Secret, self)._condition_to_sql(
                field_expr, operator, value, as_stored(model), alias, query
            )

        shown = self.to_sql(model, alias)
        if positive == "in":
            texts = [
                text for text in value if isinstance(text, str) and text[:1] == HINT
            ]
            found = [stored("in", value)]
        else:
            text = self.as_seen(str(value))
            texts = [text] if len(text.lstrip(HINT)) >= ENDING_MIN else []
            # The index finds the candidates, here and below.
            start = "%" if len(text) > SOUGHT else ""
            found = [
                SQL(
                    "(%s AND lower(%s) = lower(%s))",
                    stored("=ilike", start + _literal(text[-SOUGHT:])),
                    self.to_sql(as_stored(model), alias),
                    text,
                )
            ]
        found += [
            SQL(
                "(%s AND %s ILIKE %s)",
                stored("=ilike", "%" + _literal(text.lstrip(HINT))),
                shown,
                HINT + _literal(text.lstrip(HINT)),
            )
            for text in texts
            if len(text.lstrip(HINT)) <= HINT_LENGTH
        ]
        condition = SQL("(%s)", SQL(" OR ").join(found))
        if positive != operator:
            return SQL("%s IS NOT TRUE", condition)
        return condition


LIKE = ("like", "ilike", "=like", "=ilike")


def _literal(text):
    """Return the pattern that finds the text itself."""
    return re.sub(r"([\\%_])", r"\\\1", text)


class _Hints(MutableMapping):
    """A cache of secrets as others see it. What is put there is kept whole."""

    def __init__(self, cache):
        self._cache = cache

    def __getitem__(self, record_id):
        value = self._cache[record_id]
        # What a form holds, which is not saved, is what the user has typed or been
        # shown.
        return hint(value) if value and record_id else value

    def __setitem__(self, record_id, value):
        self._cache[record_id] = value

    def __delitem__(self, record_id):
        del self._cache[record_id]

    def __iter__(self):
        return iter(self._cache)

    def __len__(self):
        return len(self._cache)
