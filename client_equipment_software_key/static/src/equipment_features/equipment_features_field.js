import { _t } from "@web/core/l10n/translation";
import { ConfirmationDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { licenseKeysHidden } from "../license_key/license_key";
import { registry } from "@web/core/registry";
import { serializeDate } from "@web/core/l10n/dates";
import { SoftwareKeyDialog } from "./software_key_dialog";
import { tell } from "../told/told";
import { useService } from "@web/core/utils/hooks";
import { wholeWords } from "../license_key/whole_words";
import { X2ManyField, x2ManyField } from "@web/views/fields/x2many/x2many_field";

import { onWillUpdateProps } from "@odoo/owl";

/**
 * The software keys on an equipment. Removing a saved line takes effect at once, after a
 * confirmation (A7); on a phone so does applying a key, in a dialog of its own (A15).
 */
export class EquipmentFeaturesField extends X2ManyField {
    setup() {
        super.setup();
        this.dialog = useService("dialog");
        this.orm = useService("orm");
        this.notification = useService("notification");
        // Odoo's own activeActions.onDelete, which the trash icon calls, is given anew each
        // time the field becomes editable. Were it called otherwise, a line would be
        // removed without a question, as the tour guide_recovery would tell.
        const askFirst = () => {
            const deleteLine = this.activeActions.onDelete;
            if (deleteLine) {
                this.activeActions.onDelete = (line) =>
                    line.resId ? this.removeSoftwareKey(line) : deleteLine(line);
            }
        };
        askFirst();
        onWillUpdateProps(askFirst);
    }

    get equipment() {
        return this.props.record;
    }

    /** The trash icon on a card (small screens) does what the one on a row does. */
    get rendererProps() {
        const props = super.rendererProps;
        if (this.props.viewMode === "kanban") {
            props.deleteRecord = (line) => this.activeActions.onDelete?.(line);
        }
        return props;
    }

    async onAdd(params) {
        if (this.props.viewMode === "kanban") {
            return this.openDialog(_t("Apply a Software Key"), false);
        }
        return super.onAdd(params);
    }

    async openRecord(line) {
        if (this.props.viewMode === "kanban") {
            return this.openDialog(_t("Software Key"), line.resId);
        }
        return super.openRecord(line);
    }

    /** What the dialog saves is stored; so what the form holds is saved before. */
    async openDialog(title, resId) {
        if (!(await this.equipment.save())) {
            return;
        }
        this.dialog.add(SoftwareKeyDialog, {
            title,
            resId,
            resModel: this.list.resModel,
            context: { default_equipment_id: this.equipment.resId },
            readonly: this.props.readonly,
            preventEdit: this.props.readonly,
            preventCreate: this.props.readonly,
            canExpand: false,
            onRecordSaved: async (line) => {
                await this.equipment.load();
                if (!resId) {
                    this.tellApplied(line);
                }
            },
        });
    }

    tellApplied({ resId, data: { software_key_id: key } }) {
        tell(this, {
            message: _t("Applied: %s", key.display_name),
            licenseKeys: key.license_key && !licenseKeysHidden() ? [key.license_key] : [],
            undo: () => this.remove(resId),
        });
    }

    /** Ask, then remove; ends when the user has decided and the screen shows it. */
    removeSoftwareKey(line) {
        return new Promise((resolve) => {
            this.dialog.add(
                ConfirmationDialog,
                {
                    title: _t("Remove this software key?"),
                    body: wholeWords(
                        _t(
                            "%s goes back to the inventory, and the removal is written to the audit trail.",
                            line.data.software_key_id.display_name
                        )
                    ),
                    confirmLabel: _t("Remove"),
                    confirm: async () => {
                        if (await this.equipment.save()) {
                            await this.remove(line.resId);
                            this.tellRemoved(line);
                        }
                    },
                    cancel: () => {},
                },
                { onClose: resolve }
            );
        });
    }

    async remove(lineId) {
        await this.orm.unlink(this.list.resModel, [lineId]);
        await this.equipment.load();
    }

    tellRemoved({ resModel, data }) {
        const line = {
            equipment_id: this.equipment.resId,
            software_key_id: data.software_key_id.id,
            applied_date: serializeDate(data.applied_date),
            remarks: data.remarks,
        };
        tell(this, {
            message: _t("Removed: %s", data.software_key_id.display_name),
            undo: async () => {
                await this.orm.create(resModel, [line]);
                await this.equipment.load();
            },
        });
    }
}

registry.category("fields").add("equipment_features", {
    ...x2ManyField,
    component: EquipmentFeaturesField,
});
