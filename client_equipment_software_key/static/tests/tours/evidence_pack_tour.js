import { registry } from "@web/core/registry";

registry.category("web_tour.tours").add("software_key_evidence_pack", {
    steps: () => [
        {
            content: "Open the action menu of the equipment",
            trigger: ".o_form_view .o_cp_action_menus .dropdown-toggle",
            run: "click",
        },
        {
            content: "Choose the evidence pack",
            trigger: ".o-dropdown--menu .o-dropdown-item:contains('Evidence Pack')",
            run: "click",
        },
        {
            content: "The equipment is chosen",
            trigger: ".modal [name='equipment_ids'] .o_tag:contains('Reception Laptop')",
        },
        {
            content: "Make it",
            trigger: ".modal button[name='action_make']",
            run: "click",
        },
        {
            content: "It is made in the background, and a bar shows how far it is",
            trigger: ".modal:contains('made in the background') [role='progressbar']",
        },
        {
            content: "Nobody needs to wait for it",
            trigger: ".modal footer button:contains('Close'):visible",
            run: "click",
        },
        {
            content: "The equipment is there again",
            trigger: "body:not(:has(.modal)) .o_form_view",
        },
    ],
});

registry.category("web_tour.tours").add("software_key_evidence_pack_made", {
    steps: () => [
        {
            content: "Open the pack that was made",
            trigger: ".o_data_row:contains('Reception Laptop'):contains('Made') .o_data_cell",
            run: "click",
        },
        {
            content: "It says what was found",
            trigger: ".o_form_view [name='verdict']:contains('Intact')",
        },
        {
            content: "Each file has its SHA-256",
            trigger: ".o_evidence_files .font-monospace:not(:empty)",
        },
        {
            content: "The tables can be downloaded",
            trigger: ".o_evidence_files a[name='download'][href*='/content']:contains('.xlsx')",
        },
    ],
});
