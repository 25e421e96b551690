"""Walk through the product in a browser and keep the pictures of the guides.

Usage: take_screenshots.py ADDRESS FOLDER [NAME ...]
"""

import shutil
import sys
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import sync_playwright

DESKTOP = {"width": 1366, "height": 768}
PHONE = {"width": 390, "height": 780}

PICTURES = {}


def picture(name, login, size=DESKTOP):
    """Register a walk that ends where the picture ``name`` is taken."""

    def register(walk):
        PICTURES[name] = (login, size, walk)
        return walk

    return register


def open_equipment(page, name):
    page.goto("/odoo/client-equipment")
    page.locator(".o_data_row, .o_kanban_record", has_text=name).first.locator(
        f".o_data_cell:has-text('{name}'), [name=name], span:has-text('{name}')"
    ).first.click()
    page.locator(".o_form_view").wait_for()
    page.get_by_role("tab", name="Software Keys").click()


def open_key(page, license_key):
    page.goto("/odoo/software-keys")
    page.locator(".o_searchview_input").fill(license_key)
    page.keyboard.press("Enter")
    page.locator(f".o_data_row:has-text('{license_key}') .o_data_cell").nth(1).click()
    page.locator(".o_form_view").wait_for()


@picture("software-keys", "manager")
def software_keys(page):
    page.goto("/odoo/software-keys")


@picture("software-key", "manager")
def software_key(page):
    open_key(page, "OFFC3-65PRO-11111")
    page.get_by_role("tab", name="Audit Logs").click()


@picture("software-keys-kanban", "manager")
def software_keys_kanban(page):
    page.goto("/odoo/software-keys?view_type=kanban")


@picture("software", "manager")
def software(page):
    page.goto("/odoo/client-software")


@picture("equipment-software-keys", "technician")
def equipment_software_keys(page):
    open_equipment(page, "LAPTOP-001")


@picture("equipment-software-keys-phone", "technician", PHONE)
def equipment_software_keys_phone(page):
    open_equipment(page, "LAPTOP-001")
    page.locator(".o_field_widget[name=equipment_feature_ids]").evaluate(
        "tab => tab.scrollIntoView({block: 'end'})"
    )


@picture("equipment", "technician")
def equipment(page):
    page.goto("/odoo/client-equipment")


@picture("equipment-features", "manager")
def equipment_features(page):
    page.goto("/odoo/equipment-features")


@picture("audit-logs", "auditor")
def audit_logs(page):
    page.goto("/odoo/software-key-audit-logs")


@picture("usage-history", "auditor")
def usage_history(page):
    page.goto("/odoo/software-key-usage-history")


@picture("renew", "manager")
def renew(page):
    page.goto("/odoo/software-keys")
    page.locator(".o_searchview_input").fill("AVENT")
    page.keyboard.press("Enter")
    page.locator(".o_facet_values", has_text="AVENT").wait_for()
    page.locator("thead .o_list_record_selector input").click()
    page.get_by_role("button", name="Renew", exact=True).click()
    page.locator(".modal .o_form_view").wait_for()


@picture("enter-many-keys", "manager")
def enter_many_keys(page):
    page.goto("/odoo/software-keys")
    page.get_by_role("button", name="Enter Many Keys").click()
    page.locator(".modal .o_form_view").wait_for()
    page.locator(".modal [name=license_keys] textarea").fill(
        "ACROB-PERP-8001-QQ4ZN\nACROB-PERP-8002-QQ4ZN\n"
        "ACROB-PERP-8002-QQ4ZN\nacrob-perp-7026-qq4zn"
    )
    page.keyboard.press("Tab")


@picture("return", "technician")
def return_equipment(page):
    open_equipment(page, "LAPTOP-001")
    page.get_by_role("button", name="Return / Replace").click()
    page.locator(".modal .o_form_view").wait_for()


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


def main(address, folder, *names):
    with sync_playwright() as playwright, browser(playwright) as chromium:
        for name, (login, size, walk) in PICTURES.items():
            if names and name not in names:
                continue
            context = chromium.new_context(base_url=address, viewport=size)
            page = context.new_page()
            page.set_default_timeout(60_000)
            log_in(page, login)
            walk(page)
            page.locator(".o_view_controller").first.wait_for()
            page.wait_for_timeout(1500)
            page.screenshot(path=Path(folder) / f"{name}.png")
            print(name)
            context.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
