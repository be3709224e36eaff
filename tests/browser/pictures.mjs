// The pictures of the documentation, as on a phone; made only when they are asked for.

import { join } from 'node:path';

import { codeFor, form, logIn, send, token } from './kit/desk.mjs';
import { LISTED, PLACES, SERVICE } from './kit/gateway.mjs';
import { check } from './kit/report.mjs';
import { Visitor } from './kit/visitor.mjs';

/** Octets of a picture. */
const MOST_OCTETS = 60 << 10;
const SIZE = { width: 360, height: 740 };

export async function pictures(world) {
    if (!world.screenshots) return;
    const visitors = {};
    for (const place of ['primary', 'upper', 'room3', 'staff']) visitors[place] = await Visitor.at(`${PLACES[place]}.91`, world);
    const { primary, upper, room3, staff } = visitors;
    await picture(world, primary, 'block-page-primary', (page) => page.goto(`http://${LISTED.games}/`));
    await picture(world, upper, 'block-page-upper', (page) => page.goto(`http://${LISTED.gambling}/`));
    await picture(world, upper, 'is-it-blocked', (page) => page.goto(upper.url(`/blocked?name=${LISTED.gambling}`)));
    await picture(world, room3, 'teacher', async (page) => {
        await logIn(page, room3, 'code', { code: await codeFor(world.gateway, 'room3'), name: 'Cô Lan' });
        await send(page, form(page, '/staff/begin', 'input[value=lesson]'), { what: SERVICE.word, minutes: '20' });
    });
    for (const role of ['technician', 'inspector']) {
        await picture(world, staff, role, async (page) => {
            const name = role === 'technician' ? { name: 'Thầy Nam' } : {};
            await logIn(page, staff, role, { token: await token(world.gateway, role), ...name });
        });
    }
    for (const visitor of Object.values(visitors)) await visitor.leave();
}

async function picture(world, visitor, name, open) {
    const context = await visitor.browser({ viewport: SIZE, colorScheme: 'light' });
    const page = await context.newPage();
    await open(page);
    const octets = (await page.screenshot({ path: join(world.screenshots, `${name}.png`) })).length;
    check(octets <= MOST_OCTETS, `${name}.png: at most ${MOST_OCTETS} octets`, octets);
    console.log(`  ${name}.png: ${octets} octets`);
    await context.close();
}
