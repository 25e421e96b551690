from odoo import models


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    """Contacts are merged by straight SQL: what that changes of keys is told, too."""

    _inherit = "base.partner.merge.automatic.wizard"

    def _update_foreign_keys_generic(self, model, src_records, dst_record):
        if model != "res.partner":
            return super()._update_foreign_keys_generic(model, src_records, dst_record)
        names = {"owner_id", "supplier_id"}
        # Who merges contacts need not know of keys.
        keys = self.env["client.equipment.software.key"].sudo()
        keys = keys.search(
            ["|", *((name, "in", src_records.ids) for name in sorted(names))]
        )
        keys._lock_for_step()
        before = keys._get_told(names)
        result = super()._update_foreign_keys_generic(model, src_records, dst_record)
        self.env.invalidate_all()
        ends = {key.id: key.validity_end for key in keys}
        keys._tell_changes(before, {}, ends)
        return result
