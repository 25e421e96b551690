import { CharField, charField } from "@web/views/fields/char/char_field";
import { Component } from "@odoo/owl";
import { LicenseKey } from "./license_key";
import { omit } from "@web/core/utils/objects";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

// At least 29 characters, XXXXX-XXXXX-XXXXX-XXXXX-XXXXX, and what copies them.
export const LICENSE_KEY_WIDTH = [290];

/** The field license_key: typed into a new key, copied from a stored one. */
export class LicenseKeyField extends Component {
    static template = "client_equipment_software_key.LicenseKeyField";
    static components = { CharField, LicenseKey };
    static props = {
        ...CharField.props,
        ...standardFieldProps,
        qrCode: { type: Boolean, optional: true },
    };

    setup() {
        this.onShown = this.onShown.bind(this);
    }

    get charProps() {
        return omit(this.props, "qrCode");
    }

    /** What can be shown is a key's own; a dialog's record has another id. */
    get keyId() {
        const { resId, resModel } = this.props.record;
        return resModel === "client.equipment.software.key" && resId;
    }

    /** A form tells how often the license key was shown. */
    async onShown() {
        const { record } = this.props;
        if (record === record.model.root && !(await record.isDirty())) {
            await record.load();
        }
    }

    get value() {
        return this.props.record.data[this.props.name];
    }

    /**
     * An input would make blanks of line breaks: the server shall see what was pasted,
     * as of any other route, and drops them (K2) or sees a file in it (K15).
     */
    onPaste(ev) {
        const pasted = ev.clipboardData?.getData("text/plain") || "";
        if (/[\n\r\t]/.test(pasted)) {
            ev.preventDefault();
            const { value, selectionStart, selectionEnd } = ev.target;
            this.props.record.update({
                [this.props.name]:
                    value.slice(0, selectionStart) + pasted + value.slice(selectionEnd),
            });
        }
    }
}

registry.category("fields").add("license_key", {
    ...charField,
    component: LicenseKeyField,
    listViewWidth: LICENSE_KEY_WIDTH,
    extractProps: (info, dynamicInfo) => ({
        ...charField.extractProps(info, dynamicInfo),
        qrCode: Boolean(info.options.qr_code),
    }),
});
