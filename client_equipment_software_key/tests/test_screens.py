import re

from lxml import etree

from odoo.tests import Form, tagged
from odoo.tools.safe_eval import safe_eval

from .common import SoftwareKeyCommon

GROUP_EQUIPMENT_USER = "client_equipment.group_client_equipment_user"

# What another addon puts its own beside, or takes away: it needs a name to be found by.
ANCHORS = "|".join(
    f"//{path}[not(@position)]"
    for path in (
        "form/header",
        "footer",
        "group",
        "notebook",
        "page",
        "separator",
        "filter",
        "button[@type or @special]",
        "a[@type]",
        "div[contains(@class, 'alert')]",
    )
)


@tagged("post_install", "-at_install")
class TestScreens(SoftwareKeyCommon):
    """What each role finds on the screens."""

    def _arch(self, model, view_type, user):
        return self.env[model].with_user(user).get_view(view_type=view_type)["arch"]

    def test_equipment_user_without_keys(self):
        """E1: who only keeps the equipment works on as before, without the tab."""
        self._apply(self._enter("OFFICE-1"))
        user = self._new_user("equipment", GROUP_EQUIPMENT_USER)
        for view_type in ("form", "list", "kanban"):
            for shown_to, count in ((user, 0), (self.technician, 1)):
                self.assertEqual(
                    self._arch("client.equipment", view_type, shown_to).count(
                        'name="software_key_count"'
                    ),
                    count,
                )
        self.assertNotIn(
            "equipment_feature_ids", self._arch("client.equipment", "form", user)
        )
        with Form(self.laptop.with_user(user)) as form:
            form.location = "Reception"
        self.assertEqual(self.laptop.location, "Reception")

    def test_new_key_from_catalogue(self):
        """K5, K12: the feature fills in type and end; a permanent key has no end."""
        Key = self.env["client.equipment.software.key"].with_user(self.manager)
        self.assertFalse(Key.new({}).display_name)
        with Form(Key) as form:
            form.license_key = "AVENT-1"
            form.software_id = self.antivirus
            self.assertEqual(form.key_type, "subscription")
            self.assertEqual(form.validity_start, self.today)
            self.assertTrue(form.validity_end)
            form.key_type = "permanent"
            self.assertFalse(form.validity_end)
            form.key_type = "trial"
            form.validity_end = self._in_days(30)
        self.assertRecordValues(
            form.record,
            [
                {
                    "key_type": "trial",
                    "validity_end": self._in_days(30),
                    "display_name": "Tour Antivirus Enterprise - AVENT-1",
                }
            ],
        )

    def test_only_managers_set_the_status(self):
        """Section 4: the form offers the status by hand to managers alone."""
        for user, offered in (
            (self.manager, True),
            (self.technician, False),
            (self.auditor, False),
        ):
            arch = self._arch("client.equipment.software.key", "form", user)
            self.assertEqual('widget="selection"' in arch, offered)

    def test_only_managers_enter_many(self):
        """K11: Enter Many Keys stands above the list and the cards, for managers."""
        for view_type in ("list", "kanban"):
            for user, offered in (
                (self.manager, True),
                (self.technician, False),
                (self.auditor, False),
            ):
                arch = self._arch("client.equipment.software.key", view_type, user)
                self.assertEqual("Enter Many Keys" in arch, offered)

    def test_cards_forbid_what_the_list_forbids(self):
        """K11: on a phone nothing can be done with records, duplicating included, that
        cannot be done on a desktop."""
        seen = set()
        for model in self.env["client.equipment.mixin"]._inherit_children:
            views = self.env["ir.ui.view"].search([("model", "=", model)])
            if {"list", "kanban"} <= set(views.mapped("type")):
                in_list, on_cards = (
                    self._forbidden(model, view_type)
                    for view_type in ("list", "kanban")
                )
                with self.subTest(model=model):
                    self.assertEqual(in_list, on_cards)
                    seen.add(model)
        self.assertGreater(len(seen), 6)

    def _forbidden(self, model, view_type):
        arch = etree.fromstring(self._arch(model, view_type, self.manager))
        every = ("create", "edit", "delete", "duplicate")
        return {each for each in every if arch.get(each) in ("0", "False", "false")}

    def test_cards_open_what_the_list_opens(self):
        """A12, A13: a line that opens nothing in a list opens nothing as a card on a
        phone."""
        seen = 0
        for view in self.env["ir.ui.view"].search(
            [
                (
                    "model",
                    "in",
                    list(self.env["client.equipment.mixin"]._inherit_children),
                ),
                ("type", "=", "form"),
                ("mode", "=", "primary"),
            ]
        ):
            arch = etree.fromstring(self.env[view.model].get_view(view.id)["arch"])
            for lines in arch.xpath("//list[@no_open and not(@editable)]/.."):
                with self.subTest(view=view.name, field=lines.get("name")):
                    [cards] = lines.xpath("kanban")
                    self.assertEqual(cards.get("can_open"), "0")
                    seen += 1
        self.assertGreater(seen, 2)

    def test_dates_are_written_one_way(self):
        """K5, L2: each date in each view of each model of ours shows what is stored,
        in the reader's own format."""
        mixin = self.env["client.equipment.mixin"]
        models = [self.env[name] for name in mixin._inherit_children]
        seen = set()
        for model in models:
            for view in self.env["ir.ui.view"].search(
                [
                    ("model", "=", model._name),
                    ("type", "in", ("form", "list", "kanban")),
                    ("mode", "=", "primary"),
                ]
            ):
                arch = etree.fromstring(model.get_view(view.id, view.type)["arch"])
                self.assertIn("o_client_equipment_view", arch.get("class"))
                for model_name, node in self._fields(arch, model._name):
                    field = self.env[model_name]._fields[node.get("name")]
                    if field.type in ("date", "datetime"):
                        with self.subTest(view=view.name, field=str(field)):
                            self.assertRegex(
                                node.get("widget"), "^client_equipment_date"
                            )
                            seen.add(str(field))
        self.assertGreater(len(seen), 10)

    def test_dates_in_settings_are_written_one_way(self):
        """K5: so do the dates that stand in the settings."""
        settings = self.env["res.config.settings"]
        arch = etree.fromstring(settings.get_view(view_type="form")["arch"])
        widgets = {
            node.get("name"): node.get("widget")
            for model, node in self._fields(arch, settings._name)
            if node.get("name").startswith("software_key")
            and self.env[model]._fields[node.get("name")].type == "datetime"
        }
        self.assertGreaterEqual(len(widgets), 3)
        self.assertEqual(set(widgets.values()), {"client_equipment_datetime"})

    def _fields(self, node, model_name):
        """Return ``[(model name, node)]`` of the fields in a view, inner views too."""
        found = []
        for child in node:
            inner = model_name
            if child.tag == "field":
                found.append((model_name, child))
                field = self.env[model_name]._fields[child.get("name")]
                inner = field.comodel_name or model_name
            found += self._fields(child, inner)
        return found

    def test_drop_downs_show_names_as_they_are(self):
        """K6, A3: what a drop-down of Odoo's takes for markup is shown as it stands
        where it belongs to a name; every model of ours."""
        names = ["--Unit--A--", "1**2**3", "`Of`fi`ce`", "AB--CD--**EF**-`G`H``"]
        self.laptop.write({"name": names[0], "serial_no": names[1]})
        self.antivirus.name = names[2]
        self._apply(self._enter_subscriptions(names[3]))  # whose end is a detail
        self.env.flush_all()
        seen = set()
        for model in self._our_models():
            records = self.env[model].search([], limit=80, order="id DESC")
            for record in records.with_user(self.manager)._readable():
                shown = record.with_context(formatted_display_name=True).display_name
                name, parts = record.display_name or "", self._marked_up(shown or "")
                with self.subTest(model=model, name=name):
                    # The serial number stands in brackets elsewhere.
                    self.assertIn(name, (parts[0], "{} [{}]".format(*parts[:2])))
                    seen |= {(model, each) for each in names if each in name}
        self.assertGreater(len(seen), 5)

    def _marked_up(self, name):
        """Return what people read of a name in a drop-down (Odoo's html.js), of its
        details, and an empty text."""
        for mark in (r"\*\*(.+?)\*\*", "--(.+?)--", "`(.+?)`"):
            name = re.sub(mark, r"\1", name)
        name = name.replace("\u2060", "").replace("\u02cb", "`")
        return [*name.split("\t"), ""]

    def test_status_goes_back(self):
        """A9: each status that a click changes goes back where that is refused."""
        bars = []
        for view in self.env["ir.ui.view"].search(
            [
                ("model", "in", self._our_models()),
                ("type", "=", "form"),
                ("mode", "=", "primary"),
            ]
        ):
            form = etree.fromstring(self.env[view.model].get_view(view.id)["arch"])
            bars += form.xpath("//field[contains(@options, 'clickable')]")
        self.assertTrue(bars)
        self.assertEqual(
            {bar.get("widget") for bar in bars}, {"client_equipment_status"}
        )

    def test_views_can_be_extended(self):
        """H1: groups, pages, headers, footers, their buttons, banners and filters of
        each view of ours have names, so that other addons attach to them."""
        views = self.env["ir.model.data"].search(
            [("model", "=", "ir.ui.view"), ("module", "like", "client_equipment%")]
        )
        seen = 0
        for view in self.env["ir.ui.view"].browse(views.mapped("res_id")):
            for node in etree.fromstring(view.arch_db).xpath(ANCHORS):
                with self.subTest(view=view.xml_id, line=node.sourceline):
                    self.assertTrue(node.get("name"), etree.tostring(node))
                    seen += 1
        self.assertGreater(seen, 200)

    def test_empty_screens_help(self):
        """An empty screen says how the first record comes to be, on every way to it."""
        actions = self.env["ir.actions.act_window"].search(
            [("res_model", "like", "client.equipment%"), ("target", "!=", "new")]
        )
        self.assertGreater(len(actions), 6)
        for action in actions:
            with self.subTest(action=action.xml_id):
                self.assertIn("o_view_nocontent_smiling_face", action.help or "")

    def test_search_views_have_what_the_clock_opens(self):
        """S5: the clock's filters are on every model that has activities."""
        names = "activities_overdue", "activities_today", "activities_upcoming_all"
        for name in self.env["client.equipment.mixin"]._inherit_children:
            if "activity_ids" in self.env[name]._fields:
                arch = self.env[name].get_view(view_type="search")["arch"]
                for filter_name in ("filter_activities_my", *names):
                    with self.subTest(model=name):
                        self.assertIn(f'name="{filter_name}"', arch)

    def test_nothing_is_called_alike(self):
        """What one search, list or group-by menu offers has names of its own; a day,
        week or month is chosen below its date."""
        views = {"search": 0, "list": 0}
        for name in self.env["client.equipment.mixin"]._inherit_children:
            model = self.env[name]
            for view_type in views:
                arch = etree.fromstring(model.get_view(view_type=view_type)["arch"])
                labels = {
                    path: [
                        node.get("string") or model._fields[node.get("name")].string
                        for node in arch.xpath(path)
                        if node.get("string") or node.tag == "field"
                    ]
                    for path in (
                        f"/{view_type}/field[not(@column_invisible)]",
                        f"/{view_type}/filter[not(@invisible)]",
                        f"/{view_type}/group/filter",
                    )
                }
                fields = [
                    safe_eval(node.get("context"))["group_by"].partition(":")[0]
                    for node in arch.xpath("/search/group/filter")
                ]
                for path, names in {**labels, "group_by": fields}.items():
                    with self.subTest(model=name, view=view_type, path=path):
                        self.assertEqual(len(names), len(set(names)), names)
                views[view_type] += len(fields) + sum(map(len, labels.values()))
        self.assertGreater(min(views.values()), 60)
