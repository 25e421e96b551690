import { registry } from "@web/core/registry";

registry.category("web_tour.tours").add("client_equipment_software_key_rule", {
    steps: () => [
        {
            content: "Make a new rule",
            trigger: ".o_control_panel button.o-kanban-button-new",
            run: "click",
        },
        {
            content: "Name it",
            trigger: ".o_form_renderer .oe_title .o_input",
            run: "edit Tour: a key has expired",
        },
        {
            content: "Type the model",
            trigger: ".o_form_renderer [name='model_id'] input",
            run: "edit Software Key",
        },
        {
            content: "Choose it",
            trigger: ".o-autocomplete--dropdown-item a:text('Software Key')",
            run: "click",
        },
        {
            content: "Open the triggers",
            trigger: ".o_form_renderer #trigger_0",
            run: "click",
        },
        {
            content: "State is set to …",
            trigger: ".o_select_menu_item:contains('State is set to')",
            run: "click",
        },
        {
            content: "Open the values",
            trigger: ".o_form_renderer [name='trg_selection_field_id'] input",
            run: "click",
        },
        {
            content: "… Expired",
            trigger: ".o-autocomplete--dropdown-item a:text('Expired')",
            run: "click",
        },
        {
            content: "Save",
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            content: "It is stored",
            trigger: ".o_form_saved",
        },
    ],
});
