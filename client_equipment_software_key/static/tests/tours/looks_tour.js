import { registry } from "@web/core/registry";

import * as user from "./steps";

const tours = registry.category("web_tour.tours");
const TABLE = ["Order;Serial Number;Key", "4711;SN-AAAA-1111;CODE-BBBB-2222"];

tours.add("renewals_calendar", {
    steps: () => [
        user.see("What ends next", ".fc-event:contains(ENDS-NEXT)"),
        user.click("The list", ".o_switch_view.o_list"),
        user.see("In the order of their ends", ".o_data_row:eq(0):contains(ENDS-NEXT)"),
        user.see("And so on", ".o_data_row:eq(1):contains(ENDS-LATER)"),
        user.see("To the last", ".o_data_row:eq(2):contains(ENDS-LAST)"),
    ],
});

tours.add("nothing_needs_attention", {
    steps: () => [
        user.click("What needs attention", "button[name='needs_attention']"),
        user.see(
            "Nothing does",
            ".o_view_nocontent_smiling_face:contains(Nothing needs attention)"
        ),
    ],
});

tours.add("vendor_table_quick", {
    steps: () => [
        user.click("Enter Many Keys", "button:contains(Enter Many Keys)"),
        {
            content: "Paste a table",
            trigger: ".modal [name='license_keys'] textarea",
            run: ({ edit }) => edit(TABLE.join("\n").replaceAll(";", "\t")),
        },
        {
            content: "Another column, and at once no headings",
            trigger: ".o_vendor_table button[aria-pressed='true']",
            run: () => {
                document.querySelectorAll(".o_vendor_table th button")[1].click();
                const heading = document.querySelector(".o_vendor_table [name='heading']");
                heading.value = "-1";
                heading.dispatchEvent(new Event("change"));
            },
        },
        user.see(
            "Both were heard",
            ".modal .o_bulk_entry_lines tr:contains(Serial Number) ~ tr:contains(SN-AAAA-1111)"
        ),
        user.click("Discard", ".modal footer .btn-secondary"),
        user.see("It is gone", "body:not(:has(.modal))"),
    ],
});

tours.add("until_in_one_line", {
    steps: () => [
        ...user.openTab("Software Keys"),
        user.click("Add a line", ".o_field_x2many_list_row_add a"),
        user.click("Open the dropdown", ".o_selected_row [name='software_key_id'] input"),
        user.seeInOneLine("Until when", ".o-autocomplete--dropdown-item .text-muted"),
        user.click("Discard", ".o_form_button_cancel"),
    ],
});
