import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";

/** Tells the maker of an evidence pack, wherever he is, that it is ready. */
export const evidenceNotice = {
    dependencies: ["action", "bus_service", "notification"],
    start(env, { action, bus_service: bus, notification }) {
        bus.subscribe("client_equipment_evidence_pack", ({ id, message }) => {
            const close = notification.add(message, {
                sticky: true,
                type: "info",
                buttons: [
                    {
                        name: _t("Open"),
                        onClick: () => {
                            close();
                            action.doAction({
                                type: "ir.actions.act_window",
                                name: _t("Evidence Pack"),
                                res_model: "client.equipment.evidence.pack",
                                res_id: id,
                                views: [[false, "form"]],
                                target: "new",
                            });
                        },
                    },
                ],
            });
        });
        bus.start();
    },
};

registry.category("services").add("client_equipment_evidence_notice", evidenceNotice);
