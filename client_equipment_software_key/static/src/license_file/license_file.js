import { _t } from "@web/core/l10n/translation";
import { Component } from "@odoo/owl";
import { download } from "@web/core/network/download";
import { FileUploader } from "@web/views/fields/file_handler";
import { ListBinaryField, listBinaryField } from "@web/views/fields/binary/binary_field";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/** The license file of a software key, by its name: one tap saves it (K15). */
export class LicenseFile extends Component {
    static template = "client_equipment_software_key.LicenseFile";
    static props = { keyId: Number, name: String };

    get label() {
        return _t("Download %s", this.props.name);
    }

    async save() {
        const url = `/client_equipment_software_key/license_file/${this.props.keyId}`;
        await download({ url, data: {} });
    }
}

/** The field license_file_name, as a download. */
export class LicenseFileField extends Component {
    static template = "client_equipment_software_key.LicenseFileField";
    static components = { LicenseFile };
    static props = { ...standardFieldProps };

    get value() {
        return this.props.record.data[this.props.name];
    }
}

registry.category("fields").add("license_file", {
    component: LicenseFileField,
    supportedTypes: ["char"],
});

/** Of an empty file the server says what to do; Odoo's notice would lie on top of that. */
export class LicenseFileUploader extends FileUploader {
    async onFileChange(ev) {
        const { target } = ev;
        const [file] = target.files;
        if (file?.size !== 0) {
            return super.onFileChange(ev);
        }
        await this.props.onUploaded({ name: file.name, data: "" });
        target.value = null;
    }
}

/** On the form, too, the button of a list: few keys have a file. Its name is whole. */
export class LicenseFileUpload extends ListBinaryField {
    static template = "client_equipment_software_key.LicenseFileUpload";
    static components = { ...ListBinaryField.components, FileUploader: LicenseFileUploader };
}

registry.category("fields").add("license_file_upload", {
    ...listBinaryField,
    component: LicenseFileUpload,
});
