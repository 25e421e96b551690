// Looks at screens, one after the other, and tells what is cut off, and what axe-core finds.

// Odoo's own, on every screen of every app, and what can be scrolled.
const NOT_OURS = [
    ".o_add_custom_filter, .o_add_custom_group_menu, .o_favorite_menu",
    ".o_breadcrumb",
    ".o_searchview",
    ".o_search_panel_sidebar",
    ".o-mail-Chatter",
    ".o_vendor_table",
].join(", ");

// Odoo measures a list before the bar beside it is there.
const SCROLL_BAR = 16;

/** Where the text that stands in the element itself is, nothing where there is none. */
function placesOf(el) {
    const texts = [...el.childNodes].filter((node) => node.nodeType === 3 && node.data.trim());
    return texts.flatMap((text) => {
        const range = document.createRange();
        range.selectNodeContents(text);
        return [...range.getClientRects()];
    });
}

/** Tell whether what stands at these places, or is typed into the element, is cut off. */
function isCut(el, places) {
    if (el.matches("input")) {
        // Where the text is transparent, the whole name stands over it.
        return (
            getComputedStyle(el).color !== "rgba(0, 0, 0, 0)" && el.scrollWidth > el.clientWidth + 1
        );
    }
    for (let box = el; box && box !== document.body; box = box.parentElement) {
        const { overflowX, display } = getComputedStyle(box);
        if (overflowX !== "visible" && display !== "inline" && display !== "contents") {
            const { left, right } = box.getBoundingClientRect();
            if (places.some((place) => place.right > right + 1 || place.left < left - 1)) {
                return true;
            }
        }
    }
    return false;
}

const WORD = /[^\s-]+/g;
const LICENSE_KEY = /(?<![\w-])\w{5}(-\w{5}){4}(?![\w-])/g;

/** Tell whether a word of a heading, a label or a badge goes on in the next line, or a
 * license key of 29 characters wherever it stands. */
function isBroken(el) {
    const unbroken = el.closest("th, label, .badge:not(.o_tag)") ? WORD : LICENSE_KEY;
    const range = document.createRange();
    const goesOn = (text, { index, 0: word }) => {
        range.setStart(text, index);
        range.setEnd(text, index + word.length);
        return new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size > 1;
    };
    return [...el.childNodes]
        .filter((node) => node.nodeType === 3)
        .some((text) => [...text.data.matchAll(unbroken)].some((word) => goesOn(text, word)));
}

/** Return the texts on the screen of which a part cannot be read, or a word is broken. */
function cutOff(root) {
    const texts = new Set();
    const tell = (what, el) =>
        texts.add(`${what}: ${(el.value || el.textContent).trim()} (${el.className})`);
    for (const el of document.querySelectorAll(`${root} *`)) {
        if (el.checkVisibility() && !el.closest(NOT_OURS)) {
            const places = placesOf(el);
            if ((places.length || el.value) && isCut(el, places)) {
                tell("cut off", el);
            }
            if (isBroken(el)) {
                tell("broken", el);
            }
            if (el.matches(".o_list_renderer") && el.scrollWidth > el.clientWidth + SCROLL_BAR) {
                tell("wider than its place", el);
            }
        }
    }
    return [...texts];
}

/** Return what is done with selected rows, and stands on what is to its right. */
function overlapping() {
    const { left } = document
        .querySelector(".o_control_panel_navigation > *")
        .getBoundingClientRect();
    return [...document.querySelectorAll(".o_control_panel_actions button")]
        .filter((button) => button.getBoundingClientRect().right > left + 1)
        .map((button) => `overlaps: ${button.textContent.trim()}`);
}

// After a resize Odoo waits so long until it measures anew. Here it need not: so long
// after it that is done.
const PAUSE = 200;
const RESIZED = 100;

/** Write the web client into a frame, whose width can be changed, and look at it there.
 * (It forbids frames to load it.) */
async function lookInFrame({ scripts, ...plan }) {
    const frame = document.createElement("iframe");
    frame.style = "position: fixed; top: 0; left: 0; height: 900px; border: 0";
    frame.width = plan.widths[0];
    document.body.append(frame);
    const page = await fetch("/odoo");
    frame.contentDocument.write(await page.text());
    frame.contentDocument.close();
    while (!frame.contentWindow.odoo?.isReady) {
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
    for (const src of scripts) {
        await new Promise((onload, onerror) => {
            const script = frame.contentDocument.createElement("script");
            frame.contentDocument.head.append(Object.assign(script, { src, onload, onerror }));
        });
    }
    await frame.contentWindow.lookAt(plan);
}

async function lookAt({ screens, widths, exclude }) {
    const { browser } = odoo.loader.modules.get("@web/core/browser/browser");
    browser.setTimeout = (callback, delay) => setTimeout(callback, delay === PAUSE ? 0 : delay);
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
            for (const animation of document.getAnimations()) {
                if (animation.effect.getComputedTiming().endTime < Infinity) {
                    animation.finish();
                }
            }
        }
    };
    const lines = [];
    const look = async (screen) => {
        await open(screen);
        const root = screen.end.startsWith(".modal") ? ".modal-content" : ".o_content";
        const found = await axeFindings(root);
        // A dialog has the same room on each of these.
        const rooms = root === ".o_content" ? widths : widths.slice(0, 1);
        for (const width of rooms) {
            await resize(width, screen);
            found.push(...(await allCutOff(root, screen.view)));
        }
        if (rooms === widths) {
            widths.reverse(); // the next screen begins as wide as this one ended
        }
        return [...new Set(found)];
    };
    const open = async ({ action, clicks, end, view, record, context }) => {
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
    };
    const resize = async (width, screen) => {
        if (window.innerWidth === width) {
            return;
        }
        const resized = new Promise((resolve) =>
            window.addEventListener("resize", resolve, { once: true })
        );
        window.frameElement.width = width;
        await resized;
        await new Promise((resolve) => setTimeout(resolve, RESIZED));
        await settled();
        // Whether that is folded depends on the width at which it is opened.
        if (document.querySelector(".o_search_panel, .o_search_panel_sidebar")) {
            await open(screen);
        }
    };
    const allCutOff = async (root, view) => {
        const found = cutOff(root);
        for (const tab of document.querySelectorAll(`${root} .nav-link:not(.active)`)) {
            tab.click();
            await settled();
            found.push(...cutOff(root));
        }
        if (view === "list") {
            found.push(...(await searchAndSelect()));
        }
        return found.map((line) => `${line} at ${window.innerWidth}`);
    };
    const searchAndSelect = async () => {
        const filters = document.querySelector(".o_searchview_dropdown_toggler");
        const rows = document.querySelector("th .o_list_record_selector input");
        const found = [];
        if (filters) {
            filters.click();
            await find(".o_search_bar_menu > *");
            found.push(...cutOff(".o_search_bar_menu"));
            filters.click();
        }
        if (rows) {
            rows.click();
            await settled();
            found.push(...cutOff(".o_control_panel"), ...overlapping());
            rows.click();
        }
        return found;
    };
    const axeFindings = async (root) => {
        const { violations } = await axe.run(
            { include: [[root]], exclude },
            { resultTypes: ["violations"], selectors: false }
        );
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
