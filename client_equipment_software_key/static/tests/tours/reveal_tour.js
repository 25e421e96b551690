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

/** One tap shows it, whole; a minute later it has gone, whatever was done meanwhile. */
function show(where, meanwhile = []) {
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
        ...meanwhile,
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

/** On the line of the list, which stays as it is. */
tours.add("reveal_list", {
    steps: () => [
        seeHint(`.o_data_row:contains(${HINT})`),
        ...show(".o_data_row:has([name='license_key']:contains(12345))"),
        user.see("The list is still there", ".o_list_view .o_data_row"),
    ],
});

/** On the key's form, which tells how often it was. */
tours.add("reveal_form", {
    steps: () => [
        seeHint(".oe_title"),
        user.see("Nobody has seen it", ".o_form_view:not(:has(div[name='reveals']:visible))"),
        ...show(".oe_title", [
            user.click("QR code", ".oe_title .o_license_key_qr"),
            user.see(
                "For the other machine's camera",
                `.modal:contains(${KEY}) img[src^='data:image/png']`
            ),
        ]),
        user.see("The QR code has gone, too", "body:not(:has(.modal))"),
        user.see("The form tells of it", "div[name='reveals']:contains(Shown on request: 1)"),
    ],
});

/** Who goes on to the next key before the answer comes sees none under the other. */
tours.add("reveal_late", {
    steps: () => {
        const { send } = XMLHttpRequest.prototype;
        let ask = null;
        return [
            user.click("A key", ".o_data_row:contains(…54321) .o_data_cell"),
            user.see("It is hidden", ".oe_title:contains(…54321) .o_license_key_show"),
            {
                content: "Show, where the answer takes its time",
                trigger: ".oe_title .o_license_key_show",
                run: async ({ click }) => {
                    XMLHttpRequest.prototype.send = function (data) {
                        ask = () => send.call(this, data);
                    };
                    await click();
                    XMLHttpRequest.prototype.send = send;
                },
            },
            user.click("The next key", ".o_pager_next"),
            seeHint(".oe_title"),
            {
                content: "The answer comes",
                trigger: "body",
                run: async () => {
                    ask();
                    await new Promise((resolve) => setTimeout(resolve, 1000));
                },
            },
            seeHint(".oe_title"),
        ];
    },
});
