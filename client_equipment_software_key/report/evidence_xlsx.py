from odoo import fields

from .xlsx_file import XlsxFile


class EvidenceXlsx:
    """The tables of an evidence pack (L7): summary, installations, keys, trail, gaps
    and what verifying the trails has found."""

    def __init__(self, evidence):
        self.evidence = evidence
        self.env = evidence.env
        self.labels = {}

    def make(self):
        """Return the XLSX.

        :raises UserError: where it would be too much for one file
        """
        with XlsxFile(self.env) as file:
            summary = file.add_sheet(self.env._("Summary"))
            for row in self._summary():
                summary.append(row)
            for name, headers, rows in (
                self._installations(),
                self._keys(),
                self._trail(),
                self._gaps(),
                self._integrity(),
            ):
                sheet = file.add_sheet(name, headers)
                for row in rows:
                    # (records say False where there is nothing)
                    sheet.append(None if cell is False else cell for cell in row)
                sheet.offer_filters(len(headers))
                summary.append([name, sheet.row - 1])
            summary.append([self.env._("Result"), self.evidence.verdict])
        return file.content

    def _summary(self):
        """Return when, by whom and over which filter the pack is made."""
        pack = self.evidence.pack
        everything = self.env._("All")
        return [
            [self.env._("Made on"), self.evidence.local(fields.Datetime.now())],
            [self.env._("Time zone"), self.env.tz.zone],
            [self.env._("Made by"), self.env.user.name],
            [self.env._("Companies"), ", ".join(self.env.companies.mapped("name"))],
            [self.env._("From"), pack.date_from or everything],
            [self.env._("To"), pack.date_to or everything],
            [self.env._("Software"), self._names(pack.software_ids) or everything],
            [self.env._("Equipment"), self._names(pack.equipment_ids) or everything],
            [self.env._("Customers"), self._names(pack.partner_ids) or everything],
            [self.env._("License keys"), self._label(pack, "license_keys")],
        ]

    # Each sheet: (name, headers, rows)

    def _installations(self):
        headers = [
            self.env._("Customer"),
            self.env._("Equipment"),
            self.env._("Serial Number"),
            self.env._("Feature"),
            self.env._("License Key"),
            self.env._("From"),
            self.env._("To"),
            self.env._("Days"),
            self.env._("Applied By"),
            self.env._("Removed By"),
        ]
        rows = (
            [
                line.customer_name,
                line.equipment_name,
                line.equipment_serial_no,
                line.software_id.display_name,
                self.evidence.shown(line.software_key_id),
                self.evidence.local(line.date_from),
                self.evidence.local(line.date_to),
                round(line.duration, 1),
                line.applied_by_id.name,
                line.removed_by_id.name,
            ]
            for portion in self.evidence.batches(self.evidence.installations)
            for line in portion
        )
        return self.env._("Installations"), headers, rows

    def _keys(self):
        headers = [
            self.env._("Feature"),
            self.env._("License Key"),
            self.env._("Key Type"),
            self.env._("Status"),
            self.env._("Validity Start"),
            self.env._("Validity End"),
            self.env._("Equipment"),
            self.env._("Customer"),
            self.env._("Bought for Customer"),
            self.env._("Purchase Reference"),
            self.env._("Number of Audit Logs"),
            self.env._("Last Audit Hash"),
        ]
        rows = (
            [
                key.software_id.display_name,
                self.evidence.shown(key),
                self._label(key, "key_type"),
                self._label(key, "status"),
                key.validity_start,
                key.validity_end,
                equipment,
                customer,
                owner,
                key.purchase_reference,
                key.audit_number,
                key.audit_hash,
            ]
            for key, equipment, customer, owner in self._keys_where_told()
        )
        return self.env._("Keys"), headers, rows

    def _trail(self):
        headers = [
            self.env._("Feature"),
            self.env._("License Key"),
            self.env._("No."),
            self.env._("Action"),
            self.env._("Date and Time"),
            self.env._("User"),
            self.env._("Equipment"),
            self.env._("Serial Number"),
            self.env._("Customer"),
            self.env._("Status Before"),
            self.env._("Status After"),
            self.env._("Validity End Before"),
            self.env._("Validity End After"),
            self.env._("Description"),
            self.env._("SHA-256"),
        ]
        rows = (
            [
                entry.software_id.display_name,
                self.evidence.shown(entry.software_key_id),
                entry.number,
                self._label(entry, "action"),
                self.evidence.local(entry.action_date),
                entry.user_name,
                entry.equipment_name,
                entry.equipment_serial_no,
                entry.customer_name,
                self._label(entry, "status_before"),
                self._label(entry, "status_after"),
                entry.validity_end_before,
                entry.validity_end_after,
                self._description(entry),
                entry.hash,
            ]
            for entry in self.evidence.entries()
        )
        return self.env._("Trail"), headers, rows

    def _gaps(self):
        headers = [
            self.env._("Gap"),
            self.env._("Feature"),
            self.env._("License Key"),
            self.env._("Status"),
            self.env._("Validity End"),
            self.env._("Equipment"),
            self.env._("Customer"),
        ]
        rows = (
            [
                gap,
                key.software_id.display_name,
                self.evidence.shown(key),
                self._label(key, "status"),
                key.validity_end,
                equipment,
                customer,
            ]
            for key, equipment, customer, _owner in self._keys_where_told()
            if (gap := self._gap(key, equipment))
        )
        return self.env._("Gaps"), headers, rows

    def _integrity(self):
        headers = [
            self.env._("Feature"),
            self.env._("License Key"),
            self.env._("Finding"),
        ]
        rows = (
            [
                key.software_id.display_name,
                self.evidence.shown(key),
                self.evidence.hide(problem, key),
            ]
            for key, problem in self.evidence.findings
        )
        return self.env._("Integrity"), headers, rows

    # What stands in the cells

    def _keys_where_told(self):
        """Yield each key with the names of its equipment, of the equipment's customer
        and of the customer it was bought for, where they may be told."""
        for portion in self.evidence.batches(self.evidence.keys):
            features = portion.sudo().equipment_feature_ids
            places = self.evidence.places(features.equipment_id.sudo(False))
            owners = self.evidence.names(portion.owner_id)
            for key in portion:
                there = [
                    places[equipment]
                    for equipment in key.sudo().equipment_feature_ids.equipment_id
                    if equipment in places
                ]
                equipment, customer = (
                    ", ".join(dict.fromkeys(filter(None, names)))
                    for names in (zip(*there, strict=True) if there else ("", ""))
                )
                yield key, equipment, customer, owners.get(key.owner_id)

    def _gap(self, key, equipment):
        """Return in words what is wrong with a key, if anything."""
        if key.needs_attention:
            return self.env._("Status and assignment disagree")
        if key.status == "expired" and equipment:
            return self.env._("Expired, but still installed")
        return None

    def _description(self, entry):
        key = entry.software_key_id
        named = key | key.replaces_id | key.replaced_by_id
        return self.evidence.hide(entry.description, named)

    def _label(self, record, field_name):
        labels = self.labels.get((record._name, field_name))
        if labels is None:
            field = record._fields[field_name]
            labels = dict(field._description_selection(self.env))
            self.labels[record._name, field_name] = labels
        return labels.get(record[field_name], "")

    def _names(self, records):
        return ", ".join(records.mapped("display_name"))
