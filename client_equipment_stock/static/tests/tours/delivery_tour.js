import { registry } from "@web/core/registry";

const TAB = "[name='equipment_feature_ids']";

registry.category("web_tour.tours").add("client_equipment_stock_delivery", {
    steps: () => [
        {
            content: "Deliver the unit",
            trigger: ".o_form_view button[name='button_validate']",
            run: "click",
        },
        {
            content: "It is delivered, and one equipment",
            trigger:
                ".o_form_view:has(.o_arrow_button_current:contains(Done)) button[name='action_view_client_equipment']:contains(1)",
            run: "click",
        },
        {
            content: "It says what it is, and whose",
            trigger:
                ".o_form_view:has([name='name'] textarea:value(Aurora Laptop 14)):has([name='serial_no'] input:value(AL-TOUR))",
        },
        {
            content: "Open the tab Software Keys",
            trigger: ".o_form_view .nav-link:contains(Software Keys)",
            run: "click",
        },
        {
            content: "Add a line",
            trigger: `${TAB} .o_field_x2many_list_row_add a`,
            run: "click",
        },
        {
            content: "Type the key",
            trigger: `${TAB} [name='software_key_id'] input`,
            run: "edit OFFICE-1",
        },
        {
            content: "Choose it",
            trigger: ".o-autocomplete--dropdown-item:contains(OFFICE-1)",
            run: "click",
        },
        {
            content: "Save",
            trigger: ".o_form_view .o_form_button_save:visible",
            run: "click",
        },
        {
            content: "The key is installed",
            trigger: `.o_form_view:has(.o_form_saved) ${TAB} .o_data_row:contains(OFFICE-1)`,
        },
        {
            content: "Back to the delivery",
            trigger: ".o_form_view button[name='action_view_delivery']",
            run: "click",
        },
        {
            content: "It is the one that was validated",
            trigger: ".o_form_view:has(.o_arrow_button_current:contains(Done))",
        },
    ],
});
