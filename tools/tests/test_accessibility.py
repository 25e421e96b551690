"""Screen readers and weak eyes can read every screen of ours (axe-core), and nobody's
eyes find a text cut off, at any width (A15)."""

import json
import os
import re
from ast import literal_eval
from pathlib import Path

from lxml import etree

from odoo.tests import HttpCase

from odoo.addons.client_equipment_software_key.tests.common import SoftwareKeyMixin

# Odoo's own, on every screen of every app: nothing that an addon could mend.
ODOO = [
    ".dropdown-toggle",  # aria-expanded on what has no role
    ".o-mail-Avatar, .o_avatar",  # pictures without a text beside the name
    ".o-mail-Chatter",
    ".o_kanban_record .o-mail-ActivityButton",
    ".o_list_record_selector",  # check boxes without a label
    ".o_notebook_headers",  # tabs without a tab list
    ".o_optional_columns_dropdown",
    ".o_search_panel, .o_search_panel_sidebar",
    ".o_searchview",
    ".o_tag",  # a label on what has no role
    ".o_select_menu_toggler",  # an autocomplete that there is not
    ".o-autocomplete",
]

# How a view says what may be done there.
MAY = r' ((group|can)_)?(create|edit|write|delete)="[^"]*"'

LOOK = Path(__file__).with_name("accessibility.js")

TAB = ".o_field_widget[name=equipment_feature_ids]"
ROW = ".o_data_row, .o_kanban_record"
# Of each role, the manager first, who may do the most: what is opened, what is clicked
# there, what is there then. What actions of ours open is found by itself: see
# _registered.
APPLY = [
    ("equipment", [], f"{TAB} .o_license_key"),
    (
        "equipment",
        ["button[name=action_apply_next_available]"],
        ".modal [name=software_ids]",
    ),
    ("equipment", ["button[name=action_return_or_replace]"], ".modal .o_license_key"),
    ("apply software", [], ".modal .o_license_key"),
]
SCREENS = {
    "manager": [
        *APPLY,
        ("software-key-overview", [], "button[name=expiring_soon]"),
        ("software-keys", [], ROW),
        ("key", [], ".o_form_view .o_license_key"),
        ("key", [".o_license_key_qr"], ".modal img"),
        ("override", [], ".modal .o_license_key"),
        ("client-software", [], ROW),
    ],
    "technician": [
        *APPLY,
        ("client-equipment", [], ROW),
        ("equipment-features", [], ROW),
    ],
    "auditor": [
        ("software-key-audit-logs", [], ROW),
        ("software-key-usage-history", [], ROW),
    ],
}


# Longer than what stands in demo data, and with long words: who tells two rows apart by
# their ends must be able to.
LONG = {
    "office": "Tour Office Professional Plus for Large Organisations 2024",
    "antivirus": "Tour Antivirus Enterprise with Datenschutzfolgenabschätzung",
    "laptop": "Reception Laptop beside the Window on the Ground Floor",
    "customer": "Tour Dental Practice Featherstonehaugh-Cholmondeley & Partners",
    "technician": "Maximiliane Technician-Featherstonehaugh",
    "manager": "Wolfeschlegelsteinhausen Bergerdorff",
}
LONG_FILE = "office_professional_plus_for_large_organisations_2024_dental.lic"


class Screens(SoftwareKeyMixin):
    """No text is cut off, and no serious finding of axe-core, on any screen.

    The manager, who sees the most, reads the language with the longest words.
    """

    # What Odoo gives to the tests that it finds in addons.
    test_tags = {"post_install"}
    test_module = "client_equipment_software_key"
    test_class = "Screens"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.scripts = [cls._serve(path) for path in (os.environ["AXE"], LOOK)]
        for name, long in LONG.items():
            getattr(cls, name).name = long
        cls._let_read_german(cls.manager)
        applied = cls._enter(
            "AXE-APPLIED-65PRO-15555-XK7QD-12345-98765-ABCDE", owner_id=cls.customer.id
        )
        cls.key = cls._enter("AXEFR-65PRO-11111-XK7QD-12341", seats=25)
        cls.key.write({"license_file": "QXhl", "license_file_name": LONG_FILE})
        cls._apply(cls.key, cls.spare_laptop)
        late = cls._enter_subscriptions("AXELT-65PRO-11111-XK7QD-12341")
        cls._apply(applied + late)
        late.validity_end = cls._in_days(-1)
        cls._enter_subscriptions("AXESN-65PRO-11111-XK7QD-12341", end=5)
        cls._enter("AXE-GONE").revoke()
        cls._enter("AXE-DELETED").delete("Typed twice, and never given to anybody")
        cls.env["client.equipment.audit.checkpoint"].with_user(cls.manager).make()
        for user in (cls.manager, cls.auditor):
            packs = cls.env["client.equipment.evidence.pack"].with_user(user)
            packs.create({"partner_ids": cls.customer.ids}).action_make()

    @classmethod
    def _let_read_german(cls, user):
        cls.env["res.lang"]._activate_lang("de_DE")
        own = [("name", "=like", "client_equipment%"), ("state", "=", "installed")]
        cls.env["ir.module.module"].search(own)._update_translations(["de_DE"])
        user.lang = "de_DE"

    @classmethod
    def _serve(cls, path):
        """Return the address from which the browser gets a script."""
        script = cls.env["ir.attachment"].create(
            {
                "name": "script.js",
                "raw": Path(path).read_bytes(),
                "mimetype": "text/javascript",
                "public": True,
            }
        )
        return f"/web/content/{script.id}"

    def _registered(self, role):
        """Return the plan of what every action of ours opens that a role may open."""
        env = self.env(user=getattr(self, role))
        own = self.env["ir.model.data"].search(
            [
                ("module", "like", "client_equipment%"),
                ("model", "in", ("ir.actions.act_window", "ir.actions.client")),
            ]
        )
        plan = []
        for data in own:
            action = self.env[data.model].browse(data.res_id)
            shown = {"action": data.complete_name, "clicks": []}
            if data.model == "ir.actions.client":
                plan += self._client_action(action, shown, role)
            elif action.target == "new":
                plan += self._dialog(env, action, shown)
            elif env[action.res_model].has_access("read"):
                plan += self._views(env, action, shown)
        return plan

    def _client_action(self, action, shown, role):
        if action.tag == "client_equipment_overview" and role == "technician":
            return []  # it is in the others' menus only
        end = ".modal-body" if action.target == "new" else ".o_content"
        return [shown | {"end": end}]

    def _dialog(self, env, action, shown):
        groups = action.group_ids
        allowed = not groups or groups & env.user.all_group_ids
        if not allowed or not env[action.res_model].has_access("create"):
            return []
        self.seen.add(action.res_model)
        context = {
            "active_model": self.key._name,
            "active_ids": self.key.ids,
            "active_id": self.key.id,
        }
        return [shown | {"end": ".modal .o_form_view", "context": context}]

    def _views(self, env, action, shown):
        """Return the plan of each view of an action; a form with one of its records.

        What pivots, graphs, calendars and activities look like is Odoo's own.
        """
        plan = []
        if action.res_model.startswith("res."):
            return plan
        records = env[action.res_model].search(literal_eval(action.domain or "[]"))
        for kind in {"list", "kanban", "form"} & set(action.view_mode.split(",")):
            if not self._is_new(env, action, kind):
                continue
            step = shown | {"view": kind, "end": f".o_{kind}_view"}
            if kind == "form":
                step["record"] = records[:1].id
                if not records:
                    continue
            elif records:
                step["end"] = ROW
            elif kind == "list":
                step["end"] += ", .o_kanban_view"  # which a phone shows instead
            plan.append(step)
        return plan

    def _is_new(self, env, action, kind):
        """Tell whether anything is shown by an action that none before it has shown, to
        a role before this one or to this; what it may not do there, which others may,
        is nothing new."""
        views = {kind: view_id for view_id, kind in action.views}
        view = env[action.res_model].with_context(lang=None).get_view(views[kind], kind)
        arch = etree.fromstring(re.sub(MAY, "", view["arch"]))
        parts = {
            (action.res_model, kind, part.tag, *sorted(part.items()))
            for part in arch.iter()
        }
        is_new = not parts <= self.views
        self.views |= parts
        return is_new

    def test_screens(self):
        self.views = set()
        self.seen = {"client.equipment.apply.next", "client.equipment.return"}
        self._see_screens()
        dialogs = {
            view.model
            for view in self.env["ir.ui.view"].search(
                [("model", "like", "client.equipment"), ("type", "=", "form")]
            )
            if self.env[view.model]._transient
        }
        self.assertEqual(dialogs - self.seen, set(), "nobody looks at these dialogs")

    def _see_screens(self):
        actions = self._get_actions()
        for role in SCREENS:
            screens = [
                {"action": actions.get(name, name), "clicks": clicks, "end": end}
                for name, clicks, end in SCREENS[role]
            ]
            plan = {
                "scripts": self.scripts,
                "screens": screens + self._registered(role),
                # What differs is the room: whoever sees the most will do.
                "widths": self.widths if role == "manager" else self.widths[:1],
                "exclude": [[each] for each in ", ".join(ODOO).split(", ")],
            }
            with self.subTest(role=role):
                self.browser_js(
                    "/web/health",
                    f"{LOOK.read_text()} lookInFrame({json.dumps(plan)})"
                    ".catch(({stack}) => console.error(stack))",
                    login=f"sk_{role}",
                    timeout=600,
                )

    def _get_actions(self):
        """Return what opens the screens that no address leads to, by their names."""
        apply_software = (self.laptop + self.spare_laptop).action_apply_software()
        apply_software["context"]["default_software_ids"] = self.antivirus.ids
        override = self.key.action_override_rule()
        self.seen |= {apply_software["res_model"], override["res_model"]}
        return {
            "equipment": self._form(self.laptop),
            "key": self._form(self.key),
            "apply software": apply_software,
            "override": override,
        }

    def _form(self, record):
        return {
            "type": "ir.actions.act_window",
            "res_model": record._name,
            "res_id": record.id,
            "views": [[False, "form"]],
        }


class TestAccessibility(Screens, HttpCase):
    """Where the chatter stands beside the form, it is narrowest; on the narrowest that
    shows lists; on a wide screen."""

    browser_size = "480x300"
    widths = (1440, 1280, 1920)


class TestAccessibilityOnPhone(Screens, HttpCase):
    browser_size = "390x300"
    widths = (390,)
    touch_enabled = True
