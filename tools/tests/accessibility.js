// Looks at screens with axe-core, one after the other, and tells what it finds.

async function lookAt({ screens, exclude, address }) {
    await new Promise((resolve, reject) => {
        const script = document.createElement("script");
        Object.assign(script, { src: address, onload: resolve, onerror: reject });
        document.head.append(script);
    });
    const find = async (selector) => {
        for (let tries = 0; tries < 200; tries++) {
            const el = [...document.querySelectorAll(selector)].find((el) => el.offsetParent);
            if (el) {
                return el;
            }
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
        throw new Error(`not there: ${selector}`);
    };
    // What fades in has its colours at the end alone.
    const settled = async () => {
        for (let frame = 0; frame < 2; frame++) {
            await new Promise((resolve) => requestAnimationFrame(resolve));
        }
        const moving = document
            .getAnimations()
            .filter(({ effect }) => effect.getComputedTiming().endTime < Infinity);
        await Promise.allSettled(moving.map(({ finished }) => finished));
    };
    const lines = [];
    const look = async ({ action, clicks, end, view, record, context }) => {
        const { services } = odoo.__WOWL_DEBUG__.root.env;
        services.dialog.closeAll();
        await services.action.doAction(action, {
            clearBreadcrumbs: true,
            additionalContext: context,
            viewType: view,
            props: record ? { resId: record } : {},
        });
        for (const selector of clicks) {
            (await find(selector)).click();
        }
        await find(end);
        await settled();
        const root = end.startsWith(".modal") ? ".modal-content" : ".o_content";
        const { violations } = await axe.run({ include: [[root]], exclude });
        return violations
            .filter(({ impact }) => ["serious", "critical"].includes(impact))
            .map(({ id, nodes }) => {
                const texts = nodes.map(({ html }) => html.slice(0, 200));
                return `${id}: ${texts.slice(0, 5).join(" ")}`;
            });
    };
    for (const screen of screens) {
        const found = await look(screen).catch(({ message }) => [message]);
        const where = `${JSON.stringify(screen.action)} ${screen.view || ""}`;
        lines.push(...found.map((line) => `${where} ${line}`));
    }
    if (lines.length) {
        console.error(lines.join("\n"));
    } else {
        console.log("test successful");
    }
}
