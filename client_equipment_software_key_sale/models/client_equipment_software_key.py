import math
from collections import Counter, defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.client_equipment.arguments import checked
from odoo.addons.client_equipment.values import CheckedValues

KEYS = "client_equipment_software_key.client_equipment_software_key_action"
RENEWAL_STATES = [
    ("quoted", "Quoted"),
    ("ordered", "Ordered"),
    ("declined", "Declined"),
]
# Of a key that several customers share, one who has ordered is told first.
STATES = ("ordered", "quoted", "declined")
STATE_OF_ORDER = {
    "draft": "quoted",
    "sent": "quoted",
    "sale": "ordered",
    "cancel": "declined",
}


class ClientEquipmentSoftwareKey(models.Model):
    """What customers are offered, and what they order, of the renewal of their keys."""

    _inherit = "client.equipment.software.key"

    renewal_offer_ids = fields.One2many(
        "client.equipment.renewal.offer",
        "software_key_id",
        "Offered Renewals",
        fixed=True,
    )
    renewal_state = fields.Selection(
        RENEWAL_STATES,
        "Renewal",
        compute="_compute_renewal_state",
        search="_search_renewal_state",
        help="What the customer says to the renewal of this period.",
    )

    @api.depends("validity_end", "renewal_offer_ids.sale_line_id.state")
    def _compute_renewal_state(self):
        offers = self._get_current_offers().grouped("software_key_id")
        for key in self:
            states = {STATE_OF_ORDER[offer.state] for offer in offers.get(key, ())}
            key.renewal_state = next((each for each in STATES if each in states), False)

    @api.model
    def _search_renewal_state(self, operator, value):
        if operator != "in":
            return NotImplemented
        domain = self._renewal_state_domain([each for each in STATES if each in value])
        if False in value:
            domain |= ~self._renewal_state_domain(list(STATES))
        return domain

    @api.model
    def _renewal_state_domain(self, states):
        """Return the domain of the keys whose renewal is in one of these states."""
        self.env["client.equipment.renewal.offer"].flush_model()
        self.env["sale.order.line"].flush_model(["state"])
        self.flush_model(["validity_end"])
        keys = SQL(
            """
            SELECT offer.software_key_id
              FROM client_equipment_renewal_offer offer
              JOIN client_equipment_software_key key
                ON key.id = offer.software_key_id
               AND key.validity_end = offer.validity_end
              JOIN sale_order_line line ON line.id = offer.sale_line_id
             GROUP BY offer.software_key_id
            HAVING (%s::text[])[min(
                CASE line.state WHEN 'sale' THEN 1 WHEN 'cancel' THEN 3 ELSE 2 END
            )] = ANY(%s)
            """,
            list(STATES),
            states,
        )
        return Domain.custom(
            to_sql=lambda model, alias, query: SQL(
                "%s IN (%s)", SQL.identifier(alias, "id"), keys
            )
        )

    @api.model
    def _get_tasks(self):
        """Tell what customers have ordered to those who renew it."""
        ordered = {
            "name": "renewal_ordered",
            "count": self.search_count([("renewal_state", "=", "ordered")]),
            "label": self.env._("Renewals Ordered"),
            "advice": self.env._("Customers have ordered them. Renew the keys."),
            "action": KEYS,
            "filter": "renewal_ordered",
        }
        return [ordered, *super()._get_tasks()]

    # ------------------------------------------------------------------
    # Quotations
    # ------------------------------------------------------------------

    def make_renewal_quotations(self) -> models.BaseModel:
        """Make draft quotations for the renewal of these keys.

        One for each customer (commercial entity, all of its branches), with a line for
        each software that names the units. Keys that were bought for a customer count
        with all their seats, others with those on the customer's units. What has been
        offered for this period already, or is at no customer, is left out.

        :return: the quotations (``sale.order``)
        :raises UserError: where nothing is left to be quoted, saying why
        """
        self.check_access("read")
        self.env["sale.order"].check_access("create")
        wishes, left_out = self._plan_renewal_quotations()
        if not wishes:
            raise UserError(
                self.env._("There is nothing to quote.") + self._left_out_text(left_out)
            )
        orders = self.env["sale.order"].create(
            [
                self._prepare_renewal_order(company, customer)
                for company, customer in wishes
            ]
        )
        for order, seats in zip(orders, wishes.values(), strict=True):
            self._quote_renewals(order, seats)
        return orders

    def action_make_renewal_quotations(self) -> dict:
        """Button *Make Quotations*.

        :return: an action that opens the quotations and says what was left out
        """
        left_out = self._plan_renewal_quotations()[1]
        action = self.make_renewal_quotations()._renewal_quotations_action()
        if not left_out:
            return action
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning",
                "className": "o_software_key_told",  # each reason on its own line
                "sticky": True,
                "message": self._left_out_text(left_out).strip(),
                "next": action,
            },
        }

    def _plan_renewal_quotations(self):
        """Return what can be quoted to whom, and what cannot.

        :return: ``{(company, customer): {key: seats}}`` and ``{why: keys}``
        """
        offers = {
            (offer.software_key_id, offer.company_id, offer.partner_id): offer
            for offer in self._get_current_offers()
        }
        wishes, left_out = defaultdict(dict), defaultdict(self.browse)
        for key in self:
            seats = key._get_customer_seats()
            if not seats:
                left_out[self.env._("at no customer")] |= key
            for (company, customer), count in seats.items():
                offer = offers.get((key, company, customer))
                if problem := key._quotation_problem(offer):
                    left_out[problem] |= key
                else:
                    wishes[company, customer][key] = count
        return wishes, left_out

    def _get_current_offers(self):
        """Return what was offered of these keys for their present periods.

        Whoever reads a key learns how its renewal stands, also where the quotation is
        another salesperson's.
        """
        offers = self.env["client.equipment.renewal.offer"].sudo()
        offers = offers.search([("software_key_id", "in", self.ids)])
        return offers._filtered_current()

    def _get_customer_seats(self):
        """Return whose the renewal of this key is, and of how many seats.

        :return: ``Counter({(company, customer): seats})``
        """
        self.ensure_one()
        if self.owner_id:
            company = self.company_id or self.env.company
            return Counter({(company, self.owner_id.commercial_partner_id): self.seats})
        return Counter(
            (
                self.company_id or unit.company_id or self.env.company,
                unit.partner_id.commercial_partner_id,
            )
            for unit in self.equipment_feature_ids.equipment_id
            if unit.partner_id
        )

    def _quotation_problem(self, offer):
        """Return in words why the renewal is not quoted, or None.

        :param offer: that of this period, where there is one
        """
        if self.key_type == "permanent":
            return self.env._("permanent, so they never end")
        if self.status == "revoked":
            return self.env._("revoked")
        if offer:
            return offer._say_state()
        product = self.software_id.product_id
        if not product.active or not product.sale_ok:
            return self.env._(
                "their software names no product that can be sold (choose one in the "
                "catalogue)"
            )
        return None

    @api.model
    def _left_out_text(self, left_out):
        """Return in words which keys were left out, and why.

        :param dict left_out: ``{why: keys}``
        """
        return "".join(
            "\n"
            + self.env._(
                "Left out: %(keys)s: %(problem)s.",
                keys=", ".join(
                    f"{software.name} ({len(of_software)})"
                    for software, of_software in keys.grouped("software_id").items()
                ),
                problem=problem,
            )
            for problem, keys in left_out.items()
        )

    @api.model
    def _prepare_renewal_order(self, company, customer):
        """Return the values of a quotation for renewals."""
        values = {"partner_id": customer.id, "company_id": company.id}
        if not self.env.user.has_group("sales_team.group_sale_salesman_all_leads"):
            values["user_id"] = self.env.uid  # he would not see it otherwise
        return values

    @api.model
    def _quote_renewals(self, order, seats):
        """Add a line for each software to the quotation, and remember what it offers.

        :param dict seats: ``{key: its seats}``
        """
        keys = self.browse().union(*seats)
        of_lines = list(keys.grouped("software_id").values())
        lines = self.env["sale.order.line"].create(
            [of_line._prepare_renewal_line(order, seats) for of_line in of_lines]
        )
        # Nobody writes them by hand: the quotation itself has been made by its maker.
        self.env["client.equipment.renewal.offer"].sudo().create(
            [
                CheckedValues(
                    sale_line_id=line.id,
                    software_key_id=key.id,
                    partner_id=order.partner_id.id,
                    company_id=order.company_id.id,
                    validity_end=key.validity_end,
                    seats=seats[key],
                )
                for line, of_line in zip(lines, of_lines, strict=True)
                for key in of_line
            ]
        )

    def _prepare_renewal_line(self, order, seats):
        """Return the values of the line for these keys, of one software.

        :param dict seats: ``{key: its seats}``
        """
        there = self.with_context(lang=order._get_lang())
        product = there.software_id.product_id
        return {
            "order_id": order.id,
            "product_id": product.id,
            "product_uom_qty": math.ceil(
                sum(seats[key] for key in self) / there.software_id.purchase_seats
            ),
            "name": "\n".join(
                [
                    product.get_product_multiline_description_sale(),
                    there.env._("Renewal of %s", there.software_id.name),
                    *there._describe_renewal(order.partner_id, seats),
                ]
            ),
        }

    def _describe_renewal(self, customer, seats):
        """Yield lines that name the customer's units, but no license key.

        :param dict seats: ``{key: its seats}``
        """
        for end, keys in self.sorted("validity_end").grouped("validity_end").items():
            units = [unit for key in keys for unit in key._get_renewed_units(customer)]
            names = [unit.display_name for unit in units]
            if unused := sum(seats[key] for key in keys) - len(units):
                names.append(self.env._("not installed: %s", unused))
            yield self.env._(
                "Valid until %(end)s: %(units)s",
                end=self._say_date(end),
                units=", ".join(names),
            )

    def _get_renewed_units(self, customer):
        """Return the units that the customer renews this key for."""
        units = self.equipment_feature_ids.equipment_id
        if self.owner_id:
            return units
        return units.filtered(
            lambda unit: unit.partner_id.commercial_partner_id == customer
        )

    @checked
    def replace(self, license_key: str, note: str | None = None) -> models.BaseModel:
        """Have the new key take the old one's place in the offers, too."""
        replacement = super().replace(license_key, note)
        # As above: the system's own records.
        self.sudo().renewal_offer_ids._write_fixed({"software_key_id": replacement.id})
        return replacement

    # ------------------------------------------------------------------
    # What counts as delivered
    # ------------------------------------------------------------------

    def write(self, vals: dict) -> bool:
        if not {"owner_id", "software_id", "company_id"} & vals.keys():
            return super().write(vals)
        customers = self._get_customers()
        result = super().write(vals)
        self.env["sale.order.line"]._recount_software(customers | self._get_customers())
        return result

    def _get_customers(self):
        """Return to whom these keys count as delivered: their owners, and customers of
        the units that they are on."""
        keys = self.sudo()
        return keys.owner_id | keys.equipment_feature_ids.equipment_id.partner_id

    def _after_transition(self, action, audit_logs):
        result = super()._after_transition(action, audit_logs)
        if action in ("applied", "revoked", "changed"):
            entries = audit_logs.sudo()
            entries.fetch(["equipment_id"])  # of many, nothing but that
            self.env["sale.order.line"]._recount_software(
                entries.equipment_id.partner_id | self.sudo().owner_id
            )
        return result
