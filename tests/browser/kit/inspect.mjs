// What holds for every page, whoever sees it: one visit, all checks.

import { NAME } from './gateway.mjs';
import { check } from './report.mjs';
import { DESKTOP, PHONE } from './visitor.mjs';

/** Octets of a page with its style and scripts. */
const MOST_OCTETS = 50 << 10;

/** Looks of a page, by its language: a page is changed from one to the other, so
 * that each language, width and scheme of colours is seen. */
export const LOOKS = {
    vi: [{ viewport: PHONE, colorScheme: 'dark' }, { viewport: DESKTOP, colorScheme: 'light' }],
    en: [{ viewport: PHONE, colorScheme: 'light' }, { viewport: DESKTOP, colorScheme: 'dark' }],
};

/** Watches a page from its first request on; call it before `goto`. */
export function watch(page) {
    const seen = { errors: [], hosts: new Set(), octets: new Map() };
    page.on('console', (message) => {
        // Chromium itself notes each reply with an error status.
        const isStatus = message.text().startsWith('Failed to load resource: the server responded with a status of');
        if (['error', 'warning'].includes(message.type()) && !isStatus) seen.errors.push(message.text());
    });
    page.on('pageerror', (error) => seen.errors.push(String(error)));
    page.on('response', (response) => {
        const url = new URL(response.url());
        if (url.protocol === 'data:') return;
        seen.hosts.add(url.hostname);
        const read = response.body().then((body) => seen.octets.set(response.url(), body.length));
        // A redirect has no body.
        seen.reading = Promise.all([seen.reading, read.catch(() => {})]);
    });
    page.on('requestfailed', (request) => seen.errors.push(`${request.url()}: ${request.failure()?.errorText}`));
    return seen;
}

/** Checks the page that is open in both looks of its language; `what` names it in what is said. */
export async function inspect(page, seen, what, { lang, axe, status = 200, response, host = NAME, gallery }) {
    await seen.reading;
    if (response) check(response.status() === status, `${what}: status ${status}`, response.status());
    check(new URL(page.url()).hostname === host, `${what}: it stays at ${host}`, page.url());
    await page.evaluate(axe);
    for (const look of LOOKS[lang]) {
        const where = `${what} ${look.viewport.width} ${look.colorScheme}`;
        await page.emulateMedia({ colorScheme: look.colorScheme });
        await page.setViewportSize(look.viewport);
        await page.evaluate(() => { document.activeElement?.blur(); scrollTo(0, 0); });
        await inLook(page, where, lang, look);
        if (gallery) await page.screenshot({ path: `${gallery}/${where.replace(/[^a-z0-9]+/gi, '-')}.png`, fullPage: true });
        await violations(page, where);
        await keyboard(page, where);
    }
    check(seen.errors.length === 0, `${what}: no errors in the console`, [...new Set(seen.errors)].join(' | '));
    const strangers = [...seen.hosts].filter((one) => one !== host && one !== NAME && !one.endsWith(`.${NAME}`));
    check(strangers.length === 0, `${what}: nothing from elsewhere`, strangers.join(' '));
    const octets = [...seen.octets.values()].reduce((sum, one) => sum + one, 0);
    check(octets > 0 && octets <= MOST_OCTETS, `${what}: at most ${MOST_OCTETS} octets`, octets);
    return { octets };
}

/** Sees each page that a walk meets. */
export function eyes(world, page, lang, who) {
    const seen = watch(page);
    return async (what, response, status = 200) => {
        const { octets } = await inspect(page, seen, `${who} ${lang} ${what}`, { lang, axe: world.axe, response, status, gallery: world.gallery });
        const timing = response.request().timing();
        console.log(`  ${who} ${lang} ${what}: ${octets} octets, ${(timing.responseEnd - timing.requestStart).toFixed(1)} ms in the browser`);
        seen.octets.clear();
    };
}

async function inLook(page, what, lang, look) {
    const about = await page.evaluate(facts);
    check(about.lang === lang, `${what}: lang="${lang}"`, about.lang);
    check(/\S.* – Lá Chắn$/u.test(about.title), `${what}: a title`, about.title);
    check(about.headings === 1, `${what}: one h1`, about.headings);
    check(about.skipped === '', `${what}: no level of headings is left out`, about.skipped);
    check(about.wide.length === 0 && about.overflow <= 0, `${what}: no horizontal scroll at ${look.viewport.width}`,
        `${about.overflow} px; ${about.wide.join(' ')}`);
    check(about.narrow.length === 0, `${what}: no column that breaks words`, about.narrow.join(' '));
    check(about.small.length === 0, `${what}: controls are 24 px high or more`, about.small.join(' '));
    check(!/\{[a-z_]+\}|undefined|null\b|\bNone\b|Some\(/u.test(about.text), `${what}: no raw values in the text`);
}

/** In the page: what it says of itself, and what is wider than it. */
function facts() {
    const width = document.documentElement.clientWidth;
    const describe = (element) => `<${element.localName}${element.className ? `.${element.className}` : ''}>${(element.textContent ?? '').trim().slice(0, 30)}`;
    const scrolls = (element) => element && (/auto|scroll|hidden/.test(getComputedStyle(element).overflowX) || scrolls(element.parentElement));
    const isSeen = (element) => element.checkVisibility() && !element.closest('.skip, .away');
    const wide = [...document.querySelectorAll('main *, header *, footer *')]
        .filter((element) => isSeen(element) && element.getBoundingClientRect().right > width + 1 && !scrolls(element.parentElement));
    // A column that is left too little breaks words: more lines than words.
    const linesOf = (one) => {
        const bottoms = [];
        const walker = document.createTreeWalker(one, NodeFilter.SHOW_TEXT);
        for (let node = walker.nextNode(); node; node = walker.nextNode()) {
            const range = document.createRange();
            range.selectNodeContents(node);
            bottoms.push(...[...range.getClientRects()].map((box) => box.bottom));
        }
        return bottoms.sort((x, y) => x - y).filter((bottom, index, all) => index === 0 || bottom > all[index - 1] + 8).length;
    };
    const narrow = [...document.querySelectorAll('dd, dt, td, th, p, li, button')].filter((one) => isSeen(one)
        && !one.querySelector('p, ul, form, dl, input') && linesOf(one) > one.textContent.trim().split(/[\s.-]+/).length);
    // The rule of target size (WCAG 2.5.8) leaves out links within a sentence.
    const controls = [...document.querySelectorAll('button, input, select, textarea, summary, nav a, .button')];
    const levels = [...document.querySelectorAll('h1, h2, h3, h4')].filter(isSeen).map((heading) => Number(heading.localName[1]));
    const skipped = levels.map((level, index) => [levels[index - 1] ?? 0, level]).find(([above, level]) => level > above + 1);
    return {
        lang: document.documentElement.lang,
        title: document.title,
        headings: document.querySelectorAll('h1').length,
        skipped: skipped ? skipped.join(' then ') : '',
        overflow: document.scrollingElement.scrollWidth - width,
        wide: wide.map(describe),
        narrow: narrow.map(describe),
        small: controls.filter((one) => isSeen(one) && !['radio', 'checkbox', 'hidden'].includes(one.type)
            && one.getBoundingClientRect().height < 24).map(describe),
        text: document.body.innerText,
    };
}

/** axe-core's rules, contrast among them. It is evaluated as by a debugger: the page's own policy
 * forbids such a script. */
async function violations(page, what) {
    const found = await page.evaluate(async () => {
        // Style sheets are not fetched once more: the page's own policy allows no such request.
        const result = await globalThis.axe.run(document, { resultTypes: ['violations', 'incomplete'], preload: false });
        const say = ({ id, help, nodes }) => `${id} (${help}): ${nodes.map((node) => node.html.slice(0, 160)).join(' ')}`;
        // Where a colour cannot be computed, contrast is not known to hold. What is scrolled out of sight
        // is seen at the other width.
        const isScrolled = (node) => [...document.querySelectorAll('.wide')]
            .some((region) => region.scrollWidth > region.clientWidth && region.contains(document.querySelector(node.target[0])));
        const unknown = result.incomplete.filter((rule) => rule.id === 'color-contrast')
            .map((rule) => ({ ...rule, nodes: rule.nodes.filter((node) => !isScrolled(node)) }))
            .filter((rule) => rule.nodes.length > 0);
        return { violations: result.violations.map(say), unknown: unknown.map(say) };
    });
    check(found.violations.length === 0, `${what}: axe-core finds nothing`, found.violations.join(' | '));
    check(found.unknown.length === 0, `${what}: every contrast is known`, found.unknown.join(' | '));
}

/** Tab goes to every control, in the order in which they are seen, and the focus can be seen. */
async function keyboard(page, what) {
    const controls = await page.evaluate(() => {
        const stops = 'a[href], button, input:not([type="hidden"]), select, textarea, summary, [tabindex="0"]';
        const all = [...document.querySelectorAll(stops)].filter((one) => one.checkVisibility() && !one.disabled);
        // Of radio buttons with one name Tab goes to the chosen one, or to the first.
        const groups = new Map();
        for (const radio of all.filter((one) => one.type === 'radio')) {
            const key = `${radio.form?.action} ${radio.name}`;
            if (!groups.has(key) || radio.checked) groups.set(key, radio);
        }
        // A region that scrolls is focused by Chromium itself; that is wanted, and no control.
        const reached = all.filter((one) => one.type !== 'radio' || [...groups.values()].includes(one));
        reached.forEach((one, index) => one.setAttribute('data-stop', index));
        document.activeElement?.blur();
        scrollTo(0, 0);
        const boxes = reached.map((one) => {
            const box = (one.labels?.[0] ?? one).getClientRects()[0] ?? one.getBoundingClientRect();
            const own = one.getClientRects()[0] ?? box;
            return { text: (one.textContent || one.name || '').trim().slice(0, 30), top: own.top, bottom: own.bottom, left: own.left,
                isSkip: one.classList.contains('skip') };
        });
        return boxes;
    });
    // Below the one before, or right of it in its line.
    controls.filter((one) => !one.isSkip).forEach((one, index, all) => {
        const before = all[index - 1];
        const isAfter = !before || one.top >= before.bottom - 2 || (one.left >= before.left && one.bottom > before.top)
            || one.top > before.top + 2;
        check(isAfter, `${what}: the order of Tab is that of the page`, `${before?.text} then ${one.text}`);
    });
    await page.evaluate(() => {
        const isWatched = Boolean(globalThis.focused);
        globalThis.focused = [];
        if (isWatched) return;
        document.addEventListener('focusin', ({ target: one }) => {
            const style = getComputedStyle(one);
            const box = one.getBoundingClientRect();
            const isIn = box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
            const hasOutline = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
            globalThis.focused.push({ stop: one.dataset.stop, text: (one.textContent || one.name || one.localName).trim().slice(0, 30), isSeen: isIn && hasOutline });
        });
    });
    // At the last control Tab leaves the page, and comes back to its first.
    for (let presses = 0; presses < controls.length + 2; presses += 1) await page.keyboard.press('Tab');
    const focused = await page.evaluate(() => globalThis.focused);
    const order = [...new Set(focused.filter((one) => one.stop !== undefined).map((one) => Number(one.stop)))];
    // Where an earlier walk ended, the next one begins.
    const first = order.indexOf(0);
    const walk = [...order.slice(first), ...order.slice(0, first)];
    const wanted = controls.map((_, index) => index);
    check(walk.join() === wanted.join(), `${what}: Tab reaches every control`, `${order.join()} of ${wanted.length}`);
    const unseen = focused.filter((one) => !one.isSeen).map((one) => one.text);
    check(unseen.length === 0, `${what}: what is focused can be seen`, unseen.join(' | '));
}
