"""A database from before keys had seats is upgraded (K14, E4)."""

import os

import pytest
from throwaway import Database

PRODUCT = "client_equipment_software_key"
# As version 19.0.1.1.0 left the tables: one key, one equipment.
BEFORE_SEATS = """
    DELETE FROM client_equipment_feature feature
     USING client_equipment_software_key key
     WHERE key.id = feature.software_key_id AND key.seats > 1;
    ALTER TABLE client_equipment_feature
        DROP COLUMN seat CASCADE, DROP COLUMN key_seats CASCADE;
    ALTER TABLE client_equipment_software_key
        DROP COLUMN seats CASCADE, DROP COLUMN seats_used CASCADE;
    ALTER TABLE client_equipment_feature
        ADD CONSTRAINT client_equipment_feature_software_key_unique
            UNIQUE (software_key_id);
    COMMENT ON CONSTRAINT client_equipment_feature_software_key_unique
        ON client_equipment_feature IS 'UNIQUE(software_key_id)';
    UPDATE ir_module_module SET latest_version = '19.0.1.1.0'
     WHERE name = 'client_equipment_software_key'
"""


@pytest.fixture
def database():
    database = Database(f"ce_seats_{os.getpid()}")
    yield database
    database.drop()


def test_every_key_has_one_seat(database):
    """Each key gets one seat, which its assignment takes; from then on it may have
    more, by the same guarantees as in a new database."""
    database.execute("UPDATE ir_module_module SET demo = true")
    database.odoo("-i", PRODUCT, "--with-demo")
    guarantees = (
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid IN ('client_equipment_feature'::regclass,"
        " 'client_equipment_software_key'::regclass)"
        " UNION SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN"
        " ('client_equipment_feature', 'client_equipment_software_key')"
    )
    wanted = set(database.execute(guarantees))
    database.execute(BEFORE_SEATS)
    database.odoo("-u", PRODUCT)
    assert set(database.execute(guarantees)) == wanted
    assert not database.execute(
        """
        SELECT key.id FROM client_equipment_software_key key
          LEFT JOIN client_equipment_feature feature
                 ON feature.software_key_id = key.id
         WHERE key.seats <> 1
            OR key.seats_used <> (feature.id IS NOT NULL)::int
            OR feature.seat <> 1 OR feature.key_seats <> 1
        """
    )
