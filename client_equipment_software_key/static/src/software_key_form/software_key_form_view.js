import { FormController } from "@web/views/form/form_controller";
import { formView } from "@web/views/form/form_view";
import { registry } from "@web/core/registry";

/** Ask for the reason instead of Odoo's plain question (K10). */
export function deleteKeys(action, resIds, onDeleted) {
    return action.doAction(
        "client_equipment_software_key.client_equipment_software_key_deletion_action",
        {
            additionalContext: {
                active_model: "client.equipment.software.key",
                active_ids: resIds,
            },
            onClose: (infos) => infos?.deleted && onDeleted(),
        }
    );
}

/** Duplicate opens a new, unsaved key that waits for its license key (K4). */
export class SoftwareKeyFormController extends FormController {
    async duplicateRecord() {
        const root = this.model.root;
        if (!(await root.save())) {
            return;
        }
        const { context } = await this.orm.call(root.resModel, "action_duplicate", [[root.resId]]);
        this.ownContext = this.model.config.context;
        await this.model.load({ resId: false, context: { ...this.ownContext, ...context } });
    }

    async deleteRecord() {
        await deleteKeys(this.env.services.action, [this.model.root.resId], () =>
            this.env.config.historyBack()
        );
    }

    async create() {
        if (!(await this.model.root.isDirty())) {
            this.forgetDuplicated();
        }
        return super.create();
    }

    async onRecordSaved(record, changes) {
        this.forgetDuplicated();
        return super.onRecordSaved(record, changes);
    }

    /** The values of the duplicated key are for one new key, not for those after it. */
    forgetDuplicated() {
        if (this.ownContext) {
            this.model.config.context = this.ownContext;
            this.ownContext = null;
        }
    }
}

registry.category("views").add("software_key_form", {
    ...formView,
    Controller: SoftwareKeyFormController,
});
