import { registry } from "@web/core/registry";

import * as user from "./steps";

const tours = registry.category("web_tour.tours");

/** The manager, from the start of the web client. */
tours.add("overview_manager", {
    steps: () => [
        user.see("What ends soon", "button[name='expiring_soon'] .fw-bold:contains(/^1$/)"),
        user.see("Nothing else to do", "button[name='needs_attention']:contains(Nothing to do)"),
        user.click("Which ones?", "button[name='expiring_soon']"),
        user.see("The one", ".o_list_view:not(:contains(LATE-1)) .o_data_row:contains(SOON-1)"),
        user.click("Back", ".o_breadcrumb a:contains(Overview), .o_back_button"),
        user.click("The low ones", "button[name='below_minimum'] .fw-bold:contains(/^1$/)"),
        user.see("The one", ".o_kanban_record:contains(Tour Antivirus Enterprise)"),
        user.see("No other", ".o_kanban_view:not(:contains(Tour Office))"),
        user.see("The clock counts", ".o-mail-ActivityMenu-counter:contains(/^[12]$/)"),
        user.click("Open it", ".o_menu_systray button:has(.o-mail-ActivityMenu-counter)"),
        user.click("What is due", ".o-mail-ActivityGroup:contains(Software)"),
        user.see(
            "Exactly that",
            ".o_list_view:not(:contains(Tour Office)) .o_data_row:contains(Tour Antivirus)"
        ),
    ],
});

/** On a phone, which shows cards. */
tours.add("clock_phone", {
    steps: () => [
        user.click("The clock", ".o_menu_systray button:has(.o-mail-ActivityMenu-counter)"),
        user.click("What is due", ".o-mail-ActivityGroup:contains(Software)"),
        user.see(
            "Exactly that",
            ".o_kanban_view:not(:contains(Tour Office)) .o_kanban_record:contains(Tour Antivirus)"
        ),
    ],
});

/** The auditor, from the start of the web client. */
tours.add("overview_auditor", {
    steps: () => [
        user.see("Never yet", "[name='verification']:contains(Nobody has verified)"),
        user.click("Verify", "button[name='verify']"),
        user.see("Intact", ".modal .alert-success:contains(Intact)"),
        user.click("Close", ".modal .btn-close"),
        user.see(
            "By whom, with what result",
            "body:not(:has(.modal)) [name='verification']:contains(by Auditor Tester: intact)"
        ),
    ],
});

/** The technician, from the start of the web client. */
tours.add("first_screen_equipment", {
    steps: () => [user.see("Equipment", ".o_list_view .o_data_row:contains(LAPTOP-12345)")],
});
