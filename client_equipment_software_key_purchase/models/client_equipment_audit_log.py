from odoo import api, fields, models
from odoo.tools import SQL

from .client_equipment_software_key import COST_READERS


class ClientEquipmentAuditLog(models.Model):
    """What a step has cost: facts of the entries *created* and *renewed*."""

    _inherit = "client.equipment.audit.log"

    purchase_order = fields.Char(
        readonly=True, help="The order by which the key was bought, or renewed."
    )
    # Not rounded by Odoo, so that the hashed text is the number itself.
    cost = fields.Float(
        "Cost in Currency of Order",
        readonly=True,
        aggregator=None,
        groups=COST_READERS,
        help="What was ordered for it, without taxes, in the currency of the order.",
    )
    cost_currency = fields.Char("Currency of Order", readonly=True, groups=COST_READERS)
    company_cost = fields.Float(
        "Cost",
        readonly=True,
        groups=COST_READERS,
        help="In the currency of the company, at the rate of the order.",
    )

    @api.model
    def _get_facts(self):
        cost = SQL("ordered_line.software_key_price * key.seats")
        return super()._get_facts() | {
            "purchase_order": SQL("ordered.name"),
            "cost": self._rounded_sql(cost, SQL("ordered_in")),
            "cost_currency": SQL("ordered_in.name"),
            "company_cost": self._rounded_sql(
                SQL("%s / ordered.currency_rate", cost), SQL("kept_in")
            ),
        }

    @api.model
    def _rounded_sql(self, amount, currency):
        return SQL("round((%s)::numeric, %s.decimal_places)::float8", amount, currency)

    @api.model
    def _get_fact_joins(self):
        return SQL(
            """
            %s
            LEFT JOIN purchase_order_line ordered_line
              ON ordered_line.id = CASE act.action
                    WHEN 'created' THEN key.purchase_line_id
                    WHEN 'renewed' THEN %s::int
                 END
            LEFT JOIN purchase_order ordered ON ordered.id = ordered_line.order_id
            LEFT JOIN res_currency ordered_in ON ordered_in.id = ordered.currency_id
            LEFT JOIN res_company ordered_by ON ordered_by.id = ordered.company_id
            LEFT JOIN res_currency kept_in ON kept_in.id = ordered_by.currency_id
            """,
            super()._get_fact_joins(),
            self.env["client.equipment.software.key"]._get_renewal_line(),
        )

    def _tell_step(self):
        step = super()._tell_step()
        if self.action == "created" and self.purchase_order:
            return self.env._(
                "%(step)s, bought by %(order)s", step=step, order=self.purchase_order
            )
        return step
