from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

# Where the trail keeps the company that an entry or a deleted key is shown to.
SHOWN_TO = {
    "client.equipment.audit.log": "equipment_company_ref",
    "client.equipment.audit.deletion": "company_ref",
}


class ResCompany(models.Model):
    _inherit = "res.company"

    software_key_lead_days = fields.Integer(
        "Lead Time of Software Keys",
        default=30,
        required=True,
        help="So many days before a key ends it counts as expiring soon, and the "
        "responsible is reminded.",
    )
    software_key_minimum_available = fields.Integer(
        "Minimum of Available Software Keys",
        help="Minimum of available keys of software that is new in the catalogue.",
    )

    _check_software_key_lead_days = models.Constraint(
        "CHECK(software_key_lead_days BETWEEN 0 AND 3650)",
        "The lead time of software keys must lie between 0 and 3650 days.",
    )
    _check_software_key_minimum_available = models.Constraint(
        "CHECK(software_key_minimum_available >= 0)",
        "The minimum of available keys cannot be negative.",
    )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_in_audit_trail(self):
        """Keep the companies that evidence is shown to: without them nobody could read
        it any more (E1)."""
        for model, name in SHOWN_TO.items():
            evidence = self.env[model]
            # Whoever deletes a company need not see what keeps it.
            if found := evidence.sudo().search([(name, "in", self.ids)], limit=1):
                raise UserError(
                    evidence._foreign_key_message(
                        evidence._fields[name], self.browse(found[name])
                    )
                )

    def _software_key_today(self):
        """Return the date it is now where the company is.

        The validity of a key ends when its last day has ended in the time zone
        of its company (S1). Keys that all companies share follow UTC.
        """
        return fields.Date.context_today(
            self.with_context(tz=self.sudo().partner_id.tz or "UTC")
        )

    @api.model
    def _software_key_companies(self):
        """Return all companies, the archived ones too: their keys live on."""
        companies = self.sudo().with_context(active_test=False)
        return companies.search_fetch(
            Domain.TRUE, ["partner_id", "software_key_lead_days"]
        )

    @api.model
    def _software_key_horizons(self):
        """Return ``{company id or False: last day of its lead time}`` (S5).

        Keys that all companies share follow the longest lead time.
        """
        companies = self._software_key_companies()
        horizons = {
            company.id: fields.Date.add(
                company._software_key_today(), days=company.software_key_lead_days
            )
            for company in companies
        }
        shared = fields.Date.add(
            self.browse()._software_key_today(),
            days=max(companies.mapped("software_key_lead_days"), default=0),
        )
        return horizons | {False: shared}
