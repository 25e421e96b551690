import { registry } from "@web/core/registry";

registry.category("web_tour.tours").add("client_equipment_register", {
    steps: () => [
        {
            content: "Start a new equipment",
            trigger: ".o_list_view .o_list_button_add",
            run: "click",
        },
        {
            content: "Name it",
            trigger: ".o_form_view [name='name'] input, .o_form_view [name='name'] textarea",
            run: "edit Tour Laptop",
        },
        {
            content: "Enter a serial number that exists",
            trigger: "[name='serial_no'] input",
            run: "edit TOUR-1",
        },
        {
            content: "Leave the field",
            trigger: "[name='asset_tag'] input",
            run: "click",
        },
        {
            content: "The other equipment is shown",
            trigger: ".alert-warning:contains('Tour Printer')",
        },
        {
            content: "Correct the serial number",
            trigger: "[name='serial_no'] input",
            run: "edit TOUR-2",
        },
        {
            content: "Type the customer",
            trigger: "[name='partner_id'] input",
            run: "edit Tour Dental",
        },
        {
            content: "Choose the customer",
            trigger: ".o-autocomplete--dropdown-item:contains('Tour Dental Practice')",
            run: "click",
        },
        {
            content: "The warning has gone",
            trigger: ".o_form_view:not(:has(.alert-warning))",
        },
        {
            content: "Save",
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            content: "It is returned",
            trigger: ".o_form_saved .o_statusbar_status button:contains('Returned')",
            run: "click",
        },
        {
            content: "The status is stored",
            trigger: ".o_statusbar_status .o_arrow_button_current:contains('Returned')",
        },
        {
            content: "Back to the list",
            trigger: ".o_breadcrumb .o_back_button",
            run: "click",
        },
        {
            content: "Search for the serial number",
            trigger: ".o_list_view .o_searchview_input",
            run: "fill TOUR-2",
        },
        {
            content: "Start the search",
            trigger: ".o_searchview_autocomplete .o-dropdown-item:first",
            run: "click",
        },
        {
            content: "Only this one is found",
            trigger:
                ".o_list_view:not(:has(.o_data_row:contains('Tour Printer'))) .o_data_row:contains('Tour Laptop')",
        },
    ],
});
