"""Whether the database still guarantees what our models say that it does.

A file of its own, because it looks at all models: what is declared next year is looked
after, too. Where data break a constraint that an upgrade brings, Odoo logs one warning
and goes on without it; nothing else would ever tell.
"""

from collections.abc import Iterator
from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL
from odoo.tools.sql import make_index_name

from .client_equipment_software_key_count import COUNTS, KEYS, TRIGGERS

# What the database has, in the shape of ``Guarantee``. An index without a comment has
# been tuned by hand, and is as good (Odoo sees it so, too).
EXISTING = SQL("""
    SELECT 'constraint', t.relname, c.conname,
           COALESCE(obj_description(c.oid, 'pg_constraint'),
                    pg_get_constraintdef(c.oid))
      FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
     WHERE t.relnamespace = current_schema::regnamespace
     UNION ALL
    SELECT 'index', t.relname, i.relname,
           COALESCE(obj_description(i.oid, 'pg_class'), '')
      FROM pg_index x
      JOIN pg_class i ON i.oid = x.indexrelid
      JOIN pg_class t ON t.oid = x.indrelid
     WHERE x.indisvalid AND t.relnamespace = current_schema::regnamespace
     UNION ALL
    SELECT 'link', t.relname, a.attname, target.relname || ' ' ||
           CASE c.confdeltype WHEN 'r' THEN 'restrict' WHEN 'c' THEN 'cascade'
                              WHEN 'n' THEN 'set null' ELSE 'other' END
      FROM pg_constraint c
      JOIN pg_class t ON t.oid = c.conrelid
      JOIN pg_class target ON target.oid = c.confrelid
      JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = c.conkey[1]
     WHERE c.contype = 'f' AND t.relnamespace = current_schema::regnamespace
     UNION ALL
    SELECT 'trigger', t.relname, g.tgname, ''
      FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid
     WHERE g.tgenabled IN ('O', 'A') AND NOT g.tgisinternal
       AND t.relnamespace = current_schema::regnamespace
     UNION ALL
    SELECT 'required', t.relname, a.attname, ''
      FROM pg_attribute a JOIN pg_class t ON t.oid = a.attrelid
     WHERE a.attnotnull AND a.attnum > 0
       AND t.relnamespace = current_schema::regnamespace
""")


class Guarantee(NamedTuple):
    """One thing that the database keeps to, whoever writes."""

    kind: str  # "constraint", "index", "link" (a foreign key), "trigger", "required"
    table: str
    name: str  # of the constraint, index or trigger; of the column
    detail: str = ""  # how it is defined


class ClientEquipmentSoftwareKey(models.Model):
    """The part of *Check Consistency* that looks at the database itself."""

    _inherit = "client.equipment.software.key"

    @api.model
    @api.readonly
    def get_missing_guarantees(self) -> list[str]:
        """Tell what the database should guarantee and does not (constraints, unique
        and other indexes, links between tables, triggers, required fields), of all
        models of these addons and of what they add to others.

        :return: a sentence for each; an upgrade of the addon brings it back, or its log
            names the rows in the way
        :raises AccessError: where the user may not change keys
        """
        self.check_access("write")
        existing = {Guarantee(*row) for row in self.env.execute_query(EXISTING)}
        return [
            self._missing_text(guarantee, model)
            for guarantee, model in self._get_guarantees()
            if existing.isdisjoint({guarantee, _tuned(guarantee)})
        ]

    @api.model
    def _missing_text(self, guarantee, model):
        """Return in the reader's language what is missing, and what that means."""
        texts = {
            "constraint": self.env._(
                "%(model)s: the rule %(name)s is missing, so wrong data may come in."
            ),
            "index": self.env._(
                "%(model)s: the index %(name)s is missing, so searches may be slow, or "
                "the same value may come in twice."
            ),
            "link": self.env._(
                "%(model)s: the link %(name)s is not kept, so it may point to what is "
                "gone."
            ),
            "trigger": self.env._(
                "%(model)s: the trigger %(name)s is missing, so keys may be counted "
                "wrongly."
            ),
            "required": self.env._("%(model)s: %(name)s may be left empty."),
        }
        description = self.env["ir.model"]._get(model._name).name
        return texts[guarantee.kind] % {"model": description, "name": guarantee.name}

    @api.model
    def _get_guarantees(self) -> Iterator[tuple[Guarantee, models.BaseModel]]:
        """Yield what the database should guarantee, with the model that says so."""
        for event in TRIGGERS:
            yield Guarantee("trigger", KEYS, f"{COUNTS}_{event}"), self
        for name in self.env.registry:
            model = self.env[name]
            if not _has_table(model):
                continue
            all_ours = name.startswith("client.equipment")
            for found in model._table_objects.values():
                if all_ours or found._module.startswith("client_equipment"):
                    yield from ((each, model) for each in _of_object(model, found))
            for field in model._fields.values():
                if field.store and (
                    all_ours or (field._module or "").startswith("client_equipment")
                ):
                    yield from ((each, model) for each in _of_field(model, field))


def _tuned(guarantee: Guarantee) -> Guarantee:
    """Return the guarantee as an index gives it that was made by hand."""
    return guarantee._replace(detail="") if guarantee.kind == "index" else guarantee


def _has_table(model: models.BaseModel) -> bool:
    return model._auto and not model._abstract and model._is_an_ordinary_table()


def _of_object(model, found) -> Iterator[Guarantee]:
    """Yield what a models.Constraint, Index or UniqueIndex asks for."""
    if definition := found.get_definition(model.pool):
        kind = "index" if isinstance(found, models.Index) else "constraint"
        yield Guarantee(kind, model._table, found.full_name(model), definition)


def _of_field(model, field) -> Iterator[Guarantee]:
    """Yield what a stored field asks for: a column, or a table of its own."""
    table, comodel = model._table, model.env.get(field.comodel_name)
    if field.type == "many2many":
        yield from _link(field.relation, field.column1, model, "cascade")
        yield from _link(field.relation, field.column2, comodel, field.ondelete)
    if not field.column_type or field.name == "id":
        return
    if field.required:
        yield Guarantee("required", table, field.name)
    if field.index and (field.index != "trigram" or model.pool.has_trigram):
        yield Guarantee("index", table, make_index_name(table, field.name))
    if field.type == "many2one" and not field.company_dependent:
        yield from _link(table, field.name, comodel, field.ondelete or "set null")


def _link(table, column, target, ondelete) -> Iterator[Guarantee]:
    """Yield the foreign key, where Odoo makes one: not to a view."""
    if _has_table(target) and target._table != "ir_actions":
        yield Guarantee("link", table, column, f"{target._table} {ondelete}")
