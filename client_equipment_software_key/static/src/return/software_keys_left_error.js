import { RedirectWarningDialog } from "@web/core/errors/error_dialogs";
import { registry } from "@web/core/registry";

registry
    .category("error_dialogs")
    .add(
        "odoo.addons.client_equipment_software_key.models.client_equipment.SoftwareKeysLeftError",
        RedirectWarningDialog
    );
