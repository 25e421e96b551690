"""What keeps an upgrade of these addons from losing a rule in silence.

Odoo drops a changed constraint first; where rows break the new one, it logs a warning
and goes on without either. So each of these addons looks before: its script in
``migrations/0.0.0`` runs whenever its version rises, and asks for whatever rules the
new version declares.
"""

import re
from collections.abc import Iterator
from importlib import import_module

import psycopg2

from odoo import SUPERUSER_ID
from odoo.api import Environment
from odoo.exceptions import UserError
from odoo.models import Constraint, Index, MetaModel
from odoo.sql_db import Cursor
from odoo.tools import SQL, sql

from .text import as_seen

NAMED_ROWS = 10
# What people see of such a text is the text itself.
PLAIN = "^[!-~]+( [!-~]+)*$"

CHECK = re.compile(r"CHECK\s*\((?P<rule>.+)\)", re.S)
UNIQUE = re.compile(
    r"UNIQUE\s*(INDEX\s*)?\((?P<same>.+?)\)\s*(WHERE\s+(?P<where>.+))?", re.S
)
FOREIGN_KEY = re.compile(
    r"FOREIGN KEY\s*\((?P<own>.+?)\)\s*REFERENCES\s+(?P<target>\w+)"
    r"\s*\((?P<theirs>.+?)\)(?!.*NOT VALID).*",
    re.S,
)


def stop_where_rows_are_in_the_way(cr: Cursor, addon: str) -> None:
    """Look for rows that break a constraint or unique index which the upgrade brings.

    :param str addon: the technical name of the addon that is upgraded
    :raises UserError: naming the rows and what to do
    """
    problems = []
    for table, found in declared_rules(addon):
        definition = found.get_definition(None)
        if _current_definition(cr, table, found) == definition:
            continue
        if rows := rows_in_the_way(cr, table, definition):
            rule = found.message if isinstance(found.message, str) else ""
            problems.append(f"{table}: {_names(rows)} ({rule or definition})")
    if problems:
        env = Environment(cr, SUPERUSER_ID, {})
        raise UserError(
            env._(
                "The upgrade of %(addon)s stops before it changes anything of it, "
                "because rows break rules that it brings. Correct them, then upgrade "
                "again.\n%(problems)s",
                addon=addon,
                problems="\n".join(problems),
            )
        )


def drop_indexes_of_fields_without(cr: Cursor, addon: str) -> None:
    """Drop the index of each field that has lost its ``index=``: Odoo keeps it, which
    every write then pays for.

    :param str addon: the technical name of the addon, whose models are loaded
    """
    for model in Environment(cr, SUPERUSER_ID, {}).registry.values():
        if model._original_module != addon or not model._auto:
            continue
        for field in model._fields.values():
            if field.store and field.column_type and not field.index:
                index = sql.make_index_name(model._table, field.name)
                cr.execute(SQL("DROP INDEX IF EXISTS %s", _id(index)))


def declared_rules(addon: str) -> Iterator[tuple[str, Constraint | Index]]:
    """Yield table and rule for all constraints and unique indexes of an addon's own
    Python, whether its models are loaded already or not."""
    import_module(f"odoo.addons.{addon}")
    for definition_class in MetaModel._module_to_models__[addon]:
        table = definition_class._table or definition_class._name.replace(".", "_")
        for found in definition_class._table_object_definitions:
            if rule_of(found.get_definition(None)):
                yield table, found


def rule_of(definition: str) -> re.Match | None:
    """Return what a definition asks of rows, None where it asks nothing (an index) or
    only of new ones (a foreign key that is NOT VALID).

    >>> rule_of("CHECK(months BETWEEN 0 AND (50 * 12))")["rule"]
    'months BETWEEN 0 AND (50 * 12)'
    >>> rule_of("UNIQUE INDEX (lower(tag), COALESCE(unit, 0)) WHERE tag > ''").groups()
    ('INDEX ', 'lower(tag), COALESCE(unit, 0)', "WHERE tag > ''", "tag > ''")
    >>> rule_of("INDEX (tag)")
    """
    kinds = (CHECK, UNIQUE, FOREIGN_KEY)
    return next(filter(None, (kind.fullmatch(definition) for kind in kinds)), None)


def rows_in_the_way(cr: Cursor, table: str, definition: str) -> list[tuple[int, str]]:
    """Return ``(id, name or None)`` of the rows that break a rule, of many the first.

    A rule about columns that do not exist yet is broken by none.
    """
    broken = _breaking(_id(table), rule_of(definition))
    try:
        with cr.savepoint(flush=False):
            cr.execute(
                SQL(
                    "SELECT id, to_jsonb(one) ->> 'name' FROM %s one"
                    " WHERE id IN (%s) ORDER BY id LIMIT %s",
                    _id(table),
                    broken,
                    NAMED_ROWS + 1,
                ),
                log_exceptions=False,
            )
            return cr.fetchall()
    except (psycopg2.errors.UndefinedColumn, psycopg2.errors.UndefinedTable):
        return []


def _breaking(table: SQL, rule: re.Match) -> SQL:
    """Return the query for the ids of rows that break a rule."""
    # What stands in the definition is SQL of our own; a % in it is no placeholder.
    parts = {
        name: SQL((text or "TRUE").replace("%", "%%"))
        for name, text in rule.groupdict().items()
    }
    if rule.re is CHECK:
        return SQL("SELECT id FROM %s WHERE NOT (%s)", table, parts["rule"])
    if rule.re is UNIQUE:
        return SQL(
            "SELECT unnest(array_agg(id)) FROM %(table)s WHERE %(where)s"
            " GROUP BY %(same)s HAVING count(*) > 1 AND num_nulls(%(same)s) = 0",
            table=table,
            **parts,
        )
    return SQL(
        "SELECT id FROM %(table)s WHERE num_nulls(%(own)s) = 0"
        " AND (%(own)s) NOT IN"
        " (SELECT %(theirs)s FROM %(target)s WHERE num_nulls(%(theirs)s) = 0)",
        table=table,
        **parts,
    )


def _current_definition(cr, table, found):
    name = sql.make_identifier(f"{table}_{found.name}")
    if found.get_definition(None).startswith("UNIQUE INDEX"):
        return sql.index_definition(cr, name)[1]
    return sql.constraint_definition(cr, table, name)


def _names(rows):
    names = [
        f"{name} (id {row_id})" if name else f"id {row_id}" for row_id, name in rows
    ]
    more = [] if len(rows) <= NAMED_ROWS else ["and more"]
    return ", ".join(names[:NAMED_ROWS] + more)


def odd_labels(
    cr: Cursor, table: str, column: str, line_break: str = " "
) -> list[tuple[int, str, str]]:
    """Return id, text and what people see of it, of the rows where these differ.

    :param str line_break: what stands for a line break, as of the field
    """
    cr.execute(
        SQL(
            "SELECT id, %(column)s FROM %(table)s"
            " WHERE %(column)s !~ %(plain)s ORDER BY id",
            column=_id(column),
            table=_id(table),
            plain=PLAIN,
        )
    )
    seen = ((row_id, text, as_seen(text, line_break)) for row_id, text in cr.fetchall())
    return [row for row in seen if row[1] != row[2]]


def clean_labels(cr: Cursor, table: str, column: str, line_break: str = " ") -> str:
    """Store the texts of a column as people see them.

    :return: the names of the rows that stay as they are, because another has that
        text already or nothing is left of it
    """
    taken = []
    for row_id, text, seen in odd_labels(cr, table, column, line_break):
        try:
            with cr.savepoint(flush=False):
                cr.execute(
                    SQL(
                        "UPDATE %s SET %s = %s WHERE id = %s",
                        _id(table),
                        _id(column),
                        seen or None,
                        row_id,
                    ),
                    log_exceptions=False,
                )
        except psycopg2.IntegrityError:
            taken.append((row_id, text))
    return _names(taken) if taken else ""


def _id(name):
    return SQL.identifier(name)
