import { registry } from "@web/core/registry";

const openSoftwareKeys = [
    {
        content: "Open the equipment",
        trigger: ".o_data_row .o_data_cell:contains('Reception Laptop')",
        run: "click",
    },
    {
        content: "Open its software keys",
        trigger: ".o_form_view .nav-link:contains('Software Keys')",
        run: "click",
    },
];

const beReturned = [
    {
        content: "Set the equipment to Returned while a key is on it",
        trigger: ".o_statusbar_status button:contains('Returned')",
        run: "click",
    },
];

const inService = "body:not(:has(.modal)):has(.o_arrow_button_current:contains('In Service'))";

registry.category("web_tour.tours").add("apply_next_available", {
    steps: () => [
        ...openSoftwareKeys,
        {
            content: "Apply the next available key",
            trigger: "button[name='action_apply_next_available']",
            run: "click",
        },
        {
            content: "Type the software",
            trigger: ".modal [name='software_ids'] input",
            run: "edit Tour Antivirus",
        },
        {
            content: "The drop-down tells how many keys there are; choose it",
            trigger: ".o-autocomplete--dropdown-item:contains('2 available')",
            run: "click",
        },
        {
            content: "The key that expires first is shown",
            trigger: ".modal .o_data_row:contains('NEXT-SOON')",
        },
        {
            content: "Apply it",
            trigger: ".modal button[name='action_apply']",
            run: "click",
        },
        {
            content: "It stands on the equipment",
            trigger:
                "body:not(:has(.modal)) [name='equipment_feature_ids'] .o_data_row:contains('NEXT-SOON')",
        },
    ],
});

/** On a phone, which offers the software as cards. */
registry.category("web_tour.tours").add("apply_next_available_phone", {
    steps: () => [
        {
            content: "Open its software keys",
            trigger: ".o_form_view .nav-link:contains('Software Keys')",
            run: "click",
        },
        {
            content: "Apply the next available key",
            trigger: "button[name='action_apply_next_available']",
            run: "click",
        },
        {
            content: "Open the cards",
            trigger: ".modal [name='software_ids'] input",
            run: "click",
        },
        {
            content: "A finger that comes down on a number of the card chooses the card",
            trigger: ".modal .o_kanban_record:contains('Tour Antivirus') a:contains('Available')",
            run: ({ anchor }) => {
                anchor.scrollIntoView({ block: "center" });
                const { x, y, width, height } = anchor.getBoundingClientRect();
                document.elementFromPoint(x + width / 2, y + height / 2).click();
            },
        },
        {
            content: "The key that expires first is shown",
            trigger: ".modal .o_kanban_record:contains('NEXT-SOON')",
        },
        {
            content: "Apply it",
            trigger: ".modal button[name='action_apply']",
            run: "click",
        },
        {
            content: "It stands on the equipment",
            trigger:
                "body:not(:has(.modal)) [name='equipment_feature_ids'] .o_kanban_record:contains('NEXT-SOON')",
        },
    ],
});

registry.category("web_tour.tours").add("return_equipment", {
    steps: () => [
        ...openSoftwareKeys,
        {
            content: "Write something before it",
            trigger: "[name='asset_tag'] input",
            run: "edit TOUR-14",
        },
        ...beReturned,
        {
            content: "Not yet",
            trigger: ".modal:contains('RETURN-1') button:contains('Close')",
            run: "click",
        },
        {
            content: "The status is what it was; what was written waits to be saved",
            trigger: `${inService} .o_form_dirty [name='asset_tag'] input:value('TOUR-14')`,
        },
        {
            content: "Save it",
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            content: "Saved",
            trigger: ".o_form_saved",
        },
        ...beReturned,
        {
            content: "Not yet",
            trigger: ".modal:contains('RETURN-1') button:contains('Close')",
            run: "click",
        },
        {
            content: "The status is what it was, and there is nothing to save",
            trigger: `${inService} .o_form_saved`,
        },
        {
            content: "The dialog is offered as before",
            trigger: "button[name='action_return_or_replace']",
        },
        ...beReturned,
        {
            content: "The warning names the key and leads to the dialog",
            trigger: ".modal:contains('RETURN-1') button:contains('Return / Replace')",
            run: "click",
        },
        {
            content: "The dialog lists the key and says what will become of it",
            trigger: ".modal .o_data_row:contains('RETURN-1'):contains('Available again')",
        },
        {
            content: "Type the replacement unit",
            trigger: ".modal [name='replacement_id'] input",
            run: "edit Spare",
        },
        {
            content: "Choose it",
            trigger: ".o-autocomplete--dropdown-item:contains('Spare Laptop')",
            run: "click",
        },
        {
            content: "The key will move",
            trigger: ".modal .o_data_row:contains('Applied to Spare Laptop')",
        },
        {
            content: "Confirm",
            trigger: ".modal button[name='action_confirm']",
            run: "click",
        },
        {
            content: "It says what became of the key",
            trigger:
                ".o_notification:contains('Returned'):contains('RETURN-1'):contains('Applied to Spare Laptop')",
        },
        {
            content: "The equipment is returned, without keys",
            trigger:
                "body:not(:has(.modal)) .o_form_saved .o_arrow_button_current:contains('Returned')",
        },
    ],
});
