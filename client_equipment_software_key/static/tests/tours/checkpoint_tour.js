import { click, see } from "./steps";
import { registry } from "@web/core/registry";

/** What the clipboard holds: the lines that somebody keeps. */
let kept = null;

const copyLines = (where) => [
    {
        content: "Copy the lines",
        trigger: `${where} button[aria-label='Copy the three lines']`,
        run: async (helpers) => {
            navigator.clipboard.writeText = async (text) => (kept = text);
            await helpers.click();
        },
    },
    {
        content: "There are three, and what to do with them",
        trigger: "body",
        run: () => {
            const told = /\n\nclient-equipment\/\S+\n\d+\n\S{43}=\n\n.*Verify with a Checkpoint/;
            if (!told.test(kept)) {
                throw new Error(`copied: ${kept}`);
            }
        },
    },
];

const openCheckpoints = [
    click("Open the menu section", ".o_menu_sections button:contains('Software Key Management')"),
    click("Checkpoints", ".o-dropdown--menu .dropdown-item:contains('Checkpoints')"),
    see("The list is there", ".o_breadcrumb:contains('Checkpoints')"),
];

const verifyKept = [
    click("Verify", ".o_control_panel button:contains('Verify with a Checkpoint')"),
    {
        content: "Paste the lines, with what stood around them",
        trigger: ".modal .o_verify_checkpoint textarea",
        run: (helpers) => helpers.edit(`> Keep this mail.\n>\n> ${kept.replaceAll("\n", "\n> ")}`),
    },
    click("Verify", ".modal .o_verify_checkpoint button:contains('Verify')"),
];

registry.category("web_tour.tours").add("software_key_checkpoint_intact", {
    steps: () => [
        see("Wait for the list", ".o_list_view .o_data_row:contains('TOUR-POINT-1')"),
        ...openCheckpoints,
        click("Make one", ".o_control_panel button:contains('Make Checkpoint Now')"),
        see("What to do with it", ".modal .alert-info:contains('keep them where nobody')"),
        ...copyLines(".modal"),
        click("Close", ".modal .modal-footer button:contains('Close')"),
        see("It is in the list", ".o_list_view:not(:has(.modal)) .o_data_row"),
        ...verifyKept,
        see("All is as it was", ".modal .alert-success:contains('are as they were')"),
    ],
});

registry.category("web_tour.tours").add("software_key_checkpoint_broken", {
    steps: () => [
        see("Wait for the list", ".o_list_view .o_data_row:contains('TOUR-POINT-2')"),
        ...openCheckpoints,
        ...copyLines(".o_data_row:first"),
        ...verifyKept,
        see("An entry is missing", ".modal .alert-danger:contains('somebody has removed')"),
        {
            content: "Paste what is none",
            trigger: ".modal .o_verify_checkpoint textarea",
            run: "edit nothing",
        },
        see("What was found is gone", ".modal .o_verify_checkpoint:not(:has(.alert))"),
        click("Verify", ".modal .o_verify_checkpoint button:contains('Verify')"),
        see("What a checkpoint is", ".modal:contains('These are not the lines of a checkpoint')"),
    ],
});
