import { _t } from "@web/core/l10n/translation";
import { Component, onMounted, onWillStart, onWillUnmount, useState } from "@odoo/owl";
import { ProgressBar } from "../progress_bar/progress_bar";
import { registry } from "@web/core/registry";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";
import { useService } from "@web/core/utils/hooks";

const BATCH = 2000;
const MODEL = "client.equipment.software.key";

/**
 * Verifies the audit trails of the keys in params.key_ids, or of all keys, batch by
 * batch, so that the user sees how far it is and no request takes long (L5).
 */
export class VerifyAuditTrail extends Component {
    static template = "client_equipment_software_key.VerifyAuditTrail";
    static components = { ProgressBar };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.keyIds = this.props.action.params?.key_ids;
        this.state = useState({ done: 0, total: 0, findings: [], finished: false });
        onWillStart(async () => {
            this.state.total = this.keyIds
                ? this.keyIds.length
                : await this.orm.searchCount(MODEL, []);
        });
        onMounted(() => this.verify());
        onWillUnmount(() => (this.closed = true));
    }

    get tone() {
        const { findings, finished } = this.state;
        return findings.length ? "bg-danger" : finished ? "bg-success" : "";
    }

    get progress() {
        const { done, total } = this.state;
        return _t("Software keys verified: %(done)s of %(total)s …", { done, total });
    }

    get intact() {
        return _t(
            "Intact: nobody has altered, removed or inserted an entry. Software keys verified: %s",
            this.state.done
        );
    }

    get broken() {
        return _t(
            "Not intact: somebody has changed data behind the system's back. Broken audit trails: %(broken)s of %(total)s",
            { broken: this.state.findings.length, total: this.state.done }
        );
    }

    get listed() {
        return _t("The first %s are listed.", this.shownFindings.length);
    }

    /** Findings beyond these would only make the page slow: one is bad enough. */
    get shownFindings() {
        return this.state.findings.slice(0, 200);
    }

    async nextBatch(lastId) {
        if (!this.keyIds) {
            return this.orm.call(MODEL, "verify_next_audit_trails", [lastId, BATCH]);
        }
        const ids = this.keyIds.slice(this.state.done, this.state.done + BATCH);
        const findings = ids.length ? await this.orm.call(MODEL, "verify_audit_trail", [ids]) : [];
        return { count: ids.length, findings };
    }

    async verify() {
        let batch = {};
        do {
            batch = await this.nextBatch(batch.last_id || 0);
            this.state.done += batch.count;
            this.state.findings.push(...(batch.findings || []));
        } while (batch.count && !this.closed);
        if (!this.closed) {
            await this.finish();
        }
    }

    finish() {
        this.state.finished = true;
    }

    open(finding) {
        const [resModel, resId] = finding.audit_log_id
            ? ["client.equipment.audit.log", finding.audit_log_id]
            : [MODEL, finding.software_key_id];
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: resModel,
            res_id: resId,
            views: [[false, "form"]],
        });
    }
}

/** Checks all keys in the same way, then tells how many need attention (S7). */
export class CheckConsistency extends VerifyAuditTrail {
    static template = "client_equipment_software_key.CheckConsistency";

    setup() {
        super.setup();
        Object.assign(this.state, { found: 0, missing: [] });
    }

    get tone() {
        return this.state.found || this.state.missing.length ? "bg-danger" : super.tone;
    }

    get progress() {
        const { done, total } = this.state;
        return _t("Software keys checked: %(done)s of %(total)s …", { done, total });
    }

    get broken() {
        return _t("Software keys that need attention: %s", this.state.found);
    }

    nextBatch(lastId) {
        return this.orm.call(MODEL, "check_next_consistency", [lastId, BATCH]);
    }

    async finish() {
        this.state.found = await this.orm.searchCount(MODEL, [["needs_attention", "=", true]]);
        this.state.missing = await this.orm.call(MODEL, "get_missing_guarantees", []);
        super.finish();
    }

    async showFound() {
        return this.action.doAction(await this.orm.call(MODEL, "action_view_needs_attention", []));
    }
}

registry.category("actions").add("verify_audit_trail", VerifyAuditTrail);
registry.category("actions").add("check_consistency", CheckConsistency);
