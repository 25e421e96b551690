import { _t } from "@web/core/l10n/translation";
import { FormController } from "@web/views/form/form_controller";
import { formView } from "@web/views/form/form_view";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";

/** Entering thousands of keys takes a while: say so, and keep the hands off. */
export class BulkEntryFormController extends FormController {
    setup() {
        super.setup();
        this.ui = useService("ui");
    }

    async beforeExecuteActionButton(clickParams) {
        const proceed = await super.beforeExecuteActionButton(clickParams);
        if (proceed !== false && clickParams.name === "action_enter") {
            this.ui.block({
                message: _t("Entering %s license keys…", this.model.root.data.new_count),
                delay: 300,
            });
            this.isBlocked = true;
        }
        return proceed;
    }

    async afterExecuteActionButton(clickParams) {
        if (this.isBlocked) {
            this.isBlocked = false;
            this.ui.unblock();
        }
        return super.afterExecuteActionButton(clickParams);
    }
}

registry.category("views").add("software_key_bulk_entry", {
    ...formView,
    Controller: BulkEntryFormController,
});
