import { Component } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/** The table of a vendor's file: where its license keys stand, proposed and to choose (K11). */
export class VendorTableField extends Component {
    static template = "client_equipment_software_key.VendorTableField";
    static props = { ...standardFieldProps };

    get table() {
        return this.props.record.data[this.props.name];
    }

    /** Sheet, row of the headings, column; also while the server still thinks about it. */
    get choice() {
        return this.chosen || this.table.choice;
    }

    get sheet() {
        return this.choice[0];
    }

    get heading() {
        return this.choice[1];
    }

    get column() {
        return this.choice[2];
    }

    async choose(...choice) {
        this.chosen = choice;
        await this.props.record.update({ choice });
        if (this.chosen === choice) {
            this.chosen = null;
        }
    }

    chooseSheet(ev) {
        return this.choose(Number(ev.target.value), null, null);
    }

    chooseHeading(ev) {
        return this.choose(this.sheet, Number(ev.target.value), this.column);
    }

    chooseColumn(column) {
        return this.choose(this.sheet, this.heading, column);
    }
}

registry.category("fields").add("vendor_table", {
    component: VendorTableField,
    supportedTypes: ["json"],
});
