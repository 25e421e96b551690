import { ActivityMenu } from "@mail/core/web/activity_menu";
import { patch } from "@web/core/utils/patch";

/** What has activities is shown as cards on a phone, where a list would be cut off. */
patch(ActivityMenu.prototype, {
    executeActivityAction(group, ...args) {
        const cards = this.env.isSmall && group.model.startsWith("client.equipment");
        return super.executeActivityAction(
            cards ? { ...group, view_type: "kanban" } : group,
            ...args
        );
    },
});
