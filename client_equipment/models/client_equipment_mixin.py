import base64
import binascii
import math
from collections.abc import Collection
from contextlib import contextmanager, suppress
from functools import cache
from typing import Self

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.models import MAGIC_COLUMNS
from odoo.tools import frozendict, ormcache

from ..arguments import checked
from ..exceptions import ChangedMeanwhile, RowRefused
from ..fields import Label
from ..text import as_seen, in_drop_down
from ..values import (
    CheckedValues,
    CompleteValues,
    date_problem,
    datetime_problem,
    id_problem,
    integer_problem,
    is_our_module,
    json_problem,
    text_problem,
)

# What the context of an export holds: no client can give it this object.
EXPORTING = object()
# Which of a command's places may hold ids (odoo.fields.Command).
COMMANDS = range(7)


class ClientEquipmentMixin(models.AbstractModel):
    """The gate that all values of the models of these addons pass.

    Whatever the route (form, list, import, API, defaults of the context or of a user,
    commands of another record), a value is of its field's type, a field with
    ``fixed=True`` is set by the system alone, and a link leads to a record that who
    sets it may read.
    """

    _name = "client.equipment.mixin"
    _description = "Client Equipment Mixin"

    def ensure_one(self) -> Self:
        try:
            return super().ensure_one()
        except ValueError as error:
            raise UserError(
                self.env._(
                    "This needs one record (%(model)s), not %(count)s. Choose one.",
                    model=self.env["ir.model"]._get(self._name).name,
                    count=len(self),
                )
            ) from error

    def _valid_field_parameter(self, field, name):
        # fixed: set by the system alone
        return name == "fixed" or super()._valid_field_parameter(field, name)

    @api.model
    @ormcache()
    def _fixed_fields(self):
        """Return the names of the fields that only the system sets."""
        return frozenset(
            name for name, field in self._fields.items() if getattr(field, "fixed", 0)
        )

    @api.model
    @ormcache()
    def _linking_fields(self):
        """Return the names of the stored fields that link to records."""
        return frozenset(
            name
            for name, field in self._fields.items()
            if field.relational and field.store
        )

    # ------------------------------------------------------------------
    # Routes
    # ------------------------------------------------------------------

    @api.model
    def default_get(self, fields: list[str]) -> dict:
        """Give what the system alone sets its own default, whatever the context or a
        stored default says; what they say of the rest is checked and cleaned."""
        fixed = self._fixed_fields().intersection(fields)
        names = [name for name in fields if name not in fixed]
        given = self._get_given_defaults(names)
        self._check_values(given)
        vals = super().default_get(names)
        if given:
            vals = self._clean_values(vals)
        return vals | {
            name: default(self)
            for name in fixed
            if (default := self._fields[name].default)
        }

    @api.model_create_multi
    @checked
    def create(self, vals_list: list[dict]) -> Self:
        """Check what is created: here its shape, the rest where all ways meet."""
        return super().create(vals_list)

    @api.model
    def _load_records(self, data_list, update=False):
        """Tell Odoo's import no more than that one of many rows is refused.

        It goes on row by row then, so that each bad row is named; with the words it
        would put them upon the first row, too.
        """
        try:
            return super()._load_records(data_list, update)
        except UserError as error:
            if len(data_list) == 1:
                raise
            raise RowRefused from error

    @api.model
    def _get_given_defaults(self, names):
        """Return the defaults that somebody has given: in the context, or stored."""
        given = self.env["ir.default"]._get_model_defaults(self._name) | {
            key.removeprefix("default_"): value
            for key, value in self.env.context.items()
            if key.startswith("default_")
        }
        return {name: given[name] for name in names if name in given} if given else {}

    @api.model
    @ormcache()
    def _has_common_defaults(self):
        """Tell whether records that are created at once have the same defaults.

        Ours have. Another addon's may be a number of its own for each record.
        """
        fields = self._fields.values()
        gives = ("default_get", "_add_missing_default_values")
        return (
            not self._inherits
            and all(field.type != "properties" for field in fields)
            and all(
                field.type not in ("one2many", "many2many")
                and all(map(is_our_module, field._modules))
                for field in fields
                if field.default
            )
            and all(
                cls.__module__.startswith(("odoo.addons.client_equipment", "odoo.orm."))
                for cls in type(self).mro()
                if not vars(cls).keys().isdisjoint(gives)
            )
        )

    @api.model
    def _completed_at_once(self, vals_list):
        """Return the values of new records with all their defaults, where these can be
        asked for once; Odoo asks for those of all fields of each record."""
        if not self._has_common_defaults() or self._get_given_defaults(self._fields):
            return vals_list

        @cache
        def defaults(names):
            return self._add_missing_default_values(dict.fromkeys(names))

        return [CompleteValues(defaults(frozenset(vals)) | vals) for vals in vals_list]

    @api.model
    def _add_missing_default_values(self, values):
        if isinstance(values, CompleteValues):
            return values
        return super()._add_missing_default_values(values)

    def _prepare_create_values(self, vals_list):
        """Check what a record is created with; every way of creating one leads here."""
        vals_list = super()._prepare_create_values(
            self._completed_at_once([self._checked(vals) for vals in vals_list])
        )
        self._check_links(vals_list)
        return vals_list

    def write(self, vals: dict) -> bool:
        vals = self._checked(vals)
        self._check_links([vals])
        return super().write(vals)

    def _write_fixed(self, vals):
        """Set what the system alone sets. For the methods of the model itself.

        :return: True
        """
        return super().write(vals)  # pylint: disable=super-method-mismatch

    @checked
    def onchange(self, values: dict, field_names: list[str], fields_spec: dict) -> dict:
        """Check what a form is about to show, as if it were saved."""
        self._check_names(fields_spec)
        own = self._checked_onchange(values, field_names, fields_spec)
        changed = [name for name in field_names if name in own]
        if field_names and not changed:
            return {"value": {}}
        # What has been taken out of the values must not come back as a default.
        defaults = {f"default_{name}" for name in fields_spec if name not in own}
        context = {
            name: value
            for name, value in self.env.context.items()
            if name not in defaults
        }
        records = self.with_env(self.env(context=context))
        records = super(ClientEquipmentMixin, records)
        return records.onchange(own, changed, fields_spec)

    def _checked_onchange(self, values, field_names, fields_spec):
        """Return an onchange's values, of which only a form's own are left."""
        if not field_names:
            missing = [name for name in fields_spec if name not in values]
            values = self.default_get(missing) | values
        fixed = self._fixed_fields()
        values = {
            name: value
            for name, value in values.items()
            if name not in fixed and not self._is_hidden_link(name, value)
        }
        # A line gets the values of the form that it stands in, which may be new.
        self._check_values(
            {
                name: value
                for name, value in values.items()
                if not (
                    isinstance(value, dict)
                    and name in self._fields
                    and self._fields[name].type == "many2one"
                    and not value.get("id")
                )
            }
        )
        self._check_links(
            [
                {
                    name: value
                    for name, value in values.items()
                    if not self._is_unchanged_link(name, value)
                }
            ]
        )
        return values

    def _is_hidden_link(self, name, value):
        """Tell whether a link that a form only shows leads to what must not be read."""
        field = self._fields.get(name)
        if not value or not field or not field.relational or field.store:
            return False
        if self._value_problem(field, value):
            return True
        ids = self._linked_ids(field, value)
        return not self._linked(field.comodel_name, ids).has_access("read")

    def _is_unchanged_link(self, name, value):
        """Tell whether the value is what the record links to already."""
        field = self._fields.get(name)
        return bool(
            field
            and field.type == "many2one"
            and len(self) == 1
            and isinstance(value, int)
            and self[name]._origin.id == value
        )

    # ------------------------------------------------------------------
    # Checks
    # ------------------------------------------------------------------

    @api.model
    def _clean_values(self, vals):
        """Return values, checked for their types, as they are stored.

        A label is what people see of it, and a line in which nobody sees anything is
        none. Models extend this, for texts that are tidied up.
        """
        return vals | {
            name: text
            for name, value in vals.items()
            if isinstance(value, str)
            and (text := self._clean_text(self._fields.get(name), value)) != value
        }

    @api.model
    def _clean_text(self, field, text):
        """Return a text as a field stores it."""
        if isinstance(field, Label):
            return field.as_seen(text) or False
        if not field or field.type != "char":
            return text
        if not as_seen(text):
            return False
        return text.strip() if field.required else text

    def _checked(self, vals):
        """Return the values of one ``create`` or ``write``, checked and cleaned.

        :raises UserError: where one is of the wrong type, or set by the system alone
        """
        if isinstance(vals, CheckedValues):
            return vals
        if not isinstance(vals, (dict, frozendict)):
            raise ValidationError(
                self.env._("The values of a record have to be given by field.")
            )
        self._check_values(vals)
        fixed = self._fixed_fields() & vals.keys()
        if changed := [name for name in fixed if self._is_changed(name, vals[name])]:
            raise UserError(self._fixed_message(self._fields[min(changed)]))
        return self._clean_values(
            {
                name: self._plain_link(name, value)
                for name, value in vals.items()
                if name not in fixed
            }
        )

    def _plain_link(self, name, value):
        """Return the id alone of a link that comes as record, or with its name."""
        if isinstance(value, (list, tuple, models.BaseModel, dict)):
            if self._fields[name].type == "many2one":
                if isinstance(value, models.BaseModel):
                    return value.id
                return value.get("id") if isinstance(value, dict) else value[0]
        return value

    def _is_changed(self, name, value):
        """Tell whether the value differs from what the records have (or lack, while
        there is none)."""
        if self._fields[name].type in ("one2many", "many2many"):
            return bool(value)
        for record in self:
            current = record[name]
            if isinstance(current, models.BaseModel):
                current = current.id
            if (current or False) != (value or False):
                return True
        return bool(value) and not self

    def _fixed_message(self, field):
        """Return in words that the system alone sets a field. Models extend this."""
        return self.env._(
            "%(field)s is set by the system alone (%(model)s). Leave it out.",
            field=field._description_string(self.env),
            model=self.env["ir.model"]._get(self._name).name or self._description,
        )

    def _check_values(self, vals):
        """Check that values are of their fields' types.

        :raises ValidationError: naming the field, the value and what is wrong
        """
        self._check_names(vals)
        for name, value in vals.items():
            if value is None or value is False or name in MAGIC_COLUMNS:
                continue
            field = self._fields[name]
            if problem := self._value_problem(field, value):
                raise ValidationError(
                    self.env._(
                        "%(field)s cannot be %(value)s: %(problem)s.",
                        field=field._description_string(self.env),
                        value=ascii(value)[:60],
                        problem=problem,
                    )
                )

    @api.model
    def _check_names(self, names):
        """Check that the model has fields of these names.

        :raises ValidationError: naming the first that it lacks
        """
        for name in names:
            if not isinstance(name, str) or name not in self._fields:
                raise ValidationError(
                    self.env._(
                        "%(model)s has no field %(field)s. Leave it out, or correct "
                        "its name.",
                        model=self.env["ir.model"]._get(self._name).name,
                        field=ascii(name)[:60],
                    )
                )

    def _value_problem(self, field, value):
        """Return in words what keeps a value from being one of the field, or None."""
        match field.type:
            case "char" | "text" | "html":
                return self._text_problem(field, value)
            case "date":
                return date_problem(self.env, value, far=self._transient)
            case "datetime":
                return datetime_problem(self.env, value)
            case "integer" | "boolean":
                return integer_problem(self.env, value)
            case "float" | "monetary":
                return self._float_problem(value)
            case "selection":
                return self._selection_problem(field, value)
            case "many2one":
                return self._link_problem(value)
            case "one2many" | "many2many":
                return self._commands_problem(value)
            case "json":
                return json_problem(self.env, value)
            case "binary":
                return self._binary_problem(value)
        return None

    def _text_problem(self, field, value):
        if field.type == "html" and not isinstance(value, str):
            value = None  # Odoo would store that a number cannot be sanitized
        problem = text_problem(self.env, value, one_line=field.type == "char")
        if not problem and isinstance(field, Label):
            # some letters become longer
            problem = text_problem(self.env, field.as_seen(str(value)))
        return problem

    def _float_problem(self, value):
        with suppress(TypeError, ValueError, OverflowError):
            if math.isfinite(float(value)):
                return None
        return self.env._("it has to be a number")

    def _selection_problem(self, field, value):
        labels = dict(field._description_selection(self.env))
        if isinstance(value, str) and value in labels:
            return None
        return self.env._(
            "it has to be one of %s", ", ".join(map(str, labels.values()))
        )

    def _link_problem(self, value):
        if isinstance(value, models.BaseModel):
            return None
        if isinstance(value, list | tuple) and len(value) == 2:
            value = value[0]  # with its name, as read() gives it
        elif isinstance(value, dict):
            value = value.get("id", value)
        return value is not False and id_problem(self.env, value) or None

    def _commands_problem(self, value):
        if isinstance(value, models.BaseModel):
            return None
        if isinstance(value, list | tuple) and all(map(self._is_command, value)):
            return None
        return self.env._("it has to be a list of commands")

    def _is_command(self, command):
        """Tell whether this is a command for many records, or the id of one."""
        if isinstance(command, int):
            return not id_problem(self.env, command)
        if not isinstance(command, list | tuple) or not 1 <= len(command) <= 3:
            return False
        number, record_id, values = (*command, None, None)[:3]
        if type(number) not in (int, fields.Command) or number not in COMMANDS:
            return False
        if number in (0, 1) and not isinstance(values, dict | frozendict):
            return False
        if number == 6:
            return isinstance(values, list | tuple) and not any(
                id_problem(self.env, each) for each in values
            )
        # A virtual id (text) of a line that has not been saved yet is none of ours.
        return (
            number in (0, 5)
            or isinstance(record_id, str)
            or not id_problem(self.env, record_id)
        )

    def _binary_problem(self, value):
        try:
            base64.b64decode(value, validate=isinstance(value, str))
        except (binascii.Error, TypeError, ValueError):
            return self.env._("it has to be a file, encoded as base64")
        return None

    def _check_links(self, vals_list):
        """Check that who links to records may read them.

        Odoo shows the name of whatever a record links to.

        :raises AccessError: where they may not
        """
        if self.env.su:
            return
        linked = {}
        for name in self._linking_fields():
            values = [vals[name] for vals in vals_list if vals.get(name)]
            if not values:
                continue
            field = self._fields[name]
            ids = linked.setdefault(field.comodel_name, set())
            for value in values:
                if type(value) is int:  # as nearly all are
                    ids.add(value)
                    continue
                linked_ids = self._linked_ids(field, value)
                if field.type == "many2many":
                    self._check_exist(field, linked_ids)
                ids.update(linked_ids)
        for model, ids in linked.items():
            self._linked(model, ids).check_access("read")

    def _check_exist(self, field, ids):
        """Check that what a value links to exists; of one record the database says so.

        :raises ValidationError: naming the field
        """
        records = self.env[field.comodel_name].browse(ids)
        if records - records.exists():
            raise ValidationError(
                self.env._(
                    "%(field)s: what was chosen does not exist any more. Choose "
                    "another.",
                    field=field._description_string(self.env),
                )
            )

    def _validate_fields(self, field_names, excluded_names=()):
        """Do nothing where nothing is to be validated: Odoo asks for that with each
        new record on its own, and changes the user for it."""
        if field_names := set(field_names):
            return super()._validate_fields(field_names, excluded_names)
        return None

    def _check_company(self, fnames=None):
        """Look only at those that link to what may be another company's: of many
        records most do not, and Odoo looks at each of them."""
        names = [
            name
            for name, field in self._fields.items()
            if field.relational and field.check_company
        ]
        names = [name for name in names if self.sudo()[name]]
        linking = self.sudo().filtered(lambda record: any(record[n] for n in names))
        linking = super(ClientEquipmentMixin, linking.with_env(self.env))
        return linking._check_company(fnames)

    def _linked(self, model, ids):
        """Return those of the linked records whose access has to be looked at.

        Without those of whom everybody knows: oneself, and one's own companies.
        """
        known = {False, None}
        if model == "res.users":
            known.add(self.env.uid)
        elif model == "res.company":
            known.update(self.env.user._get_company_ids())
        return self.env[model].browse(set(ids) - known)

    def _linked_ids(self, field, value):
        """Return the ids of the records that a value of the field links to."""
        if isinstance(value, models.BaseModel):
            return value.ids
        if field.type == "many2one":
            value = self._plain_link(field.name, value)
            return [value] if isinstance(value, int) else []
        ids = []
        for command in value:
            match command:
                case int():
                    ids.append(command)
                case [1 | 2 | 3 | 4, int() as record_id, *_]:
                    ids.append(record_id)
                case [6, _, record_ids]:
                    ids += record_ids
        return ids

    def fetch(self, field_names: Collection[str] | None = None) -> None:
        """Read the names of what an exported record links to without asking who reads:
        a name says itself what it may tell."""
        if self.env.context.get("client_equipment_export") is EXPORTING and (
            field_names == ["display_name"]
        ):
            return
        super().fetch(field_names)

    def _readable(self):
        """Return those of the records that the user may read, also in sudo()."""
        return self.sudo(False)._filtered_access("read").with_env(self.env)

    def _compute_field_value(self, field):
        """Name records to those alone who may read them: Odoo shows the name of
        whatever a record links to, or a message stands at. In a drop-down nothing that
        is part of a name is markup."""
        if field.name != "display_name":
            return super()._compute_field_value(field)
        readable = self._readable()
        (self - readable).display_name = self._name_for_others()
        super(ClientEquipmentMixin, readable)._compute_field_value(field)
        if self.env.context.get("formatted_display_name"):
            for record in readable.filtered("display_name"):
                record.display_name = in_drop_down(record.display_name)

    def _name_for_others(self):
        """Return what stands for the name of a record that must not be read."""
        return self.env._("Record that you may not see")

    def _mail_get_partners(self, introspect_fields=False):
        """Whom a record is about learns who may read it: Odoo takes it for the one to
        write to, whoever asks."""
        self.check_access("read")
        return super()._mail_get_partners(introspect_fields)

    def _get_chosen(self, name):
        """Return all records that a dialog was opened for, for the act on them.

        Also those of a company that the user does not look at any more: the act is
        refused then, where it would leave them out in silence.

        :param str name: the field that holds them
        """
        self.invalidate_recordset([name])
        return self.sudo()[name].with_env(self.env)

    # ------------------------------------------------------------------
    # Two people at once
    # ------------------------------------------------------------------

    @contextmanager
    def _changed_meanwhile(self):
        """Put into words that somebody else was faster, where PostgreSQL says so.

        What the block did is undone; the caller's transaction goes on.

        :raises ChangedMeanwhile: naming the records
        """
        try:
            with self.env.cr.savepoint(flush=False):
                yield
        except (
            psycopg2.errors.SerializationFailure,
            psycopg2.errors.DeadlockDetected,
        ) as error:
            raise self._changed_error() from error

    @api.model
    @contextmanager
    def _another_view(self):
        """Give a cursor that sees what others have committed since this transaction
        began.

        While addons are installed it is this one's: nobody else is at work, and another
        cursor would wait for ever for the tables that are being changed.
        """
        if self.env.registry.ready:
            with self.env.registry.cursor() as cr:
                yield cr
        else:
            yield self.env.cr

    @contextmanager
    def _on_replica(self):
        """Give these records as a read replica has them, where there is one: for what
        takes long and only reads, in a method that writes, too."""
        if self.env.registry._db_readonly is None:
            yield self
        else:
            with self.env.registry.cursor(readonly=True) as cr:
                yield self.with_env(self.env(cr=cr))

    def _changed_error(self):
        """Return the error that tells whoever was second about it."""
        return ChangedMeanwhile(
            self.env._(
                "Somebody else is working on %s at this moment, and has changed it. "
                "Look at it again, and repeat what you did if it is still right.",
                self._some_names() or self.env._("what you need"),
            )
        )

    def _some_names(self, most=3):
        """Return the names of the records, of many the first ones only."""
        names = ", ".join(self[:most].mapped("display_name"))
        if len(self) > most:
            return self.env._(
                "%(names)s and %(more)s more", names=names, more=len(self) - most
            )
        return names
