import {
    buildM2OFieldDescription,
    extractM2OFieldProps,
    Many2OneField,
} from "@web/views/fields/many2one/many2one_field";
import { LICENSE_KEY_WIDTH } from "./license_key_field";
import { LicenseFile } from "../license_file/license_file";
import { LicenseKey } from "./license_key";
import { Many2One } from "@web/views/fields/many2one/many2one";
import { Many2XAutocomplete } from "@web/views/fields/relational_utils";
import { registry } from "@web/core/registry";

/** Where no key is found that can be applied, says what is found, and where it is. */
export class SoftwareKeyAutocomplete extends Many2XAutocomplete {
    async search(name) {
        const keys = await super.search(name);
        this.whyNot =
            name && !keys.length
                ? await this.orm.call(this.props.resModel, "tell_why_not_offered", [name], {
                      context: this.props.context,
                  })
                : "";
        return keys;
    }

    buildNoRecordsSuggestion() {
        const suggestion = super.buildNoRecordsSuggestion();
        return this.whyNot ? { ...suggestion, label: this.whyNot } : suggestion;
    }
}

export class SoftwareKeyMany2One extends Many2One {
    static components = { ...Many2One.components, Many2XAutocomplete: SoftwareKeyAutocomplete };
}

/** A link to a software key: its product, below it the license key (A15), and its
 * license file where there is one (K15). */
export class SoftwareKeyField extends Many2OneField {
    static template = "client_equipment_software_key.SoftwareKeyField";
    static components = { Many2One: SoftwareKeyMany2One, LicenseFile, LicenseKey };
    static props = {
        ...Many2OneField.props,
        qrCode: { type: Boolean, optional: true },
    };

    get value() {
        return this.props.record.data[this.props.name];
    }

    get licenseKey() {
        return this.value?.license_key;
    }

    get keyId() {
        return this.props.readonly ? this.value.id : undefined;
    }

    /** Of a key on its equipment, a look at it is put down there. */
    get featureId() {
        const { resId, resModel } = this.props.record;
        return resModel === "client.equipment.feature" && resId;
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
    extractProps: (info, dynamicInfo) => ({
        ...extractM2OFieldProps(info, dynamicInfo),
        qrCode: Boolean(info.options.qr_code),
    }),
    additionalClasses: ["o_field_many2one"],
    listViewWidth: LICENSE_KEY_WIDTH,
    relatedFields: [
        { name: "display_name", type: "char", readonly: true },
        { name: "license_key", type: "char", readonly: true },
        { name: "license_file_name", type: "char", readonly: true },
        {
            name: "software_id",
            type: "many2one",
            relation: "client.equipment.software",
            readonly: true,
        },
    ],
});
