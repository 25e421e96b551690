import { CalendarModel } from "@web/views/calendar/calendar_model";
import { calendarView } from "@web/views/calendar/calendar_view";
import { deserializeDate, serializeDate } from "@web/core/l10n/dates";
import { Domain } from "@web/core/domain";
import { registry } from "@web/core/registry";

const { DateTime } = luxon;

/** Opens where something is to be seen: on the month of the next end. */
export class NextEndCalendarModel extends CalendarModel {
    async load(params = {}) {
        if (!this.meta.date && !params.date) {
            params = { ...params, date: await this.findNextEnd(params.domain) };
        }
        return super.load(params);
    }

    /** Return the next of the dates that the calendar shows, today where there is none. */
    async findNextEnd(domain = []) {
        const { date_start: end } = this.meta.fieldMapping;
        const today = DateTime.now().startOf("day");
        const [next] = await this.orm.searchRead(
            this.resModel,
            Domain.and([domain, [[end, ">=", serializeDate(today)]]]).toList(),
            [end],
            { order: end, limit: 1 }
        );
        return next ? deserializeDate(next[end]) : today;
    }
}

registry
    .category("views")
    .add("software_key_calendar", { ...calendarView, Model: NextEndCalendarModel });
