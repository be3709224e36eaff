// The pages of teachers, technicians and inspectors, in use.

import { codeFor, form, logIn, send, token } from './kit/desk.mjs';
import { GROUPS, LISTED, PLACES } from './kit/gateway.mjs';
import { eyes } from './kit/inspect.mjs';
import { expect } from './kit/report.mjs';
import { Visitor } from './kit/visitor.mjs';

export async function staff(world) {
    await Promise.all(['vi', 'en'].map(async (lang, index) => {
        const room = await Visitor.at(`${PLACES.room3}.${11 + index}`, world);
        const office = await Visitor.at(`${PLACES.staff}.${11 + index}`, world);
        for (const [visitor, run] of [[room, teacher], [office, technician], [office, inspector]]) {
            const context = await visitor.browser();
            await run(world, visitor, await context.newPage(), lang);
            await context.close();
        }
        await room.leave();
        await office.leave();
    }));
}

async function teacher(world, visitor, page, lang) {
    const look = eyes(world, page, lang, 'teacher');
    await look('log in', await page.goto(visitor.url(lang === 'en' ? '/staff?lang=en' : '/staff')));
    const wrong = await logIn(page, visitor, 'code', { code: '00000-00000', name: 'Cô Lan' }, lang);
    await look('a wrong code', wrong, 422);
    const reply = await logIn(page, visitor, 'code', { code: await codeFor(world.gateway, 'room3'), name: 'Cô Lan' }, lang);
    await look('the room', reply);
    await look('what is no name', await send(page, form(page, '/staff/begin', 'input[value=lesson]'), { what: '<b>', minutes: '10' }), 422);
    const site = `bai-hoc-${lang}.example`;
    await look('a lesson', await send(page, form(page, '/staff/begin', 'input[value=lesson]'), { what: site, minutes: '10' }));
    const own = page.locator('tr').filter({ hasText: site });
    expect(await own.count() === 1, `teacher ${lang}: what runs is shown`);
    await look('ended', await send(page, own.locator('form')));
}

async function technician(world, visitor, page, lang) {
    const look = eyes(world, page, lang, 'technician');
    await look('log in', await page.goto(visitor.url(lang === 'en' ? '/staff?lang=en' : '/staff')));
    await look('state', await logIn(page, visitor, 'technician', { token: await token(world.gateway, 'technician'), name: 'Thầy Nam' }, lang));
    await look('why', await send(page, form(page, '/staff/why'), { name: LISTED.games, group: GROUPS.upper }));
    await look('codes', await send(page, form(page, '/staff/codes'), { room: GROUPS.room4, by: 'Cô Lan', count: '3', hours: '2' }));
    expect(await page.locator('[role=status] .code').count() === 3, `technician ${lang}: three codes to hand out`);
}

async function inspector(world, visitor, page, lang) {
    const look = eyes(world, page, lang, 'inspector');
    await look('the school', await logIn(page, visitor, 'inspector', { token: await token(world.gateway, 'inspector') }, lang));
    const forms = await page.locator('main form').evaluateAll((all) => all.map((one) => new URL(one.action).pathname));
    expect(forms.every((path) => path === '/staff/leave'), `inspector ${lang}: it changes nothing`, forms.join(' '));
    const sheet = await page.pdf({ preferCSSPageSize: true });
    const count = (sheet.toString('latin1').match(/\/Type\s*\/Page\b/g) ?? []).length;
    expect(count === 1, `inspector ${lang}: it is printed on one page`, count);
}
