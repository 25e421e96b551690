import { _t } from "@web/core/l10n/translation";
import { Component, onWillUnmount, useState } from "@odoo/owl";
import { ProgressBar } from "../progress_bar/progress_bar";
import { deserializeDateTime, formatDateTime } from "@web/core/l10n/dates";
import { registry } from "@web/core/registry";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";
import { useAutofocus, useService } from "@web/core/utils/hooks";

/**
 * Says in words what has happened to the trail since somebody kept a checkpoint (L8);
 * portion by portion, so that the user sees how far it is and no request takes long.
 */
export class VerifyCheckpoint extends Component {
    static template = "client_equipment_software_key.VerifyCheckpoint";
    static components = { ProgressBar };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.state = useState({ text: "", busy: false, progress: 0, found: null });
        onWillUnmount(() => (this.closed = true));
        useAutofocus({ refName: "text" });
    }

    get since() {
        const { until } = this.state.found;
        return until && formatDateTime(deserializeDateTime(until));
    }

    get intact() {
        return _t(
            "Intact: the %(size)s entries from before %(until)s are as they were. None was changed, removed or added.",
            { size: this.state.found.size, until: this.since }
        );
    }

    get compare() {
        return _t(
            "By the list of checkpoints here, this one was made for %s. If you have kept it since before that, the list was altered.",
            this.since
        );
    }

    /** What was found is about the lines that were there then. */
    onInput() {
        this.state.found = null;
    }

    async verify() {
        const { text } = this.state;
        Object.assign(this.state, { busy: true, progress: 0, found: null });
        let step = { state: "" };
        try {
            do {
                step = await this.orm.call("client.equipment.audit.checkpoint", "verify_next", [
                    text,
                    step.state,
                ]);
                this.state.progress = step.progress;
            } while (!step.found && !this.closed);
            this.state.found = step.found;
        } finally {
            this.state.busy = false;
        }
    }
}

registry.category("actions").add("verify_checkpoint", VerifyCheckpoint);
