import json
from unittest.mock import patch

from psycopg2 import errors

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.models import MAGIC_COLUMNS
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .common import ADDON, SoftwareKeyCommon, SoftwareKeyMixin, api_key

KEY = "client.equipment.software.key"
FEATURE = "client.equipment.feature"
EQUIPMENT = "client.equipment"
SOFTWARE = "client.equipment.software"
AUDIT_LOG = "client.equipment.audit.log"


class GateCase(SoftwareKeyCommon):
    """Base of tests that go over all models of these addons."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._give_rights_of_apps(cls.manager)
        cls.numbers = iter(range(1, 10_000))

    def _models(self, transient=None):
        """Return the names of the models of these addons (of which each must pass the
        gate)."""
        return [
            name
            for name, model in sorted(self.env.items())
            if name.startswith("client.equipment")
            and not model._abstract
            and transient in (None, model._transient)
            and self._is_guarded(name)
        ]

    def _open_models(self, transient=None):
        """Return the names of those that somebody may write, not the system alone."""
        written = self.env["ir.model.access"].search(
            ["|", ("perm_create", "=", True), ("perm_write", "=", True)]
        )
        names = set(written.model_id.mapped("model"))
        return [name for name in self._models(transient) if name in names]

    def _vals(self, model):
        """Return values that a new record of the model needs.

        A model that is new in these addons, and written by people, needs an entry here.
        """
        number = next(self.numbers)
        return {
            EQUIPMENT: lambda: {"name": f"Gate {number}"},
            "client.equipment.category": lambda: {"name": f"Gate {number}"},
            SOFTWARE: lambda: {"name": f"Gate {number}"},
            KEY: lambda: {
                "license_key": f"GATE-{number:05}",
                "software_id": self.office.id,
            },
            FEATURE: lambda: {
                "software_key_id": self._enter(f"GATE-{number:05}").id,
                "equipment_id": self.laptop.id,
            },
            "client.equipment.apply.next": lambda: {"equipment_id": self.laptop.id},
            "client.equipment.apply.software": lambda: {},
            "client.equipment.apply.software.line": lambda: {
                "wizard_id": self.env["client.equipment.apply.software"]
                .with_user(self.env.uid if self.env.uid != 1 else self.manager)
                .create({})
                .id,
                "equipment_id": self.laptop.id,
                "software_id": self.office.id,
            },
            "client.equipment.evidence.pack": lambda: {},
            "client.equipment.return": lambda: {"equipment_id": self.laptop.id},
            "client.equipment.return.line": lambda: {
                "wizard_id": self.env["client.equipment.return"]
                .with_user(self.env.uid if self.env.uid != 1 else self.manager)
                .create({"equipment_id": self.laptop.id})
                .id,
                "software_key_id": self._enter(f"GATE-{number:05}").id,
            },
            f"{KEY}.bulk.entry": lambda: {"software_id": self.office.id},
            f"{KEY}.deletion": lambda: {"reason": "any"},
            f"{KEY}.override": lambda: {
                "software_key_id": self._enter(f"GATE-{number:05}").id,
                "equipment_id": self.laptop.id,
                "reason": "any",
            },
            f"{KEY}.renewal": lambda: {
                "software_key_ids": [Command.set(self._enter(f"GATE-{number:05}").ids)]
            },
            f"{KEY}.replacement": lambda: {
                "software_key_id": self._enter(f"GATE-{number:05}").id
            },
        }.get(model, dict)()

    def _new(self, model, user=None, **values):
        records = self.env[model].with_user(user or self.manager)
        return records.create(self._vals(model) | values)


@tagged("post_install", "-at_install")
class TestFixedFields(GateCase):
    """L1, A8, E1: what the system alone sets is set by nobody, whatever the route."""

    def test_every_model_passes_the_gate(self):
        """L1: a new model of these addons cannot forget the gate."""
        for name in self._models():
            with self.subTest(name):
                self.assertIn("client.equipment.mixin", self.env[name]._inherit_module)

    def test_readonly_is_fixed(self):
        """L1: a stored field that no form can write cannot be written otherwise; a new
        one has to say so (``fixed=True``)."""
        for name in self._open_models():
            for field in self.env[name]._fields.values():
                ours = "client_equipment" in (field._module or "")
                if not ours or not field.store or field.name in MAGIC_COLUMNS:
                    continue
                asked_for = field.required and not field.default
                if (field.readonly or field.compute and field.readonly) and (
                    not field.related and not asked_for
                ):
                    with self.subTest(str(field)):
                        self.assertTrue(getattr(field, "fixed", False))

    def _forged(self, field):
        """Return a value that the field does not have by itself."""
        match field.type:
            case "integer":
                return 7
            case "boolean":
                return field.name not in ("in_service",)
            case "many2one":
                others = self.env[field.comodel_name].search([], limit=1)
                return others.id or self.spare_laptop.id
            case "one2many":
                return [Command.create({"equipment_id": self.laptop.id})]
            case "many2many":
                return [Command.set(self.spare_laptop.ids)]
            case "date":
                return "2001-01-01"
            case "binary":
                return "Zm9yZ2Vk"
            case "selection":
                return field.get_values(self.env)[-1]
        return "f" * 64

    def _fixed(self):
        """Yield each model with one of its fixed fields, and a forged value."""
        for name in self._open_models():
            for field_name in sorted(self.env[name]._fixed_fields()):
                yield name, field_name, self._forged(self.env[name]._fields[field_name])

    def _plain(self, record, name):
        value = record.sudo()[name]
        return value.ids if isinstance(value, type(record.env["base"])) else value

    def _assert_not_set(self, model, name, user, route):
        """Let the route try; what comes of it has the value that it would have."""
        innocent = self._new(model, user)
        expected = self._read(innocent, name)
        try:
            with self.env.cr.savepoint():
                record = route()
        except UserError:
            return
        finally:
            self.env.invalidate_all()
        if record:
            self.assertEqual(self._read(record, name), expected)

    def _read(self, record, name):
        value = record.sudo()[name]
        if record._fields[name].relational:
            return len(value)
        if name in ("audit_hash",):
            return bool(value) and value != "f" * 64
        return value

    @mute_logger("odoo.sql_db")
    def test_no_route_sets_what_is_fixed(self):
        """L1, L4: every fixed field × every route; the trail of what was made is that
        of an innocent record."""
        for model, name, forged in self._fixed():
            records = self.env[model].with_user(self.manager)
            for route, make in self._routes(records, name, forged).items():
                with self.subTest(model=model, field=name, route=route):
                    self._assert_not_set(model, name, self.manager, make)
            with self.subTest(model=model, field=name, route="onchange"):
                self._assert_onchange_tells_nothing(records, name, forged)

    def _routes(self, records, name, forged):
        """Return by which ways somebody could set a field, as functions that give the
        record."""
        model, user, values = records._name, self.manager, {name: forged}
        default = records.with_context(**{f"default_{name}": forged})
        return {
            "create": lambda: records.create(self._vals(model) | values),
            "context": lambda: default.create(self._vals(model)),
            "ir.default": lambda: self._with_user_default(records, name, forged),
            "web_save": lambda: self._web_saved(records, values),
            "load": lambda: self._loaded(records, name, forged),
            "write": lambda: self._written(model, user, values),
            "sudo": lambda: self._written(model, user, values, sudo=True),
            "copy": lambda: self._copied(model, user, values),
        }

    def _with_user_default(self, records, name, forged, vals=None):
        field_id = self.env["ir.model.fields"]._get(records._name, name).id
        self.env["ir.default"].create(
            {
                "field_id": field_id,
                "user_id": records.env.uid,
                "json_value": json.dumps(forged),
            }
        )
        self.env.registry.clear_cache()
        try:
            return records.create(self._vals(records._name) if vals is None else vals)
        finally:
            self.env["ir.default"].search([("field_id", "=", field_id)]).unlink()

    def _web_saved(self, records, values):
        saved = records.web_save(self._vals(records._name) | values, {"id": {}})
        return records.browse(saved[0]["id"])

    def _loaded(self, records, name, forged):
        vals = self._vals(records._name)
        columns, row = [name], [str(forged)]
        for key, value in vals.items():
            field = records._fields[key]
            columns.append(f"{key}/.id" if field.relational else key)
            row.append(str(value))
        result = records.load(columns, [row])
        return records.browse(result["ids"] or ())

    def _written(self, model, user, values, sudo=False):
        record = self._new(model, user)
        (record.sudo() if sudo else record).write(values)
        return record

    def _copied(self, model, user, values):
        return self._new(model, user).copy(values | self._vals(model))

    def _assert_onchange_tells_nothing(self, records, name, forged):
        """Check that a form does not even show the forged value."""
        innocent = records.onchange({}, [], {name: {}})
        records = records.with_context(**{f"default_{name}": forged})
        for values in ({}, {name: forged}):
            try:
                shown = records.onchange(values, [], {name: {}})
            except UserError:
                continue
            self.assertEqual(shown.get("value"), innocent.get("value"))

    @mute_logger("odoo.sql_db")
    def test_garbage_by_default(self):
        """E2, K5: no context and no stored default puts into a record what a value
        given by name could not: it would break everybody's screens."""
        for model in self._open_models(transient=False):
            records = self.env[model].with_user(self.manager)
            fixed = records._fixed_fields()
            for name, field in records._fields.items():
                garbage = {"date": "9999-12-31", "char": "x" * 5000}.get(field.type)
                stored = field.store and not field.related
                ours = "client_equipment" in (field._module or "")
                if not (garbage and stored and ours) or name in fixed:
                    continue
                if not records._value_problem(field, garbage):
                    continue  # nor is it garbage by name
                vals = self._vals(model)
                vals.pop(name, None)
                in_context = records.with_context(**{f"default_{name}": garbage})
                with self.subTest(f"{field}, context"):
                    with self.assertRaises(UserError):
                        in_context.create(vals)
                with self.subTest(f"{field}, stored"):
                    with self.assertRaises(UserError):
                        self._with_user_default(records, name, garbage, vals)

    @mute_logger("odoo.sql_db")
    def test_names_by_default_are_tidied(self):
        """K12: a name that comes by a default is written as any other."""
        software = self.env[SOFTWARE].with_user(self.manager)
        new = software.with_context(default_name="  Gate   Default ").create({})
        self.assertEqual(new.name, "Gate Default")
        with self.assertRaises(errors.UniqueViolation):
            software.with_context(default_name=" gate  default").create({})

    @mute_logger("odoo.sql_db")
    def test_no_name_is_blank(self):
        """E2: a name that is needed is not blank, by value or by default."""
        for model in (EQUIPMENT, SOFTWARE, "client.equipment.category"):
            records = self.env[model].with_user(self.manager)
            for blank in ("", " \t ", "\n"):
                with self.subTest(model=model, blank=blank):
                    with self.assertRaises(errors.NotNullViolation):
                        records.create({"name": blank})
                    with self.assertRaises(errors.NotNullViolation):
                        records.with_context(default_name=blank).create({})
                    record = self._new(model)
                    with self.assertRaises(errors.NotNullViolation):
                        record.write({"name": blank})

    def test_status_by_default(self):
        """A5, L4: a status that comes by a default is not set behind the trail."""
        keys = self.env[KEY].with_user(self.manager)
        for status in ("applied", "revoked", "expired"):
            key = keys.with_context(default_status=status).create(self._vals(KEY))
            self.assertEqual(key.status, "available")
            self.assertEqual(self._steps(key), ["created"])

    def test_key_by_default(self):
        """A2, A5, L4: an assignment whose key comes from the context, from a stored
        default or from a form's commands is checked and told like any other."""
        revoked, key = self._enter("GATE-REVOKED", "GATE-FREE")
        revoked.revoke()
        features = self.env[FEATURE].with_user(self.technician)
        unit = self.laptop.with_user(self.technician)
        forged = {"default_software_key_id": revoked.id}
        for route in (
            lambda: features.with_context(**forged).create(
                {"equipment_id": self.laptop.id}
            ),
            lambda: features.with_context(**forged).web_save(
                {"equipment_id": self.laptop.id}, {"id": {}}
            ),
            lambda: unit.with_context(**forged).web_save(
                {"equipment_feature_ids": [Command.create({"remarks": "x"})]}, {}
            ),
            lambda: self._with_user_default(
                features,
                "software_key_id",
                revoked.id,
                {"equipment_id": self.laptop.id},
            ),
        ):
            with self.assertRefused(UserError, "is revoked"):
                route()
        feature = features.with_context(default_software_key_id=key.id).create(
            {"equipment_id": self.laptop.id}
        )
        self.assertEqual(feature.software_key_id.status, "applied")
        self.assertEqual(self._steps(key), ["created", "applied"])

    def test_applied_by(self):
        """A8: no context and no stored default names somebody else."""
        features = self.env[FEATURE].with_user(self.technician)
        forged = features.with_context(default_applied_by_id=self.manager.id)
        self.assertEqual(
            forged.create(self._vals(FEATURE)).applied_by_id, self.technician
        )
        shown = forged.onchange({}, [], {"applied_by_id": {}})
        self.assertEqual(shown["value"]["applied_by_id"], self.technician.id)
        field_id = self.env["ir.model.fields"]._get(FEATURE, "applied_by_id").id
        self.env["ir.default"].with_user(self.technician).create(
            {
                "field_id": field_id,
                "user_id": self.technician.id,
                "json_value": str(self.manager.id),
            }
        )
        feature = features.create(self._vals(FEATURE))
        self.assertEqual(feature.applied_by_id, self.technician)


@tagged("post_install", "-at_install")
class TestTrailIsClosed(GateCase):
    """L1: nothing of the trail is made, changed or deleted by the ORM."""

    def test_whatever_the_rights_and_the_context(self):
        """L1: as administrator, in superuser mode, with rights that an administrator
        has added, with Odoo's own keys in the context."""
        key = self._enter("CLOSED-1")
        self.env["ir.model.access"].create(
            {
                "name": "everything",
                "model_id": self.env["ir.model"]._get_id(AUDIT_LOG),
                "perm_read": True,
                "perm_write": True,
                "perm_create": True,
                "perm_unlink": True,
            }
        )
        before = key.audit_log_ids.read()
        contexts = (
            {},
            {"_force_unlink": True, "module": ADDON, "install_mode": True},
            {"active_test": False, "tracking_disable": True, "bin_size": True},
        )
        for user in (self.env.ref("base.user_admin"), self.technician, self.env.user):
            for context in contexts:
                entries = key.audit_log_ids.sudo(False).with_user(user)
                entries = entries.with_context(**context)
                for sudo in (False, True):
                    for act in self._acts(entries.sudo(sudo), key):
                        with (
                            self.subTest(user=user.login, context=context, sudo=sudo),
                            self.assertRaises(UserError),
                            self.env.cr.savepoint(),
                        ):
                            act()
        self.env.invalidate_all()
        self.assertEqual(key.audit_log_ids.read(), before)
        self.assertEqual(key.verify_audit_trail(), [])

    def _acts(self, entries, key):
        vals = {"software_key_id": key.id, "action": "created"}
        key = key.with_env(entries.env)
        yield lambda: entries.unlink()
        yield lambda: entries.write({"reason": "forged"})
        yield lambda: setattr(entries[0], "reason", "forged")
        yield lambda: entries.create(vals)
        yield lambda: entries.copy()
        yield lambda: entries.web_save({"reason": "forged"}, {})
        for command in (
            Command.create(vals),
            Command.update(entries[0].id, {"reason": "forged"}),
            Command.delete(entries[0].id),
            Command.unlink(entries[0].id),
            Command.clear(),
            Command.set([]),
        ):
            yield lambda command=command: key.write({"audit_log_ids": [command]})

    def test_server_action(self):
        """L1: a server action that uses the ORM."""
        key = self._enter("CLOSED-2")
        for code in (
            "env['client.equipment.audit.log'].search([]).unlink()",
            "env['client.equipment.audit.log'].sudo().search([])"
            ".with_context(_force_unlink=True).unlink()",
            "env['client.equipment.audit.log'].search([]).write({'reason': 'x'})",
        ):
            action = self.env["ir.actions.server"].create(
                {
                    "name": "Forge",
                    "model_id": self.env["ir.model"]._get_id(KEY),
                    "state": "code",
                    "code": code,
                }
            )
            with self.assertRaises(UserError), self.env.cr.savepoint():
                action.run()
        self.assertEqual(len(key.audit_log_ids), 1)

    def test_clean_up_of_an_update(self):
        """L1: an entry that somebody has given an XML id of this addon outlives an
        update, which deletes what is not in its files any more."""
        key = self._enter("CLOSED-3")
        self.env["ir.model.data"].create(
            {
                "module": ADDON,
                "name": "forged_entry",
                "model": AUDIT_LOG,
                "res_id": key.audit_log_ids.id,
            }
        )
        loaded = self.env["ir.model.data"].search([("module", "=", ADDON)])
        self.env.registry.loaded_xmlids = {
            data.complete_name for data in loaded if data.name != "forged_entry"
        }
        self.env["ir.model.data"]._process_end([ADDON])
        self.assertEqual(len(key.audit_log_ids), 1)

    def test_tables_and_columns(self):
        """L1, K10: nothing goes with its table or a column while the addon stays."""
        admin = self.env.ref("base.user_admin")
        for name in self._models():
            model = self.env["ir.model"]._get(name)
            fields = model.field_id.filtered(lambda field: field.state == "base")
            for records in (model, *fields):
                with self.subTest(records=records.display_name):
                    records = records.with_user(admin).with_context(_force_unlink=True)
                    with self.assertRefused(UserError, "Uninstall the addon"):
                        records.unlink()

    def test_field_of_settings(self):
        """A field that an administrator has made is his to remove."""
        field = self.env["ir.model.fields"].create(
            {
                "model_id": self.env["ir.model"]._get_id(KEY),
                "name": "x_shelf",
                "ttype": "char",
            }
        )
        field.with_user(self.env.ref("base.user_admin")).unlink()
        self.assertNotIn("x_shelf", self.env[KEY]._fields)

    def test_key_with_an_assignment(self):
        """K10: no key of the context lets an applied key be deleted with its trail."""
        key = self._enter("CLOSED-4")
        self._apply(key)
        with self.assertRefused(UserError, "is applied to"):
            key.with_context(_force_unlink=True).unlink()


@tagged("post_install", "-at_install")
class TestMails(GateCase):
    """E1, L1: whoever hands a mail to Odoo gets nothing by it that he may not do, and
    nobody is somebody else by what a mail says."""

    def _mail(self, sender):
        number = next(self.numbers)
        return (
            f"From: {sender.email}\nTo: keys@example.com\nSubject: Gate {number}\n"
            f"Message-Id: <{number}@example.com>\n\nAs agreed\n"
        )

    def _receivers(self):
        return [name for name in self._models() if "message_ids" in self.env[name]]

    def test_makes_nothing(self):
        """E1, L1: every model that has a chatter × every role, from the manager."""
        self.manager.email = "manager@example.com"
        AuditLog = self.env[AUDIT_LOG].with_context(active_test=False)
        users = (self.internal, self.technician, self.technician_2, self.auditor)
        for name in self._receivers():
            records = self.env[name].with_context(active_test=False)
            before = records.search_count([]), AuditLog.search_count([])
            for user in (*users, self.manager, self.env.ref("base.user_admin")):
                for gate in (name, "mail.thread", "res.partner"):
                    with (
                        self.subTest(model=name, user=user.login, gate=gate),
                        self.assertRefused(UserError, "can be made by a mail"),
                    ):
                        self.env[gate].with_user(user).message_process(
                            name, self._mail(self.manager), self._vals(name)
                        )
            after = records.search_count([]), AuditLog.search_count([])
            self.assertEqual(after, before)

    def test_makes_nothing_with_another(self):
        """E1, L1: nor with a record of another app that links to ours, as an order does
        to its keys; nor by what the context says."""
        self.manager.email = "manager@example.com"
        self.env["ir.model.fields"].create(
            {
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "name": "x_keys",
                "ttype": "one2many",
                "relation": KEY,
                "relation_field": "supplier_id",
            }
        )
        key = self._enter("MAIL-2")
        before = self.env[KEY].search_count([]), key.read(), key.audit_log_ids.ids
        gate = self.env["res.partner"].with_user(self.internal)
        for command in (
            Command.create(self._vals(KEY)),
            Command.update(key.id, {"status": "revoked"}),
            Command.delete(key.id),
            Command.link(key.id),
            Command.set(key.ids),
        ):
            vals = {"name": "Forged", "x_keys": [command]}
            child = {"name": "Forged", "child_ids": [Command.create(vals)]}
            for values in (vals, child):
                with (
                    self.subTest(values=values),
                    self.assertRefused(UserError, "can be made by a mail"),
                    self.env.cr.savepoint(),
                ):
                    gate.message_process(
                        "res.partner", self._mail(self.manager), values
                    )
            by_context = gate.with_context(default_x_keys=[command])
            by_context.message_process(
                "res.partner", self._mail(self.manager), {"name": "Plain"}
            )
        self.env.invalidate_all()
        after = self.env[KEY].search_count([]), key.read(), key.audit_log_ids.ids
        self.assertEqual(after, before)

    def test_answers(self):
        """E1: an answer reaches the record that whoever hands it over may read."""
        key = self._enter("MAIL-1")
        for user, refused in (
            (self.internal, True),
            (self.technician, False),
            (self.env.ref("base.user_root"), False),
        ):
            before = key.message_ids
            gate = self.env["mail.thread"].with_user(user)
            with self.subTest(user=user.login):
                if refused:
                    with self.assertRaises(AccessError), self.env.cr.savepoint():
                        gate.message_process(KEY, self._mail(user), thread_id=key.id)
                else:
                    gate.message_process(KEY, self._mail(user), thread_id=key.id)
                self.assertEqual(len(key.message_ids - before), not refused)


@tagged("post_install", "-at_install")
class TestRightsOfOthers(GateCase):
    """E1: what Odoo does with all rights, at records that the caller names, reaches no
    record of ours beyond his role."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        company = cls.other_company.id
        cls.other_manager = cls._new_user(
            "other_manager", f"{ADDON}.group_software_key_manager"
        )
        cls.other_manager.write(
            {"company_id": company, "company_ids": [Command.set([company])]}
        )
        cls.unit_user = cls._new_user(
            "unit_user", "client_equipment.group_client_equipment_manager"
        )
        cls.key = cls._enter("MARKER-RIGHTS")
        cls._apply(cls.key)
        cls.env[KEY].browse(cls._enter("MARKER-GONE").id).with_context(
            software_key_deletion_reason="Any"
        ).unlink()

    def _places(self, user):
        """Yield a record of each model that the user may not read."""
        for name in self._models(transient=False):
            one = self.env[name].sudo().search([], limit=1)
            if one and not one.with_user(user).sudo(False).has_access("read"):
                yield one

    def test_activity_is_not_moved(self):
        """E1: nobody moves an activity of his own to what he may not read: he would be
        told its name, and write into its chatter by doing it; nor does a form tell."""
        for user in (self.internal, self.unit_user, self.technician, self.auditor):
            activities = self.env["mail.activity"].with_user(user)
            own = activities.create({"summary": "Own", "user_id": user.id})
            for one in self._places(user):
                model = self.env["ir.model"]._get_id(one._name)
                place = {"res_model_id": model, "res_id": one.id}
                with self.subTest(user=user.login, model=one._name):
                    with self.assertRaises(AccessError), self.env.cr.savepoint():
                        own.write(place)
                    default = {f"default_{name}": id_ for name, id_ in place.items()}
                    spec = {"res_name": {}, "res_model": {}, **dict.fromkeys(place, {})}
                    for shown in (
                        activities.onchange(place, [*place], spec),
                        activities.with_context(**default).onchange({}, [], spec),
                    ):
                        self.assertFalse(shown["value"].get("res_name"))
        place = {
            "res_model_id": self.env["ir.model"]._get_id(EQUIPMENT),
            "res_id": self.laptop.id,
        }
        own = self.env["mail.activity"].with_user(self.unit_user)
        own = own.create({"summary": "Own", "user_id": self.unit_user.id})
        own.write(place)
        self.assertEqual(own.res_name, self.laptop.display_name)

    def test_nothing_is_written_about_it(self):
        """E1: nobody tells others of what he may not read, nor notes it there."""
        messages = self.env["mail.message"].search([], order="id DESC", limit=1)
        for user in (self.internal, self.unit_user, self.portal, self.other_manager):
            text = {"body": "Forged", "subject": "Forged"}
            text["partner_ids"] = user.partner_id.ids
            for one in self._places(user):
                place = {"model": one._name, "res_id": one.id}
                ways = [
                    lambda gate=gate, place=place, text=text, user=user: (
                        self.env[gate].with_user(user).message_notify(**place, **text)
                    )
                    for gate in ("mail.thread", "res.partner")
                ]
                if "message_ids" in one:
                    theirs = one.with_user(user).sudo(False)
                    ways += [
                        lambda theirs=theirs, text=text: theirs.message_notify(**text),
                        lambda theirs=theirs: theirs._message_log_batch(
                            {theirs.id: "Forged"}, message_type="sms"
                        ),
                    ]
                for way in ways:
                    with (
                        self.subTest(user=user.login, model=one._name),
                        self.assertRaises(AccessError),
                        self.env.cr.savepoint(),
                    ):
                        way()
        forged = [("id", ">", messages.id), ("body", "like", "Forged")]
        self.assertFalse(self.env["mail.message"].search(forged))
        told = self.key.with_user(self.technician).message_notify(
            body="Look", subject="Look", partner_ids=self.manager.partner_id.ids
        )
        self.assertEqual(told.res_id, self.key.id)

    def test_template(self):
        """E1, K16: nobody reads by an e-mail template what he may not read, although
        its name has brought it into the cache."""
        template = self.env["mail.template"].create(
            {
                "name": "Key",
                "model_id": self.env["ir.model"]._get_id(KEY),
                "subject": "{{ object.display_name }}",
                "body_html": '<p><t t-out="object.license_key"/></p>',
            }
        )
        shown = {
            "mail_template_id": template.id,
            "resource_ref": f"{KEY},{self.key.id}",
        }
        composed = {
            "model": KEY,
            "res_ids": str(self.key.ids),
            "template_id": template.id,
        }
        for user in (self.internal, self.unit_user, self.other_manager):
            for model, values in (
                ("mail.template.preview", shown),
                ("mail.compose.message", composed),
            ):
                self.env.invalidate_all()
                with self.subTest(user=user.login, model=model):
                    try:
                        told = self.env[model].with_user(user).create(values).read()
                    except AccessError:
                        continue
                    self.assertNotIn("MARKER", str(told))
                    self.assertNotIn(self.key.license_key_hint, str(told))
        preview = self.env["mail.template.preview"].with_user(self.manager)
        preview = preview.create(shown)
        self.assertIn("MARKER-RIGHTS", preview.body_html)

    def test_server_action(self):
        """E1: an action that an administrator has made for records of ours changes
        those alone that whoever runs it may change, whatever the context names."""
        model = self.env["ir.model"]._get_id(KEY)
        action, code = self.env["ir.actions.server"].create(
            [
                {
                    "name": "Note",
                    "model_id": model,
                    "state": "object_write",
                    "update_path": "remarks",
                    "value": "Forged",
                },
                {
                    "name": "Code",
                    "model_id": model,
                    "state": "code",
                    "code": "action = {'ran': True}",
                },
            ]
        )
        key = self._enter("ACTION-1")
        ways = [{"active_id": key.id}, {"active_ids": key.ids}]
        ways += [way | {"active_model": "res.partner"} for way in ways]
        ways += [{"active_ids": key.ids, "active_id": self.key.id}]
        for user in (self.internal, self.portal, self.technician, self.other_manager):
            for context in ways:
                with (
                    self.subTest(user=user.login, context=context),
                    self.assertRaises(AccessError),
                    self.env.cr.savepoint(),
                ):
                    action.with_user(user).with_context(**context).run()
            if user != self.other_manager:
                with self.assertRaises(AccessError):
                    code.with_user(user).run()
        self.assertFalse(key.remarks)
        self.assertTrue(code.with_user(self.manager).run()["ran"])
        context = {"active_model": KEY, "active_id": key.id, "active_ids": key.ids}
        action.with_user(self.manager).with_context(**context).run()
        self.assertEqual(key.remarks, "Forged")


@tagged("post_install", "-at_install")
class TestDialogs(GateCase):
    """E1: a dialog's record belongs to whoever opened it."""

    def test_nobody_elses(self):
        """E1: every dialog × people of every role and company × every operation."""
        others = [
            self.technician_2,
            self.manager,
            self.auditor,
            self.internal,
            self.portal,
            self.env.ref("base.user_admin"),
            self._new_user("other_manager", f"{ADDON}.group_software_key_manager"),
        ]
        others[-1].write(
            {
                "company_id": self.other_company.id,
                "company_ids": [Command.set(self.other_company.ids)],
            }
        )
        for model in self._models(transient=True):
            maker = self._new_user(
                f"maker_{model.replace('.', '_')}",
                f"{ADDON}.group_software_key_manager",
            )
            rules = self.env["ir.rule"].with_user(maker)
            self.assertIn("create_uid", str(rules._compute_domain(model, "read")))
            dialog = (
                self.env[model].with_user(maker).create(self._dialog_vals(model, maker))
            )
            for other in others:
                theirs = dialog.with_user(other)
                with self.subTest(model=model, other=other.login):
                    self.assertFalse(self._found(theirs))
                    for act in self._acts(theirs):
                        with self.assertRaises(AccessError), self.env.cr.savepoint():
                            act()
            self.assertTrue(dialog.exists().read(["create_uid"]))

    def _acts(self, theirs):
        yield lambda: theirs.read(["create_uid"])
        yield lambda: theirs.web_read({"display_name": {}})
        yield lambda: theirs.write({"create_date": False})
        yield lambda: theirs.unlink()
        yield lambda: theirs.copy()
        yield lambda: theirs.web_save({}, {"display_name": {}})

    def _dialog_vals(self, model, maker):
        vals = self._vals(model)
        if "wizard_id" in vals:
            wizard = model.removesuffix(".line")
            vals["wizard_id"] = (
                self.env[wizard].with_user(maker).create(self._vals(wizard)).id
            )
            self.env.flush_all()  # it has got its own lines
        return vals

    def _found(self, theirs):
        try:
            return theirs.search([("id", "in", theirs.ids)])
        except AccessError:
            return None

    def test_lines_of_somebody_elses_dialog(self):
        """E1: nobody adds a line to another person's dialog."""
        dialog = self._new("client.equipment.return", self.manager)
        lines = self.env["client.equipment.return.line"].with_user(self.technician)
        with self.assertRaises(AccessError):
            lines.create(
                {"wizard_id": dialog.id, "software_key_id": self._enter("LINE-1").id}
            )


@tagged("post_install", "-at_install")
class TestForeignRecords(GateCase):
    """E1: records of another company stay invisible, whoever links to them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        company = cls.other_company.id
        cls.foreign_partner = cls.env["res.partner"].create(
            {"name": "MARKER Partner", "company_id": company}
        )
        cls.foreign_unit = cls.env[EQUIPMENT].create(
            {
                "name": "MARKER Unit",
                "company_id": company,
                "partner_id": cls.foreign_partner.id,
            }
        )
        cls.foreign_key = cls.env[KEY].create(
            {
                "license_key": "MARKER-KEY",
                "software_id": cls.office.id,
                "company_id": company,
            }
        )
        cls.shared_key = cls.env[KEY].create(
            {
                "license_key": "SHARED-KEY",
                "software_id": cls.office.id,
                "company_id": False,
            }
        )
        cls.foreign_feature = cls.env[FEATURE].create(
            {
                "software_key_id": cls.foreign_key.id,
                "equipment_id": cls.foreign_unit.id,
            }
        )
        cls.env[FEATURE].create(
            {
                "software_key_id": cls.shared_key.id,
                "equipment_id": cls.foreign_unit.id,
            }
        )
        cls.env.flush_all()
        cls.env.invalidate_all()

    def _foreign(self, comodel):
        return {
            "res.partner": self.foreign_partner,
            EQUIPMENT: self.foreign_unit,
            KEY: self.foreign_key,
            FEATURE: self.foreign_feature,
        }.get(comodel)

    def _links(self):
        """Yield each model and each of its fields that can link to what is foreign."""
        for model in self._models():
            for field in self.env[model]._fields.values():
                if field.relational and self._foreign(field.comodel_name):
                    foreign = self._foreign(field.comodel_name)
                    value = foreign.id
                    if field.type != "many2one":
                        value = [Command.set(foreign.ids)]
                    yield model, field.name, value

    def _spec(self, records):
        """Return what a form could ask for: names of all that the records link to."""
        spec = {}
        for field in records._fields.values():
            if not records._has_field_access(field, "read"):
                continue
            if field.relational and field.comodel_name in self.env:
                spec[field.name] = {"fields": {"display_name": {}}}
            elif field.type in ("char", "text", "html", "selection", "date"):
                spec[field.name] = {}
        return spec

    @mute_logger("odoo.addons.client_equipment.models.ir_http")
    def test_no_name_by_a_link(self):
        """E1: whatever a client links to, by onchange, default, create or write: no
        answer holds a word of another company's record."""
        for role in (self.technician, self.manager, self.auditor):
            for model, name, value in self._links():
                records = self.env[model].with_user(role)
                for route, act in self._ways(records, name, value).items():
                    with self.subTest(
                        role=role.login, model=model, field=name, route=route
                    ):
                        self.env.invalidate_all()
                        self._assert_no_marker(act)

    def _ways(self, records, name, value):
        """Return by which ways somebody could link to what is foreign and have its
        name told, as functions that give the answer."""
        model, values = records._name, {name: value}
        spec = self._spec(records)
        default = records.with_context(**{f"default_{name}": value})
        return {
            "onchange": lambda: records.onchange(values, [], spec),
            "changed": lambda: records.onchange(values, [name], spec),
            "default": lambda: default.onchange({}, [], spec),
            "create": lambda: records.create(self._vals(model) | values).web_read(spec),
            "create by default": lambda: default.create(self._vals(model)).web_read(
                spec
            ),
            "write": lambda: self._written(records, values, spec),
        }

    def _written(self, records, values, spec):
        record = records.create(self._vals(records._name))
        record.write(values)
        self.env.invalidate_all()
        return record.web_read(spec)

    def _assert_no_marker(self, act):
        try:
            with self.env.cr.savepoint():
                answer = act()
        except UserError as error:
            answer = str(error)
        self.assertNotIn("MARKER", str(answer))

    def test_shared_key_at_another_company(self):
        """E1, A5: of a shared key that stands at another company, others learn that it
        does, not where: by reading, searching, grouping, its trail, its refusal."""
        for role in (self.technician, self.manager, self.auditor):
            key = self.shared_key.sudo(False).with_user(role)
            self.env.invalidate_all()
            (values,) = key.web_read(self._spec(key))
            self.assertNotIn("MARKER", str(values))
            self.assertEqual(
                values["equipment_id"]["display_name"], "Equipment of another company"
            )
            self.assertFalse(values["partner_id"])
            self.assertNotIn("MARKER", str(key.read()))
            if role != self.technician:
                exported = key.export_data(["equipment_id", "partner_id"])
                self.assertNotIn("MARKER", str(exported))
            for groupby in (
                ["equipment_id"],
                ["partner_id"],
                ["software_id", "partner_id"],
            ):
                groups = key.formatted_read_group([], groupby, ["__count"])
                self.assertNotIn("MARKER", str(groups))
            for domain in (
                [("partner_id", "=", self.foreign_partner.id)],
                [("partner_id", "ilike", "MARKER")],
                [("partner_id", "child_of", self.foreign_partner.id)],
                [("equipment_id.name", "=", "MARKER Unit")],
                [("equipment_id", "ilike", "MARKER")],
                [("equipment_id.partner_id.name", "ilike", "MARKER")],
                [("audit_log_ids.equipment_name", "ilike", "MARKER")],
                [("equipment_feature_ids.equipment_id.name", "ilike", "MARKER")],
            ):
                self.assertFalse(key.search(Domain(domain)), domain)
            entries = self.env[AUDIT_LOG].with_user(role)
            entries = entries.search([("software_key_id", "=", key.id)])
            self.assertEqual(entries.mapped("action"), ["created"])
            history = self.env["client.equipment.usage.history"].with_user(role)
            self.assertFalse(history.search([("software_key_id", "=", key.id)]))
        with self.assertRefused(UserError, "applied to Equipment of another company"):
            self._apply(key)
        self.assertFalse(key.with_user(self.auditor).verify_audit_trail())

    def test_customer_of_the_own_company(self):
        """K7, K8: keys are searched, grouped and exported by their customers."""
        key = self._enter("CUSTOMER-1")
        self._apply(key)
        keys = key.with_user(self.manager)
        for domain in (
            [("partner_id", "=", self.customer.id)],
            [("partner_id", "ilike", "Tour Dental")],
            [("partner_id", "child_of", self.customer.id)],
            [("partner_id", "!=", False)],
        ):
            self.assertIn(key, keys.search(domain), domain)
        self.assertNotIn(key, keys.search([("partner_id", "=", False)]))
        groups = keys.formatted_read_group(
            [("id", "=", key.id)], ["partner_id"], ["__count"]
        )
        self.assertEqual(groups[0]["partner_id"][0], self.customer.id)
        self.assertTrue(keys.fields_get(["partner_id"])["partner_id"]["groupable"])

    def test_equipment_alone(self):
        """E1: who sees equipment and has no role for keys reads his equipment without
        naming fields, and learns nothing of keys."""
        user = self._new_user(
            "unit_user", "client_equipment.group_client_equipment_manager"
        )
        self._apply(self._enter("MARKER-OWN"))
        unit = self.laptop.with_user(user)
        self.assertTrue(unit.read())
        self.assertNotIn("equipment_feature_ids", unit.fields_get())
        for domain in (
            [("equipment_feature_ids", "!=", False)],
            [("equipment_feature_ids.software_key_id.license_key", "ilike", "MARKER")],
            [("software_key_count", ">", 0)],
        ):
            with self.assertRaises(UserError):
                unit.search(domain)
        for act in (
            lambda: unit.write({"state": "returned"}),
            lambda: unit.action_archive(),
            lambda: unit.unlink(),
            lambda: unit.return_or_replace({}, state="returned"),
            lambda: unit.recover_software_keys(),
        ):
            with self.assertRaises(UserError) as caught, self.env.cr.savepoint():
                act()
            self.assertNotIn("MARKER", str(caught.exception))
            self.assertNotIn("license", str(caught.exception).lower())

    def test_equipment_alone_is_told_nothing(self):
        """E1: whatever he wants to change of a unit, no error tells him that software
        is what keeps it, nor which."""
        user = self._new_user(
            "unit_user", "client_equipment.group_client_equipment_manager"
        )
        user.company_ids += self.other_company
        self._apply(self._enter("MARKER-OWN", owner_id=self.customer.id))
        unit = self.laptop.with_user(user)
        refused = set()
        for name, field in unit._fields.items():
            if not field.store or field.readonly or field.groups:
                continue
            if name in MAGIC_COLUMNS:
                continue
            for value in self._other_values(unit, field):
                with self.subTest(field=name, value=value):
                    try:
                        with self.env.cr.savepoint():
                            unit.write({name: value})
                            self.env.flush_all()
                            raise ZeroDivisionError  # undo it
                    except ZeroDivisionError:
                        continue
                    except UserError as error:
                        refused.add(name)
                        for secret in ("MARKER", "OWN", "Tour Office", "key", "licen"):
                            self.assertNotIn(secret, str(error))
        self.assertLessEqual({"partner_id", "company_id", "state", "active"}, refused)

    def test_equipment_alone_hears_no_constraint(self):
        """E1: nor does what the database refuses him, because somebody else was
        faster; who has a role is told of keys."""
        user = self._new_user(
            "unit_user", "client_equipment.group_client_equipment_manager"
        )
        places = [
            constraint
            for constraint in self.env[FEATURE]._table_objects.values()
            if "REFERENCES client_equipment ("
            in constraint.get_definition(self.registry)
        ]
        self.assertGreater(len(places), 2)
        for constraint in places:
            for reader, told in ((user, False), (self.technician, True)):
                model = self.env[FEATURE].with_user(reader)
                message = constraint.get_error_message(model)
                self.assertEqual("keys" in message, told, message)

    def _other_values(self, record, field):
        """Return values of a field that a record does not have."""
        match field.type:
            case "many2one":
                others = record.env[field.comodel_name].search([], limit=5)
                values = [False, *others.ids]
            case "selection":
                values = field.get_values(self.env)
            case "one2many" | "many2many":
                values = []
            case "boolean":
                values = [True, False]
            case _:
                values = [False]
        now = record[field.name]
        now = now.id if field.type == "many2one" else now
        return [each for each in values if each != now and (each or not field.required)]

    def test_names_of_an_export(self):
        """E1: what spares an export a look at who reads is nothing that a client can
        send."""
        for model in self._our_models():
            if not self.env[model]._auto or not (one := self.env[model].search([])[:1]):
                continue
            for given in (True, 1, "1", [1]):
                context = {"client_equipment_export": given}
                with self.subTest(model), self.assertRaises(AccessError):
                    one.with_user(self.portal).with_context(**context).read(
                        ["display_name"]
                    )

    def test_offer_is_no_oracle(self):
        """E1: nobody learns on which of another company's units a shared key is by
        asking for each of them why it is not offered there."""
        here, there = self.env["client.equipment"].create(
            [{"name": name, "company_id": self.other_company.id} for name in "AB"]
        )
        shared = self.env[KEY].create(
            {
                "license_key": "SHARED-SEATS",
                "software_id": self.office.id,
                "seats": 5,
                "company_id": False,
            }
        )
        self.env["client.equipment.feature"].create(
            {"software_key_id": shared.id, "equipment_id": here.id}
        )
        keys = self.env[KEY].with_user(self.technician)
        told = {
            keys.with_context(
                software_key_not_on=unit.id, software_key_owned_first=True
            ).tell_why_not_offered("SHARED-SEATS")
            for unit in (here, there)
        }
        self.assertEqual(told, {f"{shared.display_name}: Available"})

    def test_import_is_no_oracle(self):
        """E1: nobody learns by an import whether a license key is in the system who
        could not enter it."""
        for user in (self.technician, self.auditor, self.internal, self.portal):
            with self.assertRaises(AccessError):
                self.env[KEY].with_user(user).load(
                    ["license_key", "software_id"], [["MARKER-KEY", "Tour Office"]]
                )

    def test_verdicts(self):
        """E1: a bulk entry tells nothing of another company's keys but that a license
        key is in the system already."""
        keys = self.env[KEY].with_user(self.manager)
        (existing,) = keys._inspect_license_keys(["MARKER-KEY"])
        (similar,) = keys._inspect_license_keys(["marker key"])
        self.assertEqual(keys._verdict_text(existing), "in the system already")
        self.assertEqual(similar["verdict"], "new")


@tagged("post_install", "-at_install")
class TestEquipmentAlone(SoftwareKeyMixin, HttpCase):
    """E1: who has no role for keys, at the border."""

    @mute_logger("odoo.http", "odoo.sql_db")
    def test_somebody_was_faster(self):
        """E1: where a key has come onto his unit since that was looked at, he is told
        nothing of it, in the web client and over the API."""
        user = self._new_user(
            "unit_user", "client_equipment.group_client_equipment_manager"
        )
        self._apply(self._enter("MARKER-FASTER"))
        equipment = self.registry[EQUIPMENT]
        unseen = patch.object(equipment, "_lead_to_return", lambda unit, vals: None)
        self.startPatcher(unseen)
        self.authenticate(user.login, user.login)
        values = {"vals": {"state": "returned"}}
        call = {"model": EQUIPMENT, "method": "write", "args": [self.laptop.ids]}
        for path, body, headers in (
            (
                "/web/dataset/call_kw",
                {"jsonrpc": "2.0", "params": call | {"kwargs": values}},
                {},
            ),
            (
                f"/json/2/{EQUIPMENT}/write",
                {"ids": self.laptop.ids} | values,
                {"Authorization": f"bearer {api_key(user)}"},
            ),
        ):
            with self.subTest(path):
                answer = self.url_open(
                    path,
                    data=json.dumps(body),
                    headers={"Content-Type": "application/json"} | headers,
                ).json()
                message = answer.get("error", {"data": answer})["data"]["message"]
                self.assertIn("ask a colleague", message)
                self.assertNotRegex(message, "(?i)key|MARKER")
