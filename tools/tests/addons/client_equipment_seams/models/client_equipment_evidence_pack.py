from odoo import models

from odoo.addons.client_equipment_software_key.report.client_equipment_evidence_content import (  # noqa: E501
    Column,
)


class ClientEquipmentEvidencePack(models.Model):
    _inherit = "client.equipment.evidence.pack"

    def _get_key_columns(self, evidence):
        return [
            *super()._get_key_columns(evidence),
            Column(
                "cost_centre",
                self.env._("Cost Centre"),
                lambda state: state.key.cost_centre,
            ),
        ]
