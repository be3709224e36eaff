// Every page, as everybody that may see it.

import { LISTED, NAME, PLACES } from './kit/gateway.mjs';
import { inspect, LOOKS, watch } from './kit/inspect.mjs';
import { Visitor } from './kit/visitor.mjs';

/** Pages by their path; a path with a host is what a blocked site's name leads to. */
const EVERYBODY = [
    { path: '/' },
    { path: '/blocked' },
    { path: `/blocked?name=${LISTED.games}` },
    { path: `/blocked?name=${LISTED.self_harm}` },
    { path: '/blocked?name=www.example.com' },
    { path: '/blocked?name=xn--' , status: 400 },
    { path: '/nowhere', status: 404 },
];
const BLOCKED = Object.values(LISTED).map((host) => ({ host, path: '/', status: 403 }));

export async function pages(world) {
    for (const place of ['primary', 'upper']) {
        const visitor = await Visitor.at(`${PLACES[place]}.7`, world);
        await seen(world, visitor, place, [...EVERYBODY, ...BLOCKED]);
        await visitor.leave();
    }
}

/** Visits pages in every look, two at a time: there are two cores. */
async function seen(world, visitor, who, places) {
    const looks = [...LOOKS];
    const turns = async () => {
        for (let look = looks.shift(); look; look = looks.shift()) await inLook(world, visitor, who, places, look);
    };
    await Promise.all([turns(), turns()]);
    for (const { path, host } of places) {
        const time = await visitor.time(path, host ? { host } : {});
        console.log(`  ${who} ${host ?? ''}${path}: ${time.toFixed(1)} ms`);
    }
}

async function inLook(world, visitor, who, places, { lang, ...look }) {
    const context = await visitor.browser(look);
    for (const { path, host, status } of places) {
        // The block page has no switch of languages in its address: it is Vietnamese.
        if (host && lang !== 'vi') continue;
        const page = await context.newPage();
        const notes = watch(page);
        const address = lang === 'en' ? `${path}${path.includes('?') ? '&' : '?'}lang=en` : path;
        const what = `${who} ${host ?? ''}${address} ${look.viewport.width} ${look.colorScheme}`;
        const response = await page.goto(host ? `http://${host}${address}` : visitor.url(address));
        const picture = world.gallery && `${world.gallery}/${what.replace(/[^a-z0-9]+/gi, '-')}.png`;
        const { octets } = await inspect(page, notes, what, { look: { lang, ...look }, axe: world.axe, response, status, host: host ?? NAME, picture });
        console.log(`  ${what}: ${octets} octets`);
        await page.close();
    }
    await context.close();
}
