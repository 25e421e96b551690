# ruff: noqa: F821 (Odoo's shell brings env)
"""Build what pages load of the web client's bundles, but for Odoo's own unit tests.

Read by Odoo's shell.
"""

qweb = env["ir.qweb"]
scripts, styles = qweb._get_bundles_to_pregenarate()
scripts |= {  # loaded on demand
    "bus.websocket_worker_assets",
    "web.assets_clickbot",
    "web.assets_backend_lazy",
    "web.assets_emoji",
    "web.chartjs_lib",
    "web.fullcalendar_lib",
}
styles |= {"web.assets_backend_lazy"}
for bundle in sorted(scripts | styles):
    if "unit_tests" not in bundle and bundle != "web.tests_assets":
        if bundle in scripts:
            qweb._get_asset_bundle(bundle, css=False, js=True).js()
        if bundle in styles:
            qweb._get_asset_bundle(bundle, css=True, js=False).css()
env.cr.commit()
