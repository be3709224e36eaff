// The whole story, without JavaScript: a pupil meets the block page, asks, the technician allows, the
// site opens; a teacher opens a service for one room, and it ends.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { codeFor, form, logIn, send, token } from './kit/desk.mjs';
import { SITE } from './kit/dns.mjs';
import { ASKED, GROUPS, LISTED, NAME, PLACES, SERVICE } from './kit/gateway.mjs';
import { expect } from './kit/report.mjs';
import { PHONE, Visitor } from './kit/visitor.mjs';


/** Block page, request, answer. */
export async function asked(world) {
    const { gateway } = world;
    const pupil = await Visitor.at(`${PLACES.upper}.21`, world);
    const page = await (await pupil.browser({ viewport: PHONE, javaScriptEnabled: false })).newPage();
    const blocked = await page.goto(`http://${ASKED}/`);
    expect(blocked.status() === 403 && (await page.textContent('main')).includes(ASKED), 'a pupil meets the block page', blocked.status());
    const code = (await page.locator('.code').first().textContent()).trim();
    await page.locator('main a[href*="/review"]').first().click();
    await page.waitForURL(`http://${NAME}/**`);
    expect(await page.inputValue('[name=name]') === ASKED, 'the form knows the site');
    await page.locator('[name=reason]').first().check();
    await send(page, form(page, '/review'));
    const thanks = await page.textContent('main');
    expect(thanks.includes(code), 'the pupil has asked, with the code of the page', thanks.slice(0, 200));
    expect(!thanks.includes(ASKED), 'the thanks name no site');

    // A protected name has the same words, and no row.
    await page.goto(pupil.url(`/review?name=${LISTED.self_harm}`));
    await page.locator('[name=reason]').first().check();
    await send(page, form(page, '/review'));
    const other = (await page.locator('.code').first().textContent()).trim();
    const same = await page.textContent('main');
    expect(other !== code && same.replace(other, code) === thanks, 'a protected name is answered with the same words', `${thanks}\n${same}`);
    const list = await gateway.done(['review', 'list', '--config', gateway.config, '--json']);
    const names = JSON.parse(list).reviews.map((one) => one.name);
    expect(names.join() === ASKED, 'one row: the name, and not the protected one', names.join());

    const office = await Visitor.at(`${PLACES.staff}.21`, world);
    const desk = await (await office.browser({ javaScriptEnabled: false })).newPage();
    await logIn(desk, office, 'technician', { token: await token(gateway, 'technician'), name: 'Thầy Nam' });
    const row = form(desk, '/staff', `input[type=hidden][value="${ASKED}"]`);
    expect(await row.count() === 1, 'the request is in the queue of the technician', await row.count());
    await send(desk, row, { reason: 'Câu lạc bộ lập trình' });
    const { addresses } = await pupil.lookup(ASKED);
    expect(addresses.join() === SITE, 'the technician has allowed it: the name resolves', addresses.join());
    await page.goto(`http://${ASKED}/`);
    expect((await page.textContent('h1')).includes(`THE SITE ${ASKED}`), 'the pupil is at the site');
    await pupil.leave();
    await office.leave();
}

/** A teacher opens a service for a room. */
export async function opened(world) {
    const [room, other] = [await Visitor.at(`${PLACES.room3}.31`, world), await Visitor.at(`${PLACES.room4}.31`, world)];
    const isBlocked = async (visitor) => (await visitor.lookup(SERVICE.name)).addresses.join() !== SITE;
    expect(await isBlocked(room) && await isBlocked(other), `${SERVICE.name} is blocked in both rooms`);
    const page = await (await room.browser({ viewport: PHONE, javaScriptEnabled: false })).newPage();
    const code = await codeFor(world.gateway, 'room3');
    await logIn(page, room, 'code', { code, name: 'Cô Lan' });
    const minutes = 10;
    await send(page, form(page, '/staff/begin', 'input[value=lesson]'), { what: SERVICE.word, minutes: String(minutes) });
    const row = page.locator('tr').filter({ hasText: GROUPS.room3 });
    expect(await row.count() === 1, 'the lesson is shown as running');
    const began = Date.now();
    const { addresses, answers } = await room.lookup(SERVICE.name);
    expect(addresses.join() === SITE, `${SERVICE.name} opens in the room`, addresses.join());
    expect(answers.every((one) => one.ttl <= minutes * 60), 'no answer outlives the lesson', answers.map((one) => one.ttl).join());
    expect(await isBlocked(other), 'another room stays blocked');
    if (world.isLong) {
        const until = began + minutes * 60_000 + 5000;
        while (Date.now() < until && !await isBlocked(room)) await new Promise((done) => setTimeout(done, 5000));
        expect(await isBlocked(room), 'the lesson ends by itself');
    } else {
        await send(page, row.locator('form'));
        expect(await isBlocked(room), 'the teacher ends it, and it is blocked again');
    }

    const again = await (await other.browser({ javaScriptEnabled: false })).newPage();
    const used = await logIn(again, other, 'code', { code, name: 'Tí' });
    expect(used.status() === 422, 'a code is good once', used.status());
    await room.leave();
    await other.leave();
}

/** A device that asks this gateway, one that asks another resolver, and one that asks both. */
export async function selfCheck(world) {
    const device = await Visitor.at(`${PLACES.upper}.51`, world);
    const page = await (await device.browser({ viewport: PHONE })).newPage();
    let turn = 0;
    const elsewhere = (name) => (name.includes(`.check.${NAME}`) ? '203.0.113.1' : undefined);
    const devices = { S8: () => undefined, S0: elsewhere, 'S[1-7]': (name) => (turn++ % 2 === 0 ? elsewhere(name) : undefined) };
    for (const [code, resolver] of Object.entries(devices)) {
        device.resolver = resolver;
        await page.goto(device.url('/check'));
        await page.locator('#code-line').waitFor({ state: 'visible' });
        const shown = (await page.textContent('#code')).trim();
        expect(new RegExp(`^${code}-`).test(shown), `self-check: the code begins with ${code}`, shown);
    }
    device.resolver = () => undefined;
    const plain = await (await device.browser({ viewport: PHONE, javaScriptEnabled: false })).newPage();
    await plain.goto(device.url('/check'));
    await plain.locator('#by-hand a').click();
    await plain.waitForURL(/\.check\./);
    expect(/^S1-/.test((await plain.locator('.code').first().textContent()).trim()), 'self-check: without JavaScript, by a link');
    await device.leave();
}

/** Nothing on the disk says who was there. */
export async function nothingKept({ gateway }) {
    const state = join(gateway.dir, 'state');
    const files = (await readdir(state, { recursive: true, withFileTypes: true })).filter((one) => one.isFile());
    const places = Object.values(PLACES).join('|').replaceAll('.', '\\.');
    const told = [];
    for (const file of files) {
        const text = await readFile(join(file.path ?? file.parentPath, file.name), 'latin1');
        if (new RegExp(`(${places})\\.\\d`).test(text)) told.push(file.name);
    }
    expect(files.length > 0 && told.length === 0, `none of ${files.length} kept files has a device in it`, told.join());
    const log = await readFile(gateway.log, 'utf8');
    expect(!new RegExp(`(${places})\\.[1-9]|${[ASKED, ...Object.values(LISTED)].join('|')}`).test(log), 'the log names no device and no site');
}

/** A lesson of a minute, begun before all else: that it ends is seen when all else is done. */
export async function minute(world) {
    const { gateway } = world;
    const words = ['override', 'lesson', '--group', GROUPS.room5, '--allow', SERVICE.word, '--for', '1m', '--by', 'Cô Lan'];
    await gateway.done([...words, '--config', gateway.config]);
    const until = Date.now() + 60_000;
    const device = await Visitor.at(`${PLACES.room5}.41`, world);
    const { addresses, answers } = await device.lookup(SERVICE.name);
    expect(addresses.join() === SITE && answers[0].ttl <= 60, 'a lesson of a minute, and answers of a minute at most', `${addresses} ${answers[0]?.ttl}`);
    return async () => {
        while (Date.now() < until + 2000) await new Promise((done) => setTimeout(done, 250));
        const after = await device.lookup(SERVICE.name);
        expect(after.addresses.join() !== SITE, 'it has ended by itself', after.addresses.join());
        await device.leave();
    };
}
