import { kanbanView } from "@web/views/kanban/kanban_view";
import { listView } from "@web/views/list/list_view";
import { registry } from "@web/core/registry";
import { RoleFilterSearchModel } from "./role_filter_search_model";
import { withScan } from "@client_equipment/scan/scan";

const views = registry.category("views");
views.add("software_key_kanban", withScan({ ...kanbanView, SearchModel: RoleFilterSearchModel }));
views.add("audit_log_kanban", { ...kanbanView, SearchModel: RoleFilterSearchModel });
views.add("audit_log_list", { ...listView, SearchModel: RoleFilterSearchModel });
