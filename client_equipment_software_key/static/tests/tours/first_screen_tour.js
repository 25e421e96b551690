import { registry } from "@web/core/registry";

import * as user from "./steps";

const tours = registry.category("web_tour.tours");

function shows(content, facet, shown, hidden) {
    const rows = hidden.map((name) => `:not(:has(.o_data_row:contains(${name})))`).join("");
    return [
        user.see(
            content,
            facet
                ? `.o_facet_value:contains(/^${facet}$/)`
                : ".o_searchview:not(:has(.o_facet_value))"
        ),
        ...shown.map((name) =>
            user.see(`${name} is listed`, `.o_list_view${rows} .o_data_row:contains(${name})`)
        ),
    ];
}

tours.add("first_screen_manager", {
    steps: () => [
        ...shows(
            "What is good for nothing any more is left out",
            "In Stock or In Use",
            ["FIRST-STOCK", "FIRST-USED", "FIRST-LATE"],
            ["FIRST-GONE"]
        ),
        ...user.search("FIRST-GONE"),
        ...shows("A search is for all keys", "FIRST-GONE", ["FIRST-GONE"], ["FIRST-STOCK"]),
        user.see("The filter has made way", ".o_searchview:not(:contains(In Stock))"),
    ],
});

tours.add("first_screen_technician", {
    steps: () => [
        ...shows(
            "What can be installed",
            "Available",
            ["FIRST-STOCK"],
            ["FIRST-USED", "FIRST-GONE"]
        ),
        ...user.filter("Expired"),
        ...shows("A filter is on all keys", "Expired", ["FIRST-LATE"], ["FIRST-STOCK"]),
        user.click("Forget it", ".o_facet_remove"),
        ...shows("All keys", "", ["FIRST-STOCK", "FIRST-USED", "FIRST-LATE", "FIRST-GONE"], []),
    ],
});

tours.add("first_screen_auditor", {
    steps: () => [
        ...shows("What has happened lately", "Last 30 Days", ["FIRST-STOCK"], ["FIRST-OLD"]),
        user.click("Forget the filter", ".o_facet_remove"),
        ...shows("The whole trail", "", ["FIRST-STOCK", "FIRST-OLD"], []),
    ],
});

function resize(content, width) {
    return {
        content,
        trigger: ".o_list_view",
        run: () => {
            Object.defineProperty(window, "innerWidth", { value: width, configurable: true });
            window.dispatchEvent(new Event("resize"));
        },
    };
}

tours.add("software_key_search_panel", {
    steps: () => [
        resize("The window becomes wide", 1920),
        user.see("There is room for the panel", ".o_search_panel:not(.o_search_panel_sidebar)"),
        resize("It becomes narrow", 1366),
        user.see("The panel makes way", ".o_search_panel_sidebar"),
        {
            content: "No license key is cut off",
            trigger: ".o_list_view .o_data_row:contains(PANEL-) td[name='license_key']",
            run: ({ anchor }) => {
                if (anchor.scrollWidth > anchor.clientWidth) {
                    throw new Error(`cut off: ${anchor.textContent}`);
                }
            },
        },
        user.click("Open the panel", ".o_search_panel_sidebar"),
        user.click(
            "Choose a status",
            ".o_search_panel_category_value:contains(Expired) .o_search_panel_label"
        ),
        ...shows("Keys of this status alone", "", ["PANEL-LATE"], ["PANEL-OFFICE"]),
        user.click(
            "Choose a feature",
            ".o_search_panel_category_value:contains(Tour Office) .o_search_panel_label"
        ),
        user.see("It has no such key", ".o_list_view:not(:has(.o_data_row:contains(PANEL-)))"),
        user.click(
            "Choose all of them",
            ".o_search_panel_section:contains(Status) .o_search_panel_category_value:contains(All) .o_search_panel_label"
        ),
        ...shows("Keys of this feature alone", "", ["PANEL-OFFICE"], ["PANEL-LATE"]),
        {
            content: "Still no license key is cut off",
            trigger: ".o_search_panel ~ * .o_data_row:contains(PANEL-) td[name='license_key']",
            run: ({ anchor }) => {
                if (anchor.scrollWidth > anchor.clientWidth) {
                    throw new Error(`cut off: ${anchor.textContent}`);
                }
            },
        },
    ],
});

/** On a phone. */
tours.add("first_screen_phone", {
    steps: () => [
        user.see("One key is listed", ".o_kanban_record:contains(FIRST-STOCK)"),
        user.see("So is the other", ".o_kanban_record:contains(FIRST-USED)"),
        user.click("Open the panel", ".o_search_panel .o-dropdown-caret:contains(Status)"),
        user.click(
            "Choose a status",
            ".o_search_panel_category_value:contains(Available) .o_search_panel_label"
        ),
        user.see(
            "Keys of this status alone",
            ".o_kanban_renderer:not(:contains(FIRST-USED)) .o_kanban_record:contains(FIRST-STOCK)"
        ),
    ],
});
