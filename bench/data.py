"""What the databases hold: set-based, so that a million keys take seconds."""

from odoo.tools import SQL

SOFTWARE = 40
# The lives of keys: (share in %, status now, still assigned, steps). A step is
# (action, status before, status after, with equipment). Three entries a key.
APPLIED = ("applied", "available", "applied", True)
REMOVED = ("revoked", "applied", "available", True)
CREATED = ("created", None, "available", False)
RENEWED = ("renewed", "available", "available", False)
LIVES = [
    (30, "applied", True, [CREATED, APPLIED]),
    (30, "applied", True, [CREATED, APPLIED, REMOVED, APPLIED]),
    (25, "available", False, [CREATED, APPLIED, REMOVED]),
    (2, "expired", True, [CREATED, APPLIED, ("expired", "applied", "expired", True)]),
    (8, "expired", False, [CREATED, RENEWED, ("expired", "available", "expired", 0)]),
    (5, "revoked", False, [CREATED, RENEWED, ("revoked", "available", "revoked", 0)]),
]
STEPS = max(len(steps) for *_, steps in LIVES)


def generate(env, keys):
    """Fill a new database: 40 software, a fifth as many equipment, 3 entries a key."""
    cr = env.cr
    equipment = keys // 5
    cr.execute("SET LOCAL synchronous_commit = off")
    cr.execute("SET LOCAL maintenance_work_mem = '512MB'")
    cr.execute("SET LOCAL work_mem = '256MB'")
    _users(env)
    cr.execute(
        SQL(
            """
            INSERT INTO client_equipment_software (
                name, default_key_type, default_validity_months, minimum_available,
                active, create_uid, write_uid, create_date, write_date
            )
            SELECT (ARRAY['Office','Antivirus','Designer','Backup','Database','Monitor',
                          'Compiler','Gateway'])[1 + i %% 8]
                   || ' ' || (ARRAY['Basic','Standard','Professional','Enterprise',
                                    'Ultimate'])[1 + i / 8],
                   'subscription', 12, 0, true, 1, 1, now(), now()
              FROM generate_series(0, %(software)s - 1) i
            """,
            software=SOFTWARE,
        )
    )
    cr.execute(
        SQL(
            """
            INSERT INTO res_partner (
                name, complete_name, active, type, is_company, company_id,
                create_uid, write_uid, create_date, write_date
            )
            SELECT 'Customer ' || i, 'Customer ' || i, true, 'contact', true, NULL,
                   1, 1, now(), now()
              FROM generate_series(1, %(customers)s) i
            """,
            customers=max(equipment // 200, 10),
        )
    )
    cr.execute("UPDATE res_partner SET commercial_partner_id = id WHERE is_company")
    with _without_indexes(cr, "client_equipment"):
        cr.execute(
            SQL(
                """
                INSERT INTO client_equipment (
                    name, serial_no, partner_id, state, company_id, active, in_service,
                    create_uid, write_uid, create_date, write_date
                )
                SELECT 'LAPTOP-' || i, 'SN' || upper(substr(md5(i::text), 1, 10)),
                       customer.ids[1 + i %% array_length(customer.ids, 1)],
                       'in_service', %(company)s, true, true, 1, 1, now(), now()
                  FROM generate_series(1, %(equipment)s) i,
                       (SELECT array_agg(id ORDER BY id) AS ids FROM res_partner
                         WHERE name LIKE 'Customer %%') customer
                """,
                company=env.company.id,
                equipment=equipment,
            )
        )
    cr.execute("ANALYZE client_equipment_software, res_partner, client_equipment")
    _plan(env, keys)
    _keys_and_trail(env)
    env["client.equipment.software.key.count"]._correct()  # no trigger has seen them
    cr.execute(
        """
        INSERT INTO client_equipment_feature (
            software_key_id, equipment_id, in_service, bound_company_ref,
            applied_date, applied_by_id,
            create_uid, write_uid, create_date, write_date
        )
        SELECT key.id, key.equipment_id, true, key.company_id,
               last.action_date::date, last.user_id,
               last.user_id, last.user_id, last.action_date, last.action_date
          FROM client_equipment_software_key key
          JOIN client_equipment_audit_log last
            ON last.software_key_id = key.id AND last.number = key.audit_number
         WHERE key.equipment_id IS NOT NULL
        """
    )
    env.invalidate_all()


def _users(env):
    """Make the people who work: what they may is what their groups give them."""
    groups = {
        "technician": "client_equipment_software_key.group_software_key_user",
        "manager": "client_equipment_software_key.group_software_key_manager",
        "auditor": "client_equipment_software_key.group_software_key_auditor",
    }
    vals_list = [
        {
            "name": f"{role.title()} {number}",
            "login": f"{role}{number}",
            "password": f"{role}{number}",
            "group_ids": [(6, 0, [env.ref("base.group_user").id, env.ref(group).id])],
        }
        for role, group in groups.items()
        for number in range(1, 6)
    ]
    context = {"no_reset_password": True, "tracking_disable": True}
    env["res.users"].with_context(**context).create(vals_list)
    env.flush_all()


def _plan(env, keys):
    """Make the temporary tables of keys and of the steps of their lives."""
    cr = env.cr
    cr.execute(
        "CREATE TEMP TABLE step (life int, number int, action varchar, before varchar,"
        " after varchar, equipped bool) ON COMMIT DROP"
    )
    for life, (*_, steps) in enumerate(LIVES):
        for number, (action, before, after, equipped) in enumerate(steps, 1):
            cr.execute(
                "INSERT INTO step VALUES (%s, %s, %s, %s, %s, %s)",
                (life, number, action, before, after, bool(equipped)),
            )
    bounds, total = [], 0
    for share, *_ in LIVES:
        total += share
        bounds.append(total)
    cr.execute(
        SQL(
            """
            CREATE TEMP TABLE plan ON COMMIT DROP AS
            SELECT nextval('client_equipment_software_key_id_seq')::int AS id,
                   i AS number_in_plan,
                   upper(regexp_replace(substr(md5('key' || i), 1, 20),
                                        '(.{5})(?=.)', '\\1-', 'g'))
                       || '-' || i AS license_key,
                   -- (lives are spread evenly, and differently within each software)
                   width_bucket((i::bigint * 7919 + i / 100 * 13) %% 100,
                                %(bounds)s::int[]) AS life,
                   1 + (i * 37 + i / 40) %% %(software)s AS software,
                   1 + (i::bigint * 48271) %% %(equipment)s AS equipment,
                   (i::bigint * 104729 %% 1000)::int AS dice
              FROM generate_series(1, %(keys)s) i
            """,
            bounds=bounds,
            software=SOFTWARE,
            equipment=keys // 5,
            keys=keys,
        )
    )
    # Keys in stock and in use end later, a few of them soon; or never.
    cr.execute(
        SQL(
            """
            CREATE TEMP TABLE planned ON COMMIT DROP AS
            SELECT plan.*, life.status, life.assigned, life.steps, kind.key_type,
                   CASE WHEN key_type = 'permanent' THEN NULL
                        WHEN status = 'expired' THEN current_date - 1 - dice %% 400
                        ELSE current_date + 10 + dice %% 900 END AS validity_end
              FROM plan
              JOIN unnest(%(statuses)s::varchar[], %(assigned)s::bool[],
                          %(steps)s::int[])
                   WITH ORDINALITY AS life(status, assigned, steps, number)
                ON life.number = plan.life + 1
             CROSS JOIN LATERAL (
                    SELECT CASE WHEN status = 'expired' THEN 'subscription'
                           ELSE (ARRAY['subscription','subscription','permanent',
                                       'trial','time_limited']
                                )[1 + (number_in_plan / 7) %% 5]
                           END AS key_type
             ) kind
            """,
            statuses=[status for _share, status, *_ in LIVES],
            assigned=[assigned for _share, _status, assigned, _steps in LIVES],
            steps=[len(steps) for *_, steps in LIVES],
        )
    )
    cr.execute("ANALYZE planned")


VALIDITY_START = SQL(
    "CASE WHEN plan.key_type = 'time_limited' THEN current_date - 1300 END"
)
# Of those in stock a few have many seats.
SEATS = SQL(
    "CASE WHEN plan.status = 'available' AND plan.id %% 50 = 0 THEN 25 ELSE 1 END"
)


def _keys_and_trail(env):
    """Write the trail step by step, each entry over the hash of the one before."""
    cr = env.cr
    AuditLog = env["client.equipment.audit.log"]
    technicians = env["res.users"].search([("login", "like", "technician")]).ids
    tables = ["client_equipment_software_key", "client_equipment_audit_log"]
    # The log comes first, because it gives the keys their heads.
    cr.execute("SET LOCAL session_replication_role = replica")
    with _without_indexes(cr, *tables, "client_equipment_feature"):
        for number in range(1, STEPS + 1):
            cr.execute(
                SQL(
                    "WITH RECURSIVE %s %s",
                    AuditLog._entries_sql(
                        SQL(
                            """
                    planned plan
                    JOIN step planned_step ON planned_step.life = plan.life
                                          AND planned_step.number = %(number)s
                    JOIN res_users users
                      ON users.id = (%(users)s::int[])[1 + plan.dice %% 5]
                    JOIN res_partner partner ON partner.id = users.partner_id
                    LEFT JOIN client_equipment_audit_log previous
                           ON previous.software_key_id = plan.id
                          AND previous.number = %(number)s - 1
                    CROSS JOIN LATERAL (
                        SELECT plan.id, plan.license_key, plan.software AS software_id,
                               plan.key_type, %(validity_start)s AS validity_start,
                               %(seats)s AS seats, NULL::int AS owner_id,
                               NULL::int AS supplier_id, %(company)s AS company_id,
                               NULL::varchar AS license_file_sha256,
                               previous.hash AS audit_hash,
                               previous.number AS audit_number
                    ) key
                    CROSS JOIN LATERAL (
                        SELECT planned_step.action,
                               date_trunc('day', now() AT TIME ZONE 'UTC')
                                   - make_interval(days => 1300 - plan.dice
                                                           - 60 * %(number)s)
                                   + make_interval(secs => plan.id %% 36000) AS moment,
                               users.id AS user_id, partner.name AS user_name,
                               NULL::varchar AS reason_code,
                               NULL::varchar AS reason_data, NULL::varchar AS reason
                    ) act
                    CROSS JOIN LATERAL (
                        SELECT 1 AS place, TRUE AS is_last,
                               CASE WHEN equipped THEN plan.equipment END
                                   AS equipment_id,
                               CASE WHEN action IN ('applied', 'revoked') AND equipped
                                    THEN 1 END AS seat,
                               CASE WHEN action IN ('applied', 'revoked') AND equipped
                                    THEN act.moment::date END AS installed_on,
                               NULL::timestamp AS installed_from,
                               before AS status_before, after AS status_after,
                               plan.validity_end AS end_before,
                               plan.validity_end AS end_after, NULL::jsonb AS changes
                          FROM (SELECT planned_step.*) planned_step
                    ) step
                    %(joins)s
                    ORDER BY act.moment
                    """,
                            joins=AuditLog._get_fact_joins(),
                            number=number,
                            users=technicians,
                            validity_start=VALIDITY_START,
                            seats=SEATS,
                            company=env.company.id,
                        )
                    ),
                    AuditLog._insert_sql(),
                )
            )
            cr.execute("ANALYZE client_equipment_audit_log")
        cr.execute(
            SQL(
                """
                INSERT INTO client_equipment_software_key (
                    id, license_key, software_id, key_type, validity_start,
                    validity_end, status, seats, seats_used, company_id, equipment_id,
                    audit_number, audit_hash,
                    create_uid, write_uid, create_date, write_date
                )
                SELECT plan.id, plan.license_key, plan.software, plan.key_type,
                       %(validity_start)s, plan.validity_end, plan.status, %(seats)s,
                       plan.assigned::int, %(company)s,
                       CASE WHEN plan.assigned THEN plan.equipment END,
                       last.number, last.hash, 1, 1, now(), now()
                  FROM planned plan
                  JOIN client_equipment_audit_log last
                    ON last.software_key_id = plan.id AND last.number = plan.steps
                 ORDER BY plan.id
                """,
                validity_start=VALIDITY_START,
                seats=SEATS,
                company=env.company.id,
            )
        )
        cr.execute("ANALYZE client_equipment_software_key")
    cr.execute("SET LOCAL session_replication_role = origin")


class _without_indexes:
    """Drop the indexes of tables, those of constraints aside, and make them again."""

    def __init__(self, cr, *tables):
        self.cr, self.tables = cr, tables

    def __enter__(self):
        self.cr.execute(
            """
            SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid)
              FROM pg_index
             WHERE indrelid = ANY(%s::regclass[])
               AND indexrelid NOT IN (SELECT conindid FROM pg_constraint)
            """,
            [list(self.tables)],
        )
        self.indexes = self.cr.fetchall()
        for name, _definition in self.indexes:
            self.cr.execute(SQL("DROP INDEX %s", SQL.identifier(name)))

    def __exit__(self, kind, *_):
        if not kind:
            for _name, definition in self.indexes:
                self.cr.execute(definition)
