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

    get sheet() {
        return this.table.choice[0];
    }

    get heading() {
        return this.table.choice[1];
    }

    get column() {
        return this.table.choice[2];
    }

    choose(sheet, heading, column) {
        return this.props.record.update({ choice: [sheet, heading, column] });
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
