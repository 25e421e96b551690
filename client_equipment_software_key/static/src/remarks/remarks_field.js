import { charField } from "@web/views/fields/char/char_field";
import { registry } from "@web/core/registry";

/** Sentences: their column is wide enough for a long word, and for its heading. */
registry.category("fields").add("software_key_remarks", {
    ...charField,
    listViewWidth: [100],
});
