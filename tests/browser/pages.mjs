// Every page, as everybody that may see it.

import { form, send } from './kit/desk.mjs';
import { LISTED, NAME, PLACES } from './kit/gateway.mjs';
import { eyes, inspect, watch } from './kit/inspect.mjs';
import { Visitor } from './kit/visitor.mjs';

/** Pages by their path; one with a host is what a blocked site's name leads to, one with `ready` has
 * a script that ends by showing that. */
const EVERYBODY = [
    { path: '/' },
    { path: '/blocked' },
    { path: `/blocked?name=${LISTED.games}` },
    { path: `/blocked?name=${LISTED.self_harm}` },
    { path: '/blocked?name=www.example.com' },
    { path: '/blocked?name=a..b', status: 400 },
    { path: '/check', ready: '#code-line' },
    { path: `/review?name=${LISTED.games}` },
    { path: '/staff' },
    { path: '/nowhere', status: 404 },
];
const BLOCKED = [LISTED.games, LISTED.self_harm].map((host) => ({ host, path: '/', status: 403 }));

export async function pages(world) {
    for (const place of ['primary', 'upper']) {
        const visitor = await Visitor.at(`${PLACES[place]}.7`, world);
        await seen(world, visitor, place, [...EVERYBODY, ...BLOCKED]);
        await visitor.leave();
    }
    const visitor = await Visitor.at(`${PLACES.upper}.8`, world);
    await Promise.all(['vi', 'en'].map((lang) => filledIn(world, visitor, lang)));
    await visitor.leave();
}

/** Pages that come after a form. */
async function filledIn(world, visitor, lang) {
    const context = await visitor.browser();
    const page = await context.newPage();
    const look = eyes(world, page, lang, 'upper');
    const open = (path) => page.goto(visitor.url(lang === 'en' ? `${path}?lang=en` : path));
    await open('/blocked');
    await look('a verdict', await send(page, form(page, '/blocked'), { name: LISTED.games }));
    await open('/review');
    await page.locator('[name=reason]').first().check();
    await look('a site that is none', await send(page, form(page, '/review'), { name: '<b>' }), 422);
    await page.locator('[name=reason]').first().check();
    await look('asked', await send(page, form(page, '/review'), { name: LISTED.gambling }));
    await context.close();
}

/** Visits pages in both languages at one time: there are two cores. */
async function seen(world, visitor, who, places) {
    const times = new Map();
    for (const place of places) {
        times.set(place, await visitor.time(place.path, place.host ? { host: place.host } : {}));
    }
    await Promise.all(['vi', 'en'].map((lang) => inLanguage(world, visitor, who, places, lang, times)));
}

async function inLanguage(world, visitor, who, places, lang, times) {
    const context = await visitor.browser();
    for (const place of places) {
        const page = await context.newPage();
        const { path, host, status, ready } = place;
        const notes = watch(page);
        const address = lang === 'en' ? `${path}${path.includes('?') ? '&' : '?'}lang=en` : path;
        const what = `${who} ${host ?? ''}${address}`;
        const response = await page.goto(host ? `http://${host}${address}` : visitor.url(address));
        if (ready) await page.locator(ready).waitFor({ state: 'visible' });
        const { octets } = await inspect(page, notes, what, { lang, axe: world.axe, response, status, host: host ?? NAME, gallery: world.gallery });
        console.log(`  ${what}: ${octets} octets, ${times.get(place).toFixed(1)} ms`);
        await page.close();
    }
    await context.close();
}
