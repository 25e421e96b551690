"""Every screen of ours is one that a screen reader, and weak eyes, can read (axe-core)."""

import json
import os
from pathlib import Path

from odoo.addons.client_equipment_software_key.tests.common import SoftwareKeyMixin
from odoo.tests import HttpCase

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

CHECK = """
(async () => {
    const found = async (selector) => {
        for (let tries = 0; tries < 200; tries++) {
            const el = [...document.querySelectorAll(selector)].find((el) => el.offsetParent);
            if (el) {
                return el;
            }
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
        throw new Error(`not there: ${selector}`);
    };
    const { clicks, end, odoo } = %s;
    for (const selector of clicks) {
        (await found(selector)).click();
    }
    await found(end);
    await new Promise((resolve) => setTimeout(resolve, 500));
    const root = document.querySelector(".modal-content") ? ".modal-content" : ".o_content";
    const exclude = odoo.flatMap((selectors) => selectors.split(", ")).map((each) => [each]);
    const { violations } = await axe.run({ include: [[root]], exclude });
    const lines = violations
        .filter(({ impact }) => ["serious", "critical"].includes(impact))
        .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
    if (lines.length) {
        console.error(lines.slice(0, 20).join("\\n"));
    } else {
        console.log("test successful");
    }
})().catch((error) => console.error(error.message));
"""

TAB = ".o_field_widget[name=equipment_feature_ids]"
ROW = ".o_data_row, .o_kanban_record"
SCREENS = [  # what is opened by whom, what is clicked there, what is there then
    ("/odoo/software-key-overview", "manager", [], "button[name=expiring_soon]"),
    ("/odoo/client-equipment", "technician", [], ROW),
    ("/odoo/client-equipment/{equipment}", "technician", [], f"{TAB} .o_license_key"),
    (
        "/odoo/client-equipment/{equipment}",
        "technician",
        ["button[name=action_apply_next_available]"],
        ".modal [name=software_ids]",
    ),
    (
        "/odoo/client-equipment/{equipment}",
        "technician",
        ["button[name=action_return_or_replace]"],
        ".modal .o_license_key",
    ),
    ("/odoo/software-keys", "manager", [], ROW),
    ("/odoo/software-keys/{key}", "manager", [], ".o_form_view .o_license_key"),
    (
        "/odoo/software-keys/{key}",
        "manager",
        [".o_form_view .o_license_key_qr"],
        ".modal img",
    ),
    ("/odoo/equipment-features", "technician", [], ROW),
    ("/odoo/client-software", "manager", [], ROW),
    ("/odoo/software-key-audit-logs", "auditor", [], ROW),
    ("/odoo/software-key-usage-history", "auditor", [], ROW),
]


class Screens(SoftwareKeyMixin, HttpCase):
    """No serious finding of axe-core on any screen."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.axe = Path(os.environ["AXE"]).read_text()
        applied = cls._enter("AXE-APPLIED")
        cls.key = cls._enter("AXE-FREE")
        late = cls._enter_subscriptions("AXE-LATE")
        cls._apply(applied + late)
        late.validity_end = cls._in_days(-1)
        cls._enter_subscriptions("AXE-SOON", end=5)
        cls._enter("AXE-GONE").revoke()

    def _see_screens(self):
        for url, role, clicks, end in SCREENS:
            with self.subTest(url=url, clicks=clicks):
                plan = {"clicks": clicks, "end": end, "odoo": ODOO}
                self.browser_js(
                    url.format(equipment=self.laptop.id, key=self.key.id),
                    f"{self.axe}\n{CHECK % json.dumps(plan)}",
                    "odoo.isReady === true",
                    login=f"sk_{role}",
                )


class TestAccessibility(Screens):
    def test_screens(self):
        self._see_screens()


class TestAccessibilityOnPhone(Screens):
    browser_size = "390x844"
    touch_enabled = True

    def test_screens(self):
        self._see_screens()
