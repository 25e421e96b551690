# pylint: disable=context-overridden
import inspect
import json
import random
import re
import string
import unicodedata
import xmlrpc.client
from collections import Counter
from itertools import count, product

import psycopg2
from psycopg2 import IntegrityError
from psycopg2.errors import CheckViolation

from odoo import Command, models
from odoo.exceptions import UserError, ValidationError
from odoo.service.model import get_public_method
from odoo.tests import Form, HttpCase, tagged
from odoo.tests.common import get_db_name
from odoo.tools import mute_logger

from .common import ADDON, SoftwareKeyCommon, SoftwareKeyMixin, api_key

KEY = "client.equipment.software.key"
QUIET = (
    "odoo.http",
    "odoo.sql_db",
    "odoo.models",
    "odoo.addons.client_equipment.models.ir_http",
    "odoo.addons.base.models.ir_qweb",
)
# What people, programs and mischief send where something else is meant.
SCALARS = [
    None,
    True,
    0,
    -1,
    1.5,
    float("nan"),
    float("inf"),
    10**9,
    2**31,
    2**63,
    10**30,
    "abc",
    "",
    " ",
    "a\0b",
    "a\ud800b",
    "x" * 4000,
    "2026-13-45",
    "0000-00-00",
    "9999-12-31",
    "99999-01-01",
    "31/12/2027",
]
NESTED = [
    [],
    [None],
    [[[[]]]],
    [10**9],
    [10**30],
    ["abc"],
    ["a\0"],
    ["\udfff"],
    [{}],
    {},
    {"a": 1},
    {"id": "x", "name": {"a": []}},
    [["a", "b", "c"]],
    [["id", "=", [[]]]],
    [["id", "in", "abc"]],
    [[0, 0, 1]],
    [[6, 0, "x"]],
    [[9]],
    [[1, 10**9, {}]],
]
GARBAGE = SCALARS + NESTED
MEGABYTES = ["x" * 10**6, "'" * 10**6, "\n" * 10**6, "a" + " " * 10**6 + "b\nc"]
MEGABYTES += ["a [" * 10**5 + "\n]", " - a" * 10**5, ";'" * 10**5]
# A thousand characters each; at random, so that no index can compress them.
DICE = random.Random(8)
SCRIPTS = {
    name: "".join(DICE.choices(characters, k=1000))
    for name, characters in {
        "Latin": string.ascii_letters + string.digits,
        "Arabic": "".join(map(chr, range(0x0621, 0x063B))),
        "Chinese": "".join(map(chr, range(0x4E00, 0x9FA6))),
        "emoji": "".join(map(chr, range(0x1F300, 0x1F5FF))),
        "longer in lower case": "\u023a\u023e",
        "combining marks": "".join(map(chr, range(0x0300, 0x034E))),
        "Greek": "".join(map(chr, range(0x0391, 0x03A1))),
    }.items()
}
# Contexts that name what does not exist, or are of another type.
CONTEXTS = [
    5,
    "abc",
    [[1, 2]],
    {"tz": "Mars/Olympus"},
    {"tz": 5},
    {"tz": "a\0"},
    {"lang": "xx_XX"},
    {"lang": {"a": 1}},
    {"allowed_company_ids": [10**9]},
    {"allowed_company_ids": "abc"},
    {"allowed_company_ids": [10**30]},
    {"active_test": []},
    {"active_model": KEY, "active_ids": "abc", "active_id": "abc"},
    {"active_model": KEY, "active_ids": [10**9], "active_id": 10**9},
    {"active_model": KEY, "active_ids": [10**30], "active_id": 10**30},
    {"active_model": KEY, "active_ids": [[1]], "active_id": [1]},
    {"active_model": "client.equipment", "active_ids": {"a": 1}, "active_id": {}},
    {"active_model": ["client.equipment"], "active_ids": 5, "active_id": -1},
    {"available_for_equipment": "abc", "formatted_display_name": True},
    {"available_for_equipment": 10**30, "formatted_display_name": True},
    {"available_for_equipment": [1], "formatted_display_name": {}},
    {"owned_first": {"a": 1}, "search_status": ["a"]},
    {"duplicated_software_key": "x", "a\ud800": 1},
]
# What people press at the end of a dialog.
BUTTONS = {
    "client.equipment.apply.next": "action_apply",
    "client.equipment.apply.software": "action_apply",
    "client.equipment.evidence.pack": "action_make",
    "client.equipment.return": "action_confirm",
    f"{KEY}.bulk.entry": "action_enter",
    f"{KEY}.override": "action_apply",
    f"{KEY}.renewal": "action_renew",
    f"{KEY}.replacement": "action_replace",
}
# What a public method is called with otherwise.
SENSIBLE = {
    "domain": [],
    "specification": {"display_name": {}},
    "fields": ["display_name"],
    "vals": {},
    "vals_list": [],
    "values": {},
    "field_names": [],
    "fields_spec": {"display_name": {}},
    "data": [],
    "groupby": ["id"],
    "fields_to_export": ["display_name"],
    "operation": "read",
    "license_keys": ["GOOD-1"],
    "software_ids": [],
    "license_key": "GOOD-2",
    "validity_end": "2099-12-31",
    "decisions": {},
    "name": "x",
    "text": "x",
    "views": [[False, "list"]],
    "grouping_sets": [["id"]],
    "field_name": "display_name",
}
# Words that do for any field: the record may not be touched or found, or it is named.
WORDS = "not allowed|Only administrators|never be changed|does not exist|BAD-|LAPTOP-"
# Methods of the ORM and of its addons that ours override. What they are given they
# give to the ORM, and what that stumbles over is told at the border (``ir.http``).
OVERRIDES = {
    "write": "looks at its values in the gate itself",
    "default_get": "runs for every new record, and passes over what is no field",
    "name_search": "changes the order alone",
    "web_search_read": "changes the order, and leaves out what a rule keeps",
}


class BadInputMixin(SoftwareKeyMixin):
    """A record of each model of ours, for the manager."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._give_rights_of_apps(cls.manager)
        cls.category = cls.env["client.equipment.category"].create({"name": "Bad"})
        cls.free_key, applied_key = cls._enter("BAD-1", "BAD-2")
        cls.feature = cls._apply(applied_key)
        cls.env[f"{KEY}.check"]._get()
        cls.env["client.equipment.audit.checkpoint"].make()
        cls.env["client.equipment.verification"].create({"user_id": cls.manager.id})
        cls._enter("BAD-GONE-00001").unlink()
        pack = cls.env["client.equipment.evidence.pack"].with_user(cls.manager)
        in_pack = {"pack_id": pack.create({}).id}
        cls.env["client.equipment.evidence.file"].create({"name": "BAD-5"} | in_pack)
        cls.env["client.equipment.evidence.piece"].create({"part": "BAD-6"} | in_pack)
        cls._make_records_of_apps()
        cls.records = {model: cls._record(model) for model in cls._our_models()}
        assert all(cls.records.values()), cls.records
        cls.env.flush_all()

    @classmethod
    def _record(cls, model):
        """Return a record of the model that the manager may use."""
        Model = cls.env[model].with_user(cls.manager)
        if not Model._transient:
            return Model.sudo().search([], limit=1, order="id").sudo(False)
        if model.endswith(".line"):
            return cls._record(model.removesuffix(".line")).line_ids[:1]
        return Model.with_context(cls._opened_from(model)).create(cls._typed(model))

    @classmethod
    def _opened_from(cls, model):
        """Return the context in which people open a dialog."""
        return {
            "active_model": KEY,
            "active_ids": cls.free_key.ids,
            "active_id": cls.free_key.id,
        }

    @classmethod
    def _typed(cls, model):
        """Return what has to be typed into a dialog, or comes with the button."""
        return {
            "client.equipment.apply.next": {
                "equipment_id": cls.spare_laptop.id,
                "software_ids": [Command.set(cls.office.ids)],
            },
            "client.equipment.apply.software": {
                "equipment_ids": [Command.set(cls.spare_laptop.ids)],
                "software_ids": [Command.set(cls.office.ids)],
            },
            f"{KEY}.override": {
                "software_key_id": cls.free_key.id,
                "equipment_id": cls.spare_laptop.id,
                "reason": "BAD-7",
            },
            "client.equipment.return": {"equipment_id": cls.laptop.id},
            "client.equipment": {"name": "Bad"},
            "client.equipment.category": {"name": "Bad too"},
            "client.equipment.software": {"name": "Bad"},
            f"{KEY}.bulk.entry": {
                "software_id": cls.office.id,
                "license_keys": "BAD-3",
            },
            f"{KEY}.renewal": {"mode": "date", "validity_end": "2199-12-31"},
            f"{KEY}.replacement": {"license_key": "BAD-4"},
        }.get(model, {})

    def _fingerprint(self):
        """Return for each table what stands in it: number and hash of its rows."""
        tables = {
            self.env[model]._table
            for model in self._our_models()
            if self.env[model]._auto
        } | {"mail_message", "mail_activity", "ir_attachment", "ir_default"}
        tables |= {"res_partner", "res_company", "res_currency", "ir_cron"}
        self.env.flush_all()
        found = {}
        for table in sorted(tables):
            self.env.cr.execute(
                f"SELECT count(*), md5(string_agg(row::text, '' ORDER BY row.id))"
                f" FROM {table} row"
            )
            found[table] = self.env.cr.fetchone()
        return found

    def _public_methods(self, model):
        """Yield ``(name, function)`` of what anybody may call of a model."""
        for name in dir(self.registry[model]):
            if name.startswith("_"):
                continue
            try:
                yield name, get_public_method(self.env[model], name)
            except Exception as refused:  # not callable, or closed to callers
                self.assertNotIsInstance(refused, AssertionError)

    def _values(self, number, start):
        """Return so many of the garbage values, others at each start."""
        step = max(len(GARBAGE) // number, 1) if number else 1
        return [GARBAGE[(start + step * each) % len(GARBAGE)] for each in range(number)]

    def _guarded(self):
        """Yield each model that is looked at, with its record."""
        for model, record in self.records.items():
            if self._is_guarded(model):
                yield model, record

    def _written_fields(self, model):
        """Return the names of the fields that are the model's own."""
        return [
            name
            for name, field in self.env[model]._fields.items()
            if name not in models.MAGIC_COLUMNS
            and any(each.startswith("client_equipment") for each in field._modules)
            and (field.store or field.inverse and not field.related)
        ]


def _is_ours(function):
    return inspect.unwrap(function).__module__.startswith("odoo.addons.client_equip")


def _arguments(function):
    """Return the names of a method's arguments."""
    return [
        parameter.name
        for parameter in list(inspect.signature(function).parameters.values())[1:]
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]


@tagged("post_install", "-at_install")
class TestSearchOperands(SoftwareKeyCommon):
    """E2: what a search compares with may be anything, whatever is searched."""

    GARBAGE = ("x", "1; DROP", "9999-99-99", "٣", "", "-", {"a": 1}, [], [["x"]], ["x"])
    GARBAGE += ([1, "x"], 1.5, 10**30, -(10**30), True, None, "\ud800", "x" * 5000)
    OPERATORS = ("=", "!=", "<", ">=", "in", "not in", "ilike", "=like", "not any")

    def _searched(self):
        """Yield each field of ours that has a search of its own, or is a number."""
        for name, model in sorted(self.env.items()):
            if not name.startswith("client.equipment") or model._abstract:
                continue
            for field in model._fields.values():
                ours = "client_equipment" in (field._module or "")
                numeric = (
                    field.type in ("integer", "float") and field._description_searchable
                )
                if ours and (field.search or numeric):
                    yield model.sudo(), field.name

    @mute_logger("odoo.domains", "odoo.sql_db")
    def test_garbage(self):
        """E2: a search with garbage finds something or nothing, or is refused in Odoo's
        words or ours; PostgreSQL is never asked."""
        seen, asked = set(), set()
        for model, name in self._searched():
            seen.add(name)
            for operator, operand in product(self.OPERATORS, self.GARBAGE):
                try:
                    with self.env.cr.savepoint():
                        model.search([(name, operator, operand)], limit=1)
                except psycopg2.Error as error:
                    asked.add((str(model._fields[name]), operator, repr(operand)[:20]))
                    asked.add(str(error).partition("\n")[0])
                except Exception:  # which words each kind gets, others show
                    continue
        self.assertFalse(asked)
        self.assertLess(
            {"seats_free", "seats", "partner_id", "installed_on", "needs_attention"}
            | {"can_be_applied", "expires_soon", "below_minimum"},
            seen,
        )

    def test_words(self):
        """E2: a number that is compared with a text is named in the words."""
        keys = self.env[KEY].with_user(self.technician)
        for name in ("seats_free", "seats", "audit_number"):
            label = keys._fields[name]._description_string(self.env)
            for operator, operand in ((">", "x"), ("in", ["x"]), ("=", "1 or 1=1")):
                with self.assertRefused(
                    ValidationError, f"^{label} cannot be compared with '.*number"
                ):
                    keys.search([(name, operator, operand)])
            self.assertEqual(
                keys.search([(name, ">=", "1")]), keys.search([(name, ">=", 1)])
            )


@tagged("post_install", "-at_install")
class TestPublicMethods(BadInputMixin, SoftwareKeyCommon):
    """E2: no public method of ours takes its arguments unseen."""

    def test_arguments_are_checked(self):
        """E2: every public method of ours with arguments has them checked, all of
        them, or gives them to the ORM."""
        unchecked, seen = set(), set()
        for model in self.registry:
            for name, _function in self._public_methods(model):
                for cls in self.registry[model].mro():
                    function = vars(cls).get(name)
                    if not inspect.isfunction(function) or not _is_ours(function):
                        continue
                    if self._is_of_odoo(model, name):
                        continue
                    seen.add(name)
                    kinds = inspect.signature(function).parameters.values()
                    kinds = [kind.annotation for kind in list(kinds)[1:]]
                    checked = hasattr(inspect.unwrap(function), "arguments_checked")
                    checked = checked or hasattr(function, "arguments_checked")
                    if kinds and (not checked or inspect.Parameter.empty in kinds):
                        unchecked.add((name, model))
        self.assertLess({"bulk_enter", "renew", "write", "load", "create"}, seen)
        self.assertFalse(
            {one for one in unchecked if one[0] not in OVERRIDES},
            "decorate them with @checked and annotate every argument",
        )
        self.assertEqual({name for name, _model in unchecked}, set(OVERRIDES))

    def _is_of_odoo(self, model, name):
        """Tell whether a method is one of the ORM, of a model that is not ours: what we
        add to it comes after what Odoo does."""
        return model not in self.records and hasattr(models.BaseModel, name)


@tagged("post_install", "-at_install")
class TestBadCalls(BadInputMixin, HttpCase):
    """E2: whatever is sent over the API is answered in words, and nothing of what was
    refused stays."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.api_keys = {user: api_key(user) for user in (cls.manager, cls.technician)}

    def setUp(self):
        super().setUp()
        self.calls = count()
        self.before = self._fingerprint()
        self.user = self.manager
        self.authenticate(self.user.login, self.user.login)
        muted = mute_logger(*QUIET)
        muted.__enter__()
        self.addCleanup(muted.__exit__, None, None, None)

    def _nothing_half_done(self):
        self.env.invalidate_all()
        self.assertEqual(self._fingerprint(), self.before)

    def _post(self, path, body, **headers):
        return self.url_open(
            path,
            data=json.dumps(body),
            headers={"Content-Type": "application/json"} | headers,
        )

    def _call_kw(self, model, method, ids, arguments):
        """Call as the web client does; return the error, or None where it is done."""
        function = getattr(self.registry[model], method)
        args = [] if getattr(function, "_api_model", False) else [ids]
        if method == "create":  # of which the route itself wants no named argument
            args, arguments = list(arguments.values()), {}
        answer = self._post(
            "/web/dataset/call_kw",
            {
                "jsonrpc": "2.0",
                "params": {
                    "model": model,
                    "method": method,
                    "args": args,
                    "kwargs": arguments,
                },
            },
        )
        self.assertEqual(answer.status_code, 200, answer.text[:500])
        error = answer.json().get("error")
        return error and error["data"]

    def _json2(self, model, method, ids, arguments):
        """Call as a program does; return the error, or None where it is done."""
        function = getattr(self.registry[model], method)
        if not getattr(function, "_api_model", False):
            arguments = {"ids": ids} | arguments
        answer = self._post(
            f"/json/2/{model}/{method}",
            arguments,
            Authorization=f"bearer {self.api_keys[self.user]}",
        )
        self.assertLess(answer.status_code, 500, answer.text[:500])
        return answer.json() if answer.status_code >= 400 else None

    def _call(self, model, method, ids, arguments, words=None):
        """Call a method by one of the two ways; what was accepted is undone.

        :param str words: what the error has to say, where there is one
        :return: the error, or None
        """
        with self.subTest(model=model, method=method, ids=ids, arguments=arguments):
            with self.env.cr.savepoint(flush=False) as savepoint:
                if next(self.calls) % 4:
                    error = self._call_kw(model, method, ids, arguments)
                else:
                    error = self._json2(model, method, ids, arguments)
                if not error:
                    savepoint.rollback()
            if error:
                self._assert_words(error, words)
            return error
        return None

    def _assert_words(self, error, words):
        name, message = error["name"], error["message"]
        self.assertRegex(
            name, r"^(odoo\.|werkzeug\.exceptions\.(NotFound|Unprocessable))", message
        )
        self.assertGreater(len(message.split()), 3, message)
        self.assertLess(len(message), 5000)
        self.assertNotIn("Traceback", message)
        if words:
            self.assertRegex(message, words)

    def _words(self, function, argument, value):
        """Return the words in which a method of ours refuses a value of a wrong type,
        or that it is not the border that refuses any other."""
        if not hasattr(function, "arguments_checked"):
            return None
        kind = str(inspect.signature(function).parameters[argument].annotation)
        if any(each in str(value) for each in ("\0", "\\x00", "\ud800", "\\udfff")):
            return f"({argument}|args)[.0]*: it holds"
        if isinstance(value, list | dict) != bool(re.search("list|dict", kind)):
            return value and f"{argument} of {function.__name__} cannot be"
        if hasattr(models.BaseModel, function.__name__):
            return None
        return r"^(?!.*cannot be understood)"

    def _try_methods(self, some):
        """Call every public method of every model with garbage for each argument.

        :param some: called with whether the method is ours and whether it is new;
            returns how many values are tried
        """
        turn, seen = count(), Counter()
        for model, record in self._guarded():
            for method, function in self._public_methods(model):
                arguments = _arguments(function)
                sensible = {
                    name: SENSIBLE.get(name)
                    for name in arguments
                    if inspect.signature(function).parameters[name].default
                    is inspect.Parameter.empty
                }
                if "equipment_id" in sensible:
                    sensible["equipment_id"] = self.spare_laptop.id
                seen[inspect.unwrap(function)] += 1
                is_new = seen[inspect.unwrap(function)] == 1
                values = some(_is_ours(function), is_new)
                if not is_new and arguments:
                    arguments = [arguments[next(turn) % len(arguments)]]
                for argument in arguments:
                    for value in self._values(values, next(turn)):
                        self._call(
                            model,
                            method,
                            record.ids,
                            sensible | {argument: value},
                            self._words(function, argument, value),
                        )
                if not getattr(function, "_api_model", False):
                    for ids in self._values(min(values, 8), next(turn)):
                        self._call(model, method, ids, sensible)

    def test_methods(self):
        """E2: every public method, as the manager: with some of the garbage for each
        argument, other values each time; ours with more."""

        def some(ours, new):
            if not new:
                return 1
            return len(GARBAGE) // 3 if ours else 2

        self._try_methods(some)
        self._nothing_half_done()

    def test_methods_as_technician(self):
        """E2: every public method once, as the technician."""
        self.user = self.technician
        self.authenticate(self.user.login, self.user.login)
        self._try_methods(lambda ours, new: int(new))
        self._nothing_half_done()

    def test_contexts(self):
        """E2: every model and dialog, opened, saved, listed and searched with a context
        that names what does not exist, or is of another type."""
        turn = count()
        routes = [
            ("onchange", lambda model: [{}, [], {"display_name": {}}]),
            ("web_save", lambda model: [self._typed(model), {"display_name": {}}]),
            ("web_search_read", lambda model: [[], {"display_name": {}}]),
            ("name_search", lambda model: ["x"]),
            ("get_views", lambda model: [[[False, "form"]]]),
            ("formatted_read_group", lambda model: [[], ["id"], ["__count"]]),
        ]
        for model in self.records:
            for context in CONTEXTS:
                if self.env[model]._transient:
                    tried = routes[:2]
                else:
                    tried = [routes[next(turn) % len(routes)]]
                for method, arguments in tried:
                    names = _arguments(getattr(self.registry[model], method))
                    arguments = dict(zip(names, arguments(model), strict=False))
                    self._call(model, method, [], arguments | {"context": context})
        self._nothing_half_done()

    def test_values(self):
        """E2: each field of each model once, over the API."""
        turn = count()
        for model, record in self._guarded():
            for name in self._written_fields(model):
                for value in self._values(2, next(turn)):
                    vals, seen = {name: value}, {"specification": {"id": {}}}
                    if next(turn) % 2:
                        self._call(model, "web_save", record.ids, {"vals": vals} | seen)
                    else:
                        self._call(model, "create", [], {"vals_list": [vals]})
        self._nothing_half_done()

    def test_nothing(self):
        """E2: what is needed and left empty is named, without the names of tables and
        without guesses; also where a command takes a line from its record."""
        words = r"(?s)^(?!.*(Missing required|Model:|violates))"
        seen = set()
        for model, line in self._guarded():
            for name in self._written_fields(model):
                field = line._fields[name]
                if not field.required:
                    continue
                self._call(model, "write", line.ids, {"vals": {name: False}}, words)
                self._call(model, "create", [], {"vals_list": [{name: False}]}, words)
                for inverse in self.registry.field_inverses[field]:
                    owner = line.sudo()[name]
                    for command in (
                        Command.unlink(line.id),
                        Command.clear(),
                        Command.set([]),
                    ):
                        seen.add(inverse)
                        vals = {inverse.name: [command]}
                        owned = {"ids": owner.ids, "arguments": {"vals": vals}}
                        for call in (self._call_kw, self._json2):
                            with self.subTest(str(inverse), command=command):
                                with self.env.cr.savepoint(flush=False) as savepoint:
                                    error = call(owner._name, "write", **owned)
                                    savepoint.rollback()
                                if error:
                                    self._assert_words(error, words)
        self.assertEnough(seen, 5)
        self._nothing_half_done()

    def test_records_and_context(self):
        """E2: what every call has, the records and the context, is named."""
        for ids in ("abc", True, [None], [0], [-1], [10**30], ["a"], {"a": 1}, [[1]]):
            for method in ("action_revoke", "verify_audit_trail", "read"):
                self._call(KEY, method, ids, {}, "ids: it has to be the database id")
        for context in (5, "abc", [[1, 2]]):
            self._call(
                KEY, "search", [], {"domain": [], "context": context}, "context: it has"
            )
        for ids in ([], self.env[KEY].search([]).ids):
            for method in ("action_duplicate", "action_view_equipment"):
                self._call(KEY, method, ids, {}, "needs one record .Software Key")
        vals = {"name": "a\ud800"}
        for method, arguments in (
            ("write", {"vals": vals}),
            ("search", {"domain": [["name", "=", "\ud800"]]}),
        ):
            error = self._call(
                "client.equipment", method, self.laptop.ids, arguments, "half a char"
            )
            self.assertRegex(error["message"], r"(vals\.name|domain\.0\.2|domain\.2): ")
        self._nothing_half_done()

    def test_xml_rpc(self):
        """E2: what a step or a value refuses has the same words for XML-RPC."""
        one = self.free_key.ids
        for method, arguments, words in (
            ("write", [one, {"validity_end": "2026-13-45"}], "Validity End cannot be"),
            ("write", [one, {"seats": "abc"}], "Seats cannot be 'abc'"),
            ("write", [one, {"owner_id": "abc"}], "Bought for Customer cannot be"),
            ("write", [one, {"owner_id": 10**9}], "does not exist"),
            ("write", [one, {"audit_number": 5}], "set by the system"),
            ("write", [one, {"nothing": 5}], "has no field 'nothing'"),
            ("write", ["abc", {"seats": 2}], "ID cannot be compared with 'a'"),
            ("write", [[10**9], {"seats": 2}], "does not exist"),
            ("read", [["x"], ["license_key"]], "ID cannot be compared with 'x'"),
            ("create", [5], "vals_list of create cannot be 5"),
            ("renew", [one, True], "validity_end of renew cannot be True"),
            ("renew", [one, "31/12/2027"], "validity_end of renew cannot be"),
            ("replace", [one, {}], "license_key of replace cannot be {}"),
            ("load", [5, 5], "of load cannot be 5"),
        ):
            with self.subTest(method=method, arguments=arguments):
                with self.assertRaisesRegex(xmlrpc.client.Fault, words) as refused:
                    self.xmlrpc_object.execute_kw(
                        get_db_name(),
                        self.manager.id,
                        self.api_keys[self.manager],
                        KEY,
                        method,
                        arguments,
                    )
                self.assertEqual(refused.exception.faultCode, 2, "words for a person")
        self._nothing_half_done()

    def test_megabytes(self):
        """E2: a text of a million characters where a name, a list or a number is
        meant, of whatever these look for in a text."""
        for text in MEGABYTES:
            with self.subTest(text=text[:10]):
                self._call_with_megabyte(text)
        self._nothing_half_done()

    def _call_with_megabyte(self, text):
        for model in (KEY, "client.equipment", "client.equipment.software"):
            for method, arguments in (
                ("create", {"vals_list": [{"name": text, "license_key": text}]}),
                ("create", {"vals_list": text}),
                ("name_search", {"name": text}),
                ("web_search_read", {"domain": text, "specification": {}}),
            ):
                self._call(model, method, [], arguments)
        for method, arguments in (
            ("bulk_enter", {"license_keys": text, "values": {}}),
            ("bulk_enter", {"license_keys": [text], "values": {}}),
            ("load", {"fields": ["license_key"], "data": text}),
            ("load", {"fields": ["license_key"], "data": [[text]]}),
            ("renew", {"validity_end": text}),
            ("replace", {"license_key": text}),
            ("revoke", {"reason": text}),
        ):
            self._call(KEY, method, self.free_key.ids, arguments, r"\w+ \w+")


@tagged("post_install", "-at_install")
class TestBadValues(BadInputMixin, SoftwareKeyCommon):
    """E2: each field by each route, with each value: in words, naming the field, or
    stored as it is."""

    def setUp(self):
        super().setUp()
        muted = mute_logger(*QUIET)
        muted.__enter__()
        self.addCleanup(muted.__exit__, None, None, None)

    def _try(self, words, step):
        """Do something and undo it.

        :param words: what an error has to say
        :return: whether it was accepted
        """
        error = None
        with self.env.cr.savepoint() as savepoint:
            try:
                step()
                self.env.flush_all()
            except (UserError, IntegrityError) as refused:
                error = refused
            savepoint.rollback()
        self.env.invalidate_all()
        if isinstance(error, IntegrityError):  # as Odoo answers a request
            model = self.env[error.diag.table_name.replace("_", ".")]
            self.assertGreater(len(model._sql_error_to_message(error).split()), 3)
        elif error:
            self.assertRegex(str(error.args[0]), words)
        return not error

    def _assert_stored(self, record, name, value):
        field, stored = record._fields[name], record[name]
        match field.type:
            case _ if not value or name == "license_keys":
                return
            case "char" | "text":
                self.assertEqual(stored, str(value).strip() or stored)
            case "integer" | "float":
                self.assertEqual(stored, float(value))
            case "date":
                self.assertEqual(str(stored), value)
            case "boolean":
                self.assertTrue(stored)
            case "selection":
                self.assertEqual(stored, value)
            case "many2one":
                self.assertEqual(stored.id, value)

    def test_fields(self):
        """E2: each field, by write, create, onchange, a default and import; of a dialog
        up to its button."""
        turn = count()
        for model, record in self._guarded():
            for name in self._written_fields(model):
                label = record._fields[name]._description_string(self.env)
                words = f"(?i){re.escape(label)}|{WORDS}"
                for value in self._values(14, next(turn)):
                    with self.subTest(model=model, field=name, value=value):
                        self._try_routes(record, name, value, words, next(turn))

    def _try_routes(self, record, name, value, words, turn):
        def write():
            record.write({name: value})
            self.env.flush_all()
            self.env.invalidate_all()
            self._assert_stored(record, name, value)

        model = record.browse().with_context(self._opened_from(record._name))
        spec = {name: {}}
        others = [
            lambda: model.create(self._typed(model._name) | {name: value}),
            lambda: model.onchange({name: value}, [name], spec),
            lambda: model.with_context({f"default_{name}": value}).onchange(
                {}, [], spec
            ),
            lambda: model.load([name], [[value]]),
        ]
        self._try(words, write)
        if button := BUTTONS.get(record._name):
            self._try(
                ".", lambda: (record.write({name: value}), getattr(record, button)())
            )
        if not isinstance(value, str) or name in ("status", "key_type"):
            others[1:] = []  # Odoo itself looks at what is shown or imported
        self._try(".", others[turn % len(others)])

    def test_onchange_of_what_stays(self):
        """E2: a form in which somebody chooses another customer and then the first one
        again, or shows what the system alone sets, goes on."""
        laptop = self.laptop.with_user(self.manager)
        for name, value in (
            ("partner_id", self.customer.id),
            ("user_id", False),
            ("in_service", True),
        ):
            found = laptop.onchange({name: value}, [name], {name: {}})
            self.assertEqual(found["value"], {})

    def test_scripts(self):
        """E2: a thousand characters of any script fit into each field, with its
        indexes, or are refused in words; what is stored is what was sent."""
        refused = Counter()
        for model, record in self._guarded():
            for name in self._written_fields(model):
                field = record._fields[name]
                if field.type not in ("char", "text") or getattr(field, "fixed", False):
                    continue
                label = re.escape(field._description_string(self.env))
                for script, text in SCRIPTS.items():
                    with self.subTest(model=model, field=name, script=script):
                        if not self._try(
                            f"{label}.*longer than|license key .*longer|{WORDS}",
                            lambda record=record, name=name, text=text: (
                                self._write_and_compare(record, name, text)
                            ),
                        ):
                            refused[script] += 1
        self.assertGreater(refused["Chinese"], 5)
        self.assertLess(refused["Arabic"], refused["Chinese"])

    def _write_and_compare(self, record, name, text):
        if name == "license_key":
            record = self._enter(text)
        else:
            record.write({name: text})
        self.env.flush_all()
        self.env.invalidate_all()
        # Marks on one letter have an order.
        self.assertEqual(
            unicodedata.normalize("NFC", record[name]),
            unicodedata.normalize("NFC", text),
        )


@tagged("post_install", "-at_install")
class TestFarDates(SoftwareKeyCommon):
    """E2, K5: dates beyond any calendar are refused; where they came about before, no
    screen breaks."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.keys = cls._enter_subscriptions("FAR-1", "FAR-2")
        cls.feature = cls._apply(cls.keys[0])
        cls.env.flush_all()
        cls.env.cr.execute(
            "UPDATE client_equipment_software_key SET validity_end = '9999-12-31'"
            " WHERE id = ANY(%s)",
            [cls.keys.ids],
        )
        cls.env.invalidate_all()
        cls.keys = cls.keys.with_user(cls.manager)
        cls.domain = [("id", "in", cls.keys.ids)]

    @mute_logger("odoo.sql_db")
    def test_refused(self):
        """K5: an end beyond 2200 by each route; default months beyond 600."""
        far = {"key_type": "subscription", "validity_end": "9999-12-31"}
        values = far | {"software_id": self.office.id}
        key = self._enter_subscriptions("FAR-3").with_user(self.manager)
        pack = {"license_keys": ["FAR-4"], "values": values}
        for step in (
            lambda: self._enter("FAR-4", **far),
            lambda: key.write({"validity_end": "9999-12-31"}),
            lambda: key.renew("9999-12-31"),
            lambda: key.bulk_enter(**pack),
            lambda: (
                self.env[f"{KEY}.renewal"]
                .with_user(self.manager)
                .create(
                    {
                        "software_key_ids": [Command.set(key.ids)],
                        "mode": "date",
                        "validity_end": "9999-12-31",
                    }
                )
                .action_renew()
            ),
        ):
            with self.assertRefused(UserError, "2200"):
                step()
        for step in (
            lambda: self._enter("FAR-4", **far),
            lambda: key.bulk_enter(**pack),
            lambda: key.renew("9999-12-31"),
        ):
            with self.assertRefused(UserError, "Permanent"):
                step()
        for months in (601, 200_000, 2**31 - 1):
            with self.assertRaises(CheckViolation) as caught, self.env.cr.savepoint():
                self.office.default_validity_months = months
                self.env.flush_all()
            self.assertIn("600", self.office._sql_error_to_message(caught.exception))
        self.office.default_validity_months = 600

    def test_lists(self):
        """K5: the key list, grouped by the end in every step, exported too."""
        for step in ("day", "week", "month", "quarter", "year"):
            for order in ("asc", "desc"):
                with self.subTest(step):
                    groupby = f"validity_end:{step}"
                    found = self.keys.web_read_group(
                        self.domain, [groupby], ["__count"], order=f"{groupby} {order}"
                    )
                    (group,) = found["groups"]
                    self.assertEqual(group["__count"], 2)
                    self.assertIn("9999", group[groupby][1])
                    inside = self.domain + group["__extra_domain"]
                    self.assertEqual(
                        self.keys.search(inside), self.keys.sorted("id", True)
                    )
                    grouping = self.keys.formatted_read_grouping_sets(
                        self.domain, [["status", groupby]], ["__count"]
                    )
                    self.assertEqual(sum(row["__count"] for row in grouping[0]), 2)
        found = self.keys.with_context(fill_temporal=True).formatted_read_group(
            self.domain, ["validity_end:month"], ["__count"]
        )
        self.assertEqual([group["__count"] for group in found], [2])
        self.keys.read_progress_bar(
            self.domain,
            "validity_end:month",
            {"field": "status", "colors": {"available": "success"}},
        )
        self.keys.web_search_read(self.domain, {"display_name": {}, "validity_end": {}})

    def test_dialogs_and_jobs(self):
        """K5: renewal, the jobs, usage history and the evidence pack."""
        dialog = self.env[f"{KEY}.renewal"].with_user(self.manager)
        dialog = dialog.with_context(active_model=KEY, active_ids=self.keys.ids)
        values = dialog.onchange(
            {}, [], {"software_key_ids": {}, "validity_end": {}, "preview": {}}
        )
        self.assertFalse(values["value"]["validity_end"])
        dialog = dialog.create({})
        self.assertEqual(dialog.renewable_count, 0)
        with self.assertRefused(UserError, "FAR-1"):
            self.keys.renew(False)
        self.keys.renew(self._in_days(100))
        software = self.env["client.equipment.software"]
        software._cron_remind()
        history = self.env["client.equipment.usage.history"].with_user(self.manager)
        for day in ("9999-12-31", "0001-01-01", "2200-12-31"):
            history.search([("installed_on", "<=", day)])
            history.search([("installed_on", "=", day)])
        pack = self.env["client.equipment.evidence.pack"].with_user(self.manager)
        pack.create({"date_from": "0001-01-01", "date_to": "9999-12-31"}).action_make()

    def test_jobs(self):
        """S1, S5: neither job stumbles over the far end."""
        with self.enter_registry_test_mode():
            for cron in ("ir_cron_expire", "ir_cron_remind"):
                self.env.ref(f"{ADDON}.{cron}").method_direct_trigger()
        self.assertEqual(self.keys[1].status, "available")

    def test_form(self):
        """K5: the form of a key that ends so opens, and duplicates."""
        with Form(self.keys[1]) as form:
            form.remarks = "seen"
        self.keys[1].action_duplicate()


@tagged("post_install", "-at_install")
class TestDivisibleNames(SoftwareKeyCommon):
    """K6, E2: names of two parts, in texts that could be divided in many places."""

    def test_found(self):
        """K6: a record is found by its whole name, wherever that is divided."""
        self.office.name = "Office - Pro"
        key = self._enter("DIVIDED - 1")
        self.laptop.write({"name": "Unit [old", "serial_no": "1 [2]"})
        for record in (key, self.laptop):
            for user in (self.manager, self.technician):
                records = record.with_user(user)
                name, every = records.display_name, [("id", "in", records.ids)]
                for operator, found in (("=", records), ("!=", records.browse())):
                    domain = [("display_name", operator, name), *every]
                    self.assertEqual(records.search(domain), found)

    def test_many(self):
        """E2: fifty such texts cost no more questions than one, in every model."""
        for name, separator in product(self._our_models(), (" - ", " [")):
            records = self.env[name]
            if not records._fields["display_name"]._description_searchable:
                continue
            texts = [f"{number}{separator * 450}]" for number in range(50)]
            costs = []
            for given in (texts[:1], texts):
                self.env.invalidate_all()
                before = self.env.cr.sql_log_count
                records.search([("display_name", "in", given)])
                costs.append(self.env.cr.sql_log_count - before)
            with self.subTest(name, separator=separator):
                self.assertEqual(*costs)
                self.assertLess(costs[0], 10)
