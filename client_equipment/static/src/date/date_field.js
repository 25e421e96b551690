import {
    dateField,
    dateRangeField,
    dateTimeField,
    DateTimeField,
} from "@web/views/fields/datetime/datetime_field";
import { FIELD_WIDTHS } from "@web/views/list/column_width_hook";
import { registry } from "@web/core/registry";

import { useEffect } from "@odoo/owl";

/**
 * A date in the reader's own format, the year included, as errors and drop-downs write it;
 * and always the one that the record has.
 *
 * The effect can go once Odoo's own field shows a date that was typed after a save: its
 * picker (datetimepicker_service.js) runs onClose before the record has been updated, so
 * that the field takes the former date over, and never looks again. The tour typed_dates
 * types, saves and types again.
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
    }
}

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
        ours(dateField, () => FIELD_WIDTHS.numeric_date)
    )
    .add(
        "client_equipment_daterange",
        ours(dateRangeField, () => 2 * FIELD_WIDTHS.numeric_date + 30)
    )
    .add(
        "client_equipment_datetime",
        ours(dateTimeField, () => FIELD_WIDTHS.numeric_datetime)
    );
