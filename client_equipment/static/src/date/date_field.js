import {
    dateField,
    dateRangeField,
    dateTimeField,
    DateTimeField,
} from "@web/views/fields/datetime/datetime_field";
import { FIELD_WIDTHS } from "@web/views/list/column_width_hook";
import { registry } from "@web/core/registry";

import { useEffect, useRef } from "@odoo/owl";

/**
 * A date in the reader's own format, the year included, as errors and drop-downs write it;
 * always the one that the record has; and one that lets the cursor go.
 *
 * The first effect can go once Odoo's own field shows a date that was typed after a save: its
 * picker (datetimepicker_service.js) runs onClose before the record has been updated, so
 * that the field takes the former date over, and never looks again. The tour typed_dates
 * types, saves and types again.
 *
 * The second can go once Odoo's own field leaves the cursor where the user has put it: when
 * a date gets the focus, Odoo opens its picker a moment later, and calls the focus back for
 * it, also from the next field. The tours keyboard_apply_line and keyboard_enter_many hurry
 * over a date, and over an empty one.
 */
export class EquipmentDateField extends DateTimeField {
    setup() {
        super.setup();
        useEffect(
            () => {
                this.state.value = this.getRecordValue();
            },
            () => [JSON.stringify(this.getRecordValue())]
        );
        const root = useRef("root");
        useEffect(
            (el) => {
                el.addEventListener("focusout", this.letGo);
                return () => el.removeEventListener("focusout", this.letGo);
            },
            () => [root.el]
        );
        useEffect(
            (opened) => {
                this.opened = opened;
            },
            () => [this.picker.activeInput]
        );
    }

    /** What tells morning from afternoon is never alone in a line. */
    getFormattedValue() {
        return super.getFormattedValue(...arguments).replace(/ (?=[AP]M$)/i, "\u00a0");
    }

    /** Whoever goes on before the picker is open does not want it. */
    letGo = ({ relatedTarget }) => {
        if (relatedTarget && this.picker.activeInput !== this.opened) {
            this.picker.activeInput = "";
        }
    };
}

// How much longer than a date the longest word of its heading may be.
const HEADING = 30;

/** What Odoo's field is, with our component; the format is the component's. */
function ours(field, listViewWidth) {
    return {
        ...field,
        component: EquipmentDateField,
        listViewWidth,
        extractProps: (...args) => ({ ...field.extractProps(...args), numeric: true }),
    };
}

registry
    .category("fields")
    .add(
        "client_equipment_date",
        ours(dateField, () => [FIELD_WIDTHS.numeric_date, FIELD_WIDTHS.numeric_date + HEADING])
    )
    .add(
        "client_equipment_daterange",
        ours(dateRangeField, () => 2 * FIELD_WIDTHS.numeric_date + 30)
    )
    .add(
        "client_equipment_datetime",
        ours(dateTimeField, () => {
            const { numeric_date: day, numeric_datetime: whole } = FIELD_WIDTHS;
            // Where room is scarce, the time stands below the day.
            return [Math.max(day, whole - day), whole];
        })
    );
