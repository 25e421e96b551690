import { Component } from "@odoo/owl";

/** How much of some long work is done. */
export class ProgressBar extends Component {
    static template = "client_equipment_software_key.ProgressBar";
    static props = {
        done: Number,
        total: Number,
        tone: { type: String, optional: true },
    };

    get percent() {
        const { done, total } = this.props;
        return total ? Math.min(100, Math.floor((100 * done) / total)) : 100;
    }
}
