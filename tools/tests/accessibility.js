// Looks at screens with axe-core, one after the other, and tells what it finds.

async function lookAt({ screens, exclude, address }) {
    await new Promise((resolve, reject) => {
        const script = document.createElement("script");
        Object.assign(script, { src: address, onload: resolve, onerror: reject });
        document.head.append(script);
    });
    const found = async (selector) => {
        for (let tries = 0; tries < 200; tries++) {
            const el = [...document.querySelectorAll(selector)].find((el) => el.offsetParent);
            if (el) {
                return el;
            }
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
        throw new Error(`not there: ${selector}`);
    };
    const lines = [];
    for (const { action, clicks, end } of screens) {
        const { services } = odoo.__WOWL_DEBUG__.root.env;
        services.dialog.closeAll();
        await services.action.doAction(action, { clearBreadcrumbs: true });
        for (const selector of clicks) {
            (await found(selector)).click();
        }
        await found(end);
        await new Promise((resolve) => setTimeout(resolve, 300));
        const root = clicks.length ? ".modal-content" : ".o_content";
        const { violations } = await axe.run({ include: [[root]], exclude });
        for (const { id, impact, nodes } of violations) {
            if (["serious", "critical"].includes(impact)) {
                const texts = nodes.map(({ html }) => html.slice(0, 200));
                lines.push(`${JSON.stringify(action)} ${id}: ${texts.slice(0, 5).join(" ")}`);
            }
        }
    }
    if (lines.length) {
        console.error(lines.join("\n"));
    } else {
        console.log("test successful");
    }
}
