import {TRIGGER_FILTERS} from "@base_automation/utils";

// "State is set to" is offered for what is called status, too (as the server takes it).
const isState = TRIGGER_FILTERS.on_state_set;
TRIGGER_FILTERS.on_state_set = (field) =>
    isState(field) || (field.ttype === "selection" && field.name === "status");
