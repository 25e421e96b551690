"""What tests that go over all models of these addons need of this one."""

# A transfer that is done is never deleted.
KEPT = {("client.equipment", "picking_id")}


def fill_links(case):
    """Return ``{(model, field): a record in which it is filled}``, for users who may
    delete what it names."""
    products = case.env["product.product"].create(
        [{"name": f"Used Model {number}", "tracking": "serial"} for number in range(2)]
    )
    lot = case.env["stock.lot"].create(
        {
            "name": "Used Serial",
            "product_id": products[0].id,
            "company_id": case.company.id,
        }
    )
    for user in (case.administrator, case.outsider):
        user.group_ids += case.env.ref("stock.group_stock_manager")
    delivered, entered = case.env["client.equipment"].create(
        [
            {
                "name": "Used Unit",
                "product_id": product.id,
                "company_id": case.company.id,
            }
            for product in products
        ]
    )
    delivered._write_fixed({"lot_id": lot.id})
    return {
        ("client.equipment", "product_id"): entered,
        ("client.equipment", "lot_id"): delivered,
    }
