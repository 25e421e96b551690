"""How many keys there are of each software, in each status, of each company: known
without looking at them, however many they are.

A file of its own, because it is all that the database does by itself for it.
"""

import logging

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

KEYS = "client_equipment_software_key"
COUNTS = "client_equipment_software_key_count"  # also the trigger's and its function
# What keys are told apart by here, and what is summed up of those that are alike.
KINDS = ("company_id", "software_id", "status")
SUMS = ("amount", "seats", "seats_used", "seats_kept")
# What somebody may ask of keys, and where it stands here.
ASKED = {"__count": "amount:sum"} | {f"{name}:sum": f"{name}:sum" for name in SUMS[1:]}


def _sums(expression):
    return SQL(", ").join(SQL(expression, name=SQL.identifier(name)) for name in SUMS)


def _rows(table, sign):
    """Return the query for keys as they are summed up: one of each, or taken away."""
    return SQL(
        "SELECT company_id, software_id, status, %(sign)s1 AS amount, %(sign)sseats"
        " AS seats, %(sign)sseats_used AS seats_used, %(sign)sseats_kept AS seats_kept"
        " FROM %(table)s",
        sign=SQL(sign),
        table=SQL.identifier(table),
    )


def _summed(rows):
    """Return the query for the sums of such rows, where they are not zero."""
    return SQL(
        "SELECT company_id, software_id, status, %s FROM (%s) AS one"
        " GROUP BY company_id, software_id, status HAVING (%s) <> (0, 0, 0, 0)",
        _sums("sum(%(name)s) AS %(name)s"),
        rows,
        _sums("sum(%(name)s)"),
    )


def _insert(rows):
    """Return the statement that adds the sums of such rows to the counts."""
    return SQL(
        "INSERT INTO %s (company_id, software_id, status, %s) %s",
        SQL.identifier(COUNTS),
        _sums("%(name)s"),
        _summed(rows),
    )


# What a statement has added to the keys, and taken from them. PostgreSQL wants a
# trigger for each, because not every one has both.
TRIGGERS = {
    "insert": (SQL("NEW TABLE AS added"), _rows("added", "")),
    "delete": (SQL("OLD TABLE AS gone"), _rows("gone", "-")),
    "update": (
        SQL("OLD TABLE AS gone NEW TABLE AS added"),
        SQL("%s UNION ALL %s", _rows("added", ""), _rows("gone", "-")),
    ),
}
FUNCTION = SQL(
    """
    CREATE OR REPLACE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'INSERT' THEN %s;
        ELSIF TG_OP = 'DELETE' THEN %s;
        ELSE %s;
        END IF;
        RETURN NULL;
    END $$
    """,
    SQL.identifier(COUNTS),
    *(_insert(rows) for _tables, rows in TRIGGERS.values()),
)


class _Sum(fields.Integer):
    """A sum of integers, which may be larger than one of them."""

    _column_type = ("int8", "int8")


class ClientEquipmentSoftwareKeyCount(models.Model):
    """What each statement has changed in the number of keys of a kind, and in their
    seats: the sum is how many there are.

    The database itself writes it, whoever changes keys and however. Nobody changes a
    row that another one needs, so that nobody waits, and what a transaction sees of the
    keys and of these rows is of one moment. The jobs put the rows of a kind together.
    """

    _name = "client.equipment.software.key.count"
    _description = "Number of Software Keys"
    _inherit = ["client.equipment.mixin"]
    _order = "id"
    _log_access = False

    company_id = fields.Many2one("res.company", fixed=True, ondelete="cascade")
    software_id = fields.Many2one(
        "client.equipment.software", required=True, fixed=True, ondelete="cascade"
    )
    status = fields.Char(required=True, fixed=True)
    amount = fields.Integer("Keys", required=True, fixed=True)
    seats = _Sum(required=True, fixed=True)
    seats_used = _Sum(required=True, fixed=True)
    seats_kept = _Sum(required=True, fixed=True)

    def init(self) -> None:
        """Have the keys counted by the database, from the first one on."""
        result = super().init()
        self.pool.post_init(self._begin_to_count)
        return result

    @api.model
    def _begin_to_count(self):
        """Make the triggers. Where they were not all there, counts anew."""
        self.env.cr.execute(FUNCTION)
        missing = TRIGGERS.keys() - {
            name.removeprefix(f"{COUNTS}_")
            for (name,) in self.env.execute_query(
                SQL("SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass", KEYS)
            )
        }
        for event in sorted(missing):
            tables, _rows_of_event = TRIGGERS[event]
            self.env.cr.execute(
                SQL(
                    "CREATE TRIGGER %s AFTER %s ON %s REFERENCING %s"
                    " FOR EACH STATEMENT EXECUTE FUNCTION %s()",
                    SQL.identifier(f"{COUNTS}_{event}"),
                    SQL(event),
                    SQL.identifier(KEYS),
                    tables,
                    SQL.identifier(COUNTS),
                )
            )
        if missing:
            self._correct()

    @api.model
    def _end_to_count(self):
        """Take the triggers away (Odoo itself takes away the table alone)."""
        self.env.cr.execute(
            SQL("DROP FUNCTION IF EXISTS %s() CASCADE", SQL.identifier(COUNTS))
        )

    @api.model
    def _fold(self):
        """Put the rows of each kind together.

        One statement: whoever reads meanwhile sees the rows before it, or after it. Two
        at once take the same rows, so that the second one is taken anew.
        """
        self.env.cr.execute(
            SQL(
                "WITH gone AS (DELETE FROM %s RETURNING *) %s",
                SQL.identifier(COUNTS),
                _insert(SQL("SELECT * FROM gone")),
            )
        )

    @api.model
    def _correct(self):
        """Compare the counts with the keys, and add what is missing (S7).

        What others count at the same time is neither in what this transaction sees of
        the keys, nor in what it sees of the counts.
        """
        self.env["client.equipment.software.key"].flush_model([*KINDS, *SUMS[1:]])
        counted = SQL(
            "SELECT company_id, software_id, status, %s FROM %s",
            _sums("-%(name)s"),
            SQL.identifier(COUNTS),
        )
        missing = _insert(SQL("%s UNION ALL %s", _rows(KEYS, ""), counted))
        self.env.cr.execute(missing)
        if self.env.cr.rowcount:
            _logger.info("Counts of software keys corrected: %s", self.env.cr.rowcount)
        self._fold()


class ClientEquipmentSoftwareKey(models.Model):
    """What asks for numbers of keys is answered from the counts where these know it."""

    _inherit = "client.equipment.software.key"

    @api.model
    def _read_group(
        self,
        domain,
        groupby=(),
        aggregates=(),
        having=(),
        offset=0,
        limit=None,
        order=None,
    ):
        asked = (domain, groupby, aggregates, having, offset, limit, order)
        order = self._counted_order(groupby, order)
        if having or order is None or not self._are_counted(groupby, aggregates):
            return super()._read_group(*asked)
        domain = self._counted_domain(domain)
        if domain is None:
            return super()._read_group(*asked)
        self.flush_model([*KINDS, *SUMS[1:]])
        # Who may see which keys is in the domain.
        rows = (
            self.env["client.equipment.software.key.count"]
            .sudo()
            ._read_group(
                domain,
                groupby,
                [ASKED[name] for name in aggregates],
                [("amount:sum", "!=", 0)],
                offset,
                limit,
                order,
            )
        )
        return [
            tuple(
                value.with_env(self.env)
                if isinstance(value, models.BaseModel)
                else value
                for value in row
            )
            for row in rows
        ]

    @api.model
    def _are_counted(self, groupby, aggregates):
        """Tell whether the counts know that, and the user may read all of it."""
        return (
            groupby
            and set(groupby) <= set(KINDS)
            and set(aggregates) <= ASKED.keys()
            and all(
                self._has_field_access(self._fields[name], "read") for name in KINDS
            )
        )

    @api.model
    def _counted_order(self, groupby, order):
        """Return the order as the counts have it, or None where they have not."""
        terms = [term.split(maxsplit=1) for term in (order or "").split(",") if term]
        if not {name for name, *_direction in terms} <= {*groupby, *ASKED}:
            return None
        return ", ".join(
            " ".join([ASKED.get(name, name), *direction]) for name, *direction in terms
        )

    @api.model
    def _counted_domain(self, domain):
        """Return the domain of the counts of those keys that the user may see.

        :return: None where it, or a record rule, speaks of more than the counts know
        """
        domain, rules = Domain(domain), Domain.TRUE
        if not self.env.su:
            rules = self.env["ir.rule"]._compute_domain(self._name, "read")
        conditions = [*domain.iter_conditions(), *rules.iter_conditions()]
        if not all(condition.field_expr in KINDS for condition in conditions):
            return None  # before it costs something to see what it means
        self._search(domain)  # the gate, and the rights to the model
        ruled = self.sudo().with_context(active_test=False)
        domain = domain.optimize_full(self) & rules.optimize_full(ruled)
        simple = all(
            condition.operator in ("in", "not in")
            for condition in domain.iter_conditions()
        )
        # What is none of conditions (Domain.custom) stays.
        if simple and domain.map_conditions(lambda _each: Domain.TRUE).is_true():
            return domain
        return None
