import { registry } from "@web/core/registry";
import { StatusBarField, statusBarField } from "@web/views/fields/statusbar/statusbar_field";

/** A status that goes back where the server refuses another one. Odoo's own goes on showing
 * what is not stored, and with it what can be done to such a unit. */
export class EquipmentStatusField extends StatusBarField {
    async selectItem() {
        const { name, record } = this.props;
        const status = record.data[name];
        const wasDirty = await record.isDirty();
        try {
            await super.selectItem(...arguments);
        } catch (error) {
            await (wasDirty ? record.update({ [name]: status }) : record.discard());
            throw error;
        }
    }
}

registry
    .category("fields")
    .add("client_equipment_status", { ...statusBarField, component: EquipmentStatusField });
