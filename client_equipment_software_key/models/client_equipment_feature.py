import functools
from typing import NoReturn, Self

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

from odoo.addons.client_equipment.arguments import checked
from odoo.addons.client_equipment.exceptions import ChangedMeanwhile
from odoo.addons.client_equipment.fields import Link

# What an assignment keeps as it was saved, because it is evidence.
FIXED = {"software_key_id", "equipment_id", "applied_by_id", "override_reason"}


class ClientEquipmentFeature(models.Model):
    """The assignment of one software key to one equipment, while it lasts."""

    _name = "client.equipment.feature"
    _description = "Equipment Feature"
    _inherit = ["client.equipment.mixin", "client.equipment.export.mixin"]
    _order = "applied_date desc, id desc"
    _rec_name = "software_key_id"
    _rec_names_search = ["software_key_id", "equipment_id"]

    software_key_id = Link(
        "client.equipment.software.key",
        required=True,
        domain="[('can_be_applied', '=', True),"
        " ('company_id', 'in', [company_id, False] if company_id else [False]),"
        " '|', ('owner_id', '=', False), ('owner_id', 'parent_of', partner_id)]",
        ondelete="restrict",
    )
    equipment_id = Link(
        "client.equipment",
        required=True,
        ondelete="restrict",
    )
    applied_date = fields.Date(
        required=True,
        default=fields.Date.context_today,
        index=True,  # Equipment Features, newest first
        help="Day on which the software was installed.",
    )
    applied_by_id = fields.Many2one(
        "res.users",
        required=True,
        default=lambda self: self.env.user,
        index=True,  # Equipment Features of a technician
        ondelete="restrict",
    )
    remarks = fields.Char()
    software_id = fields.Many2one(related="software_key_id.software_id")
    key_type = fields.Selection(related="software_key_id.key_type")
    validity_end = fields.Date(related="software_key_id.validity_end")
    status = fields.Selection(related="software_key_id.status")
    assignment_status = fields.Selection(
        lambda self: self._fields["status"]._description_selection(self.env),
        compute="_compute_assignment_status",
        help="The key's status, but Applied while other seats of it are free.",
    )
    partner_id = fields.Many2one(related="equipment_id.partner_id")
    company_id = fields.Many2one(related="equipment_id.company_id")

    @api.depends("status")
    def _compute_assignment_status(self):
        for feature in self:
            used = feature.status == "available"
            feature.assignment_status = "applied" if used else feature.status

    @api.constrains("applied_date")
    def _check_applied_date(self):
        today = fields.Date.context_today(self)
        if max(filter(None, self.mapped("applied_date")), default=today) <= today:
            return
        for feature in self:
            if feature.applied_date and feature.applied_date > today:
                raise ValidationError(
                    self.env._(
                        "%(key)s cannot have been applied on %(date)s, which is still "
                        "to come. Enter today or an earlier day.",
                        key=feature.software_key_id.display_name,
                        date=self._say_date(feature.applied_date),
                    )
                )

    @api.model
    def default_get(self, fields: list[str]) -> dict:
        """Whoever applies a key is who applied it, whatever the context or a stored
        default says (A8)."""
        vals = super().default_get(fields)
        if "applied_by_id" in vals:
            vals["applied_by_id"] = self.env.uid
        return vals

    @api.model_create_multi
    @checked
    def create(self, vals_list: list[dict]) -> Self:
        self.check_access("create")
        try:
            with self._changed_meanwhile():
                features = super().create(vals_list)
        except (ChangedMeanwhile, psycopg2.errors.LockNotAvailable) as error:
            self._learn_who_was_faster(vals_list)
            if isinstance(error, ChangedMeanwhile):
                raise
            raise self._keys_of(vals_list)._busy_error() from error
        reasons = {False: features}
        if any(features.mapped("override_reason")):
            reasons = features.grouped("override_reason")
        for reason, applied in reasons.items():
            installed = applied._get_installed()
            applied.sudo().software_key_id._step_seats(
                "apply",
                [row[:3] for row in installed],
                days=self._get_days(installed),
                reason=reason,
                reason_code=reason and "overridden",
            )
        return features

    @api.model
    def _get_days(self, installed):
        """Return the days of installation, as the audit trail tells them.

        A day before today begins for the evidence when it began in the time zone of
        whoever says so.

        :param installed: rows of ``_get_installed``
        :return: ``{(key id, equipment id): (day, when it began)}``
        """
        today = fields.Date.context_today(self)
        begins = functools.cache(self.env["client.equipment.usage.history"]._start_of)
        return {
            (key_id, equipment_id): (day, begins(day) if day < today else None)
            for key_id, equipment_id, _seat, day in installed
        }

    def _learn_who_was_faster(self, vals_list):
        """Tell the loser of a race at once what has become of the key (A4) or of the
        equipment (E5).

        He sees it in a transaction of its own, because his has a view from before.
        What his own has just removed (he moves a key) is left out: it is locked.

        :raises UserError: where the keys cannot be applied any more
        """
        with self._another_view() as cr:
            there = self.with_env(self.env(cr=cr))
            keys = there._keys_of(vals_list).sudo()
            staying = keys - there._keys_being_removed(keys)
            staying._check_can_be_applied(self._places_wanted(vals_list))
            there._check_fits(there._key_and_equipment(vals_list))

    @api.model
    def _keys_being_removed(self, keys):
        """Return the keys whose assignment another transaction is removing.

        The lock is the weakest there is: those who look at the same moment do not hide
        an assignment from each other.
        """
        assignments = keys.equipment_feature_ids
        rows = self.env.execute_query(
            SQL(
                "SELECT id FROM client_equipment_feature"
                " WHERE id = ANY(%s) FOR KEY SHARE SKIP LOCKED",
                list(assignments.ids),
            )
        )
        standing = assignments.browse(assignment_id for (assignment_id,) in rows)
        return (assignments - standing).software_key_id

    @api.model
    def _keys_of(self, vals_list):
        """Return the software keys of new assignments."""
        keys = self.env["client.equipment.software.key"]
        return keys.browse(
            dict.fromkeys(
                vals["software_key_id"]
                for vals in vals_list
                if vals.get("software_key_id")
            )
        )

    def _prepare_create_values(self, vals_list):
        vals_list = super()._prepare_create_values(vals_list)
        self._check_applied_by(vals_list)
        # Technicians may not write on keys: applying one is what they may do, and the
        # key itself checks whether it can be applied.
        keys = self._keys_of(vals_list).sudo()
        vals_list = self._with_reasons(vals_list)
        keys._lock_to_apply(self._places_wanted(vals_list))
        pairs = self._key_and_equipment(vals_list)
        bounds, doubtful = self._look_at_places(vals_list)
        doubtful = [pairs[number] for number in doubtful]
        self._hold_customers(doubtful)
        self._check_fits(doubtful)
        vals_list = [
            vals | bound for vals, bound in zip(vals_list, bounds, strict=True)
        ]
        return self._bound(vals_list, pairs)

    def _check_links(self, vals_list):
        """Read of many keys what is going to be looked at, not all their columns."""
        looked_at = ["company_id", "software_id", "seats", "seats_kept"]
        self._keys_of(vals_list).sudo().fetch(looked_at)
        return super()._check_links(vals_list)

    @api.model
    def _key_and_equipment(self, vals_list):
        """Return ``[(key, equipment)]`` of new assignments, in sudo().

        That they may be read has been checked.
        """
        key_ids, equipment_ids = (
            [vals.get(name) for vals in vals_list]
            for name in ("software_key_id", "equipment_id")
        )
        keys = self.env["client.equipment.software.key"].sudo().browse(key_ids)
        equipment = self.env["client.equipment"].sudo().browse(equipment_ids)
        return [
            (key if key.id else keys[:0], unit if unit.id else equipment[:0])
            for key, unit in zip(keys, equipment, strict=True)
        ]

    def write(self, vals: dict) -> bool:
        vals = self._checked(vals)
        fixed = FIXED & vals.keys()
        for feature in self:
            for name in fixed:
                value = feature[name]
                value = value.id if isinstance(value, models.BaseModel) else value
                if (value or False) != (vals[name] or False):
                    raise UserError(
                        self.env._(
                            "The %(field)s of %(feature)s is fixed, because it is "
                            "evidence. Remove the key from %(equipment)s and apply it "
                            "again.",
                            field=self._fields[name]._description_string(self.env),
                            feature=feature.display_name,
                            equipment=feature.equipment_id.display_name,
                        )
                    )
        vals = {name: value for name, value in vals.items() if name not in fixed}
        day = fields.Date.to_date(vals.get("applied_date"))
        corrected = self.filtered(lambda feature: day and feature.applied_date != day)
        if day and not corrected:
            del vals["applied_date"]  # may be still to come where the writer is
        # Whose day of installation it is need not be able to change keys.
        corrected.sudo().software_key_id._lock_for_step()
        before = {feature.id: feature.applied_date for feature in corrected}
        result = super().write(vals)
        corrected._tell_corrected_days(before)
        return result

    @checked
    def copy(self, default: dict | None = None) -> NoReturn:  # pylint: disable=method-required-super
        raise UserError(
            self.env._(
                "An assignment cannot be duplicated: one key, one equipment. Apply "
                "another key instead."
            )
        )

    def unlink(self) -> bool:
        self.check_access("unlink")
        seats = self._get_seats()
        # As in create: removing is what technicians may do, the key does the rest.
        keys = self.env["client.equipment.software.key"].sudo()
        keys = keys.browse(dict.fromkeys(key_id for key_id, *_ in seats))
        keys._lock_for_step()
        # The rights have been checked above.
        result = super(ClientEquipmentFeature, self.sudo()).unlink()
        keys._step_seats("remove", seats)
        return result

    def _check_applied_by(self, vals_list):
        """Let only managers record an installation that somebody else did."""
        if self.env.su or self.env.user.has_group(
            "client_equipment_software_key.group_software_key_manager"
        ):
            return
        if any(
            vals.get("applied_by_id", self.env.uid) != self.env.uid
            for vals in vals_list
        ):
            raise UserError(
                self.env._(
                    "You can apply software keys in your own name only. Leave Applied "
                    "By as it is, or ask a manager."
                )
            )

    def _check_still_fit(self):
        """Check that each key may stay where it is, after either has changed."""
        self._check_fits(
            [(each.software_key_id, each.equipment_id) for each in self.sudo()]
        )

    @api.model
    def _look_at_places(self, vals_list):
        """Tell of new assignments what binds each to its place, and which of them have
        to be looked at: of most the database knows that the key may stand there.

        :return: ``([values of each], [the numbers of the doubtful ones])``
        """
        # The database compares with what it knows itself.
        self.env["client.equipment"].flush_model(
            ["active", "state", "in_service", "company_id", "partner_id"]
        )
        self.env["client.equipment.software.key"].flush_model(
            ["company_id", "owner_id"]
        )
        rows = self.env.execute_query(
            SQL(
                """
                SELECT key.company_id,
                       CASE WHEN key.owner_id IS NOT NULL THEN equipment.partner_id END,
                       NOT (equipment.active AND equipment.state = 'in_service')
                       OR key.owner_id IS NOT NULL
                       OR key.company_id IS NOT NULL
                          AND key.company_id IS DISTINCT FROM equipment.company_id
                  FROM unnest(%s::int[], %s::int[])
                       WITH ORDINALITY AS pair(key_id, equipment_id, number)
                  LEFT JOIN client_equipment_software_key key ON key.id = pair.key_id
                  LEFT JOIN %s equipment ON equipment.id = pair.equipment_id
                 ORDER BY number
                """,
                [vals.get("software_key_id") or None for vals in vals_list],
                [vals.get("equipment_id") or None for vals in vals_list],
                SQL.identifier(self.env["client.equipment"]._table),
            )
        )
        bounds = [
            {"bound_company_ref": company_id, "bound_partner_ref": partner_id}
            for company_id, partner_id, _doubtful in rows
        ]
        return bounds, [number for number, row in enumerate(rows) if row[2]]

    @api.model
    def _check_fits(self, pairs):
        """Check that each key may stand on its equipment.

        :param pairs: ``[(key, equipment)]``
        :raises UserError: where the equipment is archived or not in service, or the
            key belongs to another company or was bought for another customer (K13)
        """
        for key, equipment in pairs:
            if not key or not equipment:
                continue  # the database says that both are needed
            misfit = key._get_misfit(equipment)
            if misfit and not self.sudo(False).has_access("read"):
                raise UserError(equipment._still_carries_message())
            if misfit == "out_of_service":
                problem = self.env._(
                    "%(equipment)s is not in service, so %(key)s cannot be applied to "
                    "it. Put the equipment back into service first."
                )
            elif misfit == "other_company":
                problem = self.env._(
                    "%(key)s belongs to the company %(company)s, but %(equipment)s "
                    "does not. Choose a key of the equipment's company or one that "
                    "all companies share."
                )
            elif misfit == "other_owner":
                problem = self.env._(
                    "%(key)s was bought for %(owner)s and can only go onto equipment "
                    "of this customer, which %(equipment)s is not. Choose another key."
                )
            else:
                continue
            raise UserError(
                problem
                % {
                    # Whoever gets here may read the key, or could until just now.
                    "key": key._get_name(),
                    "equipment": equipment.display_name,
                    "company": key.company_id.display_name,
                    "owner": key.owner_id.display_name,
                }
            )
