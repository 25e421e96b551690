"""Walk through the product in a browser; keep the pictures of guides and store pages.

Usage: take_screenshots.py ADDRESS ADDON [NAME ...]

ADDON is the one that was installed last: ``client_equipment`` is pictured without
the software keys, and these without Odoo's apps. The database is that of PGDATABASE.
"""

import ast
import base64
import shutil
import subprocess
import sys
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from playwright.sync_api import sync_playwright

GUIDE = Path("docs/images")
STORY = Path("docs/images/story")
EQUIPMENT = Path("client_equipment/static/description")
SOFTWARE_KEY = Path("client_equipment_software_key/static/description")
STOCK = Path("client_equipment_stock/static/description")
PRODUCT, PURCHASE, SALE = (
    Path(f"client_equipment_software_key_{name}/static/description")
    for name in ("product", "purchase", "sale")
)
# What is pictured when an addon was installed last.
STAGES = {
    "client_equipment": [EQUIPMENT],
    "client_equipment_software_key": [GUIDE, SOFTWARE_KEY],
    "client_equipment_stock": [STOCK, PRODUCT, PURCHASE, SALE, STORY],
}

PICTURES = {}


def picture(folder, name, login=None, width=1440, height=810, part=None):
    """Register a walk that ends where the picture ``name`` is taken.

    ``part`` is the selector of the element that is shown, instead of the whole page.
    """

    def register(walk):
        path = folder / f"{name}.png"
        PICTURES[path] = (login, {"width": width, "height": height}, part, walk)
        return walk

    return register


PHONE = {"width": 390, "height": 780}
DIALOG = {"part": ".modal-content"}


def search(page, text):
    page.locator(".o_searchview_input").fill(text)
    page.locator(".o_searchview_autocomplete").wait_for()
    page.keyboard.press("Enter")
    page.locator(".o_searchview_facet", has_text=text).wait_for()


def open_equipment(page, name, tab=None):
    page.goto("/odoo/client-equipment")
    page.locator(".o_data_row [name=name], .o_kanban_record", has_text=name).click()
    page.locator(".o_form_view").wait_for()
    if tab:
        page.get_by_role("tab", name=tab).click()


def open_key(page, license_key):
    page.goto("/odoo/software-keys")
    search(page, license_key)
    page.locator(f".o_data_row:has-text('{license_key}') .o_data_cell").nth(1).click()
    page.locator(".o_form_view").wait_for()


def open_menu(page, *names):
    for name in names:
        page.get_by_role("menuitem", name=name, exact=True).or_(
            page.get_by_role("button", name=name, exact=True)
        ).first.click()


def press(page, button):
    page.get_by_role("button", name=button).click()
    page.locator(".modal .o_form_view").wait_for()


def choose(page, field, *names):
    for name in names:
        page.locator(f".modal [name={field}] input").fill(name)
        page.locator(".o-autocomplete--dropdown-item", has_text=name).first.click()


BANNER = """
    <style>
        body { margin: 0; height: 100vh; overflow: hidden; position: relative;
               color: white; background: #3f3050; font-family: sans-serif }
        header { display: flex; align-items: center; gap: 28px; padding: 36px 48px }
        h1 { margin: 0 0 8px; font-size: 34px }
        p { margin: 0; font-size: 19px; opacity: .9 }
        .icon { width: 96px }
        .screen { position: absolute; top: 180px; left: 48px; width: 1018px;
                  border-radius: 8px; border: 3px solid #fff6 }
        .screen + .screen { left: auto; right: 72px; top: 210px; width: 200px }
    </style>
    <header>%s<div><h1>%s</h1><p>%s</p></div></header>"""


def banner(page, folder, names):
    """The store's first picture: icon, name, summary, and over them these pictures."""

    def image(name, kind):
        data = base64.b64encode((folder / f"{name}.png").read_bytes()).decode()
        return f'<img class="{kind}" src="data:image/png;base64,{data}">'

    manifest = ast.literal_eval((folder.parents[1] / "__manifest__.py").read_text())
    head = BANNER % (image("icon", "icon"), manifest["name"], manifest["summary"])
    page.set_content(head + "".join(image(name, "screen") for name in names))


# Equipment alone


@picture(EQUIPMENT, "equipment-list", "admin", height=650)
def equipment_list(page):
    page.goto("/odoo/client-equipment")


@picture(EQUIPMENT, "equipment-form", "admin", height=700)
def equipment_form(page):
    open_equipment(page, "Reception Laptop")


@picture(EQUIPMENT, "equipment-customer", "admin", height=420)
def equipment_customer(page):
    open_equipment(page, "Practice Server")
    page.locator("[name=partner_id]").hover()
    page.locator("[name=partner_id] .o_external_button").click()
    page.locator(".oe_stat_button", has_text="Equipment").wait_for()


@picture(EQUIPMENT, "equipment-phone", "admin", **PHONE)
def equipment_phone(page):
    page.goto("/odoo/client-equipment")


# Technicians


@picture(GUIDE, "equipment", "technician", height=650)
def equipment(page):
    page.goto("/odoo/client-equipment")


@picture(SOFTWARE_KEY, "equipment-software-keys", "technician", height=720)
def equipment_software_keys(page):
    open_equipment(page, "LAPTOP-001", "Software Keys")


@picture(SOFTWARE_KEY, "equipment-software-keys-phone", "technician", **PHONE)
def equipment_software_keys_phone(page):
    open_equipment(page, "LAPTOP-001", "Software Keys")
    page.locator(".o_field_widget[name=equipment_feature_ids]").evaluate(
        "tab => tab.scrollIntoView({block: 'end'})"
    )


@picture(GUIDE, "apply-next-available", "technician", **DIALOG)
def apply_next_available(page):
    open_equipment(page, "Reception Laptop", "Software Keys")
    press(page, "Apply Next Available")
    choose(page, "software_ids", "Microsoft Office", "Remote Access VPN")
    page.locator(".modal .o_data_row").nth(1).wait_for()


@picture(GUIDE, "return", "technician", **DIALOG)
def return_equipment(page):
    open_equipment(page, "LAPTOP-001")
    press(page, "Return / Replace")


# Managers


@picture(SOFTWARE_KEY, "software-keys", "manager")
def software_keys(page):
    page.goto("/odoo/software-keys")


@picture(GUIDE, "enter-many-keys", "manager", **DIALOG)
def enter_many_keys(page):
    page.goto("/odoo/software-keys")
    press(page, "Enter Many Keys")
    choose(page, "software_id", "Adobe Acrobat Pro")
    page.locator(".modal [name=license_keys] textarea").fill(
        "ACROB-PERP-8001-QQ4ZN\nACROB-PERP-8002-QQ4ZN\n"
        "ACROB-PERP-8002-QQ4ZN\nacrob-perp-7026-qq4zn"
    )
    page.keyboard.press("Tab")
    page.locator(".modal .o_bulk_entry_counts").wait_for()


@picture(SOFTWARE_KEY, "software", "manager", height=470)
def software(page):
    page.goto("/odoo/client-software")


@picture(SOFTWARE_KEY, "renewals-ahead", "manager", height=560)
def renewals_ahead(page):
    page.goto("/odoo/software-key-renewals")


@picture(GUIDE, "renewals-ahead-pivot", "manager", 1000, 500)
def renewals_ahead_pivot(page):
    page.goto("/odoo/software-key-renewals?view_type=pivot")


@picture(SOFTWARE_KEY, "renew", "manager", **DIALOG)
def renew(page):
    page.goto("/odoo/software-keys")
    search(page, "AVENT")
    page.locator("thead .o_list_record_selector input").click()
    press(page, "Renew")
    page.locator(".modal .o_renewal_lines").wait_for()


@picture(GUIDE, "replace", "manager", **DIALOG)
def replace(page):
    open_key(page, "RAVPN-5203")
    press(page, "Replace")
    page.locator(".modal [name=license_key] input").fill("RAVPN-5291-7XW2H")
    page.locator(".modal [name=note] input").fill("Published by mistake, ticket 4802")
    page.locator(".modal .modal-title").click()


@picture(GUIDE, "settings", "admin")
def settings(page):
    page.goto("/odoo/action-client_equipment_software_key.res_config_settings_action")


# Auditors


@picture(GUIDE, "software-key", "manager")
def software_key(page):
    open_key(page, "RAVPN-5202")
    page.get_by_role("tab", name="Audit Logs").click()


@picture(GUIDE, "equipment-features", "manager", height=560)
def equipment_features(page):
    page.goto("/odoo/equipment-features")


@picture(SOFTWARE_KEY, "audit-logs", "auditor", height=740)
def audit_logs(page):
    page.goto("/odoo/software-key-audit-logs")
    search(page, "Remote Access")


@picture(GUIDE, "usage-history", "auditor", 1600, 700)
def usage_history(page):
    page.goto("/odoo/software-key-usage-history")


@picture(GUIDE, "usage-history-calendar", "auditor")
def usage_history_calendar(page):
    page.goto("/odoo/software-key-usage-history?view_type=calendar")


@picture(SOFTWARE_KEY, "evidence-pack", "auditor", **DIALOG)
def evidence_pack(page):
    page.goto("/odoo/software-key-usage-history")
    open_menu(page, "Software Key Management", "Evidence Pack")
    page.locator(".modal .o_form_view").wait_for()
    choose(page, "partner_ids", "Harbour Engineering Office")


@picture(SOFTWARE_KEY, "verify", "auditor", **DIALOG)
def verify(page):
    """The last one: from here on the trail is broken."""
    tampering = """
        UPDATE client_equipment_audit_log SET user_name = 'Somebody Else'
         WHERE equipment_name = 'Practice Server' AND action = 'applied'"""
    subprocess.run(["psql", "-Xqc", tampering], check=True)
    page.goto("/odoo/software-key-audit-logs")
    open_menu(page, "Software Key Management", "Verify Audit Trail")
    page.locator(".modal .list-group-item").wait_for()


# Beside Odoo's apps


@picture(STOCK, "equipment-delivered", "admin", height=700)
def equipment_delivered(page):
    open_equipment(page, "ThinkPad", "Details")


@picture(PRODUCT, "software-product", "manager", height=650)
def software_product(page):
    page.goto("/odoo/client-software?view_type=list")
    page.locator(".o_data_row [name=name]", has_text="Backup for Workstations").click()
    page.locator(".o_form_view").wait_for()


@picture(PURCHASE, "order-software-keys", "manager", height=700)
def order_software_keys(page):
    page.goto("/odoo/purchase-orders")
    page.locator(".o_data_row [name=partner_id]", has_text="Software Trade").click()
    page.locator(".o_form_view").wait_for()


@picture(STORY, "installed", "technician", height=760)
def installed(page):
    """A key of the order, on the unit of the delivery."""
    open_equipment(page, "ThinkPad", "Software Keys")


@picture(SALE, "renewal-quotation", "manager", height=700)
def renewal_quotation(page):
    page.goto("/odoo/sales")
    page.locator(".o_data_row [name=partner_id]", has_text="Riverside").click()
    page.locator(".o_form_view").wait_for()


for folder, *names in (
    (EQUIPMENT, "equipment-list", "equipment-phone"),
    (SOFTWARE_KEY, "software-keys", "equipment-software-keys-phone"),
    (STOCK, "equipment-delivered"),
    (PRODUCT, "software-product"),
    (PURCHASE, "order-software-keys"),
    (SALE, "renewal-quotation"),
):
    picture(folder, "main_screenshot", width=1120, height=560)(
        partial(banner, folder=folder, names=names)
    )


@contextmanager
def browser(playwright):
    found = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))))
    chromium = playwright.chromium.launch(
        executable_path=found, args=["--no-sandbox", "--disable-gpu"]
    )
    try:
        yield chromium
    finally:
        chromium.close()


def log_in(page, login):
    page.goto("/web/login")
    page.fill("#login", login)
    page.fill("#password", login)
    page.click("button[type=submit]")
    page.locator(".o_main_navbar").wait_for()


def take(page, path, login, part, walk):
    if login:
        log_in(page, login)
    walk(page)
    if login:
        page.locator(".o_view_controller").first.wait_for()
    page.wait_for_timeout(1500)  # pictures in the page, charts that move
    shown = page.locator(part).last if part else page
    shown.screenshot(path=path)
    print(path)


def main(address, addon, *names):
    with sync_playwright() as playwright, browser(playwright) as chromium:
        for path, (login, size, part, walk) in PICTURES.items():
            if path.parent not in STAGES[addon] or names and path.stem not in names:
                continue
            context = chromium.new_context(base_url=address, viewport=size)
            page = context.new_page()
            page.set_default_timeout(60_000)
            take(page, path, login, part, walk)
            context.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
