import { patch } from "@web/core/utils/patch";
import { X2ManyField } from "@web/views/fields/x2many/x2many_field";

/**
 * The dialog of one line says what it is, as the server tells it (see the mixin's _dress),
 * where Odoo's would say "Open:" and the name of all lines together.
 */
patch(X2ManyField.prototype, {
    setup() {
        super.setup();
        const title = this.archInfo.xmlDoc?.getAttribute("line-title");
        const openRecord = this._openRecord;
        this._openRecord = (params) =>
            openRecord(params.record && title ? { title, ...params } : params);
    },
});
