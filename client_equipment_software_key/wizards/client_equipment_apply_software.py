from odoo import Command, api, fields, models

from ..wishes import Wish


class ClientEquipmentApplySoftware(models.TransientModel):
    """Asks which software many units get, and shows which key goes where (A13).

    What is shown is looked up anew when it is applied: somebody may have been faster.
    """

    _name = "client.equipment.apply.software"
    _description = "Apply Software to Equipment"
    _inherit = ["client.equipment.mixin"]

    equipment_ids = fields.Many2many("client.equipment")
    equipment_count = fields.Integer(compute="_compute_equipment_count")
    software_ids = fields.Many2many("client.equipment.software")
    remarks = fields.Char()
    line_ids = fields.One2many(
        "client.equipment.apply.software.line",
        "wizard_id",
        "What Will Happen",
        compute="_compute_line_ids",
        store=True,
        readonly=False,
    )
    apply_count = fields.Integer(compute="_compute_apply_count")
    missing_text = fields.Text(compute="_compute_apply_count")

    @api.depends("equipment_ids")
    def _compute_equipment_count(self):
        for wizard in self:
            wizard.equipment_count = len(wizard.equipment_ids)

    @api.depends("equipment_ids", "software_ids")
    def _compute_line_ids(self):
        keys = self.env["client.equipment.software.key"]
        for wizard in self:
            equipment = wizard.equipment_ids._origin
            software = wizard.software_ids._origin
            wishes = equipment._get_wishes(software)
            taken = keys._get_next_available(wishes) if wishes else {}
            there = equipment._get_software_there()
            got = "apply" if len(taken) == len(wishes) else "waits"
            wizard.line_ids = [Command.clear()] + [
                Command.create(
                    self._prepare_line(wish, taken.get(wish), there.get(wish), got)
                )
                for unit in equipment
                for each in software
                for wish in [Wish(unit.id, each.id)]
            ]

    @api.model
    def _prepare_line(self, wish, taken_id, there, got):
        """Return the values of the line that tells what a wish comes to.

        :param taken_id: id of the key that it gets
        :param there: the key of this software that is on the unit already, in sudo()
        :param got: the outcome where there is a key for it
        """
        readable = there and there.sudo(False).with_env(self.env)._readable()
        return wish._asdict() | {
            "software_key_id": readable.id if there else taken_id,
            "outcome": "there" if there else got if taken_id else "missing",
        }

    @api.depends("line_ids.outcome")
    def _compute_apply_count(self):
        for wizard in self:
            lines = wizard.line_ids.grouped("outcome")
            wizard.apply_count = len(lines.get("apply", ()))
            wanted = wizard.line_ids.filtered(lambda line: line.outcome != "there")
            missing = lines.get("missing", wanted.browse())
            wizard.missing_text = "\n".join(
                self.env._(
                    "%(software)s: %(missing)s missing, %(wanted)s needed",
                    software=software.name,
                    missing=len(lines_of),
                    wanted=len(
                        wanted.filtered_domain([("software_id", "=", software.id)])
                    ),
                )
                for software, lines_of in missing.grouped("software_id").items()
            )

    def action_apply(self) -> dict:
        """Apply the next keys to all of the units, or none.

        :return: an action that tells which keys, and closes the dialog
        """
        self.ensure_one()
        equipment = self._get_chosen("equipment_ids")
        features = equipment.apply_next_available(self.software_ids.ids, self.remarks)
        return features._told_applied()


class ClientEquipmentApplySoftwareLine(models.TransientModel):
    _name = "client.equipment.apply.software.line"
    _description = "Software Key That an Equipment Gets"
    _inherit = ["client.equipment.mixin"]

    wizard_id = fields.Many2one(
        "client.equipment.apply.software",
        required=True,
        index=True,
        ondelete="cascade",
    )
    equipment_id = fields.Many2one(
        "client.equipment", required=True, ondelete="cascade"
    )
    software_id = fields.Many2one(
        "client.equipment.software", required=True, ondelete="cascade"
    )
    software_key_id = fields.Many2one(
        "client.equipment.software.key", ondelete="cascade"
    )
    validity_end = fields.Date(related="software_key_id.validity_end")
    outcome = fields.Selection(
        [
            ("apply", "Will be applied"),
            ("waits", "Waits for the missing keys"),
            ("there", "On it already: stays as it is"),
            ("missing", "No key is left"),
        ],
        "Then",
        required=True,
        default="missing",
    )
