import json

from odoo import Command
from odoo.tests import HttpCase, tagged

from .common import SoftwareKeyMixin
from .test_secrets import FIRST, PART, SecretsMixin

LOOK = r"""
// Opens screens, one after the other, and tells where a text stands that must not;
// where it is expected, until it stands somewhere.

async function lookFor({ text, screens, expected }) {
    const lines = [];
    let where = "the beginning";
    const look = (what, found) => {
        if (found.toUpperCase().includes(text)) {
            lines.push(`${where}: ${what}`);
        }
    };
    const { send } = XMLHttpRequest.prototype;
    XMLHttpRequest.prototype.send = function (...args) {
        this.addEventListener("load", () =>
            look(this.responseURL, this.responseText || "")
        );
        return send.apply(this, args);
    };
    const { fetch } = window;
    window.fetch = async (...args) => {
        const response = await fetch(...args);
        const type = response.headers.get("Content-Type") || "";
        if (type.includes("json")) {
            look(response.url, await response.clone().text());
        }
        return response;
    };
    const find = async (selector) => {
        for (let tries = 0; tries < 200; tries++) {
            const found = [...document.querySelectorAll(selector)];
            if (found.some((el) => el.offsetParent)) {
                return;
            }
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
        throw new Error(`${where}: there is no ${selector}`);
    };
    const { services } = odoo.__WOWL_DEBUG__.root.env;
    for (const { action, context, end, record, view } of screens) {
        if (expected && lines.length) {
            break;
        }
        where = `${JSON.stringify(action)} ${view || ""}`;
        services.dialog.closeAll();
        await services.action.doAction(action, {
            clearBreadcrumbs: true,
            additionalContext: context,
            viewType: view,
            props: record ? { resId: record } : {},
        });
        await find(end);
        for (const tab of document.querySelectorAll(".o_notebook_headers .nav-link")) {
            tab.click();
            await new Promise((resolve) => setTimeout(resolve, 100));
            look(`the tab ${tab.textContent}`, document.documentElement.outerHTML);
        }
        look("the page", document.documentElement.outerHTML);
        for (const { value } of document.querySelectorAll("input, textarea")) {
            look("an input", value);
        }
    }
    if (Boolean(lines.length) !== expected) {
        console.error(lines.join("\n") || `${text} stands nowhere`);
    } else {
        console.log("test successful");
    }
}
"""


class Screens(SecretsMixin, SoftwareKeyMixin, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._fill()

    def _plan(self, env):
        """Return what every action of ours opens: each of its views, a form with the
        newest of its records."""
        plan = []
        for data in self.env["ir.model.data"].search(
            [
                ("module", "like", "client_equipment%"),
                ("model", "in", ("ir.actions.act_window", "ir.actions.client")),
            ]
        ):
            action = self.env[data.model].browse(data.res_id)
            shown = {"action": data.complete_name}
            if data.model == "ir.actions.client":
                if action.target != "new" and self._is_offered(action, env):
                    plan.append(shown | {"end": ".o_content"})
            elif action.target == "new" or action.res_model.startswith("res."):
                continue
            elif env[action.res_model].has_access("read"):
                plan += self._views(env, action, shown)
        return plan

    def _is_offered(self, action, env):
        menus = self.env["ir.ui.menu"].search(
            [("action", "=", f"{action._name},{action.id}")]
        )
        return bool(menus.with_env(env)._filter_visible_menus())

    def _views(self, env, action, shown):
        records = env[action.res_model].search([], limit=1)
        for kind in action.view_mode.split(","):
            if kind == "form" and not records:
                continue
            end = f".o_{kind}_view" + (", .o_kanban_view" if kind == "list" else "")
            yield shown | {
                "view": kind,
                "end": end,
                "record": kind == "form" and records.id,
            }

    def _dialogs(self, env):
        """Yield the dialogs in which keys go onto equipment, or leave it."""
        software = [Command.set((self.office + self.antivirus).ids)]
        for model, values in (
            ("apply.next", {"equipment_id": self.laptop.id, "software_ids": software}),
            (
                "apply.software",
                {"equipment_ids": [Command.set(self.laptop.ids)]}
                | {"software_ids": software},
            ),
            ("return", {"equipment_id": self.laptop.id}),
        ):
            if env[f"client.equipment.{model}"].has_access("create"):
                yield {
                    "action": {
                        "type": "ir.actions.act_window",
                        "res_model": f"client.equipment.{model}",
                        "views": [[False, "form"]],
                        "target": "new",
                    },
                    "context": {f"default_{name}": values[name] for name in values},
                    "end": ".modal .o_form_view",
                }

    def _look(self, user, expected=False):
        env = self.env(user=user)
        plan = self._plan(env)
        self.assertGreater(len(plan), 10)
        for record in (self.first, self.laptop, self.replaced, self.office):
            plan.append(
                {
                    "action": {
                        "type": "ir.actions.act_window",
                        "res_model": record._name,
                        "res_id": record.id,
                        "views": [[False, "form"]],
                    },
                    "end": ".o_form_view",
                }
            )
        plan += self._dialogs(env)
        wanted = json.dumps({"text": PART, "screens": plan, "expected": expected})
        self.browser_js(
            "/odoo",
            f"{LOOK} lookFor({wanted}).catch(({{stack}}) => console.error(stack))",
            "odoo.isReady === true",
            login=user.login,
            timeout=300,
        )


@tagged("post_install", "-at_install")
class TestSecretScreens(Screens):
    """K16: no screen, and no answer that a browser gets, holds a license key."""

    def test_technician(self):
        """K16: nothing that a technician opens holds one."""
        self._look(self.technician)

    def test_auditor(self):
        """K16: nothing that an auditor opens holds one."""
        self._look(self.auditor)

    def test_manager(self):
        """K16: what a manager opens does: the test would find it."""
        self._look(self.manager, expected=True)


class Reveal(SecretsMixin, SoftwareKeyMixin, HttpCase):
    """K16: Show is one tap, and hides the license key again."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.third.equipment_feature_ids.unlink()
        cls.features.unlink()
        cls.second.revoke()

    def _tour(self, url, tour, login="sk_technician"):
        self.start_tour(url, tour, login=login)
        self.env.invalidate_all()
        looks = self.first.audit_log_ids.filtered(lambda e: e.action == "revealed")
        return looks.sorted("number")


@tagged("post_install", "-at_install")
class TestReveal(Reveal):
    browser_size = "1440x900"

    def test_tab(self):
        """K16, A15: a technician applies a key, has it shown, and copies it."""
        looks = self._tour(f"/odoo/client-equipment/{self.laptop.id}", "reveal_tab")
        self.assertEqual(looks.mapped("reason"), [False, "Reinstallation"])
        self.assertEqual(looks.equipment_id, self.laptop)
        self.assertEqual(looks.user_id, self.technician)

    def test_list(self):
        """K16: on the line of the list."""
        looks = self._tour("/odoo/software-keys", "reveal_list")
        self.assertEqual(looks.user_id, self.technician)

    def test_form(self):
        """K16: on the key's form, which tells how often it was."""
        url = f"/odoo/software-keys/{self.first.id}"
        self.assertEqual(len(self._tour(url, "reveal_form", "sk_auditor")), 1)

    def test_late_answer(self):
        """K16: no license key is shown under the key to which one has gone on."""
        self._tour("/odoo/software-keys", "reveal_late")
        self.assertEqual(self._steps(self.third)[-1], "revealed")


@tagged("post_install", "-at_install")
class TestRevealOnPhone(Reveal):
    browser_size = "390x844"
    touch_enabled = True

    def test_tab(self):
        """K16, A15: the same on a phone."""
        url = f"/odoo/client-equipment/{self.laptop.id}"
        looks = self._tour(url, "reveal_tab_phone")
        self.assertEqual(looks.equipment_id, self.laptop)
        self.assertEqual(self.first.license_key, FIRST)
