import { registry } from "@web/core/registry";

import * as user from "./steps";

const TAB = ".o_field_widget[name='equipment_feature_ids']";
const TOLD = ".o_notification.o_software_key_told";
const tours = registry.category("web_tour.tours");

function undo() {
    return user.click("Undo", `${TOLD} button:contains(Undo)`);
}

tours.add("told_apply_and_remove", {
    steps: () => [
        ...user.openTab("Software Keys"),
        user.click("Apply the next key", "button[name='action_apply_next_available']"),
        ...user.choose("software_ids", "Tour Office", "Tour Office Professional", ".modal"),
        user.click("Apply", ".modal button[name='action_apply']"),
        user.see("It says which", `${TOLD}:contains(TOLD-1) button:contains(Copy)`),
        user.see("It is on the unit", `${TAB} .o_data_row:contains(TOLD-1)`),
        undo(),
        user.see("It is gone", `body:not(:has(${TOLD})) ${TAB}:not(:contains(TOLD-1))`),
        user.click(
            "Remove another",
            `${TAB} .o_data_row:contains(TOLD-2) .o_list_record_remove button`
        ),
        user.click("Yes", ".modal .btn-primary:contains(Remove)"),
        user.see("It says which", `${TOLD}:contains(Removed):contains(TOLD-2)`),
        user.see("It is gone", `${TAB}:not(:contains(TOLD-2))`),
        undo(),
        user.see(
            "It is back, with its remarks",
            `.o_form_saved ${TAB} .o_data_row:contains(TOLD-2):contains(At the desk)`
        ),
    ],
});

tours.add("told_revoke", {
    steps: () => [
        user.click("Revoke", ".o_statusbar_buttons button:contains(Revoke)"),
        user.click("Yes", ".modal .btn-primary"),
        user.see("It says which", `${TOLD}:contains(TOLD-1)`),
        user.see("It is", ".o_statusbar_status .o_arrow_button_current:contains(Revoked)"),
        undo(),
        user.see("It was", ".o_statusbar_status .o_arrow_button_current:contains(Available)"),
    ],
});
