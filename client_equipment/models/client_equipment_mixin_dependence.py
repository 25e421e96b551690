import re
from contextlib import contextmanager

from psycopg2 import errors

from odoo import api, models
from odoo.exceptions import ValidationError
from odoo.http import request
from odoo.tools import SQL, ormcache

# What a value follows that is computed for its reader.
READER = ("uid", "allowed_company_ids", "lang", "tz")
# So many records that hang on another one are named in one error.
HANGING_MAX = 5


class Base(models.AbstractModel):
    """Whatever is deleted, of any model: not what records of ours depend on (E2)."""

    _inherit = "base"

    @api.ondelete(at_uninstall=False)
    def _unlink_except_with_client_equipment(self):
        self.env["client.equipment.mixin"]._check_unused(self)


class ClientEquipmentMixin(models.AbstractModel):
    """What depends on whom: for its reader, and where something is deleted."""

    _inherit = "client.equipment.mixin"

    @api.model
    def _post_model_setup__(self):
        """Keep what is computed and not stored apart for each reader: nobody is shown
        what was computed for somebody else in the same transaction (E1)."""
        for field in self._fields.values():
            if field.compute and not (field.store or field.related or field.inverse):
                field._depends_context = READER
            if field.compute and field.store and self._transient:
                # A dialog proposes what its maker may see, and nothing else.
                field.compute_sudo = False
        # A drop-down shows another name; of what is named after a record, too.
        self._fields["display_name"]._depends_context += ("formatted_display_name",)
        return super()._post_model_setup__()

    @api.model
    def _check_unused(self, records):
        """Refuse to delete records, of any model, that records of ours depend on.

        :raises ValidationError: naming the record, and what hangs on it
        """
        for model, field in self._fields_to(records):
            if field.ondelete == "restrict":
                model._check_unused_as(field, records)

    @api.model
    @contextmanager
    def _company_still_fits(self, records):
        """Refuse that the block takes records to a company while those of ours that
        link to them belong to another one.

        Whoever links to one of them at this moment is waited for, and whoever does it
        next waits: a foreign key is checked by a lock on what it names.

        :raises UserError: naming those that link to them
        :raises ChangedMeanwhile: where one of these is not to be seen yet
        """
        self.env.cr.execute(
            SQL(
                "SELECT FROM %s WHERE id = ANY(%s) ORDER BY id FOR UPDATE",
                SQL.identifier(records._table),
                list(records.ids),
            ),
            log_exceptions=False,
        )
        yield
        for model, field in self._fields_to(records):
            if field.check_company:
                # Sees the records of every company, as in _check_unused_as.
                every = model.sudo().with_context(active_test=False)
                known = every.search([(field.name, "in", records.ids)])
                known._check_company([field.name])
                known._check_nothing_linked_meanwhile(field, records)

    def _check_nothing_linked_meanwhile(self, field, records):
        """Look again, with a fresh view, at what links to records (E5).

        What this transaction changes or deletes itself is locked, and left out.
        """
        with self._another_view() as cr:
            cr.execute(
                SQL(
                    "SELECT id FROM %s WHERE %s = ANY(%s) FOR SHARE SKIP LOCKED",
                    SQL.identifier(self._table),
                    SQL.identifier(field.name),
                    list(records.ids),
                )
            )
            if {record_id for (record_id,) in cr.fetchall()} - set(self.ids):
                raise self.browse()._changed_error()

    @api.model
    def _fields_to(self, records):
        """Return ``[(model, field)]``: what links records of ours to such records."""
        return [
            (self.env[name], self.env[name]._fields[field])
            for name, field in self._names_of_fields_to(records._name)
        ]

    @api.model
    @ormcache("comodel")
    def _names_of_fields_to(self, comodel):
        return tuple(
            (name, field.name)
            for name in self.env.registry.descendants([self._name], "_inherit")
            if (model := self.env[name])._auto
            for field in model._fields.values()
            if field.comodel_name == comodel
            and field.store
            and field.type == "many2one"
        )

    def _check_unused_as(self, field, records):
        # Sees the records of every company: the database would refuse, too.
        every = self.sudo().with_context(active_test=False)
        query = every._search([(field.name, "in", records.ids)], limit=1)
        if used := every.browse(query)[field.name]:
            raise ValidationError(
                self._foreign_key_message(field, records.browse(used.id))
            )

    def _sql_error_to_message(self, exc):
        """Say in words what this model's table refuses (E2): that something needed is
        missing, or what came about since :meth:`_check_unused` looked.

        PostgreSQL tells that a record which others name cannot be deleted by SQLSTATE
        23503, from version 18 on by 23001 where the key says RESTRICT.
        """
        if request and request.env.uid:
            # A client with an API key has logged in after Odoo began the request.
            self = self.with_env(request.env)
        if isinstance(exc, errors.NotNullViolation):
            if field := self._fields.get(exc.diag.column_name):
                return self.env._(
                    "%(field)s is needed (%(model)s). Fill it in, or leave it as it "
                    "was.",
                    field=field._description_string(self.env),
                    model=self.env["ir.model"]._get(self._name).name,
                )
        if isinstance(exc, errors.ForeignKeyViolation | errors.RestrictViolation):
            field = self._get_foreign_key_field(exc.diag)
            record_id = re.search(r"\)=\((\d+)\)", exc.diag.message_detail or "")
            if field and record_id:
                return self._foreign_key_message(
                    field, self.env[field.comodel_name].browse(int(record_id[1]))
                )
        return super()._sql_error_to_message(exc)

    def _get_foreign_key_field(self, diagnostics):
        """Return the many2one field of a foreign key of this model's table, or None."""
        columns = self.env.execute_query(
            SQL(
                "SELECT attname FROM pg_constraint JOIN pg_attribute"
                " ON attrelid = conrelid AND attnum = ANY(conkey)"
                " WHERE conname = %s AND conrelid = to_regclass(%s)",
                diagnostics.constraint_name,
                self._table,
            )
        )
        return self._fields.get(columns[0][0]) if len(columns) == 1 else None

    def _foreign_key_message(self, field, record):
        """Return why ``record`` cannot be deleted, or that it is gone.

        Nobody is told of records that he may not read.

        :param field: a many2one field of this model
        :param record: what it names
        """
        label = field._description_string(self.env)
        if not record.sudo().exists():
            return self.env._(
                "%(field)s: what was chosen does not exist any more. Choose another.",
                field=label,
            )
        hanging = self.browse()
        if self.env.uid and self.has_access("read"):
            hanging = self.with_context(active_test=False).search(
                [(field.name, "=", record.id)], limit=HANGING_MAX + 1
            )
        name = self.env._("This record")
        if self.env.uid and record.has_access("read"):
            name = record.display_name
        if hanging:
            names = hanging[:HANGING_MAX].mapped("display_name")
            problem = self.env._(
                "%(record)s cannot be deleted, because it is the %(field)s of: "
                "%(names)s (%(model)s).",
                record=name,
                field=label,
                names=", ".join(names + ["…"] * (len(hanging) > HANGING_MAX)),
                model=self.env["ir.model"]._get(self._name).name,
            )
        else:
            problem = self.env._(
                "%s cannot be deleted, because something that you may not see depends "
                "on it.",
                name,
            )
        if "active" in record._fields:
            return problem + " " + self.env._("Archive it instead.")
        return problem + " " + self.env._("Change that first.")
