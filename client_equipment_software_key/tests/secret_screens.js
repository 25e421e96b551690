// Opens screens, one after the other, and tells where a text stands that must not; or
// that it stands nowhere, where it is expected.

async function lookFor({ text, screens, expected }) {
    const lines = [];
    let where = "the beginning";
    const look = (what, found) => {
        if (found.toUpperCase().includes(text)) {
            lines.push(`${where}: ${what}`);
        }
    };
    const { send } = XMLHttpRequest.prototype;
    XMLHttpRequest.prototype.send = function (...args) {
        this.addEventListener("load", () => look(this.responseURL, this.responseText || ""));
        return send.apply(this, args);
    };
    const { fetch } = window;
    window.fetch = async (...args) => {
        const response = await fetch(...args);
        const type = response.headers.get("Content-Type") || "";
        if (type.includes("json")) {
            look(response.url, await response.clone().text());
        }
        return response;
    };
    const find = async (selector) => {
        for (let tries = 0; tries < 200; tries++) {
            if ([...document.querySelectorAll(selector)].some((el) => el.offsetParent)) {
                return;
            }
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
        throw new Error(`${where}: there is no ${selector}`);
    };
    const { services } = odoo.__WOWL_DEBUG__.root.env;
    for (const { action, context, end, record, view } of screens) {
        where = `${JSON.stringify(action)} ${view || ""}`;
        services.dialog.closeAll();
        await services.action.doAction(action, {
            clearBreadcrumbs: true,
            additionalContext: context,
            viewType: view,
            props: record ? { resId: record } : {},
        });
        await find(end);
        for (const tab of document.querySelectorAll(".o_notebook_headers .nav-link")) {
            tab.click();
            await new Promise((resolve) => setTimeout(resolve, 100));
            look(`the tab ${tab.textContent}`, document.documentElement.outerHTML);
        }
        look("the page", document.documentElement.outerHTML);
        for (const { value } of document.querySelectorAll("input, textarea")) {
            look("an input", value);
        }
    }
    if (Boolean(lines.length) !== expected) {
        console.error(lines.join("\n") || `${text} stands nowhere`);
    } else {
        console.log("test successful");
    }
}
