import { _t } from "@web/core/l10n/translation";
import { FormController } from "@web/views/form/form_controller";
import { formView } from "@web/views/form/form_view";
import { registry } from "@web/core/registry";

/** What becomes of the audit trail, beside what Odoo asks. */
export function askBeforeDeleting() {
    return {
        title: _t("Delete with the audit trail?"),
        body: _t(
            "The audit trail of a deleted software key is deleted with it. Revoke the key instead where its history is to be kept."
        ),
        confirmLabel: _t("Delete"),
        cancelLabel: _t("Keep"),
    };
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

    get deleteConfirmationDialogProps() {
        return { ...super.deleteConfirmationDialogProps, ...askBeforeDeleting() };
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
