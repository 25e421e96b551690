from . import models
from . import wizards


def uninstall_hook(env):
    """Take the demo products of this addon off the software: they go with it."""
    products = env["ir.model.data"].search(
        [
            ("module", "=", "client_equipment_software_key_sale"),
            ("model", "=", "product.product"),
        ]
    )
    software = env["client.equipment.software"].with_context(active_test=False)
    software.search(
        [("product_id", "in", products.mapped("res_id"))]
    ).product_id = False
