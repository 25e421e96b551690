"""Assignments by the thousand: a file of its own, because it does Odoo's work."""

from odoo import api, models
from odoo.tools import SQL

# Odoo puts so many rows into a table with one statement.
FEW = 100
PLAIN = {"boolean", "char", "date", "datetime", "integer", "many2one", "selection"}


class ClientEquipmentFeature(models.Model):
    """Many new assignments are put into their table, and into the cache, column by
    column: Odoo looks at each value of each row, which takes three times as long."""

    _inherit = "client.equipment.feature"

    @api.model
    def _create(self, data_list):
        """Create the rows of new assignments; where another addon has made more than
        plain columns of them, Odoo does."""
        names = list(data_list[0]["stored"])
        if len(data_list) <= FEW or not self._are_plain(names, data_list):
            return super()._create(data_list)
        stored = [data["stored"] for data in data_list]
        columns = {
            self._fields[name]: [values[name] for values in stored] for name in names
        }
        records = self._insert(columns)
        for data, record in zip(data_list, records, strict=True):
            data["record"] = record
        records._remember(columns)
        protected = [(data["protected"], data["record"]) for data in data_list]
        with self.env.protecting(protected):
            records.modified(self._fields, create=True)
        records._validate_fields(names)
        records.check_access("create")
        return records

    @api.model
    def _are_plain(self, names, data_list):
        """Tell whether these fields are columns of one value, the same for each row,
        and all that is stored."""
        plain = {
            name
            for name, field in self._fields.items()
            if field.store
            and field.type in PLAIN
            and not (field.translate or field.company_dependent)
        }
        stored = {name for name, field in self._fields.items() if field.store}
        return (
            stored == plain
            and plain.issuperset(names)
            and not self._inherits
            and all(data["stored"].keys() == set(names) for data in data_list)
        )

    @api.model
    def _insert(self, columns):
        """Put new rows into the table.

        :param columns: ``{field: the value of each row}``
        :return: the records
        """
        arrays = [
            SQL("%s::%s[]", self._converted(field, values), SQL(field.column_type[0]))
            for field, values in columns.items()
        ]
        rows = self.env.execute_query(
            SQL(
                "INSERT INTO %s (%s) SELECT * FROM unnest(%s) RETURNING id",
                SQL.identifier(self._table),
                SQL(", ").join(SQL.identifier(field.name) for field in columns),
                SQL(", ").join(arrays),
            )
        )
        return self.browse(record_id for (record_id,) in rows)

    @api.model
    def _converted(self, field, values):
        """Return values as the column has them; what is the same is looked at once."""
        known = {
            value: field.convert_to_column_insert(value, self) for value in set(values)
        }
        return [known[value] for value in values]

    def _remember(self, columns):
        """Put the values of new records into the cache, and the records into the lists
        of those they link to."""
        for field in self._fields.values():
            if not field.store or field.name == "id":
                continue
            if field not in columns:
                field._insert_cache(self, [None] * len(self))
                continue
            values = columns[field]
            known = {
                value: field.convert_to_cache(value, self) for value in set(values)
            }
            values = [known[value] for value in values]
            field._insert_cache(self, values)
            if self.pool.field_inverses[field]:
                linking = {}
                for record_id, value in zip(self._ids, values, strict=True):
                    linking.setdefault(value, []).append(record_id)
                for value, ids in linking.items():
                    field._update_inverses(self.browse(ids), value)
