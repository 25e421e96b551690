import { browser } from "@web/core/browser/browser";
import { patch } from "@web/core/utils/patch";
import { queryAll } from "@odoo/hoot-dom";
import { registry } from "@web/core/registry";

import * as user from "./steps";

const tours = registry.category("web_tour.tours");

/** Press a key of the real keyboard: see the test's KeyboardBrowser. */
async function hit(key) {
    const released = new Promise((resolve) =>
        window.addEventListener("keyup", resolve, { capture: true, once: true })
    );
    window.pressKey(key);
    await released;
}

/** Press Tab until this has the focus, which has to be on the way. */
function tabTo(content, selector) {
    return {
        content,
        trigger: selector,
        run: async () => {
            const passed = [];
            // (what has the focus may be another element than what was there before)
            const reached = (el) => el.contains(document.activeElement);
            while (!queryAll(selector).some(reached)) {
                passed.push(document.activeElement.outerHTML.slice(0, 80));
                if (passed.length > 60) {
                    throw new Error(`not reached: ${selector}\n${passed.join("\n")}`);
                }
                await hit("Tab");
            }
        },
    };
}

function press(content, key, trigger = "body") {
    return { content, trigger, run: () => hit(key) };
}

/** Type where the cursor is. */
function write(text) {
    return {
        content: `Type ${text}`,
        trigger: "body",
        run: async () => {
            for (const letter of text) {
                await hit(letter);
            }
        },
    };
}

/** Whoever types does not wait for a server that takes its time. */
function slow() {
    return {
        content: "The server takes a second for what follows from a value",
        trigger: "body",
        run() {
            patch(browser, {
                async fetch(url, ...args) {
                    if (String(url).includes("/onchange")) {
                        await new Promise((resolve) => setTimeout(resolve, 1000));
                    }
                    return super.fetch(url, ...args);
                },
            });
        },
    };
}

/** Leave a date for the next field before the page has drawn anything. */
function hurry(date, next) {
    return {
        content: "Whoever hurries over the date is not called back to it",
        trigger: date,
        run({ anchor }) {
            anchor.focus();
            document.querySelector(next).focus();
        },
    };
}

/** Look up from the keyboard, for longer than what was typed waits to be looked over. */
function pause(content, trigger) {
    return { content, trigger, run: () => new Promise((resolve) => setTimeout(resolve, 1000)) };
}

function go(content, selector) {
    return [tabTo(content, selector), press(content, "Enter")];
}

function offered(text) {
    return [
        user.see(`${text} is offered`, `.o-autocomplete--dropdown-item:contains(${text})`),
        press("Take it", "Enter", ".o-autocomplete--dropdown-item .ui-state-active"),
    ];
}

/** Open a dialog; Escape closes it, and it opens again; the cursor is in it each time. */
function open(title, button, cursor) {
    return [
        ...go(title, button),
        user.see("The cursor is in it", `.modal:contains(${title}) ${cursor}:focus`),
        press("Escape", "Escape"),
        user.see("It is closed", "body:not(:has(.modal))"),
        ...go(title, button),
        user.see("The cursor is in it again", `.modal:contains(${title}) ${cursor}:focus`),
    ];
}

const done = (text) =>
    user.see("It says what it did", `body:not(:has(.modal)) .o_notification:contains(${text})`);

tours.add("keyboard_apply_next", {
    steps: () => [
        user.see("The form is there", ".o_form_view button[name='action_return_or_replace']"),
        ...open(
            "Apply Next Available",
            "button[name='action_apply_next_available']",
            "[name='software_ids'] input"
        ),
        write("Tour Off"),
        ...offered("Tour Office"),
        user.see("The key is shown", ".modal .o_data_row:contains(KEYS-1)"),
        ...go("Apply", ".modal button[name='action_apply']"),
        done("KEYS-1"),
    ],
});

tours.add("keyboard_apply_line", {
    steps: () => [
        slow(),
        user.see("The form is there", ".o_form_view button[name='action_return_or_replace']"),
        ...go("Add a line", ".o_field_x2many_list_row_add a"),
        user.see("The cursor is there", "[name='software_key_id'] input:focus"),
        write("KEYS-1"),
        ...offered("KEYS-1"),
        tabTo("Remarks", "[name='remarks']"),
        hurry(
            ".o_selected_row [name='applied_date'] button",
            ".o_selected_row [name='remarks'] input"
        ),
        write("by hand"),
        press("Save", "Alt+s"),
        user.see(
            "It is applied",
            ".o_form_saved [name='equipment_feature_ids'] .o_data_row:contains(KEYS-1):contains(by hand):contains(Applied)"
        ),
    ],
});

tours.add("keyboard_remove", {
    steps: () => [
        tabTo("The key is on it", "[name='equipment_feature_ids'] [aria-label='Copy KEYS-1']"),
        {
            content: "The arrows go along the line, to the trash icon at its end",
            trigger: "body",
            run: async () => {
                for (let cells = 0; cells < 10; cells++) {
                    if (document.activeElement.closest(".o_list_record_remove")) {
                        return;
                    }
                    await hit("ArrowRight");
                }
                throw new Error("no arrow reaches the trash icon");
            },
        },
        press("Remove it", "Enter"),
        ...go("That is meant", ".modal:contains(Remove this software key?) .btn-primary"),
        done("Removed"),
    ],
});

tours.add("keyboard_return", {
    steps: () => [
        user.see("The key is on it", ".o_data_row:contains(KEYS-1)"),
        ...open("Return / Replace", "button[name='action_return_or_replace']", ""),
        ...go("Confirm", ".modal button[name='action_confirm']"),
        done("KEYS-1"),
    ],
});

tours.add("keyboard_renew", {
    steps: () => [
        ...open("Renew", ".o_statusbar_buttons button:contains(Renew)", "[name='reference'] input"),
        write("PO-4711"),
        tabTo("The end", ".modal [name='validity_end'] :is(button, input)"),
        write(user.inDays(400)),
        ...go("Renew", ".modal button[name='action_renew']"),
        done("enew"),
    ],
});

tours.add("keyboard_replace", {
    steps: () => [
        ...open(
            "Replace",
            ".o_statusbar_buttons button:contains(Replace)",
            "[name='license_key'] input"
        ),
        write("KEYS-NEW"),
        ...go("Replace", ".modal button[name='action_replace']"),
        user.see("The new key", "body:not(:has(.modal)) .o_form_view:contains(KEYS-NEW)"),
    ],
});

tours.add("keyboard_revoke", {
    steps: () => [
        ...go("Revoke", ".o_statusbar_buttons button[name='action_revoke']"),
        ...go("That is meant", ".modal:contains(Revoke this key?) .btn-primary"),
        user.see("It is revoked", "body:not(:has(.modal)) .o_form_view .ribbon:contains(Revoked)"),
    ],
});

tours.add("keyboard_verify", {
    steps: () => [
        ...go("Verify", ".o_statusbar_buttons button:contains(Verify)"),
        user.see("Nothing is wrong", ".modal .alert-success:contains(Intact)"),
        press("Escape", "Escape"),
        user.see("It is closed", "body:not(:has(.modal))"),
    ],
});

tours.add("keyboard_enter_many", {
    steps: () => [
        slow(),
        user.see("The list is there", ".o_list_view .o_data_row"),
        press("Odoo's search bar keeps Tab for its facets: the button has a key", "Alt+m"),
        user.see("The cursor is in it", ".modal [name='software_id'] input:focus"),
        press("Escape", "Escape"),
        user.see("It is closed", "body:not(:has(.modal))"),
        press("Again", "Alt+m"),
        user.see("The cursor is in it again", ".modal [name='software_id'] input:focus"),
        write("Tour Off"),
        ...offered("Tour Office"),
        tabTo("The list", ".modal [name='license_keys'] textarea"),
        hurry(".modal [name='validity_start'] input", ".modal [name='license_keys'] textarea"),
        write("MANY-1"),
        pause("It is looked over", ".modal button[name='action_enter']:contains(Enter 1 Key)"),
        press("The next line", "Enter"),
        pause("It is still there after a while", "body"),
        write("MANY-2"),
        ...go("Enter them", ".modal button[name='action_enter']:contains(Enter 2 Keys)"),
        done("entered: 2"),
        user.see(
            "They are listed",
            ".o_list_view:contains(Entered Keys) .o_data_row:contains(MANY-2)"
        ),
    ],
});
