import { hasTouch } from "@web/core/browser/feature_detection";
import { isBarcodeScannerSupported } from "@web/core/barcode/barcode_video_scanner";
import { kanbanView } from "@web/views/kanban/kanban_view";
import { listView } from "@web/views/list/list_view";
import { registry } from "@web/core/registry";
import { scanBarcode } from "@web/core/barcode/barcode_dialog";
import { SearchBarToggler } from "@web/search/search_bar/search_bar_toggler";
import { useService } from "@web/core/utils/hooks";

/**
 * Beside the magnifier, what the camera reads is searched as if it had been typed; the
 * only record that is found opens.
 */
export class ScanToggler extends SearchBarToggler {
    static template = "client_equipment.ScanToggler";

    setup() {
        this.action = useService("action");
        this.orm = useService("orm");
        this.canScan = hasTouch() && isBarcodeScannerSupported();
    }

    async scan() {
        const code = (await scanBarcode(this.env)).trim();
        const { searchModel } = this.env;
        searchModel.clearFilters(); // who holds it in his hand means all records
        const [{ id }] = searchModel.getSearchItems(({ type }) => type === "field");
        searchModel.addAutoCompletionValues(id, { label: code, operator: "ilike", value: code });
        const found = await this.orm.search(searchModel.resModel, searchModel.domain, { limit: 2 });
        if (found.length === 1 && !this.env.inDialog) {
            await this.action.switchView("form", { resId: found[0], resIds: found });
        }
    }
}

/** Return the view with a scanner beside its search bar. */
export function withScan(view) {
    return {
        ...view,
        Controller: class extends view.Controller {
            setup() {
                super.setup();
                this.searchBarToggler.component = ScanToggler;
            }
        },
    };
}

const views = registry.category("views");
views.add("client_equipment_list", withScan(listView));
views.add("client_equipment_kanban", withScan(kanbanView));
