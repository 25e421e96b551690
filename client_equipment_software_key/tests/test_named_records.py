import inspect
import json
import re
from itertools import product

from odoo import Command, http
from odoo.exceptions import UserError
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .common import ADDON, SoftwareKeyMixin
from .test_gate import AUDIT_LOG, EQUIPMENT, KEY, SOFTWARE, GateCase

# How fields and arguments are called that hold the name of a model, or an id there.
MODELS = ("model", "res_model", "thread_model", "model_name", "render_model")
IDS = ("id", "res_id", "res_ids", "thread_id", "record_id", "resource_ids")
# A place in an address, and its name.
PLACE = re.compile("(<(?:[^<>]*:)?([^<>]*)>)")


class NamedRecordsMixin:
    """Records that hold a marker, and people who may not read them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.unit_user = cls._new_user(
            "unit_user", "client_equipment.group_client_equipment_manager"
        )
        cls.other_manager = cls._new_user(
            "other_manager",
            f"{ADDON}.group_software_key_manager",
            company_id=cls.other_company.id,
            company_ids=[Command.set(cls.other_company.ids)],
        )
        cls.strangers = cls.internal + cls.portal + cls.unit_user + cls.other_manager
        cls.customer.write({"name": "MARKER Customer", "email": "marker@example.com"})
        cls.office.name = "MARKER Office"
        cls.laptop.write({"name": "MARKER Laptop", "serial_no": "MARKER-1"})
        gone, cls.key = cls._enter("MARKER-GONE-12345", "MARKER-KEY-12345")
        gone.with_context(software_key_deletion_reason="Any").unlink()
        cls._apply(cls.key)
        for record in (cls.key, cls.laptop, cls.office):
            record.with_user(cls.manager).message_post(
                body="MARKER", message_type="comment", subtype_xmlid="mail.mt_comment"
            )
        cls.env.flush_all()
        cls.env.invalidate_all()

    def _places(self, user):
        """Yield a record of each model that the user may not read."""
        named = {KEY: self.key, EQUIPMENT: self.laptop, SOFTWARE: self.office}
        for name in self._our_models():
            if self.env[name]._transient or not self._is_guarded(name):
                continue
            one = named.get(name) or self.env[name].search([], limit=1, order="id DESC")
            if one and not one.with_user(user).sudo(False).has_access("read"):
                yield one
                self.env.invalidate_all()

    def _written(self):
        """Return what is written at records of these addons, or about them."""
        domain = [("model", "=like", "client.equipment%")]
        return (
            self.env["mail.message"].search(domain).ids,
            self.env["mail.followers"].search([("res_model", "=like", domain[0][2])]),
            self.env[AUDIT_LOG].search([]).ids,
        )

    def assertTellsNothing(self, answer):
        self.assertNotIn("MARKER", str(answer))
        self.assertNotIn(self.key.license_key_hint, str(answer))


@tagged("post_install", "-at_install")
class TestNamedRecords(NamedRecordsMixin, GateCase):
    """E1: whoever names a record that he may not read, where Odoo takes a model and an
    id of his, is told nothing of it."""

    def test_names(self):
        """E1: nor by its name, which Odoo shows with all rights; every model."""
        for user in self.strangers:
            for one in self._places(user):
                one = one.with_user(user)
                for record in (one.sudo(), one.sudo(False)):
                    self.env.invalidate_all()
                    with self.subTest(user=user.login, model=one._name):
                        self.assertEqual(
                            record.display_name, one.sudo()._name_for_others()
                        )

    def test_customers(self):
        """E1: nor whom it is about, to whom Odoo's apps offer to write."""
        for user in self.strangers:
            for one in self._places(user):
                for ask in ("_mail_get_partners", "_message_get_suggested_recipients"):
                    self.env.invalidate_all()
                    theirs = one.with_user(user).sudo(False)
                    theirs.has_access("read")  # which brings it into the cache
                    with self.subTest(user=user.login, model=one._name, ask=ask):
                        with self.assertRaises(UserError):
                            getattr(theirs, ask)()

    def _fields_that_name(self, model):
        """Yield ``(field of the model's name or None, field of the id)``."""
        fields = model._fields
        for name, field in fields.items():
            if field.type == "reference":
                yield None, name
            elif field.type == "many2one_reference":
                yield field.model_field, name
            elif name in IDS[1:] and field.type in ("integer", "char", "text"):
                yield from ((each, name) for each in MODELS if each in fields)

    def _naming_models(self):
        """Return the names of the models of other apps that name records."""
        others = set(self.env) - set(self._our_models())
        return {
            name
            for name in others
            if not self.env[name]._abstract
            and any(self._fields_that_name(self.env[name]))
        }

    def _naming(self, model, model_field, id_field, one):
        """Return the values by which a record of the model names ``one``."""
        if not model_field:
            return {id_field: f"{one._name},{one.id}"}
        text = model._fields[id_field].type in ("char", "text")
        values = {id_field: str(one.ids) if text else one.id, model_field: one._name}
        model_id = f"{model_field}_id"
        if model_id in model._fields:
            values[model_id] = self.env["ir.model"]._get_id(one._name)
        return values

    def _spec(self, model):
        return {
            name: {"fields": {"display_name": {}}} if field.relational else {}
            for name, field in model._fields.items()
            if model._has_field_access(field, "read") and field.type != "binary"
        }

    @mute_logger("odoo.sql_db")
    def test_fields(self):
        """E1: every model of every app that names records by model and id × every way
        to have something computed of that."""
        before, seen = self._written(), set()
        places = {user: list(self._places(user)) for user in self.strangers}
        for name, user in product(sorted(self._naming_models()), self.strangers):
            records = self.env[name].with_user(user)
            if not records.has_access("create"):
                continue
            spec = self._spec(records)
            for fields, one in product(self._fields_that_name(records), places[user]):
                values = self._naming(records, *fields, one)
                seen.add((name, *fields))
                for way, act in self._ways(records, values, spec, one).items():
                    self.env.invalidate_all()
                    told = {"model": name, "to": one._name, "user": user.login}
                    with self.subTest(**told, way=way):
                        self.assertTellsNothing(self._answer(act))
        self.assertEnough(seen, 6)
        self.assertEqual(self._written(), before)

    def _ways(self, records, values, spec, one):
        default = {f"default_{name}": value for name, value in values.items()}
        active = {"active_model": one._name, "active_id": one.id}
        active["active_ids"] = one.ids
        return {
            "onchange": lambda: records.onchange({**values}, [], spec),
            "changed": lambda: records.onchange({**values}, [*values], spec),
            "default": lambda: records.with_context(**default).onchange({}, [], spec),
            "active": lambda: records.with_context(**active).onchange({}, [], spec),
            "create": lambda: records.create(values).web_read(spec),
        }

    def _answer(self, act):
        """Return what the act answers, or refuses with; it is undone."""
        with self.env.cr.savepoint() as savepoint:
            try:
                return act()
            except Exception as error:  # pylint: disable=broad-except
                return error
            finally:
                savepoint.rollback()


@tagged("post_install", "-at_install")
class TestNamedByAddress(NamedRecordsMixin, SoftwareKeyMixin, HttpCase):
    """E1: nor does an address of any app that takes a model and an id tell of it."""

    @mute_logger("odoo.http", "odoo.addons.client_equipment.models.ir_http")
    def test_routes(self):
        """E1: every user × every model × every such endpoint; and each address."""
        # Which some of them may read.
        for record in (self.customer, self.office, self.laptop):
            record.message_ids.unlink()
        before, seen = self._written(), set()
        rules = list(http._generate_routing_rules(self.registry._init_modules, False))
        # An endpoint does the same at each of its addresses: one record goes to all.
        first = [rule for rule in rules if rule[0] == rule[1].routing["routes"][0]]
        for user in self.strangers:
            self.authenticate(user.login, user.login)
            for number, one in enumerate(self._places(user)):
                calls = self._routes(first if number else rules, one)
                for url, kind, arguments in calls:
                    self.env.invalidate_all()
                    with self.subTest(url=url, user=user.login):
                        self.assertTellsNothing(self._call(url, kind, arguments))
                        seen.add(url)
        self.assertEnough(seen, 12)
        self.assertEqual(self._written(), before)

    def _routes(self, rules, one):
        """Yield ``(address, its type, arguments)`` of what takes a model and an id; the
        arguments name ``one``."""
        for url, endpoint in rules:
            names = {*inspect.signature(endpoint.original_endpoint).parameters}
            models, ids = names & {*MODELS}, names & {*IDS}
            if models and ids:
                given = dict.fromkeys(models, one._name) | dict.fromkeys(ids, one.id)
                for place, name in PLACE.findall(url):
                    url = url.replace(place, str(given.get(name, "name")))
                yield url, endpoint.routing["type"], given | {"partner_ids": []}

    def _call(self, url, kind, arguments):
        if kind == "http":
            return self.url_open(url, params=arguments).text
        return self.url_open(
            url,
            data=json.dumps({"jsonrpc": "2.0", "params": arguments}),
            headers={"Content-Type": "application/json"},
        ).text
