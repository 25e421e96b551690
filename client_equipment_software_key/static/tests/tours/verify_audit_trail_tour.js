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
            trigger: ".modal .alert-success:contains('verified: 1')",
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

registry.category("web_tour.tours").add("software_key_check_consistency", {
    steps: () => [
        {
            content: "Wait for the list",
            trigger: ".o_list_view .o_data_row:contains('TOUR-CHECK-1')",
        },
        ...openMenu("Configuration", "Check Consistency"),
        {
            content: "One key needs attention; show it",
            trigger: ".modal .alert-danger:contains('attention: 1') button:contains('Show Them')",
            run: "click",
        },
        {
            content: "The list shows what needs attention; open it",
            trigger:
                "body:not(:has(.modal)):has(.o_breadcrumb:contains('Keys That Need Attention')) .o_data_row:contains('TOUR-CHECK-1') td[name='software_id']",
            run: "click",
        },
        {
            content: "Repair",
            trigger: ".o_form_view button[name='action_repair']",
            run: "click",
        },
        {
            content: "It is available again",
            trigger:
                ".o_form_view:not(:has(.alert-danger)) .o_arrow_button_current:contains('Available'), .o_form_view:not(:has(.alert-danger)) [name='status']:contains('Available')",
        },
        ...openMenu("Configuration", "Check Consistency"),
        {
            content: "All is in order",
            trigger: ".modal .alert-success:contains('All is in order')",
        },
    ],
});
