"""Screen readers and weak eyes can read every screen of ours (axe-core)."""

import json
import os
from pathlib import Path

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
    ".o_select_menu_toggler",  # an autocomplete that there is not
    ".o-autocomplete",
]

LOOK = Path(__file__).with_name("accessibility.js").read_text()

TAB = ".o_field_widget[name=equipment_feature_ids]"
ROW = ".o_data_row, .o_kanban_record"
# Of each role: what is opened, what is clicked there, what is there then.
SCREENS = {
    "technician": [
        ("client-equipment", [], ROW),
        ("equipment", [], f"{TAB} .o_license_key"),
        (
            "equipment",
            ["button[name=action_apply_next_available]"],
            ".modal [name=software_ids]",
        ),
        (
            "equipment",
            ["button[name=action_return_or_replace]"],
            ".modal .o_license_key",
        ),
        ("equipment-features", [], ROW),
    ],
    "manager": [
        ("software-key-overview", [], "button[name=expiring_soon]"),
        ("software-keys", [], ROW),
        ("key", [], ".o_form_view .o_license_key"),
        ("key", [".o_license_key_qr"], ".modal img"),
        ("client-software", [], ROW),
    ],
    "auditor": [
        ("software-key-audit-logs", [], ROW),
        ("software-key-usage-history", [], ROW),
    ],
}


class Screens(SoftwareKeyMixin, HttpCase):
    """No serious finding of axe-core on any screen."""

    # What Odoo gives to the tests that it finds in addons.
    test_tags = {"post_install"}
    test_module = "client_equipment_software_key"
    test_class = "Screens"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        axe = cls.env["ir.attachment"].create(
            {
                "name": "axe.min.js",
                "raw": Path(os.environ["AXE"]).read_bytes(),
                "mimetype": "text/javascript",
                "public": True,
            }
        )
        cls.axe = f"/web/content/{axe.id}"
        applied = cls._enter("AXE-APPLIED")
        cls.key = cls._enter("AXE-FREE")
        late = cls._enter_subscriptions("AXE-LATE")
        cls._apply(applied + late)
        late.validity_end = cls._in_days(-1)
        cls._enter_subscriptions("AXE-SOON", end=5)
        cls._enter("AXE-GONE").revoke()

    def _see_screens(self):
        forms = {"equipment": self.laptop, "key": self.key}
        for role, screens in SCREENS.items():
            plan = [
                {
                    "action": self._form(forms[name]) if name in forms else name,
                    "clicks": clicks,
                    "end": end,
                }
                for name, clicks, end in screens
            ]
            exclude = [[each] for each in ", ".join(ODOO).split(", ")]
            plan = json.dumps(
                {"screens": plan, "exclude": exclude, "address": self.axe}
            )
            with self.subTest(role=role):
                self.browser_js(
                    "/odoo",
                    f"{LOOK} lookAt({plan}).catch(({{stack}}) => console.error(stack))",
                    "odoo.isReady === true",
                    login=f"sk_{role}",
                )

    def _form(self, record):
        return {
            "type": "ir.actions.act_window",
            "res_model": record._name,
            "res_id": record.id,
            "views": [[False, "form"]],
        }


class TestAccessibility(Screens):
    def test_screens(self):
        self._see_screens()


class TestAccessibilityOnPhone(Screens):
    browser_size = "390x844"
    touch_enabled = True

    def test_screens(self):
        self._see_screens()
