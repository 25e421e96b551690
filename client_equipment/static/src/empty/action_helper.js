import { _t } from "@web/core/l10n/translation";
import { ActionHelper } from "@web/views/action_helper";
import { patch } from "@web/core/utils/patch";

/**
 * Where a filter hides all records, an empty view of these addons says so and offers to
 * remove it; without one it says how the first record comes to be, as everywhere.
 */
patch(ActionHelper.prototype, {
    get isFiltered() {
        const { searchModel } = this.env;
        return (
            searchModel?.resModel?.startsWith("client.equipment") &&
            (searchModel.facets.some(({ type }) => type !== "groupBy") ||
                this.chosenInPanel.length > 0)
        );
    },

    get chosenInPanel() {
        const { sections, categories } = this.env.searchModel;
        return sections ? categories.filter(({ activeValueId }) => activeValueId) : [];
    },

    get showDefaultHelper() {
        return this.isFiltered || super.showDefaultHelper;
    },

    get title() {
        return this.isFiltered ? _t("Nothing is found") : super.title;
    },

    get description() {
        return this.isFiltered
            ? _t("Nothing matches what stands in the search bar.")
            : super.description;
    },

    removeFilters() {
        const { searchModel } = this.env;
        this.chosenInPanel.forEach(({ id }) => searchModel.toggleCategoryValue(id, false));
        searchModel.clearFilters();
    },
});
