from odoo import api, fields, models


class ClientEquipmentSoftwareKeyRenewal(models.TransientModel):
    """Dialog: renew one key or many (S3)."""

    _name = "client.equipment.software.key.renewal"
    _description = "Renew Software Keys"
    _inherit = ["client.equipment.mixin"]

    software_key_ids = fields.Many2many(
        "client.equipment.software.key",
        relation="client_equipment_software_key_renewal_rel",
        string="Software Keys",
        required=True,
        default=lambda self: self._default_software_key_ids(),
    )
    mode = fields.Selection(
        [
            ("date", "The same new end for all keys"),
            ("period", "One more period for each key, counted from its own end"),
        ],
        "New End",
        required=True,
        compute="_compute_proposal",
        store=True,
        readonly=False,
        precompute=True,
    )
    validity_end = fields.Date(
        "New Validity End",
        compute="_compute_proposal",
        store=True,
        readonly=False,
        precompute=True,
        help="Last day on which the renewed keys are valid.",
    )
    reference = fields.Char(help="Order or contract of the renewal.")
    note = fields.Char()
    key_count = fields.Integer(compute="_compute_preview")
    renewable_count = fields.Integer(compute="_compute_preview")
    preview = fields.Html(compute="_compute_preview", sanitize=False)

    @api.model
    def _default_software_key_ids(self):
        context = self.env.context
        if context.get("active_model") != "client.equipment.software.key":
            return False
        return context.get("active_ids") or []

    @api.depends("software_key_ids")
    def _compute_proposal(self):
        """Propose one more period: as a date, where all keys get the same."""
        for renewal in self:
            keys = renewal.software_key_ids._origin
            ends = keys._renewal_ends()
            problems = keys._renewal_problems(ends)
            proposed = {end for key, end in ends.items() if end and key not in problems}
            renewal.validity_end = proposed.pop() if len(proposed) == 1 else False
            renewal.mode = "period" if proposed else "date"

    @api.depends("software_key_ids", "mode", "validity_end")
    def _compute_preview(self):
        for renewal in self:
            keys = renewal.software_key_ids._origin
            ends = renewal._get_ends()
            problems = keys._renewal_problems(ends) if ends is not None else {}
            renewal.key_count = len(keys)
            renewal.renewable_count = (
                len(keys) - len(problems) if ends is not None else 0
            )
            renewal.preview = (
                renewal._render_preview(keys, ends, problems)
                if ends is not None
                else False
            )

    def _get_ends(self):
        """Return ``{key: new end}``, or None while no end has been chosen."""
        if self.mode == "date" and not self.validity_end:
            return None
        return self.software_key_ids._origin._renewal_ends(
            self.mode == "date" and self.validity_end
        )

    def _render_preview(self, keys, ends, problems):
        """Group the keys that fare alike, those with a problem first."""
        groups = {}
        renewed = keys.filtered(lambda key: key not in problems)._renewed_statuses()
        for key in keys:
            problem = problems.get(key)
            row = (
                not problem,
                problem or "",
                key.software_id,
                not problem and key.status,
                key.validity_end,
                not problem and ends[key],
                not problem and renewed[key.id],
            )
            groups.setdefault(row, []).append(key)
        label = keys._selection_label
        rows = [
            {
                "problem": problem,
                "software": software.name,
                "text": self.env._(
                    "Keys of %(software)s: %(count)s",
                    software=software.name,
                    count=len(members),
                ),
                "keys": members,
                "end": end,
                "new_end": new_end,
                "status": label("status", status),
                "new_status": new_status != status and label("status", new_status),
                "shorter": bool(new_end and end and new_end < end),
            }
            for (
                _renewable,
                problem,
                software,
                status,
                end,
                new_end,
                new_status,
            ), members in sorted(
                groups.items(),
                key=lambda item: (item[0][0], str(item[0][4]), item[0][2].name),
            )
        ]
        restored = sum(len(row["keys"]) for row in rows if row["new_status"])
        return self.env["ir.qweb"]._render(
            "client_equipment_software_key.renewal_preview",
            {
                "rows": rows,
                "refused": len(problems),
                "restored": restored,
                "counts": {
                    "renewed": self.env._(
                        "Keys that will be renewed: %s", len(keys) - len(problems)
                    ),
                    "restored": self.env._("Back from Expired: %s", restored),
                    "refused": self.env._("Left out: %s", len(problems)),
                },
                "single": len(keys) == 1,
            },
        )

    def action_renew(self) -> dict:
        """Button *Renew*: renew the keys that can be renewed.

        :return: an action that says how many and closes the dialog
        """
        self.ensure_one()
        keys = self._get_chosen("software_key_ids")
        end = self.mode == "date" and self.validity_end
        if self.mode == "period" or end:
            problems = keys._renewal_problems(keys._renewal_ends(end))
            # They were shown as left out. Where nothing else is left, let the key
            # itself say why not.
            keys = keys.filtered(lambda key: key not in problems) or keys
        keys.renew(end, **self._get_renewal_arguments())
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("%s renewed.", keys.display_name)
                if len(keys) == 1
                else self.env._("%s keys renewed.", len(keys)),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def _get_renewal_arguments(self):
        """Return what ``renew`` gets beside the new end. For extension.

        :return: ``{name: value}``
        """
        return {"reference": self.reference, "note": self.note}
