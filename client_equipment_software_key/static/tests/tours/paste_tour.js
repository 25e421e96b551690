import { choose, save } from "./steps";
import { registry } from "@web/core/registry";

registry.category("web_tour.tours").add("software_key_paste", {
    steps: () => [
        ...choose("software_id", "Tour Office Professional"),
        {
            content: "Paste a key of two lines",
            trigger: ".o_form_view [name='license_key'] input",
            run({ anchor }) {
                anchor.focus();
                const clipboardData = new DataTransfer();
                clipboardData.setData("text/plain", "PASTE-1 \r\n  KLMNO");
                const options = { clipboardData, bubbles: true, cancelable: true };
                if (anchor.dispatchEvent(new ClipboardEvent("paste", options))) {
                    throw new Error("the browser would have pasted blanks");
                }
            },
        },
        {
            content: "It shows as one key",
            trigger: ".o_form_view [name='license_key'] input:value(PASTE-1KLMNO)",
        },
        ...save(),
    ],
});
