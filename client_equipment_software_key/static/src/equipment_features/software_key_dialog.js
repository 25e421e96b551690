import { FormViewDialog } from "@web/views/view_dialogs/form_view_dialog";

/** One key on one equipment: *Apply* applies it, at once (A15). */
export class SoftwareKeyDialog extends FormViewDialog {
    setup() {
        super.setup();
        if (!this.props.resId) {
            this.viewProps.buttonTemplate = "client_equipment_software_key.ApplyButtons";
        }
    }
}
