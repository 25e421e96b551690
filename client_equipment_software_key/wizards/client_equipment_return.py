from odoo import Command, api, fields, models

from ..models.client_equipment_software_key import LIVE_STATUSES


class ClientEquipmentReturn(models.TransientModel):
    """Asks for each key on a unit that leaves where it goes (A9).

    The equipment itself does the work: ``client.equipment.return_or_replace``.
    """

    _name = "client.equipment.return"
    _description = "Return / Replace Equipment"
    _inherit = ["client.equipment.mixin"]

    equipment_id = fields.Many2one("client.equipment", required=True, readonly=True)
    replacement_id = fields.Many2one(
        "client.equipment", "Replacement Unit", ondelete="cascade"
    )
    partner_id = fields.Many2one(related="equipment_id.partner_id")
    replacement_partner_id = fields.Many2one(
        related="replacement_id.partner_id", string="Customer of the Replacement"
    )
    state_after = fields.Selection(
        [
            ("returned", "Returned"),
            ("retired", "Retired"),
            ("archived", "Archived"),
            ("in_service", "In Service"),
        ],
        "Status Afterwards",
        required=True,
        default="returned",
    )
    line_ids = fields.One2many(
        "client.equipment.return.line",
        "wizard_id",
        "Software Keys",
        compute="_compute_line_ids",
        store=True,
        readonly=False,
    )

    kept_names = fields.Char(compute="_compute_kept_names")
    can_override = fields.Boolean(
        default=lambda self: self.env["client.equipment.software.key"].has_access(
            "write"
        ),
        store=False,
        readonly=True,
    )
    override_reason = fields.Char(
        "Reason Against the Rule",
        help="Why keys are moved although the rule of their software keeps them on "
        "this unit. Kept in the audit trail.",
    )

    @api.depends("equipment_id")
    def _compute_line_ids(self):
        for wizard in self:
            wizard.line_ids = [Command.clear()] + [
                Command.create({"software_key_id": key.id})
                for key in wizard.equipment_id.equipment_feature_ids.software_key_id
            ]

    @api.depends("replacement_id", "line_ids.is_kept")
    def _compute_kept_names(self):
        for wizard in self:
            kept = wizard.line_ids.filtered("is_kept").software_key_id
            wizard.kept_names = ", ".join(kept.mapped("display_name"))

    def action_confirm(self) -> dict:
        """Let every key go where its line says.

        :return: an action that tells what became of them and shows the equipment anew
        """
        self.ensure_one()
        told = self._tell_outcome()
        decisions = {}
        for line in self.line_ids:
            decisions.setdefault(line.decision, []).append(line.software_key_id.id)
        self.equipment_id.return_or_replace(
            decisions,
            self.replacement_id.id,
            self.state_after != "in_service" and self.state_after,
            self.override_reason,
        )
        return self._told(told, close=False)

    def _tell_outcome(self):
        """Return in words where each key goes, and what becomes of the equipment."""
        states = dict(self._fields["state_after"]._description_selection(self.env))
        return "\n".join(
            [
                f"{self.equipment_id.display_name}: {states.get(self.state_after, '')}",
                *(
                    f"{line.software_key_id.display_name}: {line.outcome}"
                    for line in self.line_ids
                ),
            ]
        )


class ClientEquipmentReturnLine(models.TransientModel):
    _name = "client.equipment.return.line"
    _description = "Software Key of Returned Equipment"
    _inherit = ["client.equipment.mixin"]

    wizard_id = fields.Many2one(
        "client.equipment.return", required=True, index=True, ondelete="cascade"
    )
    software_key_id = fields.Many2one("client.equipment.software.key", required=True)
    validity_end = fields.Date(related="software_key_id.validity_end")
    status = fields.Selection(related="software_key_id.status")
    decision = fields.Selection(
        "_selection_decision",
        "What to Do",
        required=True,
        compute="_compute_decision",
        store=True,
        readonly=False,
        precompute=True,
    )
    is_kept = fields.Boolean(
        compute="_compute_is_kept",
        help="The rule of its software keeps the key from going to the replacement.",
    )
    outcome = fields.Char("Then", compute="_compute_outcome")

    @api.model
    def _selection_decision(self):
        """Return what the user may do with a key: only managers revoke."""
        decisions = [
            ("recover", self.env._("Back to inventory")),
            ("move", self.env._("Move to replacement")),
        ]
        if self.env["client.equipment.software.key"].has_access("write"):
            decisions.append(("revoke", self.env._("Revoke")))
        return decisions

    def _get_leaving(self):
        """Return the assignment that ends."""
        self.ensure_one()
        features = self.wizard_id.equipment_id.equipment_feature_ids
        return features.filtered(
            lambda feature: feature.software_key_id == self.software_key_id
        )

    @api.depends("wizard_id.replacement_id", "software_key_id")
    def _compute_is_kept(self):
        for line in self:
            replacement = line.wizard_id.replacement_id._origin
            key = line.software_key_id._origin
            leaving = line._get_leaving()._origin
            line.is_kept = bool(replacement and key) and key._is_kept_from(
                replacement, leaving
            )

    @api.depends("wizard_id.replacement_id", "wizard_id.override_reason", "is_kept")
    def _compute_decision(self):
        """Propose to move what can move once there is a replacement."""
        past = self.software_key_id._filtered_past_end()
        for line in self:
            if line.decision == "revoke":
                continue
            key = line.software_key_id
            movable = key.status in LIVE_STATUSES and key not in past
            movable = movable and (not line.is_kept or line.wizard_id.override_reason)
            moves = line.wizard_id.replacement_id and movable
            line.decision = "move" if moves else "recover"

    @api.depends(
        "decision",
        "software_key_id",
        "wizard_id.replacement_id",
        "wizard_id.override_reason",
        "is_kept",
    )
    def _compute_outcome(self):
        past = self.software_key_id._filtered_past_end()
        for line in self:
            key, replacement = line.software_key_id, line.wizard_id.replacement_id
            if line.decision == "revoke" and key.seats_used > 1:
                line.outcome = self.env._(
                    "Cannot be revoked while it is on other equipment, too (%s)",
                    key.seats_usage,
                )
            elif line.decision == "revoke":
                line.outcome = self.env._("Revoked: can never be applied again")
            elif line.decision == "move" and line.is_kept:
                line.outcome = line._tell_kept_move()
            elif line.decision == "move" and replacement:
                line.outcome = self.env._("Applied to %s", replacement.display_name)
            elif line.decision == "move":
                line.outcome = self.env._("Choose the replacement unit above")
            elif key.status == "expired" or key in past:
                line.outcome = self.env._("Expired, in the inventory")
            else:
                line.outcome = line._tell_kept_rest() or self.env._("Available again")

    def _tell_kept_move(self):
        """Return in words what becomes of a move against the rule."""
        wizard = self.wizard_id
        if not wizard.can_override:
            return self.env._("Cannot be moved: only a manager can, and says why")
        if not wizard.override_reason:
            return self.env._("Give the reason above: its rule keeps it on this unit")
        return self.env._(
            "Applied to %s, against the rule", wizard.replacement_id.display_name
        )

    def _tell_kept_rest(self):
        """Return in words for whom the key is in the inventory, where that is one."""
        key, leaving = self.software_key_id._origin, self._get_leaving()._origin
        kept = [
            seat
            for seat in key._get_kept_seats(leaving.ids).get(key.id, ())
            if seat.equipment_id == leaving.equipment_id.id
        ]
        if kept and (day := key._free_again(kept)):
            return self.env._(
                "Available again, for other units from %s", self._say_date(day)
            )
        return kept and self.env._("Available again, for this unit only")
