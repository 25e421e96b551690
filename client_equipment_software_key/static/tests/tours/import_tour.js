import * as user from "./steps";
import { registry } from "@web/core/registry";

const LINES = [
    "License Key,Feature",
    "IMPORT-OLD,Tour Office Professional",
    "IMPORT-1,Tour Office Professional",
    "IMPORT-1,Tour Office Professional",
];

registry.category("web_tour.tours").add("software_key_import", {
    steps: () => [
        user.click("Open the gear menu", ".o_cp_action_menus .dropdown-toggle"),
        user.click("Import", ".o-dropdown--menu .o_import_menu"),
        {
            content: "Upload a file with two bad rows",
            trigger: "input[type='file']:not(:visible)",
            run({ anchor }) {
                const files = new DataTransfer();
                files.items.add(new File([LINES.join("\n")], "keys.csv", { type: "text/csv" }));
                anchor.files = files.files;
                anchor.dispatchEvent(new Event("change", { bubbles: true }));
            },
        },
        user.click("Test it", ".o_control_panel button:contains('Test')"),
        user.see(
            "The first bad row says why",
            ".o_import_report:contains('IMPORT-OLD is in the inventory already')"
        ),
        user.see(
            "The second, too",
            ".o_import_report:contains('IMPORT-1 stands in the file more than once')"
        ),
    ],
});
