import { click, see, type } from "./steps";
import { registry } from "@web/core/registry";

const row = (text) => `.o_list_view .o_data_row:contains('${text}')`;
const select = (text) => click(`Select ${text}`, `${row(text)} .o_list_record_selector input`);
const giveReason = (reason) => [
    click("Delete", ".o-dropdown--menu .o_menu_item:contains('Delete')"),
    type("reason", reason, ".modal"),
    click("Delete them", ".modal button[name='action_delete']"),
];

registry.category("web_tour.tours").add("software_key_delete", {
    steps: () => [
        select("TOUR-DELETE-11111"),
        select("TOUR-DELETE-22222"),
        click("Open the actions", ".o_cp_action_menus .dropdown-toggle:contains('Actions')"),
        ...giveReason("entered twice"),
        see("They have gone", ".o_list_view:not(:has(.o_data_row:contains('TOUR-DELETE-11111')))"),
        click("Open the third", `${row("TOUR-DELETE-33333")} td[name='software_id']`),
        click("Open the gear menu", ".o_form_view .o_cp_action_menus .dropdown-toggle"),
        ...giveReason("typing error"),
        see("Back in the list", ".o_list_view"),
        see("It has gone", ".o_list_view:not(:has(.o_data_row:contains('TOUR-DELETE-33333')))"),
    ],
});

registry.category("web_tour.tours").add("software_key_deleted", {
    steps: () => [
        see("One of two", `${row("11111")}:contains('entered twice')`),
        click(
            "Open the third",
            `${row("33333")}:contains('typing error') td[name='software_name']`
        ),
        see("Its entry's hash is there", ".o_form_view [name='entry_ids'] .o_data_row"),
        click("Verify", ".o_form_view button[name='action_verify']"),
        see("It is intact", ".o_notification:contains('intact')"),
    ],
});
