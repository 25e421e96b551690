import base64

from odoo import api, models
from odoo.fields import Domain

from odoo.addons.client_equipment.arguments import checked


class ClientEquipmentSoftwareKey(models.Model):
    """What a person who chooses a key is offered, and told of what is not."""

    _inherit = "client.equipment.software.key"

    @api.model
    def name_search(
        self,
        name: str = "",
        domain: list | None = None,
        operator: str = "ilike",
        limit: int = 100,
    ) -> list[tuple[int, str]]:
        """Offer keys as they are best used up, where the context asks (the forms do).

        Those bought for the customer first; the domain of the form lets only those of
        its own customer through (K13). Then the one that expires first in front, as
        *Apply Next Available* takes them (A12). Each look-up follows an index, where
        one sort of everything that fits would not. Keys that are on the equipment
        already are left out, and those whose rules keep them for other units (A14);
        one that is kept for this one comes first.
        """
        if not self.env.context.get("software_key_owned_first"):
            return super().name_search(name, domain, operator, limit)
        equipment = self._get_offered_equipment()
        fits = Domain(domain or Domain.TRUE) & self._not_on_domain(equipment)
        owned = Domain("owner_id", "!=", False)
        named = Domain("display_name", operator, name)
        open_ = self._open_domain()
        look_ups = [owned & named & open_, ~owned & named & open_]
        if " - " in (name or "") and operator != "=":
            exactly = self._feature_and_key_domain(name, operator)
            look_ups.insert(1, ~owned & exactly & open_)
        if kept := equipment and self._get_keys_kept_for(equipment):
            look_ups.insert(0, named & Domain("id", "in", [pair[0] for pair in kept]))
        look_ups.append(named & self._rested_domain())
        found = self.browse()
        for look_up in look_ups:
            if limit is not None and len(found) >= limit:
                break
            found |= self.search_fetch(
                fits & look_up & Domain("id", "not in", found.ids),
                ["display_name", "validity_end", "seats", "seats_used"],
                limit=limit and limit - len(found),
                order="validity_end, seats_free, id",
            )
        return [(key.id, key.display_name) for key in found.sudo()]

    @api.model
    def _get_offered_equipment(self):
        """Return the equipment that the context says keys are offered for, if any that
        the user may read."""
        equipment_id = self.env.context.get("software_key_not_on")
        if not isinstance(equipment_id, int):
            equipment_id = False
        equipment = self.env["client.equipment"].browse(equipment_id or ())
        return equipment._filtered_access("read")

    @api.model
    @api.readonly
    @checked
    def tell_why_not_offered(self, name: str) -> str:
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

    def get_qr_code(self) -> str:
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
        domain: list,
        specification: dict,
        offset: int = 0,
        limit: int | None = None,
        order: str | None = None,
        count_limit: int | None = None,
    ) -> dict:
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
