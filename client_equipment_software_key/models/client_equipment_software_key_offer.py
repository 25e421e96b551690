from odoo import api, models


class ClientEquipmentSoftwareKey(models.Model):
    """What a person who chooses a key is offered, beside the drop-down itself."""

    _inherit = "client.equipment.software.key"

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
        if order or not self.env.context.get("owned_first"):
            return super().web_search_read(
                domain, specification, offset, limit, order, count_limit
            )
        offered = self.name_search("", domain, limit=limit and offset + limit)
        keys = self.browse(key_id for key_id, _name in offered[offset:])
        return self._format_web_search_read_results(
            domain, keys.web_read(specification), offset, limit, count_limit
        )
