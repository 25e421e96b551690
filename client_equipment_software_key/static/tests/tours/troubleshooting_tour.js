import { registry } from "@web/core/registry";

import * as user from "./steps";

const TAB = ".o_field_widget[name='equipment_feature_ids']";
const tours = registry.category("web_tour.tours");

/** Issue 1, as the manager: the license key exists already. */
tours.add("guide_repeated", {
    steps: () => [
        user.click("New key", ".o_list_view .o_list_button_add"),
        user.type("license_key", "OFFICE-1"),
        ...user.choose("software_id", "Tour Office", "Tour Office Professional"),
        user.see("Where it is", ".o_notification:contains(OFFICE-1: Available)"),
        user.click("Save", ".o_form_button_save:visible"),
        user.see("The error says why", ".modal:contains(The license key must be unique!)"),
        user.click("Understood", ".modal footer .btn-primary"),
        user.click("Discard", "body:not(:has(.modal)) .o_form_button_cancel"),
        ...user.search("OFFICE-1"),
        user.see(
            "It is there, and available",
            ".o_data_row:contains(OFFICE-1):contains(Available)"
        ),
    ],
});

/** Issue 3, as the auditor: nothing to remove with. */
tours.add("guide_read_only", {
    steps: () => [
        ...user.openSoftwareKeysOf("LAPTOP-12345"),
        user.see(
            "The line is there, without a trash icon and without Add a line",
            `${TAB}:not(:has(.o_list_record_remove)):not(:has(.o_field_x2many_list_row_add)) .o_data_row:contains(OFFICE-1)`
        ),
    ],
});

/** Issue 4, as the manager: Applied, but no equipment carries it. */
tours.add("guide_repair", {
    steps: () => [
        ...user.filter("Needs Attention"),
        user.click("Open the key", ".o_data_row:contains(OFFICE-1) td[name='license_key']"),
        user.see("The form says so", ".o_form_view [name='needs_attention'].alert-danger"),
        ...user.select("status", "Available"),
        ...user.save(),
        user.see("The alert has gone", ".o_form_view:not(:has(.alert-danger))"),
    ],
});

/** As the technician, on a phone. */
tours.add("guide_phone", {
    steps: () => [
        ...user.openTab("Software Keys"),
        user.click("Trash icon", `${TAB} .o_kanban_record:contains(OFFICE-OLD) .fa-trash`),
        user.click("Confirm", ".modal .btn-primary:contains(Remove)"),
        user.see("The card has gone", `body:not(:has(.modal)) ${TAB}:not(:contains(OFFICE-OLD))`),
        user.click("Add", `${TAB} .o-kanban-button-new, ${TAB} .o_cp_buttons button`),
        user.click("Choose a key", ".modal [name='software_key_id'] input"),
        user.click("This one", ".modal .o_kanban_record:contains(OFFICE-NEW)"),
        user.type("remarks", "By phone", ".modal"),
        user.click("Apply", ".modal .o_form_button_save:contains(Apply)"),
        user.see(
            "The card is there, and nothing is left to save",
            `body:not(:has(.modal)) .o_form_saved ${TAB} .o_kanban_record:contains(OFFICE-NEW):contains(Applied)`
        ),
    ],
});
