"""What tests that go over all models of these addons need of this one."""


def make_records(case):
    """Return records of the models of this addon.

    :param case: a class of tests with a :class:`SoftwareKeyMixin`
    """
    case.antivirus.product_id = case.env["product.product"].create(
        {"name": "Antivirus, one year", "type": "service"}
    )
    key = case._enter_subscriptions("OFFERED-1", end=5)
    case._apply(key)
    order = key.sudo().make_renewal_quotations()
    return [order.order_line.renewal_offer_ids]
