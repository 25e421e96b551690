import { _t } from "@web/core/l10n/translation";
import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";
import { wholeWords } from "../license_key/whole_words";

// Long enough to read a license key, and to want it back.
const DELAY = 12000; // ms

/**
 * Say what was done, with the license keys to copy and, where an ordinary step takes it
 * back, *Undo*.
 *
 * @param {Object} services of the web client
 * @param {Object} told
 * @param {string} told.message what was done
 * @param {string[]} [told.licenseKeys] the license keys that somebody needs now
 * @param {Function} [told.undo] takes it back
 */
export function tell({ notification }, { message, licenseKeys = [], undo }) {
    const buttons = [];
    if (licenseKeys.length && browser.navigator.clipboard) {
        buttons.push({
            name: _t("Copy"),
            icon: "fa-clipboard",
            onClick: async () => {
                await browser.navigator.clipboard.writeText(licenseKeys.join("\n"));
                notification.add(_t("Copied"), { type: "info" });
            },
        });
    }
    let close = null;
    if (undo) {
        buttons.push({
            name: _t("Undo"),
            icon: "fa-undo",
            onClick: async () => {
                close();
                await undo();
            },
        });
    }
    close = notification.add(wholeWords(message), {
        type: "success",
        className: "o_software_key_told",
        autocloseDelay: DELAY,
        buttons,
    });
}

/** What the server did: see ``_told`` of the mixin. */
registry.category("actions").add("client_equipment_told", ({ services }, { params }) => {
    const { message, license_keys: licenseKeys, undo, next } = params;
    tell(services, {
        message,
        licenseKeys,
        undo:
            undo &&
            (async () => {
                await services.orm.call(undo.model, undo.method, undo.args);
                await services.action.doAction("soft_reload");
            }),
    });
    return next;
});
