import { _t } from "@web/core/l10n/translation";
import { Component, onMounted, status, useState } from "@odoo/owl";
import { delay } from "@web/core/utils/concurrency";
import { Dialog } from "@web/core/dialog/dialog";
import { FormController } from "@web/views/form/form_controller";
import { formView } from "@web/views/form/form_view";
import { ProgressBar } from "../progress_bar/progress_bar";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";

// Fewer keys are entered before a progress bar could be read.
const MANY = 500;
const POLL_EVERY = 500; // ms

/** Shows how many of the license keys have been entered, and keeps the hands off (K11). */
export class BulkEntryProgress extends Component {
    static template = "client_equipment_software_key.BulkEntryProgress";
    static components = { Dialog, ProgressBar };
    static props = { close: Function, resModel: String, resId: Number, total: Number };

    setup() {
        this.orm = useService("orm");
        this.state = useState({ done: 0 });
        onMounted(() => this.watch());
    }

    get text() {
        return _t(
            "Entering license keys: %(done)s of %(total)s. None is stored before all of them are.",
            { done: this.state.done, total: this.props.total }
        );
    }

    async watch() {
        const { resModel, resId } = this.props;
        await delay(POLL_EVERY);
        while (status(this) !== "destroyed") {
            const [entry] = await this.orm.silent.read(resModel, [resId], ["entered_count"]);
            this.state.done = entry?.entered_count ?? this.state.done;
            await delay(POLL_EVERY);
        }
    }
}

export class BulkEntryFormController extends FormController {
    setup() {
        super.setup();
        this.dialog = useService("dialog");
    }

    async beforeExecuteActionButton(clickParams) {
        const proceed = await super.beforeExecuteActionButton(clickParams);
        const { data, resModel, resId } = this.model.root;
        if (proceed !== false && clickParams.name === "action_enter" && data.new_count > MANY) {
            this.closeProgress = this.dialog.add(BulkEntryProgress, {
                resModel,
                resId,
                total: data.new_count,
            });
        }
        return proceed;
    }

    async afterExecuteActionButton(clickParams) {
        this.closeProgress?.();
        return super.afterExecuteActionButton(clickParams);
    }
}

registry.category("views").add("software_key_bulk_entry", {
    ...formView,
    Controller: BulkEntryFormController,
});
