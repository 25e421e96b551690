from contextlib import suppress
from itertools import permutations

from freezegun import freeze_time

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import ADDON, SoftwareKeyCommon

KEY = "client.equipment.software.key"
# Models of Odoo that have fields of ours.
EXTENDED = ("res.company", "res.config.settings", "res.partner")


@tagged("post_install", "-at_install")
class TestReaders(SoftwareKeyCommon):
    """E1: what one reader is shown depends on what he may see, never on who looked
    before him in the same transaction."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("de_DE")
        cls.env["ir.module.module"]._load_module_terms(
            ["client_equipment", ADDON], ["de_DE"]
        )
        cls._give_rights_of_apps(cls.manager)
        companies = cls.company + cls.other_company
        cls.manager.company_ids = companies
        outsider = cls._new_user("outsider", f"{ADDON}.group_software_key_manager")
        outsider.write(
            {
                "company_id": cls.other_company.id,
                "company_ids": [Command.set(cls.other_company.ids)],
                "lang": "de_DE",
                "tz": "Pacific/Kiritimati",
            }
        )
        equipment_user = cls._new_user(
            "equipment_user", "client_equipment.group_client_equipment_user"
        )
        german = {"lang": "de_DE", "tz": "Pacific/Kiritimati"}
        both = {"allowed_company_ids": companies.ids}
        cls.readers = {
            "superuser": cls.env(context=both),
            "manager": cls.env(user=cls.manager, context=both),
            "manager in German": cls.env(user=cls.manager, context=both | german),
            "manager elsewhere": cls.env(
                user=cls.manager,
                context={"allowed_company_ids": cls.other_company.ids},
            ),
            "outsider": cls.env(user=outsider, context=german),
            "equipment user": cls.env(user=equipment_user, context={}),
        }

    @classmethod
    def _records(cls):
        """Return for each model of ours records that have something to show."""
        shared, owned, free, old = (
            cls._enter("READ-1", company_id=False),
            cls._enter_subscriptions("READ-2", end=50),
            cls._enter_subscriptions("READ-3", end=5),
            cls._enter("READ-4", user=cls.env.user, company_id=cls.other_company.id),
        )
        unit = cls.env["client.equipment"].create(
            {
                "name": "Elsewhere",
                "serial_no": cls.laptop.serial_no,
                "partner_id": cls.customer.id,
                "company_id": cls.other_company.id,
                "category_id": cls.env["client.equipment.category"]
                .create({"name": "Readers"})
                .id,
            }
        )
        cls.laptop.category_id = unit.category_id
        features = cls._apply(owned)
        features += cls._apply(shared + old, unit, user=cls.env.user)
        cls.env.flush_all()
        cls.env.cr.execute(
            "UPDATE client_equipment_software_key SET status = 'available'"
            " WHERE id = ANY(%s)",
            [(owned + shared).ids],
        )
        cls.env.invalidate_all()
        keys = shared + owned + free + old

        def dialog(model, **vals):
            return (
                cls.env[model]
                .with_user(cls.manager)
                .with_context(active_model=KEY, active_ids=free.ids, active_id=free.id)
                .create(vals)
            )

        cls._enter("READ-GONE-0001").delete("entered twice")
        software = {"software_id": cls.office.id}
        pack = dialog("client.equipment.evidence.pack")
        in_pack = {"pack_id": pack.id}
        returning = dialog("client.equipment.return", equipment_id=cls.laptop.id)
        applying = dialog(
            "client.equipment.apply.software",
            equipment_ids=[Command.set(cls.laptop.ids)],
            software_ids=[Command.set((cls.office + cls.antivirus).ids)],
        )
        records = [
            cls.laptop + unit,
            unit.category_id,
            cls.office + cls.antivirus,
            keys,
            features,
            keys.audit_log_ids,
            cls.env["client.equipment.usage.history"].search([]),
            cls.env[f"{KEY}.check"]._get(),
            cls.env["client.equipment.audit.checkpoint"].make(),
            cls.env["client.equipment.verification"].create(
                {"user_id": cls.manager.id}
            ),
            dialog(
                "client.equipment.apply.next",
                equipment_id=cls.laptop.id,
                software_ids=[Command.set((cls.office + cls.antivirus).ids)],
            ),
            applying,
            applying.line_ids,
            dialog(
                f"{KEY}.override",
                software_key_id=free.id,
                equipment_id=cls.laptop.id,
                reason="any",
            ),
            cls.env[f"{KEY}.count"].search([]),
            cls.env["client.equipment.audit.deletion"].search([]),
            cls.env["client.equipment.audit.deletion.entry"].search([]),
            pack,
            cls.env["client.equipment.evidence.file"].create({"name": "a", **in_pack}),
            cls.env["client.equipment.evidence.piece"].create({"part": "a", **in_pack}),
            returning,
            returning.line_ids,
            dialog(f"{KEY}.bulk.entry", license_keys="READ-1\nread-4", **software),
            dialog(f"{KEY}.deletion", reason="any"),
            dialog(f"{KEY}.renewal"),
            dialog(f"{KEY}.replacement", license_key="read-4"),
            cls.company + cls.other_company,
            cls.customer,
            cls.env["res.config.settings"].create({}),
            *cls._make_records_of_apps(),
        ]
        cls.env.flush_all()
        return {each._name: each.sudo(False) for each in records}

    def _computed(self, model):
        """Return the names of our fields that are computed for each reader anew."""
        return [
            name
            for name, field in self.env[model]._fields.items()
            if field.compute and not field.store
            if name == "display_name"
            and model not in EXTENDED
            or any(module.startswith("client_equipment") for module in field._modules)
        ]

    def _read(self, env, records):
        """Return ``{(record, field): value}`` as the reader is shown it, without what
        he may not see."""
        shown = {}
        for record in records.with_env(env)._filtered_access("read"):
            names = self._computed(record._name)
            if "formatted_display_name" in env.context:
                names = ["display_name"]
            for name in names:
                with suppress(AccessError):
                    shown[str(record), name] = str(record.read([name])[0][name])
        return shown

    def test_each_reader_sees_his_own(self):
        """E1: all computed values, by each two readers one after the other."""
        records = self._records()
        self.assertEqual({*self._our_models(), *EXTENDED}, set(records))
        formatted = {
            "formatted_display_name": True,
            "software_key_available_for": self.laptop.id,
        }
        everybody = self.readers | {
            f"{reader}, drop-down": env(context=env.context | formatted)
            for reader, env in self.readers.items()
            if reader in ("superuser", "outsider")
        }
        for model, all_of_them in records.items():
            if not self._is_guarded(model):
                continue
            readers = everybody
            if self.env[model]._transient:
                # A dialog belongs to its maker.
                readers = {
                    reader: self.readers[reader]
                    for reader in ("superuser", "manager", "manager in German")
                }
            fresh = {}
            for reader, env in readers.items():
                self.env.invalidate_all()
                fresh[reader] = self._read(env, all_of_them)
            for first, second in permutations(readers, 2):
                self.env.invalidate_all()
                self._read(readers[first], all_of_them)
                with self.subTest(model=model, reader=second, after=first):
                    shown = self._read(readers[second], all_of_them)
                    self.assertEqual(shown, fresh[second])

    def test_follows_the_companys_clock(self):
        """S1: what depends on the day where the company is follows its time zone, and
        a key that goes to another company."""
        self.company.partner_id.tz = "Etc/GMT+8"
        self.other_company.partner_id.tz = "Australia/Brisbane"
        with freeze_time("2031-03-01 12:00:00"):
            key = self._enter(
                "CLOCK-1",
                user=self.env.user,
                key_type="trial",
                validity_end="2031-03-10",
            )

        def shown():
            return key.can_be_applied, key.expires_soon, key.needs_attention

        with freeze_time("2031-03-10 15:00:00"):
            self.assertEqual(shown(), (True, True, False))
            key.company_id = self.other_company
            self.assertEqual(shown(), (False, False, True))
            self.other_company.partner_id.tz = "Etc/GMT+8"
            self.assertEqual(shown(), (True, True, False))
            self.other_company.software_key_lead_days = 0
            key.validity_end = "2031-03-20"
            self.assertEqual(shown(), (True, False, False))
