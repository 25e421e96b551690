import { FormController } from "@web/views/form/form_controller";
import { formView } from "@web/views/form/form_view";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";

/** Duplicate opens a new, unsaved key that waits for its license key (K4). */
export class SoftwareKeyFormController extends FormController {
    setup() {
        super.setup();
        this.actionService = useService("action");
    }

    async duplicateRecord() {
        const root = this.model.root;
        if (!(await root.save())) {
            return;
        }
        const action = await this.orm.call(root.resModel, "action_duplicate", [[root.resId]]);
        await this.actionService.doAction(action, {
            stackPosition: "replaceCurrentAction",
        });
    }
}

registry.category("views").add("software_key_form", {
    ...formView,
    Controller: SoftwareKeyFormController,
});
