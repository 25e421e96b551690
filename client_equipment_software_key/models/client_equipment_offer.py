from odoo import api, models
from odoo.fields import Domain


class ClientEquipment(models.Model):
    """Which units a person is offered where one is to replace another."""

    _inherit = "client.equipment"

    @api.depends("partner_id")
    @api.depends_context("formatted_display_name", "replacement_of", "uid")
    def _compute_display_name(self):
        """Name the customer, too, where a drop-down offers units of all of them."""
        result = super()._compute_display_name()
        context = self.env.context
        if context.get("formatted_display_name") and context.get("replacement_of"):
            for equipment in self.filtered("partner_id"):
                customer = equipment.partner_id
                customer = customer.with_context(formatted_display_name=False)
                equipment.display_name += f"\t--{customer.display_name}--"
        return result

    @api.model
    def name_search(
        self,
        name: str = "",
        domain: list | None = None,
        operator: str = "ilike",
        limit: int = 100,
    ) -> list[tuple[int, str]]:
        """Offer the units of the same customer first, where one is replaced (A9)."""
        replaced = self.browse(self.env.context.get("replacement_of"))
        if not replaced.partner_id:
            return super().name_search(name, domain, operator, limit)
        domain = Domain(domain or Domain.TRUE)
        same = Domain("partner_id", "=", replaced.partner_id.id)
        found = super().name_search(name, domain & same, operator, limit)
        if limit is None or len(found) < limit:
            rest = limit and limit - len(found)
            found += super().name_search(name, domain & ~same, operator, rest)
        return found
