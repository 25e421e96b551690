from datetime import date, datetime, time, timedelta

import pytz

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..models.client_equipment_audit_log import INSTALLED


class ClientEquipmentUsageHistory(models.Model):
    """For each key and equipment from when to when it was installed (L6).

    Read from the audit trail alone: a line begins with an *Applied* entry, or the last
    one that corrected its day, and ends
    with the entry that took the key away from the same equipment; entries that name
    no seat are from when a key had but one, or tell that the key is nowhere. The
    end is looked up line by line, so that filters on the beginning, the key or the
    equipment use the trail's indexes and the first page costs the same however long
    the trail is.
    """

    _name = "client.equipment.usage.history"
    _description = "Usage History"
    _inherit = ["client.equipment.mixin", "client.equipment.export.mixin"]
    _auto = False
    _order = "date_from desc, id desc"
    _rec_name = "software_key_id"
    _rec_names_search = ["software_key_id", "equipment_name"]

    software_key_id = fields.Many2one("client.equipment.software.key", readonly=True)
    software_id = fields.Many2one(
        "client.equipment.software",
        "Feature",
        readonly=True,
        help="The software that the key licensed when it was applied.",
    )
    software_name = fields.Char(
        "Feature's Name", readonly=True, help="Name of the software at that time."
    )
    equipment_id = fields.Many2one("client.equipment", readonly=True)
    equipment_ref = fields.Integer(
        "Equipment's Database ID",
        readonly=True,
        aggregator=None,
        help="Stays when the equipment is deleted.",
    )
    equipment_company_ref = fields.Integer(
        "Company's Database ID",
        readonly=True,
        aggregator=None,
        exportable=False,
        help="Company of the equipment at that time: only its people see the line.",
    )
    equipment_name = fields.Char(
        "Equipment's Name", readonly=True, help="Name of the equipment at that time."
    )
    equipment_serial_no = fields.Char(
        "Serial Number",
        readonly=True,
        help="Serial number of the equipment at that time.",
    )
    customer_id = fields.Many2one(
        "res.partner",
        readonly=True,
        help="The equipment's customer at that time, or whom it was merged into since.",
    )
    customer_name = fields.Char(
        "Customer's Name",
        readonly=True,
        help="Name of the equipment's customer at that time.",
    )
    company_id = fields.Many2one("res.company", readonly=True)
    date_from = fields.Datetime(
        "From",
        readonly=True,
        help="When it was recorded, or the beginning of the day of installation, where "
        "that is an earlier one.",
    )
    date_recorded = fields.Datetime(
        "Recorded",
        readonly=True,
        help="When somebody told that it was installed, or corrected the day.",
    )
    date_to = fields.Datetime("To", readonly=True, help="Empty while it is installed.")
    shown_until = fields.Datetime(
        readonly=True,
        exportable=False,
        help="The end, or now while it is installed: for the calendar.",
    )
    applied_by_id = fields.Many2one("res.users", readonly=True)
    removed_by_id = fields.Many2one("res.users", readonly=True)
    duration = fields.Float(
        "Days",
        readonly=True,
        aggregator="avg",
        digits=(16, 1),
        help="For how many days it was installed, until now where it still is.",
    )
    installed_on = fields.Date(
        store=False,
        search="_search_installed_on",
        exportable=False,
        help="Search for a day to see what was installed at the end of that day.",
    )

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT applied.id,
                   applied.software_key_id,
                   applied.software_id,
                   applied.software_name,
                   key.company_id,
                   applied.equipment_id,
                   applied.equipment_ref,
                   applied.equipment_company_ref,
                   applied.equipment_name,
                   applied.equipment_serial_no,
                   applied.customer_id,
                   applied.customer_name,
                   COALESCE(applied.installed_from, applied.action_date) AS date_from,
                   applied.action_date AS date_recorded,
                   removed.action_date AS date_to,
                   COALESCE(removed.action_date, now() AT TIME ZONE 'UTC')
                       AS shown_until,
                   CASE applied.action WHEN 'applied' THEN applied.user_id ELSE (
                        SELECT log.user_id
                          FROM client_equipment_audit_log log
                         WHERE log.software_key_id = applied.software_key_id
                           AND log.equipment_ref = applied.equipment_ref
                           AND log.action = 'applied'
                           AND log.number < applied.number
                         ORDER BY log.number DESC
                         LIMIT 1
                   ) END AS applied_by_id,
                   removed.user_id AS removed_by_id,
                   EXTRACT(EPOCH FROM
                       COALESCE(removed.action_date, now() AT TIME ZONE 'UTC')
                       - COALESCE(applied.installed_from, applied.action_date)
                   )::float8 / 86400 AS duration
              FROM (
                    SELECT * FROM client_equipment_audit_log WHERE %s
              ) applied
              JOIN client_equipment_software_key key
                ON key.id = applied.software_key_id
              LEFT JOIN LATERAL (
                    SELECT log.action_date, log.user_id, log.action
                      FROM client_equipment_audit_log log
                     WHERE log.software_key_id = applied.software_key_id
                       AND log.number > applied.number
                       AND (
                            log.action = 'reinstated'
                            OR log.action IN ('applied', 'revoked') AND (
                                log.equipment_ref = applied.equipment_ref
                                OR log.seat IS NULL
                            )
                            OR log.action = 'changed'
                               AND log.installed_on IS NOT NULL
                               AND log.equipment_ref = applied.equipment_ref
                       )
                     ORDER BY log.number
                     LIMIT 1
              ) removed ON TRUE
             WHERE removed.action IS DISTINCT FROM 'changed'  -- its day was corrected
            """,
            SQL(INSTALLED),
        )

    @api.depends("software_key_id", "equipment_name")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for line in self:
            key = line.software_key_id.with_context(formatted_display_name=False)
            line.display_name = self.env._(
                "%(key)s on %(equipment)s",
                key=key.display_name,
                equipment=line.equipment_name,
            )

    @api.model
    def _search(self, domain, offset=0, limit=None, order=None, **kwargs):
        """Read from the newest line on, also where they are counted up to a limit: of
        what began shortly before a day, most was still installed on it."""
        if limit and not order:
            order = self._order
        return super()._search(domain, offset, limit, order, **kwargs)

    @api.model
    def _search_installed_on(self, operator, value):
        """Find what was installed at the end of a day, or on any day of a period.

        A day is one of the reader's time zone. ``>= A`` together with ``<= B`` finds
        what was installed at some time from A to B.

        :param value: a date; for ``in`` several, or False, on which nothing was
        """
        if operator == "in":
            return Domain.OR(
                Domain("date_from", "<", self._end_of(day))
                & self._not_ended_before(self._end_of(day))
                for day in value
                if day
            )
        if operator in ("<", "<=", ">", ">=") and not isinstance(value, date):
            raise ValueError(f"{operator} asks for one day")
        match operator:
            case "<=":
                return Domain("date_from", "<", self._end_of(value))
            case "<":
                return Domain("date_from", "<", self._start_of(value))
            case ">":
                return self._not_ended_before(self._end_of(value))
            case ">=":
                return self._not_ended_before(self._start_of(value))
        return NotImplemented

    @api.model
    def _not_ended_before(self, moment):
        """Return the domain of what was still installed at a moment, or is today.

        In one expression, of which PostgreSQL has no statistics: by those of the
        trail's dates it expects hardly any line to be found, and prepares to read all.
        Of what is not true it expects the most: it is two thirds then.
        """
        return Domain.custom(
            to_sql=lambda model, alias, query: SQL(
                "(COALESCE(%s, 'infinity') < %s) IS NOT TRUE",
                model._field_to_sql(alias, "date_to", query),
                moment,
            )
        )

    @api.model
    def _start_of(self, day):
        """Return the moment, in UTC, when the day begins in the reader's time zone."""
        tz, midnight = self.env.tz, datetime.combine(day, time.min)
        try:
            # The first midnight, where the clock shows two …
            moment = tz.localize(midnight, is_dst=True)
            if tz.normalize(moment).date() < day:
                # … and where it shows none, the moment at which it leaps over it.
                moment = tz.localize(midnight, is_dst=False)
            return moment.astimezone(pytz.utc).replace(tzinfo=None)
        except OverflowError:
            return midnight  # of the first or the last day of any calendar

    @api.model
    def _end_of(self, day):
        """Return the moment, in UTC, when the day ends in the reader's time zone."""
        if day == date.max:
            return datetime.max
        return self._start_of(day + timedelta(days=1))
