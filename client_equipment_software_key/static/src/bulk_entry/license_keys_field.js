import { useDebounced } from "@web/core/utils/timing";
import { registry } from "@web/core/registry";
import { TextField, textField } from "@web/views/fields/text/text_field";

import { useEffect } from "@odoo/owl";

/** A list of license keys that is looked over while the user types (K11). */
export class LicenseKeysField extends TextField {
    setup() {
        super.setup();
        const commit = useDebounced(() => this.commit(), 400);
        useEffect(
            (el) => {
                el?.addEventListener("input", commit);
                el?.addEventListener("paste", this.onPaste);
                return () => {
                    el?.removeEventListener("input", commit);
                    el?.removeEventListener("paste", this.onPaste);
                };
            },
            () => [this.textareaRef.el]
        );
    }

    /** What an earlier answer of the server shows anew must not wipe out what is typed since. */
    async commit() {
        const { model } = this.props.record;
        await model.mutex.getUnlockedDef();
        model.bus.trigger("NEED_LOCAL_CHANGES", { proms: [] });
    }

    /** Browsers paste line by line: thousands of lines would take them minutes. */
    onPaste(ev) {
        const text = ev.clipboardData?.getData("text/plain") || "";
        if (text.length > 5000) {
            ev.preventDefault();
            const el = ev.target;
            el.setRangeText(text, el.selectionStart, el.selectionEnd, "end");
            el.dispatchEvent(new InputEvent("input", { bubbles: true }));
        }
    }
}

registry.category("fields").add("license_keys", {
    ...textField,
    component: LicenseKeysField,
});
