import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";

import * as user from "./steps";

const KEY = "MARKR-SECRT-AAAAA-XK7QD-12345";
const HINT = "…12345";
const TAB = ".o_field_widget[name='equipment_feature_ids']";
const tours = registry.category("web_tour.tours");

function seeHint(where) {
    return user.see(
        "Its last characters stand there, nothing to copy",
        `${where}:contains(${HINT}):not(:contains(MARKR)):not(:has([aria-label^='Copy'])):has(.o_license_key_show)`
    );
}

/** One tap shows it, whole; a minute later it has gone. */
function show(where) {
    let hide = null;
    const { setTimeout } = browser;
    return [
        {
            content: "Show",
            trigger: `${where} .o_license_key_show`,
            run: async ({ click }) => {
                browser.setTimeout = (run, delay, ...args) => {
                    if (delay === 60000) {
                        hide = run;
                    }
                    return setTimeout(run, delay, ...args);
                };
                await click();
            },
        },
        user.see("It is shown", `${where} .o_license_key_text.font-monospace:contains(${KEY})`),
        user.seeWhole("It is whole", `${where} .o_license_key_text`),
        ...user.copy(KEY, where),
        {
            content: "A minute later",
            trigger: "body",
            run: () => {
                browser.setTimeout = setTimeout;
                hide();
            },
        },
        seeHint(where),
    ];
}

/** On the line of the equipment's tab, once it is applied. */
tours.add("reveal_tab", {
    steps: () => [
        ...user.openTab("Software Keys"),
        user.click("Add a line", `${TAB} .o_field_x2many_list_row_add a`),
        ...user.choose("software_key_id", "12345", HINT, TAB),
        ...user.save(),
        user.see("It is applied", `${TAB} .o_data_row:contains(${HINT}):contains(Applied)`),
        seeHint(`${TAB} .o_data_row`),
        ...show(`${TAB} .o_data_row`),
        user.click("Show, and say why", `${TAB} .o_license_key_reason`),
        { content: "Why", trigger: ".modal input", run: "edit Reinstallation" },
        user.click("Show", ".modal .btn-primary"),
        user.see("It is shown", `body:not(:has(.modal)) ${TAB}:contains(${KEY})`),
        ...user.openTab("Details"),
        ...user.openTab("Software Keys"),
        seeHint(`${TAB} .o_data_row`),
    ],
});

tours.add("reveal_tab_phone", {
    steps: () => [
        ...user.openTab("Software Keys"),
        user.click("Add", `${TAB} .o-kanban-button-new`),
        user.click("Choose a key", ".modal [name='software_key_id'] input"),
        user.click("This one", `.modal .o_kanban_record:contains(${HINT})`),
        user.click("Apply", ".modal .o_form_button_save:contains(Apply)"),
        user.see("It is applied", `body:not(:has(.modal)) .o_form_saved ${TAB}:contains(${HINT})`),
        ...show(`${TAB} .o_kanban_record`),
    ],
});

/** On the key's form, which tells how often it was. */
tours.add("reveal_form", {
    steps: () => [
        seeHint(".oe_title"),
        user.see("Nobody has seen it", ".o_form_view:not(:has(div[name='reveals']:visible))"),
        ...show(".oe_title"),
        user.see("The form tells of it", "div[name='reveals']:contains(Shown on request: 1)"),
        user.click("The QR code needs it shown", ".oe_title .o_license_key_show"),
        user.click("QR code", ".oe_title .o_license_key_qr"),
        user.see("For the other machine's camera", `.modal img[src^='data:image/png']`),
    ],
});
