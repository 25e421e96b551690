import { registry } from "@web/core/registry";

/** Holds what is written on a sticker before the camera, as a barcode. */
async function holdBeforeCamera(text) {
    const sticker = new Image();
    sticker.src = `/report/barcode/Code128/${text}?width=540&height=120`;
    await sticker.decode();
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: 640, height: 480 });
    const context = canvas.getContext("2d");
    setInterval(() => {
        context.fillStyle = "white";
        context.fillRect(0, 0, 640, 480);
        context.drawImage(sticker, 50, 180, 540, 120);
    }, 50);
    navigator.mediaDevices.getUserMedia = async () => canvas.captureStream();
}

function scan(text) {
    return [
        {
            content: `${text} is before the camera`,
            trigger: ".o_client_equipment_scan",
            run: async ({ click }) => {
                await holdBeforeCamera(text);
                await click();
            },
        },
    ];
}

registry.category("web_tour.tours").add("client_equipment_scan", {
    steps: () => [
        ...scan("TOUR-TAG-1"),
        {
            content: "The only unit opens",
            trigger: ".o_form_view [name='name'] textarea:value(Tour Printer)",
        },
        {
            content: "Back to the list",
            trigger: ".o_back_button, .o_breadcrumb .breadcrumb-item:first a",
            run: "click",
        },
        {
            content: "The list still shows what was scanned",
            trigger:
                ".o_kanban_view:not(:contains(Other Printer)) .o_kanban_record:contains(Tour Printer)",
        },
        ...scan("NOBODY-HAS-THIS"),
        {
            content: "Nothing has it, and the view says so",
            trigger: ".o_view_nocontent:contains(Nothing is found) button[name='remove_filters']",
            run: "click",
        },
        {
            content: "All are there",
            trigger: ".o_kanban_record:contains(Other Printer)",
        },
    ],
});
