import { registry } from "@web/core/registry";
import * as user from "@client_equipment_software_key/../tests/tours/steps";

/** From Renewals Ahead to a quotation, its confirmation, and the renewal it orders. */
registry.category("web_tour.tours").add("renewal_quotation", {
    steps: () => [
        user.click("The list of Renewals Ahead", ".o_switch_view.o_list"),
        user.click(
            "Select all",
            ".o_list_view:contains(QUOTE-1) thead .o_list_record_selector input"
        ),
        user.click("Make the quotations", "button:contains(Make Quotations)"),
        user.see("The units are named", ".o_form_view:contains(Reception Laptop [LAPTOP-12345])"),
        user.see(
            "Nothing to renew yet",
            "body:not(:has(button[name='action_renew_software_keys']))"
        ),
        user.click("The customer agrees", "button[name='action_confirm']:visible"),
        user.click("Renew", "button[name='action_renew_software_keys']:visible"),
        user.see(
            "The order is the reference",
            ".modal [name='reference'] input:value(/^S[0-9]+$/)"
        ),
        user.click("Renew them", ".modal button[name='action_renew']"),
        user.see(
            "All is renewed",
            "body:not(:has(.modal)) .o_form_view:not(:has(button[name='action_renew_software_keys']))"
        ),
    ],
});
