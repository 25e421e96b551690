import { click, see, type } from "./steps";

import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");

const selectUnits = [
    ...["Reception Laptop", "Spare Laptop", "Third Laptop"].map((name) =>
        click(`Select ${name}`, `.o_data_row:contains(${name}) .o_list_record_selector input`)
    ),
    click("Apply Software", "button[name='action_apply_software']"),
    see("The cursor asks for the software", ".modal [name='software_ids'] input:focus"),
];

const chooseSoftware = [
    type("software_ids", "Tour Office", ".modal"),
    click("Choose the software", ".o-autocomplete--dropdown-item:contains('Tour Office')"),
];

/** A13: one of three units has the software, for one of the others a key is missing. */
tours.add("apply_software_missing", {
    steps: () => [
        ...selectUnits,
        ...chooseSoftware,
        see(
            "It is said what is missing",
            ".modal .alert-danger:contains('Tour Office Professional: 1 missing, 2 needed')"
        ),
        see(
            "It is said where one is already",
            ".modal .o_data_row:contains('Spare Laptop'):contains('THERE-1'):contains('On it already')"
        ),
        see(
            "It is said which key goes where",
            ".modal .o_data_row:contains('Reception Laptop'):contains('ONE-1'):contains('Waits for the missing keys')"
        ),
        see(
            "It is said who gets none",
            ".modal .o_data_row:contains('Third Laptop'):contains('No key is left')"
        ),
        see(
            "Nothing can be applied",
            ".modal-footer:not(:has(button[name='action_apply']:visible))"
        ),
        click(
            "Leave that unit out",
            ".modal [name='equipment_ids'] .o_tag:contains('Third Laptop') .o_delete"
        ),
        see("Nothing is missing", ".modal:not(:has(.alert-danger:visible))"),
        {
            content: "Each unit stands there once",
            trigger: ".modal .o_data_row",
            run: () => {
                const rows = document.querySelectorAll(".modal .o_data_row").length;
                if (rows !== 2) {
                    throw new Error(`${rows} rows for two units`);
                }
            },
        },
        click("Apply", ".modal button[name='action_apply']"),
        see(
            "It says which key went where",
            ".o_notification:contains('Reception Laptop'):contains('ONE-1')"
        ),
    ],
});

/** A14: the technician is told why, where a key stays with its unit. */
tours.add("moving_rule_refused", {
    steps: () => [
        click("Open the tab", ".o_form_view .nav-link:contains('Software Keys')"),
        click("Add a line", ".o_field_x2many_list_row_add button, .o_field_x2many_list_row_add a"),
        type("software_key_id", "OEM-1", "[name='equipment_feature_ids']"),
        see(
            "It is said why the key is not offered",
            ".o-autocomplete--dropdown-menu:contains('Stays with Reception Laptop')"
        ),
        click("Leave it", ".o_form_button_cancel"),
        see("Nothing has changed", ".o_form_saved"),
    ],
});

/** A14: a manager applies it nevertheless, and says why. */
tours.add("moving_rule_overridden", {
    steps: () => [
        see("It says its rule", ".alert-info:contains('Stays with Reception Laptop')"),
        click("Apply elsewhere", "button[name='action_override_rule']"),
        type("equipment_id", "Spare", ".modal"),
        click("Choose the unit", ".o-autocomplete--dropdown-item:contains('Spare Laptop')"),
        type("reason", "Mainboard replaced", ".modal"),
        click("Apply", ".modal button[name='action_apply']"),
        see("It is told", ".o_notification:contains('Spare Laptop')"),
        click("Look at the trail", ".o_form_view .nav-link:contains('Audit Logs')"),
        see(
            "The trail says why",
            ".o_data_row:contains('Rule for moving overridden - Mainboard replaced')"
        ),
    ],
});

/** A14, A9: what stays behind when a unit is replaced. */
tours.add("moving_rule_replaced", {
    steps: () => [
        click("Return or replace", "button[name='action_return_or_replace']"),
        type("replacement_id", "Spare", ".modal"),
        click("Choose the unit", ".o-autocomplete--dropdown-item:contains('Spare Laptop')"),
        see("It is said what stays", ".modal .alert-warning:contains('OEM-1')"),
        see(
            "It is said what becomes of it",
            ".modal .o_data_row:contains('OEM-1'):contains('for this unit only')"
        ),
        click("Confirm", ".modal button[name='action_confirm']"),
        see("It is told", ".o_notification:contains('OEM-1'):contains('for this unit only')"),
    ],
});
