import re
from collections.abc import Set

from odoo import api, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

EQUALITIES = ("=", "!=", "in", "not in")
INEQUALITIES = ("<", ">", "<=", ">=")
NUMBER = re.compile(r"\s*[+-]?\d+(\.\d+)?\s*", re.ASCII)
NUMERIC = ("integer", "float", "monetary", "many2one", "many2one_reference")
MANY = 1000  # from here on one question costs less than a look at each record


class ClientEquipmentMixin(models.AbstractModel):
    """What a search compares a number with: what is none, PostgreSQL would refuse in
    words of its own, whether the number is stored or computed. What is asked of very
    many records: the database answers."""

    _inherit = "client.equipment.mixin"

    @api.model
    def _search(self, domain, *args, **kwargs):
        domain = Domain(domain)
        for condition in domain.iter_conditions():
            field = self._fields.get(condition.field_expr)
            if field and field.type in NUMERIC:
                self._check_operand(field, condition.operator, condition.value)
        return super()._search(domain, *args, **kwargs)

    @api.model
    def _check_operand(self, field, operator, operand):
        """Check that what a number, or the id of a record, is compared with is one.

        :raises ValidationError: naming the field and what it is compared with
        """
        if operator not in EQUALITIES + INEQUALITIES:
            return
        several = operator in EQUALITIES and isinstance(operand, list | tuple | Set)
        for value in operand if several else [operand]:
            if not self._is_comparable(field, operator, value):
                raise ValidationError(
                    self.env._(
                        "%(field)s cannot be compared with %(value)s: it has to be a "
                        "number.",
                        field=field._description_string(self.env),
                        value=ascii(value)[:60],
                    )
                )

    @api.model
    def _is_comparable(self, field, operator, value):
        """Tell whether a field of numbers, or of ids, can be compared with a value.

        None and False are no number; a record can be named. What Odoo itself puts into
        a domain (a query, a record that is new) is not looked at.
        """
        named = field.type == "many2one" and operator in EQUALITIES
        match value:
            case None | False:
                return operator in EQUALITIES
            case True:
                return named and field.store
            case str():
                return named or bool(NUMBER.fullmatch(value))
        return not isinstance(value, list | tuple | dict)

    def _check_access(self, operation):
        """Let the database say which of very many records the rules are for; those that
        are left Odoo looks at one by one."""
        doubtful = self
        if len(self) >= MANY and all(self._ids) and self.browse().has_access(operation):
            rules = self.env["ir.rule"]._compute_domain(self._name, operation)
            everything = self.sudo().with_context(active_test=False)
            allowed = everything._search(Domain("id", "in", self._ids) & rules)
            doubtful -= self.browse(allowed)
        return super(ClientEquipmentMixin, doubtful)._check_access(operation)
