import { registry } from "@web/core/registry";

registry.category("web_tour.tours").add("software_key_usage_history", {
    steps: () => [
        {
            content: "Both installations are listed",
            trigger:
                ".o_list_view:has(.o_data_row:contains('TOUR-NOW')) .o_data_row:contains('TOUR-THEN')",
        },
        {
            content: "Type a day",
            trigger: ".o_searchview_input",
            run: "fill 02/10/2026",
        },
        {
            content: "Search for what was installed on it",
            trigger: ".o_searchview_autocomplete .o-dropdown-item:contains('Installed On')",
            run: "click",
        },
        {
            content: "Only what was installed then is left",
            trigger:
                ".o_list_view:not(:has(.o_data_row:contains('TOUR-NOW'))) .o_data_row:contains('TOUR-THEN')",
        },
        {
            content: "Take the day away",
            trigger: ".o_searchview .o_facet_remove",
            run: "click",
        },
        {
            content: "Wait for both",
            trigger: ".o_list_view .o_data_row:contains('TOUR-NOW')",
        },
        {
            content: "See them in the pivot",
            trigger: ".o_switch_view.o_pivot",
            run: "click",
        },
        {
            content: "The pivot counts by feature",
            trigger: ".o_pivot th:contains('Tour Office Professional')",
        },
        {
            content: "See them in the calendar",
            trigger: ".o_switch_view.o_calendar",
            run: "click",
        },
        {
            content: "What is still installed is in this month",
            trigger: ".o_calendar_view .o_calendar_renderer",
        },
    ],
});
