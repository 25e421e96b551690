import { SearchModel } from "@web/search/search_model";

/**
 * The filter that a role's first screen opens with (named for_<role>) makes way as soon
 * as the user looks for something: who searches, filters or chooses a status means all
 * records. A phone, which hides what is filtered, opens without it.
 *
 * It rests on two private methods of Odoo's: _activateDefaultSearchItems, without which a
 * phone would open with the filter, and _notify, without which it would stay while the
 * user searches. The tours first_screen_… would tell.
 */
export class RoleFilterSearchModel extends SearchModel {
    _activateDefaultSearchItems() {
        super._activateDefaultSearchItems(...arguments);
        if (this.env.services.ui.isSmall || this.isLookingForSomething()) {
            this.forgetRoleFilter();
        }
    }

    _notify() {
        if (!this.blockNotification && this.isLookingForSomething()) {
            this.forgetRoleFilter();
        }
        return super._notify();
    }

    isRoleFilter({ searchItemId }) {
        return this.searchItems[searchItemId].name?.startsWith("for_");
    }

    forgetRoleFilter() {
        this.query = this.query.filter((item) => !this.isRoleFilter(item));
    }

    isLookingForSomething() {
        const categories = this.sections ? this.categories : []; // none yet while it loads
        const statusChosen = categories.some(
            ({ fieldName, activeValueId }) => fieldName === "status" && activeValueId
        );
        const isGroupBy = ({ searchItemId }) =>
            ["groupBy", "dateGroupBy"].includes(this.searchItems[searchItemId].type);
        return (
            statusChosen || this.query.some((item) => !isGroupBy(item) && !this.isRoleFilter(item))
        );
    }
}
