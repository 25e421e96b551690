"""What tests that go over all models of these addons need of this one."""


def fill_links(case):
    """Return ``{(model, field): a record in which it is filled}``, for users who may
    delete what it names."""
    product = case.env["product.product"].create({"name": "Used License"})
    for user in (case.administrator, case.outsider):
        user.group_ids += case.env.ref("product.group_product_manager")
    case.antivirus.product_id = product
    return {("client.equipment.software", "product_id"): case.antivirus}
