import { _t } from "@web/core/l10n/translation";
import { Component, onWillStart, useState } from "@odoo/owl";
import { deserializeDateTime, formatDateTime } from "@web/core/l10n/dates";
import { Layout } from "@web/search/layout";
import { registry } from "@web/core/registry";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";
import { useService } from "@web/core/utils/hooks";

const ADDON = "client_equipment_software_key";

/** What there is to do today, and how the audit trails stand. */
export class Overview extends Component {
    static template = "client_equipment_software_key.Overview";
    static components = { Layout };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.display = { controlPanel: {} };
        this.state = useState({ manages: false, tasks: [], verification: false });
        onWillStart(() => this.load());
    }

    async load() {
        Object.assign(
            this.state,
            await this.orm.call("client.equipment.software.key", "get_overview", [])
        );
    }

    get isIntact() {
        return this.state.verification && !this.state.verification.broken_count;
    }

    get verified() {
        const { verification } = this.state;
        if (!verification) {
            return _t("Nobody has verified the audit trails yet.");
        }
        const facts = {
            date: formatDateTime(deserializeDateTime(verification.date), { showSeconds: false }),
            user: verification.user,
            keys: verification.key_count,
            broken: verification.broken_count,
        };
        return this.isIntact
            ? _t("Verified on %(date)s by %(user)s: intact. Software keys: %(keys)s", facts)
            : _t(
                  "Verified on %(date)s by %(user)s: %(broken)s broken. Software keys: %(keys)s",
                  facts
              );
    }

    open({ action, filter }) {
        return this.action.doAction(action, {
            additionalContext: {
                // Odoo joins it to the action's own: the filter of the role makes way.
                search_default_for_technician: 0,
                search_default_for_manager: 0,
                ...(filter && { [`search_default_${filter}`]: 1 }),
            },
        });
    }

    openAction(name) {
        return this.action.doAction(`${ADDON}.${name}`, { onClose: () => this.load() });
    }
}

registry.category("actions").add("client_equipment_overview", Overview);
