"""The work: enter, apply, remove, expire, renew; ours and what it is held against.

A contender does the same work on the same rows, in a transaction that is rolled
back, so that every repetition finds the same database. ``WORKS[work]`` finds the
rows (untimed); ``contender(cursor or env)[work](rows)`` is timed.
"""

from contextlib import contextmanager
from datetime import date, timedelta
from itertools import count
from unittest.mock import patch

from odoo.tools import SQL

KEY = "client.equipment.software.key"
FEATURE = "client.equipment.feature"
TRAIL = "client.equipment.audit.log"
PLAIN_KEY = "bench.plain.key"
PLAIN_FEATURE = "bench.plain.feature"
TODAY = date.today()
END = TODAY + timedelta(days=1000)
_serial = count(1)


# -- the rows that the work is done on ---------------------------------------


def fetch(cr, query, *args):
    cr.execute(query, args)
    return [row[0] if len(row) == 1 else row for row in cr.fetchall()]


def new_license_keys(cr, keys):
    batch = next(_serial)
    return [f"NEW{batch:04}-{number:06}-QWERT-ASDFG" for number in range(keys)]


def available(cr, keys):
    """Return pairs of an available key and the equipment that it goes to."""
    units = fetch(cr, "SELECT id FROM client_equipment ORDER BY id LIMIT 5000")
    found = fetch(
        cr,
        "SELECT id FROM client_equipment_software_key WHERE status = 'available'"
        " AND seats = 1 ORDER BY id LIMIT %s",
        keys,
    )
    return [(key, units[index * 7 % len(units)]) for index, key in enumerate(found)]


def applied(cr, keys):
    """Return the assignments to remove."""
    return fetch(
        cr,
        "SELECT feature.id FROM client_equipment_feature feature"
        " JOIN client_equipment_software_key key ON key.id = feature.software_key_id"
        " WHERE key.status = 'applied' ORDER BY key.id LIMIT %s",
        keys,
    )


def dated(cr, keys):
    """Return keys in stock or in use that have an end."""
    return fetch(
        cr,
        "SELECT id FROM client_equipment_software_key"
        " WHERE status IN ('available', 'applied') AND validity_end IS NOT NULL"
        " ORDER BY id LIMIT %s",
        keys,
    )


def due(cr, keys):
    """Return the keys that the job will find."""
    return fetch(
        cr,
        "SELECT id FROM client_equipment_software_key"
        " WHERE status IN ('available', 'applied') AND validity_end < %s",
        TODAY,
    )


@contextmanager
def aged(connection, keys):
    """Let the validity of that many keys end yesterday, as time would, for a while.

    Committed: PostgreSQL checks each link of a row anew which the same transaction
    has written before, and the job finds keys that others wrote long ago.
    """
    cr = connection.cursor()
    ends = fetch(
        cr,
        "SELECT id, validity_end FROM client_equipment_software_key WHERE id = ANY(%s)",
        dated(cr, keys),
    )
    ids, before = map(list, zip(*ends, strict=True))
    statement = (
        "UPDATE client_equipment_software_key key SET validity_end = new.validity_end"
        "  FROM unnest(%s::int[], %s::date[]) AS new(id, validity_end)"
        " WHERE key.id = new.id"
    )
    cr.execute(statement, (ids, [TODAY - timedelta(days=1)] * len(ids)))
    connection.commit()
    try:
        yield
    finally:
        cr.execute(statement, (ids, before))
        connection.commit()


def all_due(cr, keys):
    """Let the first keys of the table be in stock or in use, and due."""
    cr.execute(
        """
        UPDATE client_equipment_software_key
           SET status = CASE WHEN seats_used < seats THEN 'available'
                        ELSE 'applied' END,
               key_type = 'subscription', validity_end = %s
         WHERE id IN (SELECT id FROM client_equipment_software_key
                       ORDER BY id LIMIT %s)
        """,
        (TODAY - timedelta(days=1), keys),
    )


WORKS = {
    "enter": new_license_keys,
    "apply": available,
    "remove": applied,
    "expire": due,
    "renew": dated,
}


def key_vals(env, license_keys):
    return [
        {
            "license_key": license_key,
            "software_id": 1 + index % 40,
            "key_type": "subscription",
            "validity_start": TODAY,
            "validity_end": END,
            "company_id": env.company.id,
        }
        for index, license_key in enumerate(license_keys)
    ]


def feature_vals(pairs):
    return [{"software_key_id": key, "equipment_id": unit} for key, unit in pairs]


def acting(env, login):
    """Return the environment of a person, whose rights are checked."""
    found = env["res.users"].search([("login", "=", login)])
    return env(user=found.id)


# -- ours --------------------------------------------------------------------


class Ours:
    def __init__(self, env):
        self.job = env[KEY]
        manager, technician = acting(env, "manager1"), acting(env, "technician1")
        self.keys, self.features = manager[KEY], technician[FEATURE]

    def enter(self, license_keys):
        self.keys.create(key_vals(self.keys.env, license_keys))

    def apply(self, pairs):
        self.features.create(feature_vals(pairs))

    def remove(self, feature_ids):
        self.features.browse(feature_ids).unlink()

    def expire(self, key_ids):
        # The job takes a transaction for each batch; here they are all this one.
        with patch.object(self.job.env.registry, "cursor", self._here):
            self.job._cron_expire()

    @contextmanager
    def _here(self):
        yield self.job.env.cr
        self.job.env.cr.flush()

    def renew(self, key_ids):
        keys = self.keys.browse(key_ids)
        if hasattr(keys, "renew"):
            keys.renew(END)
        else:
            keys.write({"validity_end": END})


class Loop(Ours):
    """The same, one record at a time."""

    def enter(self, license_keys):
        for vals in key_vals(self.keys.env, license_keys):
            self.keys.create(vals)

    def apply(self, pairs):
        for vals in feature_vals(pairs):
            self.features.create(vals)

    def remove(self, feature_ids):
        for feature in self.features.browse(feature_ids):
            feature.unlink()

    def expire(self, key_ids):
        for key in self.job.browse(key_ids):
            key.write({"status": "expired"})

    def renew(self, key_ids):
        for key_id in key_ids:
            super().renew([key_id])


class Auditlog:
    """A copy of the models, without our trail, under full-log rules."""

    def __init__(self, env):
        env = acting(env, "manager1")
        self.keys, self.features = env[PLAIN_KEY], env[PLAIN_FEATURE]

    def enter(self, license_keys):
        self.keys.create(key_vals(self.keys.env, license_keys))

    def apply(self, pairs):
        self.features.create(feature_vals(pairs))
        self.keys.browse(key for key, _unit in pairs).write({"status": "applied"})

    def remove(self, feature_ids):
        features = self.features.browse(feature_ids)
        keys = features.software_key_id
        features.unlink()
        self.keys.browse(keys.ids).write({"status": "available"})

    def expire(self, key_ids):
        self.keys.browse(key_ids).write({"status": "expired"})

    def renew(self, key_ids):
        self.keys.browse(key_ids).write({"validity_end": END})

    @staticmethod
    def copy(cr):
        """Give the plain models the rows of ours (once, in the cached database)."""
        if fetch(cr, "SELECT 1 FROM bench_plain_key LIMIT 1"):
            return
        cr.execute(
            """
            INSERT INTO bench_plain_key (
                id, license_key, software_id, key_type, validity_start, validity_end,
                status, seats, seats_used, equipment_id, owner_id, supplier_id,
                company_id, create_uid, write_uid, create_date, write_date
            )
            SELECT id, license_key, software_id, key_type, validity_start, validity_end,
                   status, seats, seats_used, equipment_id, owner_id, supplier_id,
                   company_id, create_uid, write_uid, create_date, write_date
              FROM client_equipment_software_key ORDER BY id
            """
        )
        cr.execute(
            """
            INSERT INTO bench_plain_feature (
                id, software_key_id, equipment_id, seat, key_seats,
                applied_date, applied_by_id,
                create_uid, write_uid, create_date, write_date
            )
            SELECT id, software_key_id, equipment_id, seat, key_seats,
                   applied_date, applied_by_id,
                   create_uid, write_uid, create_date, write_date
              FROM client_equipment_feature ORDER BY id
            """
        )
        for table in ("bench_plain_key", "bench_plain_feature"):
            cr.execute(
                f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))"
            )


# -- what they leave ---------------------------------------------------------

# What two who do the same work cannot have in common: new ids, moments, and the hashes
# over these.
OWN = ["id", "software_key_id", "license_key", "hash", "audit_hash", "previous_hash"]
OWN += ["create_date", "write_date", "action_date"]


def last_entry(cr):
    (last,) = fetch(cr, "SELECT max(id) FROM client_equipment_audit_log")
    return last


def rows_left(cr, last):
    """Return what a work has left of the keys whose trails grew after that entry."""
    grown = "SELECT software_key_id FROM client_equipment_audit_log WHERE id > %s"
    return {
        table: fetch(
            cr,
            f"SELECT to_jsonb(row) - %s::text[] FROM {table} row"
            f" WHERE {key} IN ({grown}) AND {condition} ORDER BY {key}",
            OWN,
            last,
        )
        for table, key, condition in (
            ("client_equipment_software_key", "id", "TRUE"),
            ("client_equipment_feature", "software_key_id", "TRUE"),
            ("client_equipment_audit_log", "software_key_id", f"id > {last}"),
        )
    }


# -- bare SQL ----------------------------------------------------------------

ENTER = """
    INSERT INTO client_equipment_software_key (
        license_key, software_id, key_type, validity_start, validity_end, status,
        seats, seats_used, assignment_broken, company_id,
        create_uid, write_uid, create_date, write_date
    )
    SELECT license_key, 1 + (number - 1) %% 40, 'subscription', %(today)s, %(end)s,
           'available', 1, 0, FALSE, %(company)s,
           %(uid)s, %(uid)s, %(now)s, %(now)s
      FROM unnest(%(license_keys)s) WITH ORDINALITY AS new(license_key, number)
    RETURNING id
"""
APPLY = """
    INSERT INTO client_equipment_feature (
        software_key_id, equipment_id, applied_date, applied_by_id,
        seat, key_seats, in_service, bound_company_ref, bound_partner_ref,
        create_uid, write_uid, create_date, write_date
    )
    SELECT key_id, unit_id, %(today)s, %(uid)s,
           1, key.seats, TRUE, key.company_id,
           CASE WHEN key.owner_id IS NOT NULL THEN unit.partner_id END,
           %(uid)s, %(uid)s, %(now)s, %(now)s
      FROM unnest(%(ids)s, %(units)s) AS new(key_id, unit_id)
      JOIN client_equipment_software_key key ON key.id = key_id
      JOIN client_equipment unit ON unit.id = unit_id
"""
REMOVE = """
    DELETE FROM client_equipment_feature WHERE id = ANY(%(features)s)
    RETURNING software_key_id
"""
# One step: the entries of the trail, chained by SHA-256, and the heads of the keys.
# {unit}: where the key's equipment stands; {status}, {before}: the new and old one.
ENTRIES = """
    client_equipment_software_key key
    CROSS JOIN (
        SELECT %(action)s AS action, %(now)s::timestamp AS moment, %(uid)s AS user_id,
               %(user)s AS user_name, NULL::varchar AS reason_code,
               NULL::varchar AS reason_data, NULL::varchar AS reason
    ) act
    {source}
    CROSS JOIN LATERAL (
        SELECT 1 AS place, TRUE AS is_last, {unit} AS equipment_id, {seat} AS seat,
               {installed_on} AS installed_on, NULL::timestamp AS installed_from,
               {before} AS status_before, {after} AS status_after,
               {end_before} AS end_before, {end_after} AS end_after,
               NULL::jsonb AS changes
    ) step
    {joins}
    WHERE key.id = ANY(%(ids)s)
"""
STEP = """
    WITH {entries}, trail AS ({insert})
    UPDATE client_equipment_software_key key
       SET {sets} audit_number = entry.number, audit_hash = entry.hash,
           assignment_broken = FALSE, write_uid = %(uid)s, write_date = %(now)s
      FROM entry
     WHERE key.id = entry.software_key_id AND key.id = ANY(%(ids)s)
"""


class BareSql:
    """What a script by hand would do: set-based, the same rows as the result."""

    def __init__(self, connection, env):
        self.cr = connection.cursor()
        # What the statements say of a person is looked up before the clock runs.
        self.joins = self._text(env[TRAIL]._get_fact_joins())
        self.entries = self._text(env[TRAIL]._entries_sql(SQL("entries_source")))
        self.insert = self._text(env[TRAIL]._insert_sql())
        self.people = {
            login: (found.id, found.name)
            for login in ("manager1", "technician1", "__system__")
            for found in env["res.users"]
            .with_context(active_test=False)
            .search([("login", "=", login)])
        }
        self.company = env.company.id

    def _text(self, query):
        return self.cr.mogrify(query.code, query.params).decode().replace("%", "%%")

    def _values(self, login, **values):
        uid, name = self.people[login]
        self.cr.execute("SELECT date_trunc('second', now() AT TIME ZONE 'UTC')")
        values |= {"uid": uid, "user": name, "today": TODAY, "end": END}
        return values | {"now": self.cr.fetchone()[0], "company": self.company}

    def _step(self, values, **parts):
        parts = {
            "before": "key.status",
            "after": "%(status)s",
            "end_before": "key.validity_end",
            "end_after": "key.validity_end",
            "source": "",
            "unit": "key.equipment_id",
            "seat": "NULL::int",
            "installed_on": "NULL::date",
            "sets": "status = %(status)s,",
        } | parts
        source = ENTRIES.format(joins=self.joins, **parts)
        parts["entries"] = self.entries.replace("entries_source", source)
        self.cr.execute(STEP.format(insert=self.insert, **parts), values)

    def enter(self, license_keys):
        values = self._values("manager1", license_keys=license_keys)
        self.cr.execute(ENTER, values)
        values |= {"ids": [row[0] for row in self.cr.fetchall()]}
        values |= {"action": "created", "status": "available"}
        self._step(values, before="NULL::varchar", sets="")

    def apply(self, pairs):
        ids, units = map(list, zip(*pairs, strict=True))
        values = self._values("technician1", ids=ids, units=units)
        values |= {"action": "applied", "status": "applied"}
        self.cr.execute(APPLY, values)
        self._step(
            values,
            source="JOIN client_equipment_feature f ON f.software_key_id = key.id",
            unit="f.equipment_id",
            seat="1",
            installed_on="f.applied_date",
            sets="status = %(status)s, seats_used = 1, equipment_id = (SELECT"
            " equipment_id FROM client_equipment_feature"
            " WHERE software_key_id = key.id),",
        )

    def remove(self, feature_ids):
        values = self._values("technician1", features=feature_ids)
        self.cr.execute(REMOVE, values)
        values |= {"ids": [row[0] for row in self.cr.fetchall()]}
        values |= {"action": "revoked", "status": "available"}
        self._step(
            values,
            seat="1",
            sets="status = %(status)s, seats_used = 0, equipment_id = NULL,",
        )

    def expire(self, key_ids):
        values = self._values("__system__", action="expired", status="expired")
        self.cr.execute(
            "SELECT id FROM client_equipment_software_key WHERE validity_end < %s"
            " AND status IN ('available', 'applied')",
            (TODAY,),
        )
        self._step(values | {"ids": [row[0] for row in self.cr.fetchall()]})

    def renew(self, key_ids):
        values = self._values("manager1", ids=key_ids, action="renewed")
        values |= {"remark": f"Renewed subscription - expires {END}"}
        self._step(
            values,
            after="key.status",
            end_after="%(end)s::date",
            sets="validity_end = %(end)s, remarks = concat_ws(E'\\n',"
            " NULLIF(key.remarks, ''), %(remark)s),",
        )
