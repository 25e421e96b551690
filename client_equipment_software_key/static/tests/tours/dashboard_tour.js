import { registry } from "@web/core/registry";

import * as user from "./steps";

const tours = registry.category("web_tour.tours");

/** A number on the card opens the keys that it counts. */
function lookBehind(label, count, shown, hidden) {
    const card = ".o_kanban_record:contains(Tour Antivirus Enterprise)";
    return [
        user.click(`${count} ${label}`, `${card} a:contains(${count}):contains(${label})`),
        user.see("The search bar says which", `.o_facet_value:contains(${label})`),
        ...shown.map((key) =>
            user.see(
                `${key} is one of them`,
                `.o_list_view:not(:contains(${hidden})) .o_data_row:contains(${key})`
            )
        ),
        user.click("Back to the cards", ".o_breadcrumb a:contains(Software), .o_back_button"),
    ];
}

function softwareCards() {
    return [
        ...lookBehind("Available", 3, ["SOON-1", "SOON-2", "LATE-1"], "APPLIED-1"),
        ...lookBehind("Applied", 1, ["APPLIED-1"], "SOON-1"),
        ...lookBehind("Expiring", 3, ["SOON-1", "SOON-2", "APPLIED-1"], "LATE-1"),
        ...lookBehind("Expired", 1, ["EXPIRED-1"], "SOON-1"),
        user.see("The cards are there", ".o_kanban_view .o_kanban_record"),
    ];
}

/** Renewals Ahead, each of its views. */
function renewalsAhead() {
    return [
        user.see("The graph by month", ".o_graph_view .o_graph_renderer canvas"),
        user.click("The calendar", ".o_switch_view.o_calendar"),
        user.click("The end of a key", ".o_calendar_view .fc-event:contains(SOON-1)"),
        user.see("Its status", ".o_popover:contains(Available)"),
        user.click("The pivot", ".o_switch_view.o_pivot"),
        user.see("Features by month", ".o_pivot_view th:contains(Tour Antivirus Enterprise)"),
        user.click("The list", ".o_switch_view.o_list"),
        user.see(
            "Keys that end",
            ".o_list_view:not(:contains(EXPIRED-1)) .o_data_row:contains(SOON-1)"
        ),
    ];
}

/** Keys by feature and status. */
function keysByStatus() {
    return [
        user.click("The pivot", ".o_switch_view.o_pivot"),
        user.see(
            "A row for each feature, a column for each status",
            ".o_pivot:contains(Available):contains(Applied) tbody th:contains(Tour Antivirus Enterprise)"
        ),
        user.click("The graph", ".o_switch_view.o_graph"),
        user.see("It is drawn", ".o_graph_view .o_graph_renderer canvas"),
    ];
}

/** Deployments by technician and month. */
function deployments() {
    return [
        user.click("The pivot", ".o_switch_view.o_pivot"),
        user.see("A row for each technician", ".o_pivot tbody th:contains(Technician Tester)"),
        user.see(
            "A column for each month",
            `.o_pivot thead th:contains(${luxon.DateTime.now().toFormat("LLLL yyyy")})`
        ),
        user.click("The graph", ".o_switch_view.o_graph"),
        user.see("It is drawn", ".o_graph_view .o_graph_renderer canvas"),
    ];
}

tours.add("numbers", {
    steps: () => [
        ...softwareCards(),
        ...user.openAction("Renewals Ahead", "software-key-renewals"),
        ...renewalsAhead(),
        ...user.openAction("Software Keys", "software-keys"),
        ...keysByStatus(),
        ...user.openAction("Equipment Features", "equipment-features"),
        ...deployments(),
    ],
});

/** What needs attention is repaired, several keys at once. */
tours.add("repair_selected", {
    steps: () => [
        ...user.filter("Needs Attention"),
        user.click(
            "Select all",
            ".o_list_view:not(:contains(SOON-1)) thead .o_list_record_selector input"
        ),
        user.click("Open the actions", ".o_cp_action_menus .dropdown-toggle:contains(Actions)"),
        user.click("Repair", ".o-dropdown--menu .o_menu_item:contains(Repair)"),
        user.see("Nothing is left", ".o_list_view:not(:has(.o_data_row:contains(WRONG-)))"),
    ],
});
