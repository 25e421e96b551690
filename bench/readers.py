"""The readers: what screens ask of the server, at the large table and at the small.

``readers(env)`` gives ``{name: function}``; names that start with ``dropdown``,
``list`` or ``job`` are bound by the growth target, the others are reported.
"""

import base64
import io
import json
from datetime import date, timedelta

import xlsxwriter
from lxml import etree
from works import FEATURE, KEY, TRAIL, acting

from odoo.fields import Domain
from odoo.tools.safe_eval import safe_eval

from odoo.addons.client_equipment_software_key.models import (
    client_equipment_audit_checkpoint_verify as verify,
)
from odoo.addons.client_equipment_software_key.wishes import Wish

SOFTWARE = "client.equipment.software"
PAGE, COUNT_LIMIT = 80, 10000  # as the web client asks
NIGHT = 10_000  # entries
LINES = 50_000  # of a vendor's list


def list_view(env, model):
    return etree.fromstring(env[model].get_view(view_type="list")["arch"])


def specification(env, model):
    """Return what the web client's list asks for: the columns, links by name."""
    arch = list_view(env, model)
    return {
        name: {"fields": {"display_name": {}}}
        if env[model]._fields[name].type == "many2one"
        else {}
        for node in arch.iter("field")
        if (name := node.get("name")) and env[model]._fields[name].type != "one2many"
    }


def filters(env, model):
    """Return ``{name: domain}`` of the filters in the search view."""
    arch = etree.fromstring(env[model].get_view(view_type="search")["arch"])
    return {
        node.get("name"): safe_eval(node.get("domain"), {"uid": env.uid})
        for node in arch.iter("filter")
        if node.get("domain")
    }


def page(env, model, domain=(), order=None):
    asked = specification(env, model)
    counted = int(list_view(env, model).get("count_limit", COUNT_LIMIT)) + 1
    return lambda: env[model].web_search_read(
        list(domain), asked, limit=PAGE, order=order, count_limit=counted
    )


def drop_down(env, text):
    """Return the question of the equipment form's drop-down, as typed by somebody."""
    unit = env["client.equipment"].search([], limit=1)
    domain = safe_eval(
        env[FEATURE]._fields["software_key_id"].domain,
        {"company_id": unit.company_id.id, "partner_id": unit.partner_id.id},
    )
    return lambda: (
        env[KEY]
        .with_context(formatted_display_name=True, software_key_owned_first=True)
        .web_name_search(text, {"display_name": {}}, domain=domain, limit=8)
    )


def readers(env):
    auditor, technician = acting(env, "auditor1"), acting(env, "technician1")
    manager = acting(env, "manager1")
    keys = technician[KEY]
    license_key = keys.search([("status", "=", "available")], limit=1).license_key
    found = {
        "dropdown: nothing typed": drop_down(technician, ""),
        "dropdown: part of a key": drop_down(technician, license_key[3:13]),
        "dropdown: three letters of keys": drop_down(technician, license_key[:3]),
        "dropdown: part of a feature": drop_down(technician, "office"),
        "dropdown: feature and key": drop_down(
            technician, "Office Basic - " + license_key[:2]
        ),
        "dropdown: found nowhere": drop_down(technician, "QQQQQQQQ"),
        "list: no filter": page(technician, KEY),
        "list: by validity end": page(technician, KEY, order="validity_end"),
        "list: search part of a key": page(
            technician, KEY, [("license_key", "ilike", license_key[3:13])]
        ),
        "list: search part of a feature": page(
            technician, KEY, [("software_id", "ilike", "antivirus")]
        ),
        "list: search either": page(
            technician, KEY, [("display_name", "ilike", license_key[3:13])]
        ),
    }
    for name, domain in (filters(technician, KEY) | filters(manager, KEY)).items():
        found[f"list: {name}"] = page(technician, KEY, domain)
        found[f"list: {name}, by validity end"] = page(
            technician, KEY, domain, order="validity_end"
        )
    for field in ("software_id", "status"):
        found[f"group: keys by {field}"] = lambda field=field: keys.web_read_group(
            [], [field], limit=PAGE
        )
    year = date.today() - timedelta(days=365)
    months = Domain("action_date", ">=", str(year)) & Domain(
        "action_date", "<", str(year + timedelta(days=30))
    )
    found["trail: one month, a page"] = page(auditor, TRAIL, months)
    found["trail: newest page"] = page(auditor, TRAIL)
    unit = auditor[FEATURE].search([], limit=1, order="id").equipment_id
    found |= usage_history(auditor, unit, year)
    person = technician.uid
    found |= {
        "trail: of an equipment": page(
            auditor, TRAIL, [("equipment_id", "=", unit.id)]
        ),
        "trail: of a technician": page(auditor, TRAIL, [("user_id", "=", person)]),
        "assignments: newest page": page(auditor, FEATURE),
        "assignments: of an equipment": page(
            auditor, FEATURE, [("equipment_id", "=", unit.id)]
        ),
        "assignments: of a technician": page(
            auditor, FEATURE, [("applied_by_id", "=", person)]
        ),
        "keys of an equipment": page(auditor, KEY, [("equipment_id", "=", unit.id)]),
        "keys of a software": page(
            auditor,
            KEY,
            [("software_id", "=", keys.search([], limit=1).software_id.id)],
        ),
        # People and suppliers of whom there is nothing: only an index knows that soon.
        "trail: of a person without entries": page(
            auditor, TRAIL, [("user_id", "=", auditor.uid)]
        ),
        "assignments: of a person without any": page(
            auditor, FEATURE, [("applied_by_id", "=", auditor.uid)]
        ),
        "keys of a supplier without any": page(
            auditor, KEY, [("supplier_id", "=", env.company.partner_id.id)]
        ),
        "catalogue: a page": page(manager, SOFTWARE),
        "overview": manager[KEY].get_overview,
        "next available keys of all software": next_available(technician),
    }
    found |= steps(technician, manager)
    found |= checkpoints(auditor)
    some = auditor[KEY].search([], limit=1000, order="id")
    if hasattr(some, "verify_audit_trail"):
        found["verify: 1,000 keys"] = some.verify_audit_trail
    entries = auditor[TRAIL].search(months, limit=1000)
    names = ["action", "action_date", "user_id/name", "software_key_id/license_key"]
    found["export: 1,000 entries"] = lambda: entries.export_data(
        [*names, "equipment_name", "description"]
    )
    return found


def next_available(env):
    software = env["client.equipment.software"].search([])
    unit = env["client.equipment"].search([], limit=1)
    wishes = [Wish(unit.id, each.id) for each in software]
    return lambda: env[KEY]._get_next_available(wishes)


def masked(env):
    """Return what technicians and auditors ask for where license keys are shown on
    request (K16): from now on, in this transaction."""
    env["res.groups"]._set_license_key_display("on_request")
    technician = acting(env, "technician1")
    key = env[KEY].search([("status", "=", "available")], limit=1)
    whole, last = key.license_key, key.license_key[-5:]
    found = {
        "dropdown: nothing typed": drop_down(technician, ""),
        "dropdown: last five of a key": drop_down(technician, last),
        "dropdown: a whole key": drop_down(technician, whole),
        "dropdown: part of a feature": drop_down(technician, "office"),
        "dropdown: found nowhere": drop_down(technician, "QQQQQQQQ"),
        "list: no filter": page(technician, KEY),
        "list: by validity end": page(technician, KEY, order="validity_end"),
        "list: last five of a key": page(
            technician, KEY, [("license_key", "ilike", last)]
        ),
        "list: a whole key": page(technician, KEY, [("license_key", "ilike", whole)]),
        "list: search either": page(technician, KEY, [("display_name", "ilike", last)]),
        "license key revealed": undone(
            technician, key.with_env(technician).reveal_license_key
        ),
    }
    return {f"on request: {name}": function for name, function in found.items()}


def undone(env, function):
    """Return the function as one whose work is taken back at once."""

    def work():
        with env.cr.savepoint() as savepoint:
            function()
            env.flush_all()
            savepoint.rollback()

    return work


def steps(technician, manager):
    """Return steps that a few people take at a time, and that is taken back at once."""
    keys = technician[KEY]
    key = manager[KEY].search([("status", "=", "available")], limit=1)
    units = technician["client.equipment"].search([], limit=50, order="id")
    software = technician[SOFTWARE].search([], limit=10, order="id")
    volume = keys.search([("seats", "=", 25), ("seats_used", "=", 0)], limit=1)
    seats = [
        {"software_key_id": volume.id, "equipment_id": unit.id} for unit in units[:25]
    ]

    def all_seats():
        technician[FEATURE].create(seats).unlink()

    pasted = "\n".join(f"PASTE-{number}" for number in range(LINES))
    return {
        "a key deleted": undone(manager, key.unlink),
        "10 software onto 50 units at once": undone(
            technician, lambda: units.apply_next_available(software.ids)
        ),
        "25 seats of a key taken and given back": undone(technician, all_seats),
        f"bulk entry: {LINES:,} lines pasted": previewed(manager, license_keys=pasted),
        f"bulk entry: XLSX of {LINES:,} lines": previewed(
            manager, file=xlsx(LINES), file_name="keys.xlsx"
        ),
    }


def xlsx(lines):
    """Return a vendor's file with so many license keys, as the web client sends it."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Nr", "License Key", "Remark"])
        for row in range(1, lines + 1):
            sheet.write_row(row, 0, [row, f"XLSX-{row}-ABCDE-FGHIJ", "order 4711"])
    return base64.b64encode(content.getvalue()).decode()


def previewed(env, **values):
    """Return what the web client asks as soon as these have been typed or chosen."""
    entry = env["client.equipment.software.key.bulk.entry"]
    software = env[SOFTWARE].search([], limit=1)
    values |= {"software_id": software.id, "key_type": "permanent", "seats": 1}
    names = ["license_keys", "file", "file_name", "table", "choice", "unread_cells"]
    names += ["leave_out", "new_count", "refused_count", "preview", "enter_label"]
    asked = {name: {} for name in names}
    changed = [name for name in ("license_keys", "file") if name in values]

    def preview():
        answer = entry.onchange(values, changed, asked)["value"]
        assert answer["new_count"] == LINES, answer["new_count"]

    return preview


def checkpoints(env):
    """Return the making of last night's checkpoint, which is taken back at once, and
    the steps of verifying with the one before."""
    Checkpoint = env["client.equipment.audit.checkpoint"]
    midnight = Checkpoint._get_database_time().replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    before = env[TRAIL].search([("action_date", "<", midnight)], limit=NIGHT)[-1]
    kept = Checkpoint._make(before.action_date.replace(microsecond=0), 1).text
    in_chains = verify.Walk(in_chains=True)

    def make():
        with env.cr.savepoint() as savepoint:
            Checkpoint._make(midnight, 1, nightly=True)
            savepoint.rollback()

    return {
        f"checkpoint: a night of {NIGHT:,} entries": make,
        "verify with a checkpoint: 20,000 entries": lambda: Checkpoint.verify_next(
            kept
        ),
        "verify with a checkpoint: 2,000 keys": lambda: Checkpoint._walk_chains(
            Checkpoint._parse(kept), in_chains
        ),
    }


def usage_history(env, unit, day):
    """Return the pages of Usage History: what was installed on a day."""
    model = "client.equipment.usage.history"
    installed = Domain("installed_on", "=", str(day))
    software = env[SOFTWARE].search([], limit=1, order="id")
    customer = Domain("customer_id", "=", unit.partner_id.id)
    return {
        "history: a page": page(env, model),
        "history: installed on a day": page(env, model, installed),
        "history: of a software, on a day": page(
            env, model, installed & Domain("software_id", "=", software.id)
        ),
        "history: at a customer, on a day": page(env, model, installed & customer),
    }


def show(value):
    return json.dumps(value, default=str)[:200]
