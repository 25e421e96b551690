# ruff: noqa: F821 (Odoo's shell brings env)
"""A year of work on top of the demo data, so that the pictures have a story to tell.

Read by Odoo's shell. Each step is made on its own day, with the rights of its person.
"""

from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields

TODAY = datetime.now().replace(hour=7, minute=30, second=0, microsecond=0)
KEY = "client.equipment.software.key"
STEPS = count()

# Entries take their time from the database's clock, which nothing here can move.
patch.object(
    env.registry["client.equipment.audit.log"],
    "_get_moment",
    lambda _: fields.Datetime.now(),
).start()


def day(days):
    return (TODAY + timedelta(days)).date()


def ref(name, addon="client_equipment_software_key"):
    return env.ref(f"{addon}.{name}")


@contextmanager
def at(days, role):
    """On that day (counted from today) the environment of one who has this role, at
    another time of the day for each step."""
    with freeze_time(TODAY + timedelta(days, minutes=97 * next(STEPS) % 480)):
        yield env(user=ref(f"user_{role}").id)
        env.flush_all()


def enter(days, software, license_keys, end, **values):
    with at(days, "manager") as mine:
        values |= {
            "software_id": software.id,
            "validity_start": day(days),
            "validity_end": day(end),
        }
        return mine[KEY].bulk_enter(license_keys, values)


def apply(days, key, equipment):
    with at(days, "technician") as mine:
        mine["client.equipment.feature"].create(
            {
                "software_key_id": key.id,
                "equipment_id": ref(f"equipment_{equipment}", "client_equipment").id,
            }
        )


def run(days, action):
    env.cr.commit()  # scheduled actions have a transaction of their own
    with freeze_time(datetime.now() + timedelta(days)):
        ref(action).method_direct_trigger()


backup, vpn = env["client.equipment.software"].create(
    [
        {
            "name": name,
            "default_key_type": "subscription",
            "default_validity_months": 12,
            "user_id": ref("user_manager").id,
        }
        for name in ("Server Backup Standard", "Remote Access VPN")
    ]
)

# Backups: a year old, one of them moved, all of them renewed in time.
backups = enter(-400, backup, [f"SRVBK-{n}-LM4TC" for n in range(3101, 3107)], -36)
apply(-395, backups[0], "dental_server")
apply(-370, backups[1], "laptop_003")
apply(-250, backups[2], "surgery_pc_1")
with at(-180, "technician") as mine:
    mine["client.equipment.feature"].search(
        [("software_key_id", "=", backups[2].id)]
    ).unlink()
apply(-179, backups[2], "surgery_pc_2")
with at(-60, "manager") as mine:
    backups.with_env(mine).renew(day(304), reference="PO00087")

# Remote access: on most laptops, one key compromised and replaced.
vpns = enter(-200, vpn, [f"RAVPN-{n}-7XW2H" for n in range(5201, 5209)], 70)
for days, key, equipment in (
    (-190, vpns[0], "laptop_002"),
    (-150, vpns[1], "laptop_003"),
    (-121, vpns[2], "surgery_pc_2"),
    (-100, vpns[3], "cad_workstation"),
):
    apply(days, key, equipment)
with at(-20, "manager") as mine:
    vpns[1].with_env(mine).replace("RAVPN-5290-7XW2H", "Compromised, ticket 4711")

# A trial that ran out where it is installed.
[trial] = enter(-45, ref("software_cad"), ["CAD-TRIAL-4T6B1"], -8, key_type="trial")
apply(-44, trial, "cad_workstation")
run(-7, "ir_cron_expire")

run(0, "ir_cron_expire")
run(0, "ir_cron_remind")
env.cr.commit()
