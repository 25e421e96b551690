"""What tests that go over all models of these addons need of this one."""

KEY = "client.equipment.software.key"
# A line of a confirmed order, and a currency, is never deleted once it is in use.
KEPT = {
    (KEY, name) for name in ("purchase_line_id", "currency_id", "company_currency_id")
}
