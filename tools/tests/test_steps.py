"""Steps that others can hear (H1): the example for developers works as an addon of its
own."""

import os
import re

import pytest
from test_install import PRODUCT
from throwaway import ROOT, Database, kept

EXAMPLE = ROOT / PRODUCT / "readme" / "DEVELOP.md"

EXPIRE = """
env["client.equipment.software"].create({"name": "Example"})
software = env["client.equipment.software"].search([("name", "=", "Example")])
laptop = env["client.equipment"].create({"name": "Example Laptop"})
keys = env["client.equipment.software.key"].create([
    {"license_key": f"EXAMPLE-{n}", "software_id": software.id,
     "key_type": "subscription", "validity_end": "2099-12-31"} for n in (1, 2)
])
env["client.equipment.feature"].create(
    {"software_key_id": keys[0].id, "equipment_id": laptop.id})
keys.write({"validity_end": "2020-12-31"})
env.cr.commit()
"""


@pytest.fixture
def database():
    database = Database(f"ce_steps_{os.getpid()}", kept("ready"))
    yield database
    database.drop()


def test_example(database, tmp_path):
    """H1: the hook of the readme, as an addon, hears a step; nothing else of it is
    needed."""
    example, *_seams = re.findall(
        r"^```python\n(.*?)^```", EXAMPLE.read_text(), re.S | re.M
    )
    addon = tmp_path / "example"
    addon.mkdir()
    (addon / "__manifest__.py").write_text(
        f"{{'name': 'Example', 'depends': ['{PRODUCT}'], 'license': 'LGPL-3',"
        " 'author': 'Example'}"
    )
    (addon / "__init__.py").write_text(example)
    path = f"--addons-path={ROOT},{tmp_path}"
    database.odoo("-i", "example", path)
    database.odoo("shell", path, stdin=EXPIRE)
    said = database.execute(
        "SELECT body FROM mail_message WHERE body LIKE '%has expired here%'"
    )
    assert len(said) == 1
