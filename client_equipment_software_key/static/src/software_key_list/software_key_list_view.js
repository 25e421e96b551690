import { deleteKeys } from "../software_key_form/software_key_form_view";
import { ListController } from "@web/views/list/list_controller";
import { ListRenderer } from "@web/views/list/list_renderer";
import { listView } from "@web/views/list/list_view";
import { onMounted, useExternalListener, useState } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { RoleFilterSearchModel } from "../role_filter/role_filter_search_model";
import { SearchPanel } from "@web/search/search_panel/search_panel";
import { useService } from "@web/core/utils/hooks";
import { withScan } from "@client_equipment/scan/scan";

/** The list of keys tells managers when the expiration job is overdue (S6). */
export class SoftwareKeyListRenderer extends ListRenderer {
    static template = "client_equipment_software_key.SoftwareKeyListRenderer";

    setup() {
        super.setup();
        this.orm = useService("orm");
        this.jobHealth = useState({});
        // Beside the list, which waits for nothing, and for those who can write.
        onMounted(() => this.props.archInfo.activeActions.edit && this.loadJobHealth());
    }

    async loadJobHealth() {
        const health = await this.orm.call("client.equipment.software.key", "get_job_health", []);
        Object.assign(this.jobHealth, health);
    }
}

export class SoftwareKeyListController extends ListController {
    async onDeleteSelectedRecords() {
        const resIds = await this.model.root.getResIds(true);
        await deleteKeys(this.env.services.action, resIds, () => this.model.load());
    }
}

/**
 * Beside eight columns there is room for it in a wide window only; else it is folded. It
 * asks Odoo's own keyExpandSidebar whether the user has chosen already; without that it
 * would be folded anew at each opening, which the tour software_key_search_panel would tell.
 */
export class SoftwareKeyListSearchPanel extends SearchPanel {
    setup() {
        super.setup();
        this.fold();
        useExternalListener(window, "resize", this.fold);
    }

    fold() {
        if (!localStorage.getItem(this.keyExpandSidebar)) {
            this.state.sidebarExpanded = window.innerWidth >= 1500;
        }
    }
}

registry.category("views").add(
    "software_key_list",
    withScan({
        ...listView,
        Controller: SoftwareKeyListController,
        Renderer: SoftwareKeyListRenderer,
        SearchModel: RoleFilterSearchModel,
        SearchPanel: SoftwareKeyListSearchPanel,
    })
);
