import { inputFiles } from "@web/../tests/utils";
import { registry } from "@web/core/registry";

import * as user from "./steps";

const FIELD = ".o_field_widget[name='license_file']";
const TAB = ".o_field_widget[name='equipment_feature_ids']";
const TEXT = "LICENSE OF THE TOUR\n";
const SAVED = "SERVER tour ANY\nFEATURE cad vendor 1.0 permanent 5 SIGN=00D7\n";
const tours = registry.category("web_tour.tours");

/** Save the file, and see that the browser gets it under its name. */
function download(where, name = "tour.lic", text = SAVED) {
    const saved = {};
    return [
        {
            content: `Download ${name}`,
            trigger: `${where} button[aria-label='Download ${name}']`,
            run: async (helpers) => {
                const create = URL.createObjectURL;
                URL.createObjectURL = (blob) => create.call(URL, (saved.blob = blob));
                HTMLAnchorElement.prototype.click = function () {
                    saved.filename = this.download;
                };
                await helpers.click();
            },
        },
        {
            content: "The browser has it",
            trigger: "body",
            run: async () => {
                for (let tries = 0; !saved.filename && tries < 50; tries++) {
                    await new Promise((resolve) => setTimeout(resolve, 100));
                }
                if (saved.filename !== name || (await saved.blob.text()) !== text) {
                    throw new Error(`saved: ${saved.filename}`);
                }
            },
        },
    ];
}

/** A new key whose license is a file, with the fingerprint of that as license key. */
tours.add("license_file_attach", {
    steps: () => [
        ...user.choose("software_id", "Tour Office", "Tour Office Professional"),
        {
            content: "Attach the file",
            trigger: `${FIELD} .o_select_file_button`,
            run: () =>
                inputFiles(`${FIELD} .o_input_file`, [
                    new File([TEXT], "new.lic", { type: "text/plain" }),
                ]),
        },
        user.see("It is named", `${FIELD} span:contains(/^new.lic$/)`),
        user.click(
            "Use the File's Fingerprint",
            ".o_field_widget[name='license_key_from_file'] input"
        ),
        {
            content: "The license key is there",
            trigger: ".o_field_widget[name='license_key'] input",
            run: async ({ anchor }) => {
                for (let tries = 0; anchor.value.length !== 64 && tries < 50; tries++) {
                    await new Promise((resolve) => setTimeout(resolve, 100));
                }
                if (!/^[0-9a-f]{64}$/.test(anchor.value)) {
                    throw new Error(`filled in: ${anchor.value}`);
                }
            },
        },
        ...user.save(),
        user.see("It is kept", `${FIELD} .o_clear_file_button`),
        ...user.openTab("Audit Logs"),
        user.see("The trail tells of it", ".o_data_row:contains(with the license file SHA-256)"),
    ],
});

/** Take the file off a key. */
tours.add("license_file_take_off", {
    steps: () => [
        user.click("Clear", `${FIELD} .o_clear_file_button`),
        ...user.save(),
        ...user.openTab("Audit Logs"),
        user.see("The trail tells of it", ".o_data_row:contains(to nothing)"),
    ],
});

/** Who only reads keys saves the file from the form. */
tours.add("license_file_form", {
    steps: () => [
        user.see("Nothing to change it with", ".o_form_view:not(:has(.o_select_file_button))"),
        ...download(".o_field_widget[name='license_file_name']"),
    ],
});

/** The card of the equipment's tab, on a phone. */
tours.add("license_file_tab", {
    steps: () => [
        ...user.openTab("Software Keys"),
        user.seeWhole("The name of the file is whole", `${TAB} .o_license_file`),
        ...download(`${TAB} .o_kanban_record`),
        user.see("The card has not been opened", "body:not(:has(.modal))"),
    ],
});

/** A manager attaches an empty file, on a phone. */
tours.add("license_file_empty", {
    steps: () => [
        {
            content: "Attach an empty file",
            trigger: `${FIELD} .o_select_file_button`,
            run: () => inputFiles(`${FIELD} .o_input_file`, [new File([], "empty.lic")]),
        },
        user.see("It is said what to do", ".modal:contains(it is empty; attach it as the vendor)"),
        user.see("Nothing lies on top of that", "body:not(:has(.o_notification))"),
        user.click("Close", ".modal .btn-primary"),
        user.click("Discard", ".o_form_button_cancel:visible"),
        user.see("It is gone", "body:not(:has(.o_form_view))"),
    ],
});
