import { _t } from "@web/core/l10n/translation";
import { ConfirmationDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { X2ManyField, x2ManyField } from "@web/views/fields/x2many/x2many_field";

import { onWillUpdateProps } from "@odoo/owl";

/** Removing a saved line takes effect at once, after a confirmation (A7). */
export class EquipmentFeaturesField extends X2ManyField {
    setup() {
        super.setup();
        this.dialog = useService("dialog");
        this.orm = useService("orm");
        const deleteLine = this.activeActions.onDelete;
        const askFirst = () => {
            if (this.activeActions.onDelete) {
                this.activeActions.onDelete = (line) =>
                    line.resId ? this.removeSoftwareKey(line) : deleteLine(line);
            }
        };
        askFirst();
        onWillUpdateProps(askFirst);
    }

    /** The trash icon on a card (small screens) does what the one on a row does. */
    get rendererProps() {
        const props = super.rendererProps;
        if (this.props.viewMode === "kanban") {
            props.deleteRecord = (line) => this.activeActions.onDelete?.(line);
        }
        return props;
    }

    /** Ask, then remove; ends when the user has decided and the screen shows it. */
    removeSoftwareKey(line) {
        const equipment = this.props.record;
        return new Promise((resolve) => {
            this.dialog.add(
                ConfirmationDialog,
                {
                    title: _t("Remove this software key?"),
                    body: _t(
                        "%s goes back to the inventory, and the removal is written to the audit trail.",
                        line.data.software_key_id.display_name
                    ),
                    confirmLabel: _t("Remove"),
                    confirm: async () => {
                        if (await equipment.save()) {
                            await this.orm.unlink(line.resModel, [line.resId]);
                            await equipment.load();
                        }
                    },
                    cancel: () => {},
                },
                { onClose: resolve }
            );
        });
    }
}

registry.category("fields").add("equipment_features", {
    ...x2ManyField,
    component: EquipmentFeaturesField,
});
