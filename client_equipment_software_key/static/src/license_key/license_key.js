import { _t } from "@web/core/l10n/translation";
import { browser } from "@web/core/browser/browser";
import { Component, onWillUnmount, onWillUpdateProps, useState } from "@odoo/owl";
import { CopyButton } from "@web/core/copy_button/copy_button";
import { Dialog } from "@web/core/dialog/dialog";
import { session } from "@web/session";
import { useAutofocus, useService } from "@web/core/utils/hooks";

// What the server gives instead of a license key begins with this (K16).
const HINT = "…";
// So long a license key that was asked for stays on the screen.
const SHOWN = 60000; // ms

/** Tell whether license keys are hidden from the user until he asks for one. */
export function licenseKeysHidden() {
    return Boolean(session.license_keys_hidden);
}

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

/** Asks what a license key is needed for; nobody has to say so. */
export class LicenseKeyReason extends Component {
    static template = "client_equipment_software_key.LicenseKeyReason";
    static components = { Dialog };
    static props = { close: Function, show: Function };

    setup() {
        this.reason = useAutofocus();
    }

    async onShow() {
        const reason = this.reason.el.value;
        this.props.close();
        await this.props.show(reason);
    }

    onKeydown(ev) {
        if (ev.key === "Enter") {
            ev.preventDefault();
            this.onShow();
        }
    }
}

/**
 * A license key in monospace, whole, with one tap to copy (A15). From whom it is hidden
 * sees its last characters, and the whole for a minute, where he asks for it (K16).
 */
export class LicenseKey extends Component {
    static template = "client_equipment_software_key.LicenseKey";
    static components = { CopyLicenseKey };
    static props = {
        value: String,
        keyId: { type: [Number, Boolean], optional: true }, // can be shown
        featureId: { type: [Number, Boolean], optional: true }, // where it is applied
        qrCode: { type: Boolean, optional: true },
        onShown: { type: Function, optional: true },
    };

    setup() {
        this.copied = _t("Copied");
        this.dialog = useService("dialog");
        this.orm = useService("orm");
        this.state = useState({ shown: "" });
        onWillUnmount(() => this.hide());
        onWillUpdateProps(({ keyId, value }) => {
            if (keyId !== this.props.keyId || value !== this.props.value) {
                this.hide();
            }
        });
    }

    get isHidden() {
        return licenseKeysHidden() && !this.state.shown && this.props.value.startsWith(HINT);
    }

    get text() {
        return this.state.shown || this.props.value;
    }

    async show(reason = "") {
        const { featureId, keyId, onShown } = this.props;
        const [model, id] = featureId
            ? ["client.equipment.feature", featureId]
            : ["client.equipment.software.key", keyId];
        const shown = await this.orm.call(model, "reveal_license_key", [
            [id],
            reason.trim() || false,
        ]);
        if (keyId !== this.props.keyId) {
            return; // the form shows another key by now
        }
        this.hide();
        this.state.shown = shown;
        this.timer = browser.setTimeout(() => this.hide(), SHOWN);
        await onShown?.();
    }

    /** Hide it wherever it stands, also in the dialog of its QR code. */
    hide() {
        browser.clearTimeout(this.timer);
        this.closeQrCode?.();
        this.state.shown = "";
    }

    askReason() {
        this.dialog.add(LicenseKeyReason, { show: (reason) => this.show(reason) });
    }

    /** Enter presses the button, also in a list, where it would open the row. */
    onKeydown(ev) {
        if (ev.key === "Enter") {
            ev.stopPropagation();
        }
    }

    async showQrCode() {
        const value = this.text;
        const image = await this.orm.call("client.equipment.software.key", "get_qr_code", [
            [this.props.keyId],
        ]);
        if (value === this.text) {
            this.closeQrCode = this.dialog.add(LicenseKeyQrCode, { image, value });
        }
    }
}
