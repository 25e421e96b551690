from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import SoftwareKeyCommon

# Who may do what: r(ead), w(rite), c(reate), d(elete).
EQUIPMENT = "client.equipment"
CATEGORY = "client.equipment.category"
SOFTWARE = "client.equipment.software"
KEY = "client.equipment.software.key"
FEATURE = "client.equipment.feature"
AUDIT_LOG = "client.equipment.audit.log"
CHECKPOINT = "client.equipment.audit.checkpoint"
DELETION = "client.equipment.audit.deletion"
# Written by the system alone.
CLOSED = (AUDIT_LOG, CHECKPOINT, DELETION)
RIGHTS = {
    ("technician", EQUIPMENT): "rwc",
    ("technician", CATEGORY): "r",
    ("technician", SOFTWARE): "r",
    ("technician", KEY): "r",
    ("technician", FEATURE): "rwcd",
    ("technician", AUDIT_LOG): "r",
    ("auditor", EQUIPMENT): "r",
    ("auditor", CATEGORY): "r",
    ("auditor", SOFTWARE): "r",
    ("auditor", KEY): "r",
    ("auditor", FEATURE): "r",
    ("auditor", AUDIT_LOG): "r",
    ("manager", EQUIPMENT): "rwcd",
    ("manager", CATEGORY): "rwcd",
    ("manager", SOFTWARE): "rwcd",
    ("manager", KEY): "rwcd",
    ("manager", FEATURE): "rwcd",
    ("manager", AUDIT_LOG): "r",
    ("technician", CHECKPOINT): "",
    ("technician", DELETION): "",
    ("auditor", CHECKPOINT): "r",
    ("auditor", DELETION): "r",
    ("manager", CHECKPOINT): "r",
    ("manager", DELETION): "r",
    ("equipment_user", CHECKPOINT): "",
    ("equipment_user", DELETION): "",
    ("equipment_manager", CHECKPOINT): "",
    ("equipment_manager", DELETION): "",
    ("equipment_user", EQUIPMENT): "rwc",
    ("equipment_user", CATEGORY): "r",
    ("equipment_user", SOFTWARE): "",
    ("equipment_user", KEY): "",
    ("equipment_user", FEATURE): "",
    ("equipment_user", AUDIT_LOG): "",
    ("equipment_manager", EQUIPMENT): "rwcd",
    ("equipment_manager", CATEGORY): "rwcd",
    ("equipment_manager", SOFTWARE): "",
    ("equipment_manager", KEY): "",
    ("equipment_manager", FEATURE): "",
    ("equipment_manager", AUDIT_LOG): "",
} | {
    (role, model): ""
    for role in ("internal", "portal", "public")
    for model in (
        EQUIPMENT,
        CATEGORY,
        SOFTWARE,
        KEY,
        FEATURE,
        AUDIT_LOG,
        CHECKPOINT,
        DELETION,
    )
}
# An administrator may all that a manager may.
RIGHTS |= {
    ("administrator", model): rights
    for (role, model), rights in RIGHTS.items()
    if role == "manager"
}


@tagged("post_install", "-at_install")
class TestAccess(SoftwareKeyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        equipment = "client_equipment.group_client_equipment"
        cls.roles = {
            "technician": cls.technician,
            "auditor": cls.auditor,
            "manager": cls.manager,
            "administrator": cls._new_user("administrator", "base.group_system"),
            "equipment_user": cls._new_user("equipment_user", f"{equipment}_user"),
            "equipment_manager": cls._new_user(
                "equipment_manager", f"{equipment}_manager"
            ),
            "internal": cls.internal,
            "portal": cls.portal,
            "public": cls.env.ref("base.public_user"),
        }
        cls.outsider = new_test_user(
            cls.env,
            "sk_outsider",
            "client_equipment_software_key.group_software_key_manager",
            company_id=cls.other_company.id,
            company_ids=[(6, 0, cls.other_company.ids)],
        )
        cls.number = 0

    def _record(self, model):
        """Return a new record of the model, with values for writing and creating."""
        type(self).number += 1
        name = f"Access {self.number}"
        software = {"software_id": self.office.id}
        company = {"company_id": self.company.id}
        if model in (EQUIPMENT, CATEGORY, SOFTWARE):
            common = company if model == EQUIPMENT else {}
            record = self.env[model].create({"name": name} | common)
            return record, {"name": f"{name} w"}, {"name": f"{name} c"} | common
        if model == CHECKPOINT:
            return self.env[model].make(), {"size": 1}, {"size": 1}
        key, other = self._enter(name, f"{name} other")
        if model == DELETION:
            deleted = [("software_key_ref", "=", key.id)]
            key.unlink()
            return self.env[model].search(deleted), {"reason": name}, {"reason": name}
        if model == KEY:
            create = {"license_key": f"{name} c"} | software | company
            return key, {"remarks": name}, create
        feature = self._apply(key)
        if model == FEATURE:
            create = {"software_key_id": other.id, "equipment_id": self.laptop.id}
            return feature, {"remarks": name}, create
        entry = key.audit_log_ids[:1]
        return entry, {"reason": name}, {"software_key_id": key.id, "number": 9}

    def _try(self, letter, record, write, create):
        match letter:
            case "r":
                record.read(["display_name"])
            case "w":
                record.write(write)
            case "c":
                record.create(create)
            case "d":
                record.unlink()

    def test_rights_of_each_role(self):
        """E1: each role may do with each model what the table says, and no more."""
        models = {model for _role, model in RIGHTS}
        standing = {model: self._record(model) for model in models}
        for (role, model), allowed in RIGHTS.items():
            for letter in "rwcd":
                with self.subTest(role=role, model=model, operation=letter):
                    record, write, create = (
                        self._record(model)
                        if letter != "r" and letter in allowed
                        else standing[model]
                    )
                    record = record.sudo(False).with_user(self.roles[role])
                    if letter in allowed:
                        self._try(letter, record, write, create)
                        self.env.flush_all()
                    elif model in CLOSED and letter != "r":
                        # Closed even to those who could: see test_audit_log.
                        with self.assertRaises(UserError):
                            self._try(letter, record, write, create)
                    else:
                        with self.assertRaises(AccessError):
                            self._try(letter, record, write, create)

    def test_rights_come_before_rules(self):
        """E1: who may not enter keys learns that, not what is wrong with the values."""
        with self.assertRaises(AccessError):
            self.env[KEY].with_user(self.technician).create({"license_key": " "})

    def test_searching_shows_nothing_to_outsiders(self):
        """E1: portal, public and users without a role cannot search either."""
        for role in ("internal", "portal", "public"):
            for model in (EQUIPMENT, SOFTWARE, KEY, FEATURE, AUDIT_LOG):
                records = self.env[model].with_user(self.roles[role])
                for search in (
                    lambda records: records.search([]),
                    lambda records: records.search_count([]),
                    lambda records: records.name_search("a"),
                    lambda records: records.formatted_read_group([], [], ["__count"]),
                ):
                    with (
                        self.subTest(role=role, model=model),
                        self.assertRaises(AccessError),
                    ):
                        search(records)

    def test_administrators_are_managers(self):
        """E1: who administers the system manages the keys, the first one too."""
        manager = "client_equipment_software_key.group_software_key_manager"
        self.assertTrue(self.roles["administrator"].has_group(manager))
        self.assertTrue(self.env.ref("base.user_admin").has_group(manager))

    def test_groups_imply_what_they_need(self):
        """E1: the chain of groups, and who may export."""
        for role, groups in {
            "technician": {"client_equipment_user", "software_key_user"},
            "auditor": {"software_key_auditor", "allow_export"},
            "manager": {
                "client_equipment_user",
                "client_equipment_manager",
                "software_key_user",
                "software_key_manager",
                "allow_export",
            },
        }.items():
            for group in (
                "client_equipment.group_client_equipment_user",
                "client_equipment.group_client_equipment_manager",
                "client_equipment_software_key.group_software_key_user",
                "client_equipment_software_key.group_software_key_auditor",
                "client_equipment_software_key.group_software_key_manager",
                "base.group_allow_export",
            ):
                if role == "manager" and group.endswith("auditor"):
                    continue  # a manager may all that an auditor may, either way
                name = group.partition(".group_")[2]
                with self.subTest(role=role, group=group):
                    self.assertEqual(self.roles[role].has_group(group), name in groups)

    def test_menus_follow_the_rights(self):
        """E1: each role finds the menus it can use; others see no app at all."""
        addon = "client_equipment_software_key."
        root = self.env.ref("client_equipment.menu_client_equipment_root")
        for role, sees in {
            "technician": True,
            "auditor": True,
            "manager": True,
            "internal": False,
        }.items():
            menus = self.env["ir.ui.menu"].with_user(self.roles[role])
            visible = self.env["ir.ui.menu"].browse(menus._visible_menu_ids())
            actions = {
                action.res_model
                for action in visible.mapped("action")
                if action and action._name == "ir.actions.act_window"
            }
            with self.subTest(role=role, addon=addon):
                self.assertEqual(root in visible, sees)
                for model in (KEY, FEATURE, AUDIT_LOG, SOFTWARE):
                    self.assertEqual(model in actions, sees, model)

    def test_records_of_another_company_are_invisible(self):
        """E1: keys, assignments and trail of another company cannot be reached."""
        key = self._enter("COMPANY-1")
        feature = self._apply(key)
        self.env.flush_all()
        self.env.invalidate_all()
        for record in (self.laptop, key, feature, key.audit_log_ids[:1]):
            record = record.sudo(False).with_user(self.outsider)
            with self.subTest(model=record._name):
                self.assertFalse(record.search([("id", "=", record.id)]))
                with self.assertRaises(AccessError):
                    record.read(["display_name"])
                with self.assertRaises(UserError):
                    record.write({"company_id": self.other_company.id})
                with self.assertRaises(UserError):
                    record.unlink()
                groups = record.formatted_read_group(
                    [("id", "=", record.id)], [], ["__count"]
                )
                self.assertEqual(groups[0]["__count"], 0)
        key = key.with_user(self.outsider)
        for call in (
            lambda: key.revoke(),
            lambda: key.write({"status": "revoked"}),
            lambda: key.write({"validity_end": "2020-01-01"}),
            lambda: key.action_duplicate(),
            lambda: key.copy({"license_key": "STOLEN-1"}),
            lambda: self.laptop.with_user(self.outsider).recover_software_keys(),
            lambda: self._enter("COMPANY-2", user=self.outsider),
        ):
            with self.assertRaises(AccessError):
                call()
        counts = self.office.with_user(self.outsider)
        self.assertEqual(counts.software_key_count, 0)
        self.assertEqual(self.office.with_user(self.manager).software_key_count, 1)

    def test_shared_keys_are_seen_in_every_company(self):
        """E1: a key without a company is seen everywhere, its place is not."""
        key = self._enter("SHARED-1", company_id=False)
        for user in self.technician, self.outsider:
            self.assertEqual(key.with_user(user).search([("id", "=", key.id)]), key)
        feature = self._apply(key)
        self.assertFalse(
            feature.with_user(self.outsider).search([("id", "=", feature.id)])
        )
        # The key's form opens for the other company, too.
        self.env.invalidate_all()
        (values,) = key.with_user(self.outsider).web_read(
            {"status": {}, "display_name": {}, "equipment_feature_ids": {"fields": {}}}
        )
        self.assertEqual(values["status"], "applied")
        self.assertEqual(values["equipment_feature_ids"], [])

    def test_shared_keys_are_exported_in_every_company(self):
        """E1, L3: where a shared key stands at another company, an export tells that
        it does, and nothing of the place; the rest of the list comes with it."""
        here, there, free = self._enter(
            "SHARED-2", "SHARED-3", "SHARED-4", company_id=False
        )
        self.customer.company_id = self.company
        self._apply(here)
        unit = self.laptop.create(
            {"name": "Elsewhere", "company_id": self.other_company.id}
        )
        self._apply(there, unit, user=self.env.user)
        self.outsider.group_ids += self.env.ref("base.group_allow_export")
        keys = (here + there + free).with_user(self.outsider)
        columns = [
            "license_key",
            "equipment_id",
            "equipment_id/name",
            "equipment_id/partner_id/name",
            "equipment_feature_ids/equipment_id/name",
        ]
        self.env.invalidate_all()
        rows = keys.with_context(import_compat=False).export_data(columns)["datas"]
        self.assertEqual(
            rows,
            [
                ["SHARED-2", "Equipment of another company", "", "", ""],
                ["SHARED-3", "Elsewhere", "Elsewhere", "", "Elsewhere"],
                ["SHARED-4", "", "", "", ""],
            ],
        )
        with self.assertRaises(AccessError):
            self._enter("OURS-1").with_user(self.outsider).export_data(["license_key"])

    def test_key_of_an_archived_company(self):
        """Keys of a company that was archived can still be handled."""
        company = self.env["res.company"].create({"name": "Closed Services"})
        key = self._enter_subscriptions(
            "CLOSED-1", user=self.env.user, company_id=company.id
        )
        company.active = False
        key.write({"validity_end": self._in_days(-1)})
        self.assertEqual(key.status, "expired")
