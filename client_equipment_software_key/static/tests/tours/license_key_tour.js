import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";

import * as user from "./steps";

const KEY = "WHOLE-65PRO-15555-XK7QD-12345";
const NEXT = "WHOLE-NEXT0-15555-XK7QD-12346";
const TAB = ".o_field_widget[name='equipment_feature_ids']";
const CELLS = [
    ".o_data_row .o_license_key_text",
    ".o_data_row [name='equipment_id']",
    ".o_data_row [name='applied_by_id'] span",
    ".o_data_row [name='user_id'] span",
    ".o_list_view .o_data_cell:not(.o_list_button)",
].join(", ");
const tours = registry.category("web_tour.tours");

function whole(where) {
    return user.seeWhole("The license key is whole", `${where} .o_license_key_text`);
}

function inOneLine(where) {
    return user.seeInOneLine("The license key is in one line", where);
}

/** The tab, from a chosen key to an applied one, and Apply Next Available. */
tours.add("license_key_tab", {
    steps: () => [
        ...user.openTab("Software Keys"),
        user.click("Add a line", `${TAB} .o_field_x2many_list_row_add a`),
        ...user.choose("software_key_id", KEY, KEY, TAB),
        user.see(
            "What is chosen is shown",
            `${TAB} .o_selected_row .o_license_key:contains(${KEY})`
        ),
        whole(`${TAB} .o_selected_row`),
        user.see("It is not applied yet", `${TAB} .o_selected_row:not(:contains(Available))`),
        ...user.save(),
        user.see("It is applied", `${TAB} .o_data_row:contains(${KEY}):contains(Applied)`),
        user.seeWhole("Nothing in the tab is cut", `${TAB} .o_data_row .o_data_cell`),
        whole(TAB),
        ...user.copy(KEY, TAB),
        {
            content: "Enter copies, too, and leaves the line as it is",
            trigger: `${TAB} button[aria-label='Copy ${KEY}']`,
            run: async ({ anchor, press }) => {
                let copied = null;
                navigator.clipboard.writeText = async (text) => (copied = text);
                anchor.focus();
                await press("Enter");
                if (copied !== KEY || document.querySelector(".o_selected_row")) {
                    throw new Error(`copied: ${copied}`);
                }
            },
        },
        user.click("Apply Next Available", "button[name='action_apply_next_available']"),
        ...user.choose("software_ids", "Tour Office", "Tour Office Professional", ".modal"),
        user.see("The next key", `.modal .o_data_row:contains(${NEXT})`),
        whole(".modal"),
        ...user.copy(NEXT, ".modal"),
        user.click("Discard", ".modal footer .btn-secondary"),
        user.see("It is gone", "body:not(:has(.modal)) .o_form_saved"),
    ],
});

/** On a phone, Apply applies at once. */
tours.add("license_key_tab_phone", {
    steps: () => [
        ...user.openTab("Software Keys"),
        user.click("Add", `${TAB} .o-kanban-button-new`),
        user.see("The dialog says what it does", ".modal-title:contains(Apply a Software Key)"),
        user.click("Choose a key", ".modal [name='software_key_id'] input"),
        user.see(
            "The one bought for the customer is first",
            `.modal .o_kanban_record:first:contains(${KEY})`
        ),
        user.click("This one", `.modal .o_kanban_record:contains(${KEY})`),
        whole(".modal"),
        user.click("Apply", ".modal .o_form_button_save:contains(Apply)"),
        user.see("It is applied", `body:not(:has(.modal)) .o_form_saved ${TAB}:contains(${KEY})`),
        inOneLine(`.o_software_key_told .o_whole_word:contains(${KEY})`),
        whole(TAB),
        inOneLine(`${TAB} .o_license_key_text`),
        ...user.copy(KEY, TAB),
        user.click("Open the card", `${TAB} .o_kanban_record:contains(${KEY})`),
        user.see("The dialog", ".modal-title:contains(Software Key)"),
        whole(".modal"),
        inOneLine(".modal .o_license_key_text"),
    ],
});

/** On a phone, who leaves the page without Apply has applied nothing. */
tours.add("license_key_left_phone", {
    steps: () => [
        ...user.openTab("Software Keys"),
        user.click("Add", `${TAB} .o-kanban-button-new`),
        user.click("Choose a key", ".modal [name='software_key_id'] input"),
        user.click("This one", `.modal .o_kanban_record:contains(${KEY})`),
        user.see("It is chosen", `.modal .o_license_key:contains(${KEY})`),
        {
            content: "Leave the page",
            trigger: "body",
            expectUnloadPage: true,
            run: () => browser.location.reload(),
        },
        user.see("Nothing is on it", `body:not(:has(.modal)) ${TAB}:not(:contains(${KEY}))`),
    ],
});

/** On a phone, what asks before a key goes names it so that it can be compared. */
tours.add("license_key_asked_phone", {
    steps: () => [
        ...user.openTab("Software Keys"),
        user.click("Trash icon", `${TAB} .o_kanban_record:contains(${KEY}) a[name='remove']`),
        inOneLine(`.modal .o_whole_word:contains(${KEY})`),
        user.click("Keep it", ".modal .btn-secondary"),
        user.click("Return / Replace", "body:not(:has(.modal)) [name='action_return_or_replace']"),
        user.click("What becomes of it?", `.modal .o_kanban_record:contains(${KEY})`),
        user.see(
            "The dialog says what it is",
            ".modal .modal-title:contains(/^Software Key of Returned Equipment$/)"
        ),
        inOneLine(".modal:contains(Software Key of Returned Equipment) .o_license_key_text"),
    ],
});

/** On a phone, Enter Many Keys says of which key it speaks so that it can be compared. */
tours.add("license_key_many_phone", {
    steps: () => [
        user.type("license_keys", KEY.toLowerCase(), ".modal"),
        user.see("Its verdict", `.modal .o_bulk_entry_lines tr:contains(looks like ${KEY})`),
        inOneLine(".modal .o_bulk_entry_lines td.font-monospace"),
        inOneLine(".modal .o_bulk_entry_lines .o_whole_word"),
        user.click("Discard", ".modal footer .btn-secondary"),
        user.see("It is gone", "body:not(:has(.modal))"),
    ],
});

/** On a phone, Renew and the key's own form. */
tours.add("license_key_form_phone", {
    steps: () => [
        inOneLine(".oe_title .o_license_key_text"),
        user.click("Renew", ".o_statusbar_buttons button:contains(Renew)"),
        inOneLine(".modal .o_renewal_lines .o_license_key_text"),
        user.click("Discard", ".modal footer .btn-secondary"),
        user.click("Its trail", "body:not(:has(.modal)) .nav-link:contains(Audit Logs)"),
        user.click("An entry", "[name='audit_log_ids'] .o_kanban_record"),
        user.see("The dialog says what it is", ".modal .modal-title:contains(/^Audit Log$/)"),
    ],
});

/** The lists of the product, at any width. */
const LISTS = {
    "Software Keys": "software-keys",
    "Equipment Features": "equipment-features",
    "Audit Logs": "software-key-audit-logs",
    "Usage History": "software-key-usage-history",
};
tours.add("license_key_lists", {
    steps: () =>
        Object.entries(LISTS).flatMap(([name, path]) => [
            ...user.openAction(name, path),
            user.see("The key is there", `.o_data_row:contains(${KEY})`),
            user.seeWhole("No cell is cut", CELLS),
            ...user.copy(KEY, `.o_data_row:contains(${KEY}):first`),
            user.see("The row has not been opened", `.o_list_view .o_data_row:contains(${KEY})`),
        ]),
});

/** A trash icon on a new line works, also after the tab has been read-only. */
tours.add("remove_new_line", {
    steps: () => [
        user.click("Back into service", ".o_statusbar_status button:contains(In Service)"),
        user.see(
            "It is",
            ".o_form_saved .o_statusbar_status .o_arrow_button_current:contains(In Service)"
        ),
        ...user.openTab("Software Keys"),
        user.click("Add a line", `${TAB} .o_field_x2many_list_row_add a`),
        user.click("Trash icon", `${TAB} .o_selected_row .o_list_record_remove button`),
        user.see("The line has gone", `${TAB}:not(:has(.o_selected_row))`),
        user.click("Discard", ".o_form_button_cancel"),
        user.see("Nothing is left to save", ".o_form_saved"),
    ],
});
