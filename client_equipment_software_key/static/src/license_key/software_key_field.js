import {
    buildM2OFieldDescription,
    Many2OneField,
} from "@web/views/fields/many2one/many2one_field";
import { LICENSE_KEY_WIDTH } from "./license_key_field";
import { LicenseKey } from "./license_key";
import { registry } from "@web/core/registry";

/** A link to a software key: its product, and below it the license key (A15). */
export class SoftwareKeyField extends Many2OneField {
    static template = "client_equipment_software_key.SoftwareKeyField";
    static components = { ...Many2OneField.components, LicenseKey };

    get value() {
        return this.props.record.data[this.props.name];
    }

    get licenseKey() {
        return this.value?.license_key;
    }

    get m2oProps() {
        const props = super.m2oProps;
        return {
            ...props,
            value: this.licenseKey
                ? { id: this.value.id, display_name: this.value.software_id.display_name }
                : props.value,
            // By its id alone, so that the record reads the license key, too.
            update: (value, options) => props.update(value && { id: value.id }, options),
        };
    }
}

registry.category("fields").add("software_key", {
    ...buildM2OFieldDescription(SoftwareKeyField),
    additionalClasses: ["o_field_many2one"],
    listViewWidth: LICENSE_KEY_WIDTH,
    relatedFields: [
        { name: "display_name", type: "char", readonly: true },
        { name: "license_key", type: "char", readonly: true },
        {
            name: "software_id",
            type: "many2one",
            relation: "client.equipment.software",
            readonly: true,
        },
    ],
});
