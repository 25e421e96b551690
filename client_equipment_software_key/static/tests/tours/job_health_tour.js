import { registry } from "@web/core/registry";

registry.category("web_tour.tours").add("job_overdue_banner", {
    steps: () => [
        {
            content: "The banner says that the job is overdue",
            trigger: ".o_list_view .o_software_key_job_overdue:contains('is overdue')",
        },
        {
            content: "The keys are listed below it",
            trigger: ".o_data_row:contains('BANNER-1')",
        },
    ],
});

registry.category("web_tour.tours").add("job_on_time", {
    steps: () => [
        {
            content: "The keys are listed without a banner",
            trigger:
                ".o_list_view:not(:has(.o_software_key_job_overdue)) .o_data_row:contains('BANNER-1')",
        },
    ],
});
