// Every page, as everybody that may see it.

import { PLACES } from './kit/gateway.mjs';
import { inspect, LOOKS, watch } from './kit/inspect.mjs';
import { Visitor } from './kit/visitor.mjs';

const PUPILS = ['/', '/nowhere'];

export async function pages(world) {
    for (const place of ['primary', 'upper']) {
        const visitor = await Visitor.at(`${PLACES[place]}.7`, world);
        await seen(world, visitor, place, PUPILS);
        await visitor.leave();
    }
}

/** Visits pages in every look, two at a time: there are two cores. */
async function seen(world, visitor, who, paths) {
    const looks = [...LOOKS];
    const turns = async () => {
        for (let look = looks.shift(); look; look = looks.shift()) await inLook(world, visitor, who, paths, look);
    };
    await Promise.all([turns(), turns()]);
}

async function inLook(world, visitor, who, paths, { lang, ...look }) {
    const context = await visitor.browser(look);
    for (const path of paths) {
        const page = await context.newPage();
        const notes = watch(page);
        const address = lang === 'en' ? `${path}${path.includes('?') ? '&' : '?'}lang=en` : path;
        const what = `${who} ${address} ${look.viewport.width} ${look.colorScheme}`;
        const response = await page.goto(visitor.url(address));
        const { octets } = await inspect(page, notes, what, {
            look: { lang, ...look }, axe: world.axe, response, status: path === '/nowhere' ? 404 : 200,
        });
        if (world.gallery) await page.screenshot({ path: `${world.gallery}/${what.replace(/[^a-z0-9]+/gi, '-')}.png`, fullPage: true });
        console.log(`  ${what}: ${octets} octets`);
        await page.close();
    }
    await context.close();
}
