from odoo import api, fields, models
from odoo.exceptions import RedirectWarning, UserError, ValidationError

from odoo.addons.client_equipment.arguments import checked
from odoo.addons.client_equipment.values import id_problem

from ..commands import written_steps

# Who has to do with software keys at all.
ROLES = (
    "client_equipment_software_key.group_software_key_user,"
    "client_equipment_software_key.group_software_key_auditor"
)


class SoftwareKeysLeftError(UserError, RedirectWarning):
    """Keys would be left behind: a person is led to where they are taken off, any
    other client gets a plain refusal (a RedirectWarning alone is a server's failure).
    """

    def __init__(self, *args):
        RedirectWarning.__init__(self, *args)

    def __str__(self):
        # What follows is for the dialog alone: an action, a button and a context.
        return self.args[0]


class ClientEquipment(models.Model):
    _inherit = "client.equipment"

    equipment_feature_ids = fields.One2many(
        "client.equipment.feature", "equipment_id", "Applied Features", groups=ROLES
    )
    software_key_count = fields.Integer(
        "Software Keys", compute="_compute_software_key_count", groups=ROLES
    )

    @api.depends("equipment_feature_ids")
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_software_key_count(self):
        counts = dict(
            self.env["client.equipment.feature"]._read_group(
                [("equipment_id", "in", self.ids)], ["equipment_id"], ["__count"]
            )
        )
        for equipment in self:
            equipment.software_key_count = counts.get(equipment._origin, 0)

    def write(self, vals: dict) -> bool:
        for step in written_steps(self._checked(vals)):
            if step.get("state", "in_service") != "in_service" or (
                "active" in step and not step["active"]
            ):
                self._lead_to_return(step)
            super().write(step)
            if {"partner_id", "company_id"} & step.keys():
                # As everywhere that keys may be left behind: those that the user
                # cannot see, too.
                self.sudo().equipment_feature_ids._check_still_fit()
        return True

    def unlink(self) -> bool:
        self.check_access("unlink")
        self._check_no_software_keys()
        return super().unlink()

    def _lead_to_return(self, vals):
        """Lead to the dialog *Return / Replace* where software keys are left (A9).

        :param dict vals: what is written: another state, or archiving
        :raises SoftwareKeysLeftError: naming the first equipment with keys and the keys
        """
        # As everywhere that keys may be left behind: those the user cannot see, too.
        if equipment := self.sudo().equipment_feature_ids.equipment_id[:1]:
            if not self.env["client.equipment.feature"].has_access("unlink"):
                raise UserError(equipment._still_carries_message())
            raise SoftwareKeysLeftError(
                equipment._still_carries_message(),
                self.env.ref(
                    "client_equipment_software_key.client_equipment_return_action"
                ).id,
                self.env._("Return / Replace"),
                {
                    "default_equipment_id": equipment.id,
                    "default_state_after": vals.get("state") or "archived",
                },
            )

    def _check_no_software_keys(self):
        """Refuse to delete equipment while software keys are on it (A10)."""
        if equipment := self.sudo().equipment_feature_ids.equipment_id[:1]:
            raise UserError(equipment._still_carries_message())

    def _still_carries_message(self):
        """Return in words which software keys are on the equipment, and what to do.

        Who has no role for software keys learns nothing of them, whatever found them.
        """
        self.ensure_one()
        if not self.sudo(False).env["client.equipment.feature"].has_access("read"):
            return self.env._(
                "%s is still in use, so it cannot leave service, go to somebody else "
                "or be deleted. Ask a colleague who looks after what is installed on "
                "it.",
                self.display_name,
            )
        return self.env._(
            "%(equipment)s still carries software keys: %(keys)s. Take them back to "
            "the inventory or move them to another equipment first.",
            equipment=self.display_name,
            keys=self.sudo().equipment_feature_ids.software_key_id._some_names(),
        )

    def _get_key_owners(self):
        """Return whose keys may go onto this equipment: its customer, and above (K13).

        :return: partners
        """
        self.ensure_one()
        owners = self.env["res.partner"]
        customer = self.sudo().partner_id
        while customer:
            owners |= customer
            customer = customer.parent_id
        return owners

    def _check_in_service(self):
        """Refuse to put software keys onto equipment that is not in service."""
        for equipment in self:
            if not equipment.active or equipment.state != "in_service":
                raise UserError(
                    self.env._(
                        "%(equipment)s is not in service, so no software key can be "
                        "applied to it. Put the equipment back into service first.",
                        equipment=equipment.display_name,
                    )
                )

    def _held_by(self):
        """Software keys hold an equipment until they are taken off."""
        held = super()._held_by()
        # Whoever asks learns who has to decide, and nothing of the keys.
        for equipment in self.sudo().filtered("equipment_feature_ids"):
            technician = equipment.equipment_feature_ids[:1].applied_by_id
            users = (equipment.user_id + technician).filtered("active")
            held[equipment.with_env(self.env)] = users[:1]
        return held

    def recover_software_keys(self) -> models.BaseModel:
        """Take every key on these equipment back to the inventory (A9).

        Each key becomes Available again, or Expired where its validity has ended.

        :return: the recovered software keys
        """
        keys = self.equipment_feature_ids.software_key_id
        self.equipment_feature_ids.unlink()
        return keys

    @checked
    def return_or_replace(
        self,
        decisions: dict,
        replacement_id: int | None = None,
        state: str | None = None,
        override_reason: str | None = None,
    ) -> bool:
        """Take every software key off this equipment, each its own way (A9).

        One transaction: where one key cannot go its way, none goes.

        :param dict decisions: ids of software keys by what becomes of them:
            ``"recover"`` (back to the inventory), ``"move"`` (to the replacement)
            or ``"revoke"`` (managers only); together all keys on the equipment
        :param int replacement_id: the equipment that the moved keys go to
        :param str state: ``"returned"`` or ``"retired"``, the state at the end;
            ``"archived"`` archives the equipment; False leaves it as it is
        :param str override_reason: why a manager moves keys against the rule of their
            software (A14)
        :return: True
        :raises UserError: where a key is left out or cannot go its way, naming it
        """
        self.ensure_one()
        self.check_access("write")
        self.env["client.equipment.feature"].check_access("unlink")
        if state and state not in ("returned", "retired", "archived"):
            raise ValidationError(
                self.env._(
                    "An equipment cannot become %s. It can be returned, retired or "
                    "archived.",
                    ascii(state),
                )
            )
        recover, move, revoke = (
            self._decided(decisions.get(decision), decision)
            for decision in ("recover", "move", "revoke")
        )
        self._check_decisions(recover, move, revoke)
        replacement = self.browse(replacement_id or ())
        replacement.check_access("read")
        if move:
            self._check_replacement(move, replacement)
        remarks = {
            feature.software_key_id: feature.remarks
            for feature in self.equipment_feature_ids
        }
        self.equipment_feature_ids.unlink()
        if revoke:
            revoke._revoke(reason_code="returned", reason_data=self.display_name)
        self.env["client.equipment.feature"].create(
            [
                {
                    "software_key_id": key.id,
                    "equipment_id": replacement.id,
                    "remarks": remarks[key]
                    or self.env._("Moved from %s", self.display_name),
                    "override_reason": override_reason,
                }
                for key in move
            ]
        )
        if state == "archived":
            self.action_archive()
        elif state:
            self.state = state
        return True

    def _decided(self, key_ids, decision):
        """Return the software keys that somebody has decided so about."""
        if not isinstance(key_ids or [], list | tuple) or any(
            id_problem(self.env, key_id) for key_id in key_ids or ()
        ):
            raise ValidationError(
                self.env._(
                    "Under “%s” the database ids of software keys are needed, as a "
                    "list.",
                    decision,
                )
            )
        return self.env["client.equipment.software.key"].browse(key_ids or ())

    def _check_decisions(self, recover, move, revoke):
        """Check that each key on the equipment goes exactly one way (A9)."""
        # Keys that the user cannot see would be left behind silently.
        on_equipment = self.sudo().equipment_feature_ids.software_key_id.sudo(False)
        if left := on_equipment - recover - move - revoke:
            raise UserError(
                self.env._(
                    "%(keys)s would be left behind on %(equipment)s. Say for each key "
                    "whether it goes back to the inventory, moves to the replacement "
                    "or is revoked.",
                    keys=left.sudo()._some_names(),
                    equipment=self.display_name,
                )
            )
        if gone := (recover | move | revoke) - on_equipment:
            raise UserError(
                self.env._(
                    "%(keys)s is not on %(equipment)s any more. Open the dialog again "
                    "to see the keys that are.",
                    keys=gone.exists()._some_names(),
                    equipment=self.display_name,
                )
            )
        if twice := (recover & move) | (recover & revoke) | (move & revoke):
            raise UserError(
                self.env._(
                    "%s can go one way only: back to the inventory, to the "
                    "replacement, or revoked.",
                    twice._some_names(),
                )
            )
        if revoke and not revoke.has_access("write"):
            raise UserError(
                self.env._(
                    "Only managers revoke software keys. Take %s back to the inventory "
                    "and ask a manager to revoke it there.",
                    revoke._some_names(),
                )
            )

    def _check_replacement(self, move, replacement):
        """Check that there is an equipment to which the keys can move (A9)."""
        if not replacement.exists() or replacement == self:
            raise UserError(
                self.env._(
                    "Choose the replacement equipment that %(keys)s moves to: another "
                    "one than %(equipment)s.",
                    keys=move._some_names(),
                    equipment=self.display_name,
                )
            )
        replacement._check_in_service()

    def action_return_or_replace(self) -> dict:
        """Open the dialog *Return / Replace* (A9).

        :return: a window action
        """
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "client_equipment_software_key.client_equipment_return_action"
        )
        action["context"] = {
            "default_equipment_id": self.id,
            "default_state_after": "returned",
        }
        return action

    def action_apply_next_available(self) -> dict:
        """Open the dialog that applies the next available keys (A12).

        :return: a window action
        """
        self.ensure_one()
        self._check_in_service()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Apply Next Available"),
            "res_model": "client.equipment.apply.next",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_equipment_id": self.id},
        }

    @api.readonly
    def action_view_software_keys(self) -> dict:
        """Open the software keys that are applied to these equipment.

        :return: a window action
        """
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "client_equipment_software_key.client_equipment_software_key_action"
        )
        action["domain"] = [("equipment_feature_ids.equipment_id", "in", self.ids)]
        action["context"] = {}
        return action
