import base64
import inspect
import json
from contextlib import suppress
from datetime import timedelta
from itertools import product

from freezegun import freeze_time

from odoo import Command, http
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.modules.migration import load_script
from odoo.service.model import get_public_method
from odoo.tests import HttpCase, tagged
from odoo.tools import convert_file, file_path

from ..license_key import hint
from ..secret import READER, Secret, is_hidden
from .common import ADDON, SoftwareKeyCommon, SoftwareKeyMixin, api_key
from .test_evidence_pack import EvidencePackMixin

KEY = "client.equipment.software.key"
# Two keys of which nobody who sees the hint alone can tell which is which.
FIRST = "MARKR-SECRT-AAAAA-XK7QD-12345"
SECOND = "MARKR-SECRT-ZZZZZ-XK7QD-12345"
HINT = "…12345"
FILE = b"SERVER tour ANY\nFEATURE cad vendor 1.0 permanent 5 SIGN=00D7\n"
# What no answer may hold: a part of both, in any case.
PART = "SECRT"
# What shows the whole license key, and puts that down.
REVEAL = "reveal_license_key"


def whole(env):
    """Return the license keys of the database that hold what is to be hidden."""
    env.cr.execute("SELECT license_key FROM client_equipment_software_key")
    return [text for (text,) in env.cr.fetchall() if PART in text]


class SecretsMixin:
    """License keys are shown on request, and a database full of what names them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Groups = cls.env["res.groups"]
        cls.Groups._set_license_key_display("on_request")
        cls.first, cls.second = keys = cls._enter(FIRST, SECOND)
        cls.keys = keys
        cls.third = cls._enter("MARKR-SECRT-BBBBB-XK7QD-54321", seats=5)
        cls.features = cls._apply(keys)
        cls._apply(cls.third)
        cls.reader = cls._new_user(
            "reader", f"{ADDON}.group_software_key_user,{READER}"
        )
        cls.hidden_from = {
            "technician": cls.technician,
            "auditor": cls.auditor,
            "technician with sudo()": cls.technician,
        }

    @classmethod
    def _fill(cls):
        """Let everything happen that names keys, by whoever sees them whole."""
        cls.replaced = cls._enter("MARKR-SECRT-CCCCC-XK7QD-77777")
        cls._apply(cls.replaced)
        cls.replaced.replace("MARKR-SECRT-DDDDD-XK7QD-88888")
        cls._enter("MARKR-SECRT-EEEEE-XK7QD-99999").delete("entered twice")
        for key in cls.keys:
            key.message_subscribe((cls.technician + cls.auditor).partner_id.ids)
            key.message_post(
                body="Look at this", partner_ids=cls.technician.partner_id.ids
            )
            key.activity_schedule(
                "mail.mail_activity_data_todo", user_id=cls.technician.id, note="Do it"
            )
        cls.third.write({"seats": 7, "remarks": "All there"})
        cls._enter_subscriptions("MARKR-SECRT-FFFFF-XK7QD-66666", end=5)
        cls.env.flush_all()
        cls.env.cr.execute(
            "UPDATE client_equipment_software_key SET status = 'available',"
            " assignment_broken = TRUE WHERE id = %s",
            [cls.second.id],
        )
        cls.env.invalidate_all()
        cls._open_dialogs()
        pack = cls.env["client.equipment.evidence.pack"].with_user(cls.auditor)
        pack.create({"software_ids": [Command.set(cls.office.ids)]})
        cls.env.flush_all()
        cls.env.invalidate_all()

    @classmethod
    def _open_dialogs(cls):
        """Return the dialogs that a technician opens with keys in them."""
        software = {"software_ids": [Command.set((cls.office + cls.antivirus).ids)]}
        units = {"equipment_ids": [Command.set(cls.spare_laptop.ids)]}
        return [
            cls.env[f"client.equipment.{model}"].with_user(cls.technician).create(vals)
            for model, vals in (
                ("apply.software", units | software),
                ("apply.next", {"equipment_id": cls.spare_laptop.id} | software),
                ("return", {"equipment_id": cls.laptop.id}),
            )
        ]

    def _hidden(self):
        """Yield the environments of those from whom license keys are hidden."""
        for who, user in self.hidden_from.items():
            env = self.env(user=user, su="sudo" in who, context={})
            yield who, env

    def assertHidden(self, answer):
        self.assertNotIn(PART.lower(), _text(answer).lower())


def _text(answer):
    """Return all texts in an answer as one."""
    if isinstance(answer, bytes):
        with_text = answer.decode(errors="replace")
        try:
            return with_text + base64.b64decode(answer).decode(errors="replace")
        except ValueError:
            return with_text
    if isinstance(answer, dict):
        return "\n".join(map(_text, [*answer, *answer.values()]))
    if isinstance(answer, list | tuple | set | frozenset):
        return "\n".join(map(_text, answer))
    return str(answer)


@tagged("post_install", "-at_install")
class TestSecrets(SecretsMixin, SoftwareKeyCommon):
    """K16: whoever is no reader of license keys sees hints."""

    def test_default(self):
        """K16: by default technicians and auditors see license keys, as before."""
        self.Groups._set_license_key_display("always")
        for user in (self.technician, self.auditor, self.manager):
            self.assertEqual(self.first.with_user(user).license_key, FIRST)
            self.assertIn(FIRST, self.first.with_user(user).display_name)

    def test_readers(self):
        """K16: managers, and whoever has the group, see whole license keys."""
        for user in (self.manager, self.reader, self.env.ref("base.user_root")):
            self.env.invalidate_all()
            self.assertEqual(self.first.with_user(user).license_key, FIRST)
        for who, env in self._hidden():
            with self.subTest(who):
                key = self.first.with_env(env)
                self.assertEqual(key.license_key, HINT)
                self.assertEqual(key.license_key_hint, HINT)
                self.assertEqual(key.display_name, f"Tour Office Professional - {HINT}")

    def test_readers_in_one_transaction(self):
        """K16, E1: who has looked before makes no difference."""
        users = (self.manager, self.technician, self.auditor, self.reader)
        for first, second in product(users, users):
            self.env.invalidate_all()
            for user in (first, second):
                key = self.first.with_user(user)
                shown = HINT if is_hidden(key.env) else FIRST
                for record in (key, key.sudo()):
                    self.assertEqual(record.license_key, shown)
                    self.assertEqual(record.display_name.rpartition(" - ")[2], shown)
                    self.assertEqual(record.license_key_hint, HINT)
                feature = self.features[0].with_user(user)
                self.assertTrue(feature.display_name.endswith(shown))

    def test_hint_in_sql(self):
        """K16: PostgreSQL gives the hint that Python gives, of any license key."""
        texts = ["A", "AB", "ABC", "ABCDEF", "ABCDEFGHIJ", "ÄÖÜ-€-日本語-XYZÄ", FIRST]
        keys = self._enter(*texts[:-1]) + self.first
        found = dict(
            keys.with_user(self.auditor)._read_group(
                [("id", "in", keys.ids)], ["id"], ["license_key:max"]
            )
        )
        self.assertEqual([found[key] for key in keys], [hint(text) for text in texts])

    def test_context_opens_nothing(self):
        """K16: no context that a client can send shows a license key."""
        for value in (True, 1, "_STORED", "secret", {}):
            key = self.first.with_user(self.technician).with_context(secret=value)
            self.assertEqual(key.license_key, HINT)
            self.assertEqual(key.read(["license_key"])[0]["license_key"], HINT)

    def test_nothing_is_written(self):
        """K16: what is shown instead of a license key is never stored."""
        key = self.first.with_user(self.technician).sudo()
        self.assertEqual(key.license_key, HINT)
        key.remarks = "Looked at"
        with self.assertRefused(UserError, f"{HINT} cannot be changed"):
            key.license_key = HINT
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(self.first.license_key, FIRST)
        self.assertEqual(self.first.verify_audit_trail(), [])

    def test_errors(self):
        """K16: errors name keys by their hints."""
        with self.assertRefused(UserError, HINT) as caught:
            self._apply(self.first)
        self.assertHidden(caught.exception)
        self.spare_laptop.state = "retired"
        with self.assertRefused(UserError, "not in service") as caught:
            self._apply(self.third, self.spare_laptop)
        self.assertHidden(caught.exception)
        env = self.env(user=self.technician)
        with self.assertRefused(AccessError, "not allowed") as caught:
            self.first.with_env(env).write({"license_key": FIRST})
        self.assertHidden(caught.exception)
        # What looks like a key tells nothing of it.
        told = (
            env[KEY]
            .sudo()
            .onchange(
                {"license_key": FIRST.lower(), "software_id": self.office.id},
                ["license_key"],
                {"license_key": {}},
            )
        )
        self.assertIn(f"looks like {HINT}", _text(told))
        self.assertNotIn(FIRST, _text(told))

    def test_dialogs(self):
        """K16: what dialogs say of what they have done names keys by their hints."""
        self._enter("MARKR-SECRT-JJJJJ-XK7QD-44444")
        self._enter("MARKR-SECRT-KKKKK-XK7QD-55555", software=self.antivirus)
        dialogs = self._open_dialogs()
        dialogs[0].env.flush_all()
        for dialog in dialogs:
            with self.subTest(dialog._name), self.env.cr.savepoint() as savepoint:
                confirm = "confirm" if dialog._name.endswith("return") else "apply"
                told = getattr(dialog, f"action_{confirm}")()
                self.assertIn("…", _text(told))
                self.assertHidden(told)
                savepoint.rollback()

    # ------------------------------------------------------------------
    # Finding
    # ------------------------------------------------------------------

    def test_finds_by_whole_text_and_ending(self):
        """K16: the whole text finds a key, and so does its ending."""
        env = self.env(user=self.technician)
        for text in (FIRST, f" {FIRST.lower()}\u200b ", f"Tour Office - {FIRST}"):
            found = env[KEY].name_search(text)
            self.assertEqual([key_id for key_id, _name in found], self.first.ids)
        for text in ("12345", HINT, "Tour Office Professional - 12345"):
            found = {key_id for key_id, _name in env[KEY].name_search(text)}
            self.assertEqual(found, set(self.keys.ids), text)
        search = env[KEY].search
        self.assertEqual(search([("license_key", "=", FIRST)]).ids, self.first.ids)
        self.assertEqual(search([("license_key", "=", HINT)]), self.keys.with_env(env))
        others = search([("license_key", "!=", FIRST)])
        self.assertNotIn(self.first.id, others.ids)
        self.assertIn(self.second.id, others.ids)

    def test_short_keys(self):
        """K16: no more than the hint is found of a short license key, either."""
        short = self._enter("ABCDEF-8")
        env = self.env(user=self.technician)
        for ending, found in (("EF-8", True), ("DEF-8", False), ("ABCDEF-8", True)):
            keys = env[KEY].search([("license_key", "ilike", ending)])
            self.assertEqual(short.id in keys.ids, found, ending)

    def test_no_oracle(self):
        """K16: no condition on any way to a license key tells two keys apart by what
        is hidden of them."""
        parts = ["", "MARKR", "SECRT", "MARKR-SECRT-A", "AAAAA", "2345", "QD-12345"]
        parts += ["%", "_", "M%", "%A%", "MARKR-SECRT-AAAAA-XK7QD-1234_"]
        operators = ["like", "ilike", "=like", "=ilike", "<", ">", "<=", ">="]
        conditions = [*product(operators, parts), ("in", parts), ("not in", parts)]
        conditions += [
            (f"not {each}", part) for each, part in product(operators[:4], parts)
        ]
        ways = list(self._ways_to_license_keys())
        self.assertEnough(ways, 8)
        for su, (model, path) in product((False, True), ways):
            env = self.env(user=self.auditor, su=su)
            for operator, value in conditions:
                found = self._find(env[model], path, operator, value)
                self.assertEqual(*found, (su, model, path, operator, value))
        # A reader of license keys tells them apart on these ways, but where both are
        # what the same record links to.
        readers = self.env(user=self.reader)
        found = [
            self._find(readers[model], path, "like", "AAAAA") for model, path in ways
        ]
        self.assertEnough([both for both in found if both == [True, False]], 6)

    def _ways_to_license_keys(self):
        """Yield ``(model, path)`` of all fields that a license key can be asked by."""
        ours = set(self.env["client.equipment.mixin"]._inherit_children)
        for name in sorted(ours | {"res.partner", "mail.activity", "res.users"}):
            model = self.env[name]
            if model._abstract or model._transient or not self._is_guarded(name):
                continue
            if name == KEY:
                yield name, "license_key"
                yield name, "display_name"
            for field in model._fields.values():
                if field.comodel_name == KEY and field._description_searchable:
                    yield name, f"{field.name}.license_key"
                    yield name, field.name

    def _find(self, model, path, operator, value):
        """Return whether the condition finds what belongs to each of the two keys."""
        link = (
            path.partition(".")[0]
            if path not in ("license_key", "display_name")
            else None
        )
        both = []
        for key in self.keys:
            at = [(link, "in", key.ids)] if link else [("id", "in", key.ids)]
            try:
                domain = Domain(path, operator, value) & Domain(at)
                both.append(model.search_count(domain) > 0)
            except (UserError, ValueError, TypeError, NotImplementedError):
                both.append(None)
        return both

    def test_order_and_groups(self):
        """K16: neither order nor groups nor aggregates tell what is hidden; lists are
        not offered in its order."""
        for user, sortable in ((self.manager, True), (self.technician, False)):
            described = self.env[KEY].with_user(user).fields_get(["license_key"])
            self.assertIs(described["license_key"]["sortable"], sortable)
        for _who, env in self._hidden():
            keys = env[KEY].search
            domain = [("id", "in", self.keys.ids)]
            for order in ("license_key, id", "license_key desc, id"):
                self.assertEqual(keys(domain, order=order).ids, self.keys.ids)
                self.assertEqual(
                    env[KEY].browse(self.keys.ids).sorted(order).ids, self.keys.ids
                )
            self.assertEqual(
                env[KEY]._read_group(domain, ["license_key"], ["__count"]), [(HINT, 2)]
            )
            groups = env[KEY].formatted_read_group(domain, ["license_key"], ["__count"])
            self.assertEqual(len(groups), 1)
            self.assertEqual(
                env[KEY].search_count(groups[0]["__extra_domain"] + domain), 2
            )
            aggregates = [
                "min",
                "max",
                "array_agg",
                "array_agg_distinct",
                "count_distinct",
            ]
            answer = env[KEY].formatted_read_group(
                domain, [], [f"license_key:{name}" for name in aggregates]
            )
            self.assertHidden(answer)
            answer = env["client.equipment.feature"].formatted_read_group(
                [], ["software_key_id", "software_key_id.license_key"], ["__count"]
            )
            self.assertHidden(answer)
            for aggregate, operator in product(aggregates[:2], "<>"):
                having = [(f"license_key:{aggregate}", operator, "MARKR-SECRT-M")]
                count = len(env[KEY]._read_group(domain, ["id"], having=having))
                self.assertIn(count, (0, 2), having)
            ordered = env[KEY].formatted_read_group(
                domain, ["id"], ["license_key:max"], order="license_key:max desc, id"
            )
            self.assertEqual([group["id"][0] for group in ordered], self.keys.ids)

    # ------------------------------------------------------------------
    # Every route, every field
    # ------------------------------------------------------------------

    def test_no_answer_holds_it(self):
        """K16: no field of any model, read by any route, holds a license key."""
        self._fill()
        self.assertGreater(len(whole(self.env)), 5)
        seen = set()
        for who, user in (("technician", self.technician), ("auditor", self.auditor)):
            env = self.env(user=user, context={})
            for name in filter(self._is_guarded, sorted(self.env.registry)):
                model = env[name]
                if model._abstract or not model.has_access("read"):
                    continue
                every = model.with_context(active_test=False)
                records = every.search([], limit=30, order="id desc")
                for route, call in self._routes(records):
                    with self.subTest(who, model=name, route=route):
                        self.env.invalidate_all()
                        self.assertHidden(self._answer(call))
                        seen.add(name)
        self.assertEnough(seen, 30)
        # Managers are shown license keys by the same routes.
        shown = set()
        for name in sorted(seen):
            records = self.env(user=self.manager)[name].search([], limit=30)
            for route, call in self._routes(records):
                if route in ("read", "web_read") and PART in _text(self._answer(call)):
                    shown.add(name)
        self.assertEnough(shown, 6)

    def test_public_methods(self):
        """K16: whatever other programs may call answers with hints, or refuses so."""
        self._fill()
        called = set()
        names = filter(self._is_guarded, sorted(self.env.registry))
        for (_who, env), name in product(self._hidden(), names):
            for method, call in self._public_methods(env[name]):
                with self.env.cr.savepoint() as savepoint:
                    with self.subTest(model=name, method=method):
                        self.assertHidden(self._answer(call))
                        called.add(f"{name}.{method}")
                    savepoint.rollback()
        self.assertEnough(called, 50)

    def _public_methods(self, model):
        """Yield ``(name, call)`` of each method of ours that needs no argument."""
        if model._abstract or not model.has_access("read"):
            return
        for name, method in inspect.getmembers(type(model), inspect.isfunction):
            ours = method.__module__.startswith("odoo.addons.client_equipment")
            if not ours or name.startswith("_") or name == REVEAL:
                continue
            with suppress(AccessError):
                method = get_public_method(model, name)
                records = model.search([], limit=5, order="id desc")
                try:
                    inspect.signature(method).bind(records)
                except TypeError:
                    continue
                yield name, lambda method=method, records=records: method(records)

    def test_related_anywhere(self):
        """K16: a field of any model that shows a license key shows each reader what is
        for him, and is not stored; also one that somebody makes in Settings."""
        tag = "res.partner.category"
        made = (
            {"name": "x_key_id", "ttype": "many2one", "relation": KEY},
            {"name": "x_text", "ttype": "char", "related": "x_key_id.license_key"},
            {"name": "x_again", "ttype": "char", "related": "x_text"},
            {"name": "x_name", "ttype": "char", "related": "x_key_id.display_name"},
            {"name": "x_note", "ttype": "text", "depends": "x_key_id.license_key"}
            | {"compute": "for tag in self: tag['x_note'] = tag.x_key_id.license_key"},
            {"name": "x_last", "ttype": "char", "depends": "x_name"}
            | {"compute": "for tag in self: tag['x_last'] = tag.x_name"},
        )
        model_id = self.env["ir.model"]._get_id(tag)
        for vals in made:
            self.env["ir.model.fields"].create(
                {"model_id": model_id, "store": True} | vals
            )
        record = self.env[tag].create({"name": "A", "x_key_id": self.first.id})
        self.env.flush_all()
        self.env.invalidate_all()
        texts = ["x_text", "x_again"]
        names = ["x_note", "x_name", "x_last"]
        for user, text in (
            (self.reader, FIRST),
            (self.technician, HINT),
            (self.manager, FIRST),
        ):
            for seen in (record.with_user(user), record.with_user(user).sudo()):
                self.assertEqual([seen[name] for name in texts], [text, text])
                found = [seen.search_count([(name, "like", "AAAAA")]) for name in texts]
                self.assertEqual(found, [int(text == FIRST)] * 2)
                found = seen.search_count([("x_name", "like", "AAAAA")])
                self.assertEqual(found, int(text == FIRST))
                groups = seen.formatted_read_group([], ["x_text"], ["__count"])
                self.assertEqual(FIRST in _text(groups), text == FIRST)
                name = f"Tour Office Professional - {text}"
                self.assertEqual([seen[field] for field in names], [text, name, name])
        self.env.cr.execute(
            "SELECT to_jsonb(tag) FROM res_partner_category tag WHERE id = %s",
            [record.id],
        )
        self.assertHidden(self.env.cr.fetchall())

    def test_computed_anywhere(self):
        """K16: whatever any model computes of a license key is not stored, and kept
        apart for each reader."""
        contexts = self.env.registry.field_depends_context
        told = self._tell_of_secrets()
        feature = "client.equipment.feature.display_name"
        self.assertLess({f"{KEY}.license_key", f"{KEY}.display_name", feature}, {*told})
        for name, field in told.items():
            with self.subTest(name):
                if isinstance(field, Secret):
                    self.assertTrue(field.store and not field.compute)
                else:
                    self.assertFalse(field.store)
                    self.assertIn("uid", contexts[field])

    def _tell_of_secrets(self):
        """Return ``{name: field}`` of all fields that depend on a secret."""
        depends = self.env.registry.field_depends
        models = [each for each in self.env.registry.values() if not each._abstract]
        told, before = {}, None
        while before != len(told):
            before = len(told)
            for model in models:
                for field in model._fields.values():
                    if isinstance(field, Secret) or any(
                        str(self._end(field, path)) in told
                        for path in depends.get(field, ())
                    ):
                        told[str(field)] = field
        del told[f"{KEY}.license_key_hint"]  # what everybody is shown
        return told

    def _end(self, field, path):
        """Return the field at the end of a path of fields that another depends on; of
        a name that is another record's, the name of that."""
        model = field.model_name
        for name in path.split("."):
            end = self.env[model]._fields[name]
            model = end.comodel_name
        if field.name == "display_name" and end.relational:
            end = self.env[end.comodel_name]._fields["display_name"]
        return end

    def _answer(self, call):
        """Return what a call answers, also where it is an error."""
        try:
            return call()
        except (UserError, ValueError, TypeError, KeyError) as error:
            return error

    def _routes(self, records):
        """Yield ``(name, call)`` of each way to read these records."""
        names = list(records.fields_get())
        yield "read", lambda: records.read(names)
        yield "display_name", lambda: records.mapped("display_name")
        yield "fields_get", records.fields_get
        yield "name_search", lambda: records.name_search("", limit=50)
        if not records._name.startswith(("client.equipment", "mail.", "res.partner")):
            return
        spec = {name: self._specification(records, name) for name in names}
        yield "web_read", lambda: records.web_read(spec)
        yield "web_search_read", lambda: records.web_search_read([], spec, limit=30)
        yield "web_name_search", lambda: records.web_name_search("", spec, limit=30)
        yield "search_read", lambda: records.search_read([], names, limit=30)
        yield "onchange of a new one", lambda: records.browse().onchange({}, [], spec)
        yield "default_get", lambda: records.default_get(names)
        yield "copy_data", records.copy_data
        yield "get_views", lambda: records.get_views([(False, "list")])
        for record in records[:3]:
            yield "onchange", lambda record=record: record.onchange({}, names[:1], spec)
        yield (
            "export_data",
            lambda: records.export_data(
                [name for name in names if name != "id"]
                + [f"{n}/display_name" for n in names if records._fields[n].relational]
            ),
        )
        for name in names:
            if records._fields[name]._description_groupable:
                yield from self._group_routes(records, name, spec)
                if records._fields[name].type == "char":
                    for aggregate in ("max", "array_agg"):
                        yield (
                            f"{aggregate} of {name}",
                            lambda name=name, aggregate=aggregate: (
                                records.formatted_read_group(
                                    [], [], [f"{name}:{aggregate}"]
                                )
                            ),
                        )
            # Odoo asks of a file only whether it is there.
            field = records._fields[name]
            if field._description_searchable and field.type != "binary":
                yield f"search by {name}", lambda name=name: self._search(records, name)

    def _group_routes(self, records, name, spec):
        """Yield ``(name, call)`` of each way to read these records in groups."""
        yield (
            f"group by {name}",
            lambda: records.formatted_read_group([], [name], ["__count"]),
        )
        if not records._name.startswith("client.equipment"):
            return
        if records._fields[name].type not in ("char", "many2one"):
            return
        opened = {"auto_unfold": True, "unfold_read_specification": {name: spec[name]}}
        yield (
            f"groups by {name}, opened",
            lambda: records.web_read_group([], [name], ["__count"], **opened),
        )
        yield (
            f"sets of groups by {name}",
            lambda: records.formatted_read_grouping_sets([], [[name], []], ["__count"]),
        )
        if "status" in records._fields:
            bar = {"field": "status", "colors": {"applied": "success"}}
            yield (
                f"progress by {name}",
                lambda: records.read_progress_bar([], name, bar),
            )
        for panel in ("range", "multi_range"):
            search = getattr(records, f"search_panel_select_{panel}")
            yield f"{panel} of {name}", lambda search=search: search(name)

    def _search(self, records, name):
        """Return the part of a license key, if it finds more than nonsense does."""
        try:
            found, nonsense = (
                records.search([(name, "ilike", text)], limit=1)
                for text in (PART, "QQQ-QQQ")
            )
        except (UserError, ValueError, TypeError, NotImplementedError):
            return ""
        return found and not nonsense and PART

    def _specification(self, records, name):
        field = records._fields[name]
        if not field.relational:
            return {}
        comodel = records.env[field.comodel_name]
        inner = ["display_name"]
        if comodel._name.startswith("client.equipment") and comodel.has_access("read"):
            inner = list(comodel.fields_get())
        return {
            "fields": {
                each: {"fields": {"display_name": {}}}
                if comodel._fields[each].relational
                else {}
                for each in inner
            }
        }


@tagged("post_install", "-at_install")
class TestReveal(SecretsMixin, SoftwareKeyCommon):
    """K16: Show gives the whole license key, and every look is on record."""

    def test_reveal(self):
        """K16: the key, and one entry: who, where, why; nothing else changes."""
        before = self.first.read(["status", "equipment_id", "seats_used"])
        key = self.first.with_user(self.technician)
        self.assertEqual(key.reveal_license_key("Reinstallation"), FIRST)
        self.assertEqual(key.license_key, HINT)
        self.assertEqual(self._steps(self.first), ["created", "applied", "revealed"])
        entry = self.first.audit_log_ids.sorted("number")[-1]
        self.assertEqual(entry.user_id, self.technician)
        self.assertEqual(entry.equipment_id, self.laptop)
        self.assertEqual(
            entry.description, "Revealed to Technician Tester: Reinstallation"
        )
        self.assertEqual(
            self.first.read(["status", "equipment_id", "seats_used"]), before
        )
        self.assertEqual(self.first.verify_audit_trail(), [])
        self.assertEqual((self.first.reveal_count, self.second.reveal_count), (1, 0))
        self.assertEqual(self.first.last_revealed, entry.action_date)
        self.assertFalse(self.second.last_revealed)

    def test_reveal_on_its_equipment(self):
        """K16, K14: of a key of several seats it is put down where it was shown."""
        self._apply(self.third, self.spare_laptop)
        feature = self.third.equipment_feature_ids.filtered(
            lambda feature: feature.equipment_id == self.spare_laptop
        )
        shown = feature.with_user(self.technician).reveal_license_key()
        self.assertEqual(shown, "MARKR-SECRT-BBBBB-XK7QD-54321")
        entry = self.third.audit_log_ids.sorted("number")[-1]
        self.assertEqual(entry.equipment_id, self.spare_laptop)
        self.assertEqual(entry.seat, feature.seat)
        self.assertEqual(self.third.seats_used, 2)
        self.assertEqual(self.third.verify_audit_trail(), [])
        history = self.env["client.equipment.usage.history"].search(
            [("software_key_id", "=", self.third.id)]
        )
        self.assertEqual(len(history), 2)

    def test_who_may(self):
        """K16, E1: whoever may read the key may have it shown, and nobody else."""
        self.assertEqual(self.first.with_user(self.auditor).reveal_license_key(), FIRST)
        self.assertEqual(self.first.with_user(self.manager).reveal_license_key(), FIRST)
        for user in (self.internal, self.portal):
            with self.assertRefused(AccessError, "not allowed"):
                self.first.with_user(user).reveal_license_key()
            with self.assertRefused(AccessError, "not allowed"):
                self.features[0].with_user(user).reveal_license_key()
        key = self._enter(
            "MARKR-SECRT-GGGGG-XK7QD-33333",
            user=self.env.user,
            company_id=self.other_company.id,
        )
        with self.assertRaises(AccessError):
            key.with_user(self.technician).reveal_license_key()
        self.assertEqual(self._steps(key), ["created"])

    def test_in_every_status(self):
        """K16: also of keys that are expired, revoked or disagree, which stay so."""
        free = self._enter("MARKR-SECRT-HHHHH-XK7QD-22222")
        free.revoke()
        self.env.cr.execute(
            "UPDATE client_equipment_software_key SET assignment_broken = TRUE"
            " WHERE id = %s",
            [self.second.id],
        )
        self.env.invalidate_all()
        (free + self.second).with_user(self.technician)[0].reveal_license_key()
        self.second.with_user(self.technician).reveal_license_key()
        self.assertEqual(free.status, "revoked")
        self.assertTrue(self.second.assignment_broken)

    def test_qr_code(self):
        """K16, A15: the QR code is shown while the license key is."""
        with freeze_time("2031-03-10 10:00:00"):
            key = self.first.with_user(self.technician)
            with self.assertRefused(UserError, "shown on request. Choose Show first"):
                key.get_qr_code()
            key.reveal_license_key()
            self.assertTrue(key.get_qr_code().startswith("data:image/png"))
        with freeze_time("2031-03-10 10:02:00"), self.assertRaises(UserError):
            key.get_qr_code()
        self.assertTrue(self.first.with_user(self.manager).get_qr_code())

    def test_many_reveals(self):
        """K16: more than 20 in an hour are told the managers, once an hour; nobody is
        locked out."""
        key = self.first.with_user(self.technician)
        activities = self.env["mail.activity"].with_context(active_test=False)
        kind = self.env.ref(f"{ADDON}.mail_activity_type_reveals")

        def told():
            return activities.search(
                [("activity_type_id", "=", kind.id), ("user_id", "=", self.manager.id)]
            )

        with freeze_time("2031-03-10 10:00:00") as clock:
            for number in range(25):
                clock.tick(timedelta(seconds=20))
                self.assertEqual(key.reveal_license_key(), FIRST)
                self.assertEqual(len(told()), number >= 20, number)
            activity = told()
            self.assertEqual(
                activity.summary,
                "License keys shown to Technician Tester within an hour: 21",
            )
            self.assertEqual(activity.res_id, self.technician.partner_id.id)

    def test_no_manager_in_the_company(self):
        """K16: where no manager works in the person's companies, all are told."""
        self.technician.write(
            {
                "company_ids": [Command.set(self.other_company.ids)],
                "company_id": self.other_company.id,
            }
        )
        key = self._enter("SHARED-BY-ALL-1", company_id=False)
        for _number in range(21):
            key.with_user(self.technician).reveal_license_key()
        kind = self.env.ref(f"{ADDON}.mail_activity_type_reveals")
        told = self.env["mail.activity"].search([("activity_type_id", "=", kind.id)])
        self.assertLessEqual(self.manager, told.user_id)
        self.assertNotIn(self.env.ref("base.user_root"), told.user_id)
        near = self._new_user(
            "near_manager",
            f"{ADDON}.group_software_key_manager",
            company_id=self.other_company.id,
            company_ids=[Command.set(self.other_company.ids)],
        )
        told.unlink()
        key.with_user(self.technician).reveal_license_key()
        told = self.env["mail.activity"].search([("activity_type_id", "=", kind.id)])
        self.assertEqual(told.user_id, near)

    def test_tells_managers_alone(self):
        """K16: whoever is told of cannot take it back, although he may change his own
        contact, nor can anybody else but the manager who is told."""
        self.technician.group_ids += self.env.ref("base.group_partner_manager")
        for _number in range(21):
            self.first.with_user(self.technician).reveal_license_key()
        kind = self.env.ref(f"{ADDON}.mail_activity_type_reveals")
        activity = self.env["mail.activity"].search(
            [("activity_type_id", "=", kind.id), ("user_id", "=", self.manager.id)]
        )
        self.assertTrue(activity)
        mine = activity.with_user(self.technician)
        for act in (
            lambda: mine.unlink(),
            lambda: mine.action_done(),
            lambda: mine.write({"summary": "Nothing"}),
            lambda: mine.write({"user_id": self.technician.id}),
            lambda: self.technician.partner_id.with_user(
                self.technician
            ).activity_unlink([f"{ADDON}.mail_activity_type_reveals"]),
        ):
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                act()
        activity.with_user(self.manager).action_done()
        self.assertFalse(activity.exists().active)

    def test_told_once_an_hour(self):
        """K16: whoever goes on is told about again after an hour."""
        key = self.first.with_user(self.technician)
        kind = self.env.ref(f"{ADDON}.mail_activity_type_reveals")
        for _number in range(21):
            key.reveal_license_key()
        mine = [("activity_type_id", "=", kind.id), ("user_id", "=", self.manager.id)]
        activity = self.env["mail.activity"].search(mine)
        self.assertEqual(len(activity), 1)
        activity.with_user(self.manager).action_done()
        key.reveal_license_key()
        self.assertFalse(self.env["mail.activity"].search(mine))
        self.env.cr.execute(
            "UPDATE mail_activity SET create_date = create_date - interval '2 hours'"
        )
        self.env.invalidate_all()
        key.reveal_license_key()
        self.assertEqual(len(self.env["mail.activity"].search(mine)), 1)


@tagged("post_install", "-at_install")
class TestDisplaySetting(SecretsMixin, SoftwareKeyCommon):
    """K16: Settings say whether license keys are shown always or on request."""

    def test_setting(self):
        """K16: it is read and written in Settings, and counts at once."""
        Settings = self.env["res.config.settings"]
        self.assertEqual(Settings.create({}).license_key_display, "on_request")
        self.assertEqual(self.first.with_user(self.technician).license_key, HINT)
        Settings.create({"license_key_display": "always"}).execute()
        self.assertEqual(self.first.with_user(self.technician).license_key, FIRST)
        self.assertEqual(self.first.with_user(self.auditor).license_key, FIRST)
        Settings.create({"license_key_display": "on_request"}).execute()
        self.assertEqual(self.first.with_user(self.technician).license_key, HINT)
        self.assertEqual(self.first.with_user(self.manager).license_key, FIRST)

    def test_upgrade(self):
        """K16, E4: an update of the addon leaves the setting as it is; the upgrade from
        a version without it shows license keys as before, but not in subjects."""
        message = self.first.message_notify(
            body="Sent", subject=self.first.display_name, partner_ids=[1]
        )
        self.assertIn(FIRST, message.subject)
        for file in ("software_key_groups", "license_key_readers"):
            convert_file(self.env, ADDON, f"security/{file}.xml", {}, mode="update")
        self.assertEqual(self.Groups._license_key_display(), "on_request")
        path = file_path(f"{ADDON}/migrations/19.0.3.0.0/post-license_key_readers.py")
        load_script(path, "readers").migrate(self.env.cr, "19.0.2.0.0")
        self.env.invalidate_all()
        self.assertEqual(self.Groups._license_key_display(), "always")
        self.assertEqual(self.first.with_user(self.technician).license_key, FIRST)
        self.assertEqual(message.subject, f"Tour Office Professional - {HINT}")

    def test_names_kept_elsewhere(self):
        """K16, E1: an activity keeps the hint, whatever the setting: whoever has it may
        have lost his role since."""
        for display in ("always", "on_request"):
            self.Groups._set_license_key_display(display)
            activity = self.first.with_user(self.manager).activity_schedule(
                "mail.mail_activity_data_todo", user_id=self.technician.id
            )
            self.assertHidden(activity.res_name)
            self.assertIn(HINT, activity.res_name)
            messages = self.env["mail.message"].search([], limit=3, order="id DESC")
            self.assertHidden(messages.mapped("body"))

    def test_messages_kept(self):
        """K16: what was written while license keys were always shown tells none later,
        neither as message nor as mail."""
        self.Groups._set_license_key_display("always")
        self.technician.notification_type = "email"
        key = self.first.with_user(self.manager)
        people = self.technician.partner_id.ids
        key.message_post(body="Look at this", partner_ids=people)
        key.message_notify(body="Look at that", partner_ids=people)
        composer = self.env["mail.compose.message"].with_user(self.manager)
        composer = composer.with_context(default_model=KEY, default_res_ids=key.ids)
        composer.create({"body": "And now", "partner_ids": people}).action_send_mail()
        self.env.flush_all()
        self.Groups._set_license_key_display("on_request")
        self.env.invalidate_all()
        messages = self.env["mail.message"].search(
            [("model", "=", KEY), ("res_id", "=", key.id)]
        )
        subjects = [subject for subject in messages.mapped("subject") if subject]
        self.assertGreater(len(subjects), 2)
        self.assertIn(HINT, _text(subjects))
        self.assertHidden(messages.with_user(self.technician).read())

    def test_tracked_links(self):
        """K16: a link to a key that somebody tracks, in Settings, is told by hints."""
        made = (
            {"name": "x_key_id", "ttype": "many2one", "relation": KEY},
            {"name": "x_key_ids", "ttype": "many2many", "relation": KEY},
            {"name": "x_seat_id", "ttype": "many2one"}
            | {"relation": "client.equipment.feature"},
            {"name": "x_text", "ttype": "char", "related": "x_key_id.license_key"},
        )
        model_id = self.env["ir.model"]._get_id("res.partner")
        for vals in made:
            self.env["ir.model.fields"].create(
                {"model_id": model_id, "store": True, "tracking": 10} | vals
            )
        customer = self.env["res.partner"].create({"name": "A"})
        self.env.flush_all()
        self.env.cr.precommit.run()
        for key, feature in zip(self.keys, self.features, strict=True):
            self.env.invalidate_all()
            customer.with_user(self.manager).sudo().with_context(
                tracking_disable=False, mail_notrack=False
            ).write(
                {
                    "x_key_id": key.id,
                    "x_key_ids": [Command.set(key.ids)],
                    "x_seat_id": feature.id,
                }
            )
            self.env.flush_all()
            self.env.cr.precommit.run()
        told = customer.message_ids.tracking_value_ids
        self.assertGreater(len(told), 5)
        self.assertIn(HINT, _text(told.mapped("new_value_char")))
        self.env.cr.execute("SELECT to_jsonb(told) FROM mail_tracking_value told")
        self.assertHidden(self.env.cr.fetchall())

    def test_mails(self):
        """K16: a mail to several people names the key by its hint."""
        self.technician.notification_type = "email"
        self.auditor.notification_type = "inbox"
        mails = self.env["mail.mail"].search([])
        key = self.first.with_user(self.manager)
        message = key.message_post(
            body="Look at this",
            partner_ids=(self.technician + self.auditor).partner_id.ids,
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
        )
        sent = self.env["mail.mail"].search([]) - mails
        self.assertTrue(sent)
        self.env.flush_all()
        self.assertHidden(sent.read(["subject", "body_html", "body"]))
        self.assertIn(HINT, sent.body_html + (sent.subject or ""))
        self.assertHidden(message.with_user(self.technician).read())
        self.env.cr.precommit.run()  # sends what the browsers are told
        self.env.cr.execute("SELECT message FROM bus_bus")
        told = [text for (text,) in self.env.cr.fetchall()]
        self.assertIn("Look at this", _text(told))
        self.assertHidden(told)


@tagged("post_install", "-at_install")
class TestOverTheWire(SecretsMixin, SoftwareKeyMixin, HttpCase):
    """K16: what other programs and a browser's address bar get."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.with_file = cls._enter(
            "MARKR-SECRT-FILE0-XK7QD-11111",
            license_file=base64.b64encode(FILE).decode(),
            license_file_name="tour.lic",
        )

    def _post(self, model, method, **arguments):
        return self.url_open(
            f"/json/2/{model}/{method}",
            json.dumps(arguments),
            headers={
                "Authorization": f"bearer {api_key(self.technician)}",
                "Content-Type": "application/json",
            },
        )

    def test_json(self):
        """K16: the API gives the hint, and the whole by ``reveal_license_key``."""
        ids, fields = self.first.ids, ["license_key", "display_name"]
        for answer in (
            self._post(KEY, "read", ids=ids, fields=fields),
            self._post(KEY, "search_read", domain=[["id", "in", ids]], fields=fields),
            self._post(KEY, "name_search", name=FIRST),
            self._post(KEY, "web_read", ids=ids, specification={"license_key": {}}),
        ):
            self.assertNotIn(PART, answer.text)
            self.assertIn("12345", answer.text)
        answer = self._post(KEY, "reveal_license_key", ids=ids, reason="Ticket 7")
        self.assertEqual(answer.json(), FIRST)
        entry = self.first.audit_log_ids.sorted("number")[-1]
        self.assertEqual((entry.action, entry.reason), ("revealed", "Ticket 7"))

    def test_log(self):
        """K16: the server's log names keys as whoever asked is shown them."""
        vals = {
            "software_key_id": self.first.id,
            "equipment_id": self.spare_laptop.id,
        }
        refused = (
            ("client.equipment.feature", "create", {"vals_list": [vals]}),
            (KEY, "write", {"ids": self.first.ids, "vals": {"status": "revoked"}}),
            (KEY, "revoke", {"ids": self.first.ids}),
            (KEY, "renew", {"ids": self.first.ids, "validity_end": "2030-01-01"}),
        )
        with self.assertLogs("odoo", "INFO") as logs:
            answers = [
                self._post(model, method, **arguments)
                for model, method, arguments in refused
            ]
        self.assertFalse([answer.text for answer in answers if answer.ok])
        self.assertHidden([answer.text for answer in answers])
        self.assertHidden(logs.output)
        self.assertIn("12345", _text(logs.output + [answers[0].text]))

    def test_license_file(self):
        """K15, K16: no address gives a license file away, and its download is put
        down as a look at it."""
        key = self.with_file.with_user(self.technician)
        with self.assertRaises(AccessError):
            key.read(["license_file"])
        self.assertNotIn("license_file", key.fields_get())
        file = self.env["ir.attachment"].search(
            [("res_model", "=", KEY), ("res_field", "=", "license_file")]
        )
        self.assertEqual(len(file), 1)
        with self.assertRaises(AccessError):
            file.with_user(self.technician).read(["raw"])
        self.authenticate("sk_technician", "sk_technician")
        for url in (
            f"/web/content/{KEY}/{key.id}/license_file",
            f"/web/content/{file.id}",
        ):
            self.assertNotIn(FILE, self.url_open(url).content)
        self.assertEqual(self._steps(self.with_file), ["created"])
        answer = self.url_open(
            f"/client_equipment_software_key/license_file/{key.id}",
            data={"csrf_token": http.Request.csrf_token(self)},
        )
        self.assertEqual(answer.content, FILE)
        entry = self.with_file.audit_log_ids.sorted("number")[-1]
        self.assertEqual(
            entry.description, "Revealed to Technician Tester: License file tour.lic"
        )
        self.assertEqual(self.with_file.verify_audit_trail(), [])


@tagged("post_install", "-at_install")
class TestSecretsInPacks(SecretsMixin, EvidencePackMixin, SoftwareKeyCommon):
    """K16, L7: an evidence pack tells its maker no more than he is shown himself."""

    def test_pack(self):
        """K16: an auditor's pack holds hints, a manager's may hold more."""
        self.first.with_user(self.auditor).reveal_license_key("Audit")
        pack = self._make(software_ids=[Command.set(self.office.ids)])
        self.assertHidden(self._texts(pack))
        self.assertIn(HINT, self._texts(pack))
        for kind in ("json", "html"):
            self.assertHidden(self._file(pack, kind))
        self.assertIn(b'"revealed"', self._file(pack, "json"))
        with self.assertRefused(UserError, "shown to you on request only"):
            self._make(
                software_ids=[Command.set(self.office.ids)], license_keys="whole"
            )
        pack = self._make(self.manager, license_keys="whole")
        self.assertIn(FIRST, self._texts(pack))

    def test_setting_changes_meanwhile(self):
        """K16: a pack that was asked for before shows what its maker sees now."""
        self.Groups._set_license_key_display("always")
        pack = (
            self.env["client.equipment.evidence.pack"]
            .with_user(self.auditor)
            .create({"license_keys": "whole"})
        )
        pack.action_make()
        self.Groups._set_license_key_display("on_request")
        self._run_job()
        self.assertHidden(self._texts(pack))
        self.assertEqual(
            self._open(pack)["Summary"]["License keys"], "Last Five Characters"
        )
