import { _t } from "@web/core/l10n/translation";
import { browser } from "@web/core/browser/browser";
import { Component } from "@odoo/owl";
import { CopyButton } from "@web/core/copy_button/copy_button";
import { Dialog } from "@web/core/dialog/dialog";
import { useService } from "@web/core/utils/hooks";

/** Copies with one tap, and says so; also where the page is not served encrypted. */
export class CopyLicenseKey extends CopyButton {
    static template = "client_equipment_software_key.CopyLicenseKey";

    get label() {
        return _t("Copy %s", this.props.content);
    }

    /** Enter copies, also in a list, where it would open the row. */
    onKeydown(ev) {
        if (ev.key === "Enter") {
            ev.stopPropagation();
        }
    }

    async onClick() {
        // Browsers have no clipboard where the page comes without HTTPS.
        if (browser.navigator.clipboard) {
            return super.onClick();
        }
        this.copySelected();
        this.showTooltip();
    }

    copySelected() {
        const area = document.createElement("textarea");
        area.value = this.props.content;
        this.button.el.after(area);
        area.select();
        document.execCommand("copy");
        area.remove();
    }
}

/** A license key for the camera of the machine beside. */
export class LicenseKeyQrCode extends Component {
    static template = "client_equipment_software_key.LicenseKeyQrCode";
    static components = { Dialog };
    static props = { close: Function, image: String, value: String };
}

/** A license key: always whole, in monospace, with one tap to copy (A15). */
export class LicenseKey extends Component {
    static template = "client_equipment_software_key.LicenseKey";
    static components = { CopyLicenseKey };
    static props = {
        value: String,
        keyId: { type: Number, optional: true }, // with a QR code
    };

    setup() {
        this.copied = _t("Copied");
        this.dialog = useService("dialog");
        this.orm = useService("orm");
    }

    async showQrCode() {
        const { keyId, value } = this.props;
        const image = await this.orm.call("client.equipment.software.key", "get_qr_code", [
            [keyId],
        ]);
        this.dialog.add(LicenseKeyQrCode, { image, value });
    }
}
