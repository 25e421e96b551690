import { _t } from "@web/core/l10n/translation";
import { Component } from "@odoo/owl";
import { CopyLicenseKey } from "../license_key/license_key";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

class CopyCheckpoint extends CopyLicenseKey {
    get label() {
        return _t("Copy the three lines");
    }
}

/**
 * Copies the lines of a checkpoint with one tap (L8), and what they are for: whoever
 * finds them in a year need not know.
 */
class CheckpointCopyField extends Component {
    static template = "client_equipment_software_key.CheckpointCopyField";
    static components = { CopyCheckpoint };
    static props = { ...standardFieldProps };

    setup() {
        this.copy = _t("Copy");
        this.copied = _t("Copied");
    }

    get text() {
        return this.props.record.data[this.props.name];
    }

    get note() {
        const until = this.props.record.data.until.toUTC().toFormat("yyyy-MM-dd HH:mm:ss");
        return [
            _t("Checkpoint of the software keys' audit trail, %s (UTC)", until),
            this.text,
            _t(
                "To find out whether an entry from before was changed, removed or added: in Odoo, open Client Equipment, Software Key Management, Verify with a Checkpoint, and paste all of this."
            ),
        ].join("\n\n");
    }
}

/** Shows them, too, whole. */
class CheckpointTextField extends CheckpointCopyField {
    static template = "client_equipment_software_key.CheckpointTextField";
}

registry.category("fields").add("checkpoint_copy", { component: CheckpointCopyField });
registry.category("fields").add("checkpoint_text", { component: CheckpointTextField });
