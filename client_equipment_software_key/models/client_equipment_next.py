from collections import Counter

from odoo import models
from odoo.exceptions import UserError

from odoo.addons.client_equipment.arguments import checked
from odoo.addons.client_equipment.values import id_problem

from ..wishes import Wish


class ClientEquipment(models.Model):
    """The next keys of software onto many units at once (A13)."""

    _inherit = "client.equipment"

    @checked
    def apply_next_available(
        self, software_ids: list[int], remarks: str | None = None
    ) -> models.BaseModel:
        """Apply the next key of each software to each of these equipment (A13).

        A unit keeps the key of a software that it carries already. Which key is taken
        is as with one equipment (``client.equipment.software.apply_next_available``).

        :param software_ids: ids of the software products
        :param str remarks: remarks of the assignments
        :return: the new assignments (``client.equipment.feature``)
        :raises UserError: where keys are missing, saying how many and of what, or an
            equipment is not in service; then none is applied
        """
        software = self._get_software(software_ids)
        return self._apply_next(self._get_wishes(software), remarks)

    def _get_software(self, software_ids):
        """Return the software of these ids.

        :raises UserError: where one is not in the catalogue (any more)
        """
        problems = (id_problem(self.env, each) for each in software_ids)
        software = self.env["client.equipment.software"].browse(
            dict.fromkeys(software_ids) if not any(problems) else ()
        )
        if not software_ids or len(software.exists()) < len(set(software_ids)):
            raise UserError(
                self.env._(
                    "Choose the software that is to be applied: %s is not in the "
                    "catalogue.",
                    ", ".join(map(ascii, software_ids)) or self.env._("nothing"),
                )
            )
        return software

    def _get_wishes(self, software):
        """Return the ``Wish`` of each unit for each software that is not on it."""
        there = self._get_software_there()
        return [
            wish
            for equipment in self.browse(dict.fromkeys(self.ids))
            for each in software
            if (wish := Wish(equipment.id, each.id)) not in there
        ]

    def _get_software_there(self):
        """Return ``{Wish: key}`` of the software that is on these equipment already."""
        # A key that the user cannot see is on the unit nevertheless.
        features = self.sudo().equipment_feature_ids.sorted("id", reverse=True)
        return {
            Wish(feature.equipment_id.id, feature.software_id.id): (
                feature.software_key_id
            )
            for feature in features
        }

    def _apply_next(self, wishes, remarks=None):
        """Apply the next keys to these equipment, all or none.

        :param wishes: each a ``Wish`` for one of these equipment
        :return: the assignments
        """
        self.check_access("read")
        self.env["client.equipment.feature"].check_access("create")
        self._check_in_service()
        SoftwareKey = self.env["client.equipment.software.key"]
        taken = SoftwareKey._lock_next_available(wishes) if wishes else {}
        missing = Counter(wish.software_id for wish in wishes if wish not in taken)
        if missing:
            raise UserError(self._tell_missing(missing))
        return self.env["client.equipment.feature"].create(
            [
                {
                    "software_key_id": taken[wish],
                    "equipment_id": wish.equipment_id,
                    "remarks": remarks,
                }
                for wish in wishes
            ]
        )

    def _tell_missing(self, missing):
        """Return in words how many keys of what are missing for these equipment.

        :param missing: ``{software id: number}``
        """
        software = self.env["client.equipment.software"].browse(missing)
        return self.env._(
            "No key is left for %(equipment)s: %(count)s missing (%(names)s). "
            "Enter new keys, or take keys back from equipment that does not "
            "need them any more.",
            equipment=self._some_names(),
            count=sum(missing.values()),
            names=", ".join(
                self.env._(
                    "%(count)s of %(software)s",
                    count=missing[each.id],
                    software=each.name,
                )
                for each in software
            ),
        )

    def action_apply_software(self) -> dict:
        """Open the dialog that applies software to these equipment (A13).

        :return: a window action
        """
        self._check_in_service()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Apply Software"),
            "res_model": "client.equipment.apply.software",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_equipment_ids": self.ids},
        }
