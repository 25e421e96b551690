import { Component, onMounted, status } from "@odoo/owl";
import { ProgressBar } from "../progress_bar/progress_bar";
import { delay } from "@web/core/utils/concurrency";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";
import { useService } from "@web/core/utils/hooks";

const POLL_EVERY = 1000; // ms
const UNFINISHED = ["waiting", "making"];

/** How far the job is with an evidence pack; shows the files as soon as they are there. */
export class EvidenceProgressField extends Component {
    static template = "client_equipment_software_key.EvidenceProgressField";
    static components = { ProgressBar };
    static props = { ...standardFieldProps };

    setup() {
        this.orm = useService("orm");
        onMounted(() => this.watch());
    }

    async watch() {
        const { record } = this.props;
        await delay(POLL_EVERY);
        while (status(this) !== "destroyed") {
            if (record.resId && UNFINISHED.includes(record.data.state)) {
                const fields = ["state", "progress"];
                const [now] = await this.orm.silent.read(record.resModel, [record.resId], fields);
                if (!now || status(this) === "destroyed") {
                    return;
                }
                if (now.state !== record.data.state || now.progress !== record.data.progress) {
                    await record.load();
                }
            }
            await delay(POLL_EVERY);
        }
    }
}

registry.category("fields").add("evidence_progress", { component: EvidenceProgressField });
