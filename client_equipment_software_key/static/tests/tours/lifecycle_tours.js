import { registry } from "@web/core/registry";

import * as user from "./steps";

const tours = registry.category("web_tour.tours");

tours.add("software_key_bulk_entry", {
    steps: () => [
        {
            content: "Enter many keys, from the list",
            trigger: ".o_control_panel button:contains('Enter Many Keys')",
            run: "click",
        },
        {
            content: "Type the feature",
            trigger: ".modal [name='software_id'] input",
            run: "edit Tour Antivirus",
        },
        {
            content: "Choose it",
            trigger: ".o-autocomplete--dropdown-item:contains('Tour Antivirus Enterprise')",
            run: "click",
        },
        {
            content: "The type comes from the catalogue",
            trigger: ".modal [name='key_type']:has(input:value(Subscription))",
        },
        {
            content: "Enter the reference",
            trigger: ".modal [name='purchase_reference'] input",
            run: "edit PO00042",
        },
        {
            content: "Paste a list with a repeated and a known license key",
            trigger: ".modal [name='license_keys'] textarea",
            run: (helpers) =>
                helpers.fill("BULK-NEW-1\nBULK-NEW-2\nBULK-OLD\nBULK-NEW-1\nBULK-NEW-3"),
        },
        {
            content: "Without leaving the list, the verdict is there",
            trigger:
                ".modal .o_bulk_entry_counts:contains('New: 3'):contains('Repeated in the list: 1')",
        },
        {
            content: "The known one is named with its status",
            trigger:
                ".modal .o_bulk_entry_lines tr:contains('BULK-OLD'):contains('already (Available)')",
        },
        {
            content: "It cannot be entered like this",
            trigger: ".modal footer button.disabled:contains('Enter')",
        },
        {
            content: "Have the bad lines left out",
            trigger: ".modal [name='leave_out'] input",
            run: "click",
        },
        {
            content: "Enter the rest",
            trigger: ".modal footer button[name='action_enter']:contains(Enter 3 Keys)",
            run: "click",
        },
        {
            content: "It says what it did",
            trigger:
                ".o_notification:contains('Keys of Tour Antivirus Enterprise entered: 3'):contains('Lines left out: 2')",
        },
        {
            content: "They are listed, and no others",
            trigger:
                "body:not(:has(.modal)) .o_list_view:contains(Entered Keys):not(:contains(BULK-OLD)) .o_data_row:contains(BULK-NEW-3)",
        },
    ],
});

tours.add("software_key_bulk_entry_many", {
    steps: () => [
        user.click("See the cards", ".o_switch_view.o_kanban"),
        user.click(
            "Enter many keys, from the cards",
            ".o_kanban_view .o_control_panel button:contains('Enter Many Keys')"
        ),
        ...user.choose("software_id", "Tour Office", "Tour Office Professional", ".modal"),
        {
            content: "Paste a long list",
            trigger: ".modal [name='license_keys'] textarea",
            run: ({ anchor }) => {
                const keys = Array.from({ length: 2000 }, (_, number) => `BULK-MANY-${number}`);
                anchor.value = keys.join("\n");
                anchor.dispatchEvent(new InputEvent("input", { bubbles: true }));
            },
        },
        user.see("All of them are new", ".modal .o_bulk_entry_counts:contains('New: 2000')"),
        user.click("Enter them", ".modal footer button[name='action_enter']:not(.disabled)"),
        user.see("It shows how far it is", ".o_bulk_entry_progress:contains('of 2000') .progress"),
        user.see("It says what it did", ".o_notification:contains('entered: 2000')"),
        user.see(
            "They are listed, and nothing lies over them",
            "body:not(:has(.modal)) .o_list_view:contains(Entered Keys):contains(/2,?000/) .o_data_row:contains('BULK-MANY-')"
        ),
    ],
});

tours.add("software_key_vendor_table", {
    steps: () => [
        user.click("Enter many keys", ".o_control_panel button:contains('Enter Many Keys')"),
        ...user.choose("software_id", "Tour Office", "Tour Office Professional", ".modal"),
        {
            content: "Paste columns without license keys",
            trigger: ".modal [name='license_keys'] textarea",
            run: ({ anchor }) => {
                anchor.value = "Product\tQuantity\nAV\t3\nAV\t5";
                anchor.dispatchEvent(new InputEvent("input", { bubbles: true }));
            },
        },
        user.see(
            "It is said that there are none",
            ".modal .o_field_widget:contains('No column looks like license keys')"
        ),
        {
            content: "Paste the columns of a spreadsheet",
            trigger: ".modal [name='license_keys'] textarea",
            run: ({ anchor }) => {
                anchor.value = "Product\tLicense Key\tCode\nAV\tTABLE-1\tC-1\nAV\tTABLE-2\tC-2";
                anchor.dispatchEvent(new InputEvent("input", { bubbles: true }));
            },
        },
        user.see(
            "The column of the license keys is proposed",
            ".modal .o_vendor_table th.table-primary:contains('Column B')"
        ),
        user.see("Its keys are in view", ".modal [name='license_keys'] textarea:value(TABLE-1)"),
        user.click("It is another column", ".modal .o_vendor_table button:contains('Column C')"),
        user.see("Its keys are in view", ".modal [name='license_keys'] textarea:value(C-1)"),
        {
            content: "There are no headings",
            trigger: ".modal .o_vendor_table select[name='heading']",
            run: "selectByIndex 0",
        },
        user.see("The heading is one of them", ".modal [name='license_keys'] textarea:value(Code)"),
        user.click("It was right", ".modal .o_vendor_table button:contains('Column B')"),
        user.see(
            "It is marked again",
            ".modal .o_vendor_table th.table-primary:contains('Column B')"
        ),
        {
            content: "There are headings",
            trigger: ".modal .o_vendor_table select[name='heading']",
            run: "selectByIndex 1",
        },
        user.see("Two keys", ".modal .o_bulk_entry_counts:contains('New: 2')"),
        user.click("Enter", ".modal footer button[name='action_enter']:not(.disabled)"),
        user.see("What was entered", ".o_data_row:contains('TABLE-2')"),
    ],
});

tours.add("software_key_renewal", {
    steps: () => [
        {
            content: "Select one key",
            trigger: ".o_data_row:contains('RENEW-TOUR-1') .o_list_record_selector input",
            run: "click",
        },
        {
            content: "Select another key",
            trigger: ".o_data_row:contains('RENEW-TOUR-2') .o_list_record_selector input",
            run: "click",
        },
        {
            content: "Renew them",
            trigger: ".o_control_panel button:contains('Renew')",
            run: "click",
        },
        {
            content: "The end is proposed; the dialog says what will happen",
            trigger: ".modal .o_renewal_counts:contains('will be renewed: 2')",
        },
        {
            content: "Enter the reference",
            trigger: ".modal [name='reference'] input",
            run: "edit PO00099",
        },
        {
            content: "Renew",
            trigger: ".modal footer button[name='action_renew']:not(.disabled)",
            run: "click",
        },
        {
            content: "It says what it did",
            trigger: ".o_notification:contains('2 keys renewed')",
        },
        {
            content: "Open one of them",
            trigger:
                "body:not(:has(.modal)) .o_data_row:contains('RENEW-TOUR-1') [name='license_key']",
            run: "click",
        },
        {
            content: "Renew it once more, from its form",
            trigger: ".o_form_view .o_statusbar_buttons button:contains('Renew')",
            run: "click",
        },
        {
            content: "Renew",
            trigger: ".modal footer button[name='action_renew']:not(.disabled)",
            run: "click",
        },
        {
            content: "The form shows the second remark",
            trigger:
                "body:not(:has(.modal)) .o_form_view [name='remarks'] textarea:value(/Renewed.*\\n.*Renewed/)",
        },
    ],
});

tours.add("software_key_replacement", {
    steps: () => [
        {
            content: "Replace the key, from its form",
            trigger: ".o_form_view .o_statusbar_buttons button:contains('Replace')",
            run: "click",
        },
        {
            content: "The dialog tells where the key is applied",
            trigger: ".modal li:contains('Reception Laptop')",
        },
        {
            content: "Enter the new license key",
            trigger: ".modal [name='license_key'] input",
            run: "edit REPLACE-TOUR-NEW",
        },
        {
            content: "Replace",
            trigger: ".modal footer button[name='action_replace']:not(.disabled)",
            run: "click",
        },
        {
            content: "The new key is open",
            trigger:
                "body:not(:has(.modal)) .o_form_view [name='license_key']:contains('REPLACE-TOUR-NEW')",
        },
        {
            content: "It is applied and tells what it replaces",
            trigger: ".o_form_view [name='replaces_id']:contains('REPLACE-TOUR-OLD')",
        },
    ],
});
