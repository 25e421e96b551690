import { ListRenderer } from "@web/views/list/list_renderer";
import { listView } from "@web/views/list/list_view";
import { onWillStart } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { RoleFilterSearchModel } from "../role_filter/role_filter_search_model";
import { SearchPanel } from "@web/search/search_panel/search_panel";
import { useService } from "@web/core/utils/hooks";

/** The list of keys tells managers when the expiration job is overdue (S6). */
export class SoftwareKeyListRenderer extends ListRenderer {
    static template = "client_equipment_software_key.SoftwareKeyListRenderer";

    setup() {
        super.setup();
        const orm = useService("orm");
        onWillStart(async () => {
            this.jobHealth = await orm.call("client.equipment.software.key", "get_job_health", []);
        });
    }
}

/** Beside eight columns there is room for it on a wide screen only; else it is folded at first. */
export class SoftwareKeyListSearchPanel extends SearchPanel {
    setup() {
        super.setup();
        if (!this.hasImportedState && !localStorage.getItem(this.keyExpandSidebar)) {
            this.state.sidebarExpanded = window.innerWidth >= 1500;
        }
    }
}

registry.category("views").add("software_key_list", {
    ...listView,
    Renderer: SoftwareKeyListRenderer,
    SearchModel: RoleFilterSearchModel,
    SearchPanel: SoftwareKeyListSearchPanel,
});
