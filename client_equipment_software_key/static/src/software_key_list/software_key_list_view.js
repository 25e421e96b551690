import { ListRenderer } from "@web/views/list/list_renderer";
import { listView } from "@web/views/list/list_view";
import { onWillStart } from "@odoo/owl";
import { registry } from "@web/core/registry";
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

registry.category("views").add("software_key_list", {
    ...listView,
    Renderer: SoftwareKeyListRenderer,
});
