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
            content: "The file can be downloaded",
            trigger: ".modal [name='xlsx']:contains('.xlsx')",
        },
        {
            content: "Its SHA-256 is shown",
            trigger: ".modal [name='xlsx_sha256']:not(:empty)",
        },
    ],
});
