import { registry } from "@web/core/registry";

import * as user from "@client_equipment_software_key/../tests/tours/steps";

function paste(...licenseKeys) {
    return {
        content: `Paste ${licenseKeys}`,
        trigger: ".modal [name='license_keys'] textarea",
        run: ({ edit }) => edit(licenseKeys.join("\n")),
    };
}

/** From the confirmed order to its keys, and to what has been received. */
registry.category("web_tour.tours").add("software_keys_from_order", {
    steps: () => [
        user.see(
            "Nothing has come yet",
            ".oe_stat_button:contains(Software Keys):contains(0 of 3 entered)"
        ),
        user.click("Enter Keys", "button[name='action_enter_software_keys']:contains(Enter Keys)"),
        user.see(
            "Enter Many Keys is filled in: the software",
            ".modal [name='software_id'] input:value(Tour Office Professional)"
        ),
        paste("ORDER-1", "ORDER-2"),
        user.click("Enter 2 Keys", ".modal footer button:enabled:contains(Enter 2 Keys)"),
        user.see("The keys are there", ".o_list_view .o_data_row:contains(ORDER-2)"),
        user.click("Back to the order", ".o_breadcrumb .breadcrumb-item:last a, .o_back_button"),
        user.see(
            "Two have come",
            ".oe_stat_button:contains(Software Keys):contains(2 of 3 entered)"
        ),
        user.click("Enter Keys", "button[name='action_enter_software_keys']:contains(Enter Keys)"),
        paste("ORDER-3", "ORDER-4"),
        user.click("Enter 2 Keys", ".modal footer button:enabled:contains(Enter 2 Keys)"),
        user.click(
            "More than ordered: it asks",
            ".modal:contains(more keys than were ordered) footer button:contains(Enter Them)"
        ),
        user.see("The keys are there", ".o_list_view .o_data_row:contains(ORDER-4)"),
        user.click("Back to the order", ".o_breadcrumb .breadcrumb-item:last a, .o_back_button"),
        user.see(
            "All have come, and one more",
            ".oe_stat_button:contains(Software Keys):contains(4 of 3 entered)"
        ),
        user.see("That is received", ".o_data_row [name='qty_received']:contains(4)"),
    ],
});
