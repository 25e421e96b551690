import { registry } from "@web/core/registry";

import * as user from "./steps";

const END = ".o_form_view .o_field_widget[name='validity_end']";
const tours = registry.category("web_tour.tours");

function shows(date) {
    return user.see(
        `It shows ${date}`,
        `${END} button:contains(${date}), ${END} input:value(${date})`
    );
}

/** Type a date and leave the field by this key: it shows what was typed. */
function typed(date, key) {
    return [
        ...user.typeDate("validity_end", date),
        { content: key, trigger: `${END} input`, run: `press ${key}` },
        shows(date),
    ];
}

/** Type, save; three times, by Enter and Tab; then after a refused save. */
tours.add("typed_dates", {
    steps: () => [
        ...[31, 32, 33, 34].flatMap((days, index) => [
            ...typed(user.inDays(days), index % 2 ? "Tab" : "Enter"),
            ...user.save(),
            shows(user.inDays(days)),
        ]),
        ...typed(user.inDays(-2000), "Enter"),
        user.click("Save", ".o_form_view .o_form_button_save:visible"),
        user.click("It is refused", ".modal:contains(before it starts) footer .btn-primary"),
        ...typed(user.inDays(40), "Enter"),
        ...user.save(),
        shows(user.inDays(40)),
    ],
});
