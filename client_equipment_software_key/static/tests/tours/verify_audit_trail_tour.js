import { registry } from "@web/core/registry";

const openMenu = (section, item) => [
    {
        content: "Open the menu section",
        trigger: `.o_menu_sections button:contains('${section}')`,
        run: "click",
    },
    {
        content: "Choose the menu item",
        trigger: `.o-dropdown--menu .dropdown-item:contains('${item}')`,
        run: "click",
    },
];

const close = [
    {
        content: "Close the result",
        trigger: ".modal .btn-close",
        run: "click",
    },
    {
        content: "It has gone",
        trigger: "body:not(:has(.modal))",
    },
];

registry.category("web_tour.tours").add("software_key_verify_intact", {
    steps: () => [
        {
            content: "Wait for the list",
            trigger: ".o_list_view .o_data_row:contains('TOUR-VERIFY-1')",
        },
        {
            content: "Select all keys",
            trigger: ".o_list_view thead .o_list_record_selector input",
            run: "click",
        },
        {
            content: "Verify the selection",
            trigger: "button[name='action_verify_audit_trail']",
            run: "click",
        },
        {
            content: "All are intact",
            trigger: ".modal .alert-success:contains('Intact')",
        },
        ...close,
        {
            content: "Open a key",
            trigger: ".o_list_view .o_data_row:contains('TOUR-VERIFY-1') td[name='software_id']",
            run: "click",
        },
        {
            content: "Verify this key",
            trigger: ".o_form_view button[name='action_verify_audit_trail']",
            run: "click",
        },
        {
            content: "One key is intact",
            trigger: ".modal .alert-success b:contains('1')",
        },
        ...close,
    ],
});

registry.category("web_tour.tours").add("software_key_verify_broken", {
    steps: () => [
        {
            content: "Wait for the list",
            trigger: ".o_list_view .o_data_row:contains('TOUR-VERIFY-1')",
        },
        ...openMenu("Software Key Management", "Verify Audit Trail"),
        {
            content: "Somebody has tampered",
            trigger: ".modal .alert-danger:contains('Not intact')",
        },
        {
            content: "Open the entry that is named",
            trigger:
                ".modal .list-group-item:contains('TOUR-VERIFY-1'):contains('No. 2 was altered')",
            run: "click",
        },
        {
            content: "It is the entry",
            trigger: ".o_form_view [name='description']:contains('Nobody')",
        },
    ],
});
