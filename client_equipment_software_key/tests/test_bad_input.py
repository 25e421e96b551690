import inspect
import json
import re
from collections import Counter
from itertools import count

from odoo import Command, models
from odoo.exceptions import UserError
from odoo.service.model import get_public_method
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .common import SoftwareKeyCommon, SoftwareKeyMixin

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
MEGABYTE = "x" * 10**6
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
    {"software_key_available_for": "abc", "formatted_display_name": True},
    {"software_key_available_for": 10**30, "formatted_display_name": True},
    {"software_key_available_for": [1], "formatted_display_name": {}},
    {"software_key_owned_first": {"a": 1}, "software_key_search_status": ["a"]},
    {"software_key_duplicated": "x", "a\ud800": 1},
]
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
    "license_key": "GOOD-2",
    "validity_end": "2099-12-31",
    "decisions": {},
    "name": "x",
    "views": [[False, "list"]],
    "grouping_sets": [["id"]],
    "field_name": "display_name",
}
# Methods of the ORM and of its addons that ours override. What they are given they
# give to the ORM, and what that stumbles over is told at the border (``ir.http``).
OVERRIDES = {
    "write": "looks at its values in the gate itself",
    "default_get": "runs for every new record, and passes over what is no field",
    "name_search": "changes the order alone",
    "web_search_read": "changes the order alone",
}


class BadInputMixin(SoftwareKeyMixin):
    """A record of each model of ours, for the manager."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.category = cls.env["client.equipment.category"].create({"name": "Bad"})
        cls.free_key, applied_key = cls._enter("BAD-1", "BAD-2")
        cls.feature = cls._apply(applied_key)
        cls.env[f"{KEY}.check"]._get()
        cls.records = {model: cls._record(model) for model in cls._our_models()}
        cls.env.flush_all()

    @classmethod
    def _our_models(cls):
        """Return the names of all models of these addons that have records."""
        ours = cls.env.registry.descendants(["client.equipment.mixin"], "_inherit")
        return sorted(name for name in ours if not cls.env[name]._abstract)

    @classmethod
    def _record(cls, model):
        """Return a record of the model that the manager may use."""
        Model = cls.env[model].with_user(cls.manager)
        if not Model._transient:
            return Model.sudo().search([], limit=1, order="id").sudo(False)
        if model == "client.equipment.return.line":
            return cls._record("client.equipment.return").line_ids[:1]
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
            "client.equipment.return": {"equipment_id": cls.laptop.id},
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

    def _written_fields(self, model):
        """Return the names of the fields that are the model's own."""
        return [
            name
            for name, field in self.env[model]._fields.items()
            if name not in models.MAGIC_COLUMNS
            and any(each.startswith("client_equipment") for each in field._modules)
            and (field.store or field.inverse)
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


@tagged("post_install", "-at_install")
class TestBadCalls(BadInputMixin, HttpCase):
    """E2: whatever is sent over the API is answered in words, and nothing of what was
    refused stays."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.api_keys = {
            user: cls.env["res.users.apikeys"]
            .with_user(user)
            .sudo()
            ._generate("rpc", "bad input", None)
            for user in (cls.manager, cls.technician)
        }

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
        for model, record in self.records.items():
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

    def _values(self, number, start):
        """Return so many of the garbage values, others at each start."""
        step = max(len(GARBAGE) // number, 1) if number else 1
        return [GARBAGE[(start + step * each) % len(GARBAGE)] for each in range(number)]

    def test_methods(self):
        """E2: every public method, as the manager: ours with all of the garbage, the
        ORM's with some of it for each argument."""

        def some(ours, new):
            if not new:
                return 1
            return len(GARBAGE) // 2 if ours else 3

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
        for model, record in self.records.items():
            for name in self._written_fields(model):
                for value in self._values(2, next(turn)):
                    vals, seen = {name: value}, {"specification": {"id": {}}}
                    if next(turn) % 2:
                        self._call(model, "web_save", record.ids, {"vals": vals} | seen)
                    else:
                        self._call(model, "create", [], {"vals_list": [vals]})
        self._nothing_half_done()

    def test_megabytes(self):
        """E2: a text of a million characters where a name, a list or a number is
        meant."""
        for model in (KEY, "client.equipment", "client.equipment.software"):
            for method, arguments in (
                (
                    "create",
                    {"vals_list": [{"name": MEGABYTE, "license_key": MEGABYTE}]},
                ),
                ("create", {"vals_list": MEGABYTE}),
                ("name_search", {"name": MEGABYTE}),
                ("web_search_read", {"domain": MEGABYTE, "specification": {}}),
            ):
                self._call(model, method, [], arguments)
        for method, arguments in (
            ("bulk_enter", {"license_keys": MEGABYTE, "values": {}}),
            ("bulk_enter", {"license_keys": [MEGABYTE], "values": {}}),
            ("load", {"fields": ["license_key"], "data": MEGABYTE}),
            ("load", {"fields": ["license_key"], "data": [[MEGABYTE]]}),
            ("renew", {"validity_end": MEGABYTE}),
            ("replace", {"license_key": MEGABYTE}),
            ("revoke", {"reason": MEGABYTE}),
        ):
            self._call(KEY, method, self.free_key.ids, arguments, r"\w+ \w+")
        self._nothing_half_done()


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
        with self.env.cr.savepoint() as savepoint:
            try:
                step()
                self.env.flush_all()
                return True
            except UserError as error:
                self.assertGreater(len(str(error).split()), 3)
                self.assertRegex(str(error), words)
            finally:
                savepoint.rollback()
                self.env.invalidate_all()
        return False

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
        """E2: each field, by write, create, onchange, a default and import."""
        turn = count()
        for model, record in self.records.items():
            for name in self._written_fields(model):
                label = record._fields[name]._description_string(self.env)
                words = f"(?i){re.escape(label)}|not allowed|no access|never be changed"
                for value in GARBAGE:
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
        self._try("", others[turn % len(others)])
