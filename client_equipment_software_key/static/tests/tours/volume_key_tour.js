import { registry } from "@web/core/registry";

import * as user from "./steps";

const KEY = "VOLUME-TOUR-1";
const TAB = ".o_field_widget[name='equipment_feature_ids']";

/** A key for three units, on the second one and off it again. */
registry.category("web_tour.tours").add("volume_key", {
    steps: () => [
        ...user.openTab("Software Keys"),
        user.click("Add a line", `${TAB} .o_field_x2many_list_row_add a`),
        user.type("software_key_id", KEY, TAB),
        user.click(
            "The drop-down says what is left",
            `.o-autocomplete--dropdown-item:contains(${KEY}):contains(1 of 3 used)`
        ),
        ...user.save(),
        user.see("It is applied here", `${TAB} .o_data_row:contains(${KEY}):contains(Applied)`),
        user.click("Add a line", `${TAB} .o_field_x2many_list_row_add a`),
        user.type("software_key_id", KEY, TAB),
        user.see(
            "It is not offered where it is already",
            ".o-autocomplete--dropdown-menu:not(:contains(1 of 3 used))"
        ),
        user.click("Discard", ".o_form_button_cancel"),
        user.click(
            "Trash icon",
            `${TAB} .o_data_row:contains(${KEY}) .o_list_record_remove button`
        ),
        user.click("Remove", ".modal footer .btn-primary"),
        user.see("It is gone", `.o_form_saved ${TAB}:not(:contains(${KEY}))`),
    ],
});
