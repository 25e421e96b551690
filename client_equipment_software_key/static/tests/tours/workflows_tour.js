import { registry } from "@web/core/registry";

import * as user from "./steps";

const TAB = ".o_field_widget[name='equipment_feature_ids']";
const LICENSE_KEYS = Array.from({ length: 3 }, (_, i) => `AVENT-${1001 + i}`);
const tours = registry.category("web_tour.tours");

/** The guide's workflow 1, as the manager: ten antivirus keys by Duplicate. */
tours.add("guide_new_licenses", {
    steps: () => [
        user.click("New key", ".o_list_view .o_list_button_add"),
        user.type("license_key", LICENSE_KEYS[0]),
        ...user.choose("software_id", "Tour Antivirus", "Tour Antivirus Enterprise"),
        ...user.select("key_type", "Subscription"),
        user.see("Today is proposed as start", "[name='validity_start'] button"),
        ...user.typeDate("validity_start", user.inDays(-1)),
        ...user.typeDate("validity_end", user.inDays(364)),
        user.type("purchase_reference", "PO-77"),
        ...user.save(),
        user.see(
            "It is available",
            ".o_statusbar_status .o_arrow_button_current:contains(Available)"
        ),
        ...LICENSE_KEYS.slice(1).flatMap((licenseKey) => [
            ...user.gearMenu("Duplicate"),
            user.see(
                "The license key is empty and the rest is filled in",
                ".o_form_view:has([name='license_key'] input:value(/^$/)):has([name='purchase_reference'] input:value(PO-77))"
            ),
            user.type("license_key", licenseKey),
            ...user.save(),
            user.see("It is the new key", `.o_breadcrumb:contains(${licenseKey})`),
        ]),
        user.click("New has nothing of it", ".o_form_button_create"),
        user.see(
            "An empty form",
            ".o_form_view:has([name='purchase_reference'] input:value(/^$/)) .o_form_editable"
        ),
        ...user.backToList(),
        ...user.searchIn("Feature", "Tour Antivirus Enterprise"),
        ...user.filter("Available"),
        ...LICENSE_KEYS.map((licenseKey) =>
            user.see(
                `${licenseKey} is available`,
                `.o_data_row:contains(${licenseKey}):contains(Available)`
            )
        ),
    ],
});

/** The guide's workflow 2, as the technician: Office goes onto LAPTOP-12345. */
tours.add("guide_installation", {
    steps: () => [
        ...user.openSoftwareKeysOf("LAPTOP-12345"),
        user.see("The section is there", ".o_form_view:contains(Applied Features)"),
        user.click("Add a line", `${TAB} .o_field_x2many_list_row_add a`),
        user.click("Open the dropdown", `${TAB} [name='software_key_id'] input`),
        user.see(
            "It offers an available key by feature and license key",
            ".o-autocomplete--dropdown-menu:contains(Tour Office Professional):contains(OFFICE-1)"
        ),
        user.see(
            "It offers neither applied nor expired nor revoked keys",
            ".o-autocomplete--dropdown-menu:not(:contains(OFFICE-APPLIED)):not(:contains(OFFICE-EXPIRED)):not(:contains(OFFICE-REVOKED))"
        ),
        ...user.choose("software_key_id", "Office", "OFFICE-1", TAB),
        user.see(
            "Applied By is the technician",
            `${TAB} .o_selected_row [name='applied_by_id']:contains(Technician Tester)`
        ),
        user.type("remarks", "Installed with standard configuration", TAB),
        ...user.save(),
        user.see(
            "The line shows the key",
            `${TAB} .o_data_row:contains(Tour Office Professional):contains(OFFICE-1):contains(Applied)`
        ),
        user.click("Add another line", `${TAB} .o_field_x2many_list_row_add a`),
        user.click("Open the dropdown", `${TAB} [name='software_key_id'] input`),
        user.see(
            "The key is no longer offered",
            ".o-autocomplete--dropdown-menu:contains(OFFICE-2):not(:contains(OFFICE-1))"
        ),
        user.click("Discard", ".o_form_button_cancel"),
    ],
});

/** The guide's workflow 3, as the technician: the key of a returned laptop. */
tours.add("guide_recovery", {
    steps: () => [
        ...user.openSoftwareKeysOf("LAPTOP-12345"),
        user.see("The key is on it", `${TAB} .o_data_row:contains(OFFICE-1)`),
        user.click(
            "Trash icon",
            `${TAB} .o_data_row:contains(OFFICE-1) .o_list_record_remove button`
        ),
        user.see("It asks", ".modal:contains(OFFICE-1 goes back to the inventory)"),
        user.click("Not yet", ".modal .btn-secondary"),
        user.see(
            "The key is still on it",
            `body:not(:has(.modal)) ${TAB} .o_data_row:contains(OFFICE-1)`
        ),
        user.click(
            "Trash icon",
            `${TAB} .o_data_row:contains(OFFICE-1) .o_list_record_remove button`
        ),
        user.click("Confirm", ".modal .btn-primary:contains(Remove)"),
        user.see(
            "The line has gone, nothing is left to save",
            `.o_form_view:has(.o_form_saved) ${TAB}:not(:contains(OFFICE-1))`
        ),
        ...user.backToList(),
        user.click("Forget the search", ".o_facet_remove"),
        ...user.openSoftwareKeysOf("LAPTOP-67890"),
        user.click("Add a line", `${TAB} .o_field_x2many_list_row_add a`),
        ...user.choose("software_key_id", "OFFICE-1", "OFFICE-1", TAB),
        ...user.save(),
        user.see("The key is on the replacement", `${TAB} .o_data_row:contains(OFFICE-1)`),
    ],
});

/** The guide's workflow 4, as the manager: ten applied subscriptions are renewed. */
tours.add("guide_renewal", {
    steps: () => [
        user.click("Sort by validity end", ".o_list_view th[data-name='validity_end']"),
        user.see("Sorted", ".o_list_view th[data-name='validity_end'] .fa-sort-asc"),
        ...LICENSE_KEYS.flatMap((licenseKey) => [
            user.click(
                `Open ${licenseKey}`,
                `.o_data_row:contains(${licenseKey}) td[name='license_key']`
            ),
            ...user.typeDate("validity_end", user.inDays(395)),
            user.type("remarks", "Renewed subscription - Reference: PO-78"),
            ...user.save(),
            user.see(
                "It stays applied",
                ".o_statusbar_status .o_arrow_button_current:contains(Applied)"
            ),
            ...user.backToList(),
        ]),
    ],
});
