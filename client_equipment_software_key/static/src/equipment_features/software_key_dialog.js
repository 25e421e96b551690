import { FormController } from "@web/views/form/form_controller";
import { formView } from "@web/views/form/form_view";
import { FormViewDialog } from "@web/views/view_dialogs/form_view_dialog";
import { registry } from "@web/core/registry";

/** One key on one equipment: *Apply* applies it, at once (A15). */
export class SoftwareKeyDialog extends FormViewDialog {
    setup() {
        super.setup();
        if (!this.props.resId) {
            this.viewProps.buttonTemplate = "client_equipment_software_key.ApplyButtons";
        }
    }
}

/** Nothing but *Apply* applies: Odoo's own form saves itself when the page is left. */
export class EquipmentFeatureFormController extends FormController {
    async beforeUnload(ev) {
        if (!this.env.inDialog || !this.model.root.isNew) {
            await super.beforeUnload(ev);
        }
    }
}

registry.category("views").add("equipment_feature_form", {
    ...formView,
    Controller: EquipmentFeatureFormController,
});
