import { useDebounced } from "@web/core/utils/timing";
import { registry } from "@web/core/registry";
import { TextField, textField } from "@web/views/fields/text/text_field";

import { useEffect } from "@odoo/owl";

/** A list of license keys that is looked over while the user types (K11). */
export class LicenseKeysField extends TextField {
    setup() {
        super.setup();
        const commit = useDebounced(
            () => this.props.record.model.bus.trigger("NEED_LOCAL_CHANGES", { proms: [] }),
            400
        );
        useEffect(
            (el) => {
                el?.addEventListener("input", commit);
                return () => el?.removeEventListener("input", commit);
            },
            () => [this.textareaRef.el]
        );
    }
}

registry.category("fields").add("license_keys", {
    ...textField,
    component: LicenseKeysField,
});
