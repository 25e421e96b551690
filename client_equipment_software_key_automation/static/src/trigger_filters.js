import { TRIGGER_FILTERS } from "@base_automation/utils";

// "State is set to" is offered for a field that is called status, too. The server takes
// that field in _get_trigger_specific_field; tests/test_rule_form.py would notice if
// Odoo's list went.
const isState = TRIGGER_FILTERS.on_state_set;
TRIGGER_FILTERS.on_state_set = (field) =>
    isState(field) || (field.ttype === "selection" && field.name === "status");
