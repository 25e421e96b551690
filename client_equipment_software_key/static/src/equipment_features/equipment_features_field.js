import { _t } from "@web/core/l10n/translation";
import { ConfirmationDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { ListRenderer } from "@web/views/list/list_renderer";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { X2ManyField, x2ManyField } from "@web/views/fields/x2many/x2many_field";

/** Removing a saved line takes effect at once, after a confirmation (A7). */
export class EquipmentFeaturesListRenderer extends ListRenderer {
    setup() {
        super.setup();
        this.dialog = useService("dialog");
        this.orm = useService("orm");
    }

    async onDeleteRecord(record) {
        if (!record.resId) {
            return super.onDeleteRecord(record);
        }
        const equipment = this.props.list.model.root;
        this.dialog.add(ConfirmationDialog, {
            title: _t("Remove this software key?"),
            body: _t(
                "%s goes back to the inventory, and the removal is written to the audit trail.",
                record.data.software_key_id.display_name
            ),
            confirmLabel: _t("Remove"),
            confirm: async () => {
                if (await equipment.save()) {
                    await this.orm.unlink(record.resModel, [record.resId]);
                    await equipment.load();
                }
            },
            cancel: () => {},
        });
    }
}

export class EquipmentFeaturesField extends X2ManyField {
    static components = {
        ...X2ManyField.components,
        ListRenderer: EquipmentFeaturesListRenderer,
    };
}

registry.category("fields").add("equipment_features", {
    ...x2ManyField,
    component: EquipmentFeaturesField,
});
