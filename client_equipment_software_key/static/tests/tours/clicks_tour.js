import { registry } from "@web/core/registry";

import * as user from "./steps";

const TAB = ".o_field_widget[name='equipment_feature_ids']";
const TOLD = ".o_notification.o_software_key_told";
const tours = registry.category("web_tour.tours");

/** From the start of the web client to a copied key, with no more clicks than these. */
function withClicks(limit, steps) {
    const clicks = steps.filter(({ run }) => run === "click").length;
    if (clicks > limit) {
        throw new Error(`${clicks} clicks, more than ${limit}`);
    }
    let copied = null;
    const listen = {
        content: "Listen to the clipboard",
        trigger: "body",
        run: () => (navigator.clipboard.writeText = async (text) => (copied = text)),
    };
    const heard = {
        content: "The key is in the clipboard",
        trigger: "body",
        run: () => {
            if (copied !== "CLICKS-1") {
                throw new Error(`copied: ${copied}`);
            }
        },
    };
    return { steps: () => [listen, ...steps, heard] };
}

tours.add(
    "clicks_phone_next",
    withClicks(5, [
        user.click(
            "Apply Next",
            ".o_kanban_record:contains(Reception Laptop) button[name='action_apply_next_available']"
        ),
        user.click("Which software?", ".modal [name='software_ids'] input"),
        user.click("This one", ".modal .o_kanban_record:contains(Tour Office)"),
        user.click("Apply", ".modal button[name='action_apply']"),
        user.click("Copy", `${TOLD} button:contains(Copy)`),
    ])
);

tours.add(
    "clicks_phone_choose",
    withClicks(6, [
        user.click("The unit", ".o_kanban_record:contains(Reception Laptop)"),
        user.click("Add", `${TAB} .o-kanban-button-new`),
        user.click("Which key?", ".modal [name='software_key_id'] input"),
        user.click("This one", ".modal .o_kanban_record:contains(CLICKS-1)"),
        user.click("Apply", ".modal .o_form_button_save:contains(Apply)"),
        user.click("Copy", `body:not(:has(.modal)) ${TAB} button[aria-label='Copy CLICKS-1']`),
    ])
);

tours.add(
    "clicks_desktop_next",
    withClicks(4, [
        user.click(
            "Apply Next",
            ".o_data_row:contains(LAPTOP-12345) button[name='action_apply_next_available']"
        ),
        user.see("The cursor is there", ".modal [name='software_ids'] input:focus"),
        user.type("software_ids", "Tour Office", ".modal"),
        user.click("This one", ".o-autocomplete--dropdown-item:contains(Tour Office)"),
        user.click("Apply", ".modal button[name='action_apply']"),
        user.click("Copy", `${TOLD} button:contains(Copy)`),
    ])
);

tours.add(
    "clicks_desktop_choose",
    withClicks(5, [
        user.click("The unit", ".o_data_row:contains(LAPTOP-12345) td[name='name']"),
        user.click("Add a line", `${TAB} .o_field_x2many_list_row_add a`),
        user.see("The cursor is there", `${TAB} [name='software_key_id'] input:focus`),
        user.type("software_key_id", "CLICKS", TAB),
        user.click("This one", ".o-autocomplete--dropdown-item:contains(CLICKS-1)"),
        user.click("Save", ".o_form_view .o_form_button_save:visible"),
        user.click(
            "Copy",
            `${TAB} .o_data_row:contains(Applied) button[aria-label='Copy CLICKS-1']`
        ),
    ])
);
