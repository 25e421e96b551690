/** Steps that the tours share: each is what a user does with hand and eye. */

import { queryAll } from "@odoo/hoot-dom";

const { DateTime } = luxon;

/** The date in ``days`` days as a user types it. */
export function inDays(days) {
    return DateTime.now().plus({ days }).toFormat("MM/dd/yyyy");
}

export function click(content, trigger) {
    return { content, trigger, run: "click" };
}

export function see(content, trigger) {
    return { content, trigger };
}

/** Type into a field of the form, where ``where`` is a selector in front of it. */
export function type(name, text, where = ".o_form_view") {
    return {
        content: `Type ${text}`,
        trigger: `${where} [name='${name}'] :is(input, textarea)`,
        run: `edit ${text}`,
    };
}

/** Type a date into a field of the form. */
export function typeDate(name, date) {
    const field = `.o_form_view .o_field_widget[name='${name}']`;
    return [
        click(`Go to ${name}`, `${field} :is(button, input)`),
        { content: `Type ${date}`, trigger: `${field} input`, run: `edit ${date}` },
    ];
}

/** Type a part of the name and choose what the dropdown offers. */
export function choose(name, text, option = text, where = ".o_form_view") {
    return [
        type(name, text, where),
        click(`Choose ${option}`, `.o-autocomplete--dropdown-item:contains(${option})`),
    ];
}

/** Choose from a selection field. */
export function select(name, option) {
    return [
        click(`Open ${name}`, `.o_form_view [name='${name}'] input`),
        click(`Choose ${option}`, `.o_select_menu_item:contains(${option})`),
    ];
}

export function save() {
    return [
        click("Save", ".o_form_view .o_form_button_save:visible"),
        see("It is saved", ".o_form_view .o_form_saved"),
    ];
}

/** Choose an entry of the gear menu. */
export function gearMenu(entry) {
    return [
        click("Open the gear menu", ".o_cp_action_menus .dropdown-toggle"),
        click(entry, `.o-dropdown--menu .o_menu_item:contains(${entry})`),
    ];
}

/** Search the list for a text by the first thing that the search bar proposes. */
export function search(text) {
    return [
        {
            content: `Search for ${text}`,
            trigger: ".o_searchview_input",
            run: `fill ${text}`,
        },
        click("Start the search", ".o_searchview_autocomplete .o-dropdown-item:first"),
    ];
}

/** Search the list for a text in one field. */
export function searchIn(label, text) {
    return [
        {
            content: `Search for ${text}`,
            trigger: ".o_searchview_input",
            run: `fill ${text}`,
        },
        click(
            `Search in ${label}`,
            `.o_searchview_autocomplete .o-dropdown-item:contains(Search ${label} for)`
        ),
    ];
}

/** Set a filter of the search menu. */
export function filter(name) {
    return [
        click("Open the search menu", ".o_searchview_dropdown_toggler"),
        click(`Filter ${name}`, `.o_filter_menu .o_menu_item:contains(/^${name}$/)`),
        click("Close the search menu", ".o_searchview_dropdown_toggler"),
        see("The filter is set", `.o_facet_value:contains(${name})`),
    ];
}

export function backToList() {
    return [
        click("Back to the list", ".o_breadcrumb .breadcrumb-item:first a, .o_back_button"),
        see("The list is there", ".o_list_view, .o_kanban_view"),
    ];
}

/** Open an equipment and its tab Software Keys. */
export function openSoftwareKeysOf(serialNo) {
    return [
        ...search(serialNo),
        click("Open the equipment", `.o_data_row:contains(${serialNo}) td[name='name']`),
        ...openTab("Software Keys"),
    ];
}

/** Go on to what a menu opens, without loading the page anew. */
export function openAction(name, path) {
    return [
        {
            content: `Open ${name}`,
            trigger: ".o_web_client .o_content",
            run: () =>
                window.odoo.__WOWL_DEBUG__.root.env.services.action.doAction(path, {
                    clearBreadcrumbs: true,
                }),
        },
        see("It is open", `.o_breadcrumb:contains(${name})`),
    ];
}

export function openTab(name) {
    return [click(`Open the tab ${name}`, `.o_form_view .nav-link:contains(${name})`)];
}

/** See that none of these cuts off its text, nor what it stands in. */
export function seeWhole(content, selector) {
    return {
        content,
        trigger: selector,
        run: () => {
            for (const text of queryAll(selector)) {
                for (const el of [text, text.closest("td, .o_kanban_record, .modal-body")]) {
                    if (el && getComputedStyle(el).display !== "inline") {
                        if (el.scrollWidth > el.clientWidth) {
                            throw new Error(`cut off: ${text.textContent}`);
                        }
                    }
                }
            }
        },
    };
}

/** See that each of these stands in one line, as nobody compares a key that is in two. */
export function seeInOneLine(content, selector) {
    return {
        content,
        trigger: selector,
        run: () => {
            for (const el of queryAll(selector)) {
                const range = document.createRange();
                range.selectNodeContents(el);
                if (new Set([...range.getClientRects()].map(({ top }) => top)).size > 1) {
                    throw new Error(`in several lines: ${el.textContent}`);
                }
            }
        },
    };
}

/** Copy a license key, and see that the clipboard gets it. */
export function copy(licenseKey, where) {
    let copied = null;
    return [
        {
            content: `Copy ${licenseKey}`,
            trigger: `${where} button[aria-label='Copy ${licenseKey}']`,
            run: async (helpers) => {
                navigator.clipboard.writeText = async (text) => (copied = text);
                await helpers.click();
            },
        },
        {
            content: "It is in the clipboard",
            trigger: "body",
            run: () => {
                if (copied !== licenseKey) {
                    throw new Error(`copied: ${copied}`);
                }
            },
        },
    ];
}
