"""An upgrade stops in words where rows break a rule that it brings (E4)."""

import os

import pytest
from throwaway import Database

PRODUCT = "client_equipment_software_key"
RULE = "client_equipment_software_check_default_validity_months"
STALE = "client_equipment_software__user_id_index"
GUARANTEES = "SELECT count(*) FROM pg_constraint WHERE conname = '%s'"
INDEXES = "SELECT count(*) FROM pg_indexes WHERE indexname = '%s'"


@pytest.fixture
def database():
    database = Database(f"ce_upgrade_{os.getpid()}")
    yield database
    database.drop()


def test_from_the_first_version(database):
    database.odoo("-i", PRODUCT)
    database.execute(f"""
        UPDATE ir_module_module SET latest_version = '19.0.1.0.0'
         WHERE name LIKE 'client\\_equipment%';
        ALTER TABLE client_equipment_software DROP CONSTRAINT {RULE};
        INSERT INTO client_equipment_software
               (name, default_key_type, default_validity_months)
        VALUES ('Old Backup', 'trial', 900);
        CREATE INDEX {STALE} ON client_equipment_software (user_id);
    """)
    with pytest.raises(AssertionError, match=r"Old Backup \(id \d+\) .*600 months"):
        database.odoo("-u", PRODUCT)
    assert database.count(INDEXES % STALE) == 1, "it stopped before it did anything"
    database.execute("UPDATE client_equipment_software SET default_validity_months = 6")
    database.odoo("-u", PRODUCT)
    assert database.count(GUARANTEES % RULE) == 1
    assert database.count(INDEXES % STALE) == 0
