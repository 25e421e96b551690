import base64

from odoo import api, models
from odoo.fields import Domain

from odoo.addons.client_equipment.arguments import checked


class ClientEquipmentSoftwareKey(models.Model):
    """What a person who chooses a key is offered, beside the drop-down itself."""

    _inherit = "client.equipment.software.key"

    @api.model
    @checked
    def tell_why_not_offered(self, name: str):
        """Tell where the keys are that a drop-down finds by a text and does not offer.

        :param str name: what was typed
        :return: a line for each of a few keys; empty where there is none
        """
        found = self.search([("display_name", "ilike", name)], limit=3)
        return "\n".join(key._tell_where() for key in found)

    def _tell_where(self):
        """Return in words how this key stands, and where it is."""
        equipment = self.env["client.equipment"]
        here = self._get_offered_equipment()
        status = self._selection_label("status", self.status)
        if self.status == "applied" and self.seats > 1:
            status = self.env._("All seats in use (%s)", self.seats_usage)
        elif self.status == "applied":
            where = (self.equipment_id or equipment).display_name
            status = self.env._("Applied to %s", where)
        elif self.status == "expired" and self.validity_end:
            status = self.env._("Expired on %s", self._say_date(self.validity_end))
        elif here & self.sudo().equipment_feature_ids.equipment_id.sudo(False):
            status = self.env._("On this equipment already")
        elif self.status == "available" and self.moving_note:
            status = self.moving_note
        elif self.owner_id:
            status = self.env._("Bought for %s", self.owner_id.display_name)
        return f"{self.display_name}: {status}"

    def get_qr_code(self):
        """Return the license key as a picture, for another machine's camera (A15).

        By a call, not as an address: addresses are kept in logs.

        :return: a data URI
        :raises UserError: where the license key is not shown to the user now
        """
        self.ensure_one()
        self.check_access("read")
        self._check_shown()
        image = self.env["ir.actions.report"].barcode(
            "QR", self._get_license_key(), width=240, height=240
        )
        return f"data:image/png;base64,{base64.b64encode(image).decode()}"

    @api.model
    def web_search_read(
        self,
        domain,
        specification,
        offset=0,
        limit=None,
        order=None,
        count_limit=None,
    ):
        """List keys to choose from (Search More; on a phone, always) as the drop-down
        does: those bought for the customer first, then as they end (K13, A12)."""
        if not self.env.context.get("software_key_owned_first"):
            return super().web_search_read(
                domain, specification, offset, limit, order, count_limit
            )
        equipment = self._get_offered_equipment()
        domain = Domain(domain) & self._movable_domain(equipment)
        if order:
            return super().web_search_read(
                domain, specification, offset, limit, order, count_limit
            )
        offered = self.name_search("", domain, limit=limit and offset + limit)
        keys = self.browse(key_id for key_id, _name in offered[offset:])
        return self._format_web_search_read_results(
            domain, keys.web_read(specification), offset, limit, count_limit
        )
