// What other people's pages, names and hands may try against the portal by way of a browser.

import { codeFor, form, logIn, send, token } from './kit/desk.mjs';
import { GROUPS, NAME, PLACES } from './kit/gateway.mjs';
import { check, expect } from './kit/report.mjs';
import { Visitor } from './kit/visitor.mjs';

/** What people may type where a name belongs. */
const TYPED = {
    script: '<script>document.title="taken"</script>.example',
    attribute: '"><img src=x onerror=document.title="taken">',
    template: '{{7*7}}${7*7}.example',
    bidi: 'an\u202Etxt.elpmaxe.example',
    nul: 'a\u0000b.example',
    long: `${'a'.repeat(60)}.`.repeat(70),
    entity: '&lt;b&gt;.example&amp;lang=en',
    path: '../../etc/passwd',
    lines: 'a.example\r\nSet-Cookie: taken=1',
};

export async function attacks(world) {
    const pupil = await Visitor.at(`${PLACES.upper}.66`, world);
    const context = await pupil.browser();
    await otherPages(world, pupil, context);
    await names(pupil, context);
    await rebinding(world, pupil, context);
    expect((await context.cookies()).length === 0, 'a pupil gets no cookie');
    await pupil.leave();
}

/** Forms, frames and requests of another site. */
async function otherPages(world, pupil, context) {
    const stranger = (path, fields) => `<form method="post" action="${pupil.url(path)}">${Object.entries(fields)
        .map(([name, value]) => `<input name="${name}" value="${value}">`).join('')}<button>send</button></form>`;
    world.site.pages = {
        '/form': `<!DOCTYPE html><title>elsewhere</title>${stranger('/blocked', { name: 'www.example.com' })}`,
        '/frame': `<!DOCTYPE html><title>elsewhere</title><iframe src="${pupil.url('/blocked')}"></iframe>`,
        '/fetch': '<!DOCTYPE html><title>elsewhere</title>',
    };
    const page = await context.newPage();
    await page.goto('http://elsewhere.example/form');
    const [reply] = await Promise.all([page.waitForResponse((one) => one.request().method() === 'POST'), page.click('button')]);
    expect(reply.status() === 403, "another site's form is refused", reply.status());
    expect(!(await page.textContent('main')).includes('www.example.com'), 'what it sent is not shown');

    await page.goto('http://elsewhere.example/frame');
    const framed = page.frames()[1];
    await framed.waitForLoadState().catch(() => {});
    const text = await framed.evaluate(() => document.body?.innerText ?? '').catch(() => '');
    expect(framed.url().startsWith('chrome-error:') && !text.includes('Lá Chắn'), 'no page can be framed', framed.url());

    await page.goto('http://elsewhere.example/fetch');
    const read = await page.evaluate(async (url) => {
        const outcome = [];
        for (const mode of ['cors', 'no-cors']) {
            const method = mode === 'cors' ? 'GET' : 'POST';
            const reply = await fetch(url, { mode, method, credentials: 'include' }).catch(() => null);
            outcome.push(reply && reply.type !== 'opaque' ? await reply.text() : '');
        }
        return outcome.join('');
    }, pupil.url('/blocked'));
    expect(read === '', "another site's script reads nothing", read);
    await page.close();
}

/** Names that are none: shown as text or not at all, and nothing runs. */
async function names(pupil, context) {
    const page = await context.newPage();
    for (const [what, typed] of Object.entries(TYPED)) {
        await page.goto(pupil.url('/blocked'));
        // As a page without limits of length would send it.
        await page.evaluate(() => { document.querySelector('#name').type = 'hidden'; });
        await page.$eval('#name', (input, value) => { input.value = value; }, typed);
        const [reply] = await Promise.all([
            page.waitForResponse((one) => one.request().method() === 'POST'), page.click('main button[type=submit]'),
        ]);
        await page.waitForLoadState();
        const about = await page.evaluate(() => ({ title: document.title, scripts: document.querySelectorAll('main script, main img').length }));
        expect([400, 413].includes(reply.status()) && about.title.endsWith('Lá Chắn') && !about.title.includes('taken') && about.scripts === 0,
            `a name that is none, ${what}: ${reply.status()}, nothing of it runs`, JSON.stringify(about));
        const html = await page.content();
        check(!html.includes('\u202E') && !html.includes('taken='), `${what}: not repeated`);
    }
    await page.goto(pupil.url(`/blocked?name=${encodeURIComponent('аррӏе.example')}`));
    const shown = await page.textContent('main');
    expect(shown.includes('xn--'), 'a name in other letters is shown in letters of the network, too');
    await page.close();
}

/** A name of another site that leads to the portal (DNS rebinding), and its name at another port. */
async function rebinding(world, pupil, context) {
    pupil.resolver = (name) => (name === 'rebound.example' ? '127.0.0.1' : undefined);
    const page = await context.newPage();
    const reply = await page.goto(`http://rebound.example:${world.gateway.portal}/blocked`);
    expect(reply.status() >= 400 && await page.locator('form').count() === 0, "another site's name gets no form", reply.status());
    await page.close();
}

/** A person's name that is markup, on the page of somebody else. */
async function markup(world, desk) {
    const room = await Visitor.at(`${PLACES.room4}.66`, world);
    const page = await (await room.browser()).newPage();
    const name = `<i id=taken>Lan</i> &lt;b&gt; "'`;
    await logIn(page, room, 'code', { code: await codeFor(world.gateway, 'room4', ''), name });
    await send(page, form(page, '/staff/begin', 'input[value=lesson]'), { what: 'bai-hoc.example', minutes: '10' });
    await desk.reload();
    for (const one of [page, desk]) {
        const row = one.locator('tr').filter({ hasText: 'bai-hoc.example' });
        expect(await one.locator('#taken').count() === 0 && (await row.textContent()).includes(name), 'a name with markup is text, for whoever reads it');
    }
    await send(page, page.locator('tr').filter({ hasText: 'bai-hoc.example' }).locator('form'));
    await room.leave();
}

/** The session of a technician, in the hands of other sites, of another device and of the next child. */
export async function sessions(world) {
    const { gateway } = world;
    const office = await Visitor.at(`${PLACES.staff}.66`, world);
    const context = await office.browser();
    const page = await context.newPage();
    await logIn(page, office, 'technician', { token: await token(gateway, 'technician'), name: 'Thầy Nam' });
    const isIn = async (one) => await form(one, '/staff/leave').count() === 1;
    expect(await isIn(page), 'a technician is in');
    const [cookie, ...others] = await context.cookies();
    expect(cookie.httpOnly && cookie.sameSite === 'Strict' && cookie.expires === -1 && cookie.domain === NAME && others.length === 0,
        'one cookie: HttpOnly, SameSite=Strict, of this name, until the browser is closed', JSON.stringify({ ...cookie, value: '' }));
    expect(await page.evaluate(() => document.cookie + localStorage.length + sessionStorage.length) === '00', 'no script can read it, and no other store is used');

    await markup(world, page);

    const stranger = await context.newPage();
    world.site.pages = {
        '/link': `<!DOCTYPE html><title>elsewhere</title><a href="${office.url('/staff')}">staff</a>`,
        '/codes': `<!DOCTYPE html><title>elsewhere</title><form method="post" action="${office.url('/staff/codes')}">
            <input name="room" value="${GROUPS.room3}"><input name="count" value="1"><input name="hours" value="1"><button>codes</button></form>`,
    };
    const codes = async () => JSON.parse(await gateway.done(['code', 'list', '--config', gateway.config, '--json'])).codes.length;
    const before = await codes();
    await stranger.goto('http://elsewhere.example/codes');
    const refused = await send(stranger, stranger.locator('form'));
    expect(refused.status() === 403 && await codes() === before, "another site's form makes no code", refused.status());
    await stranger.goto('http://elsewhere.example/link');
    await stranger.click('a');
    await stranger.waitForURL(office.url('/staff'));
    expect(!await isIn(stranger), "another site's link does not bring the session along");

    const colleague = await Visitor.at(`${PLACES.staff}.67`, world);
    const copied = await colleague.browser();
    await copied.addCookies([cookie]);
    const there = await copied.newPage();
    await there.goto(colleague.url('/staff'));
    expect(!await isIn(there), 'a cookie that was copied to another device lets nobody in');

    await send(page, form(page, '/staff/leave'));
    expect(!await isIn(page) && (await context.cookies()).length === 0, 'who leaves is out, and the cookie is gone');
    await page.goBack();
    await page.waitForLoadState();
    expect(!await isIn(page) && !(await page.textContent('body')).includes('Thầy Nam'), 'the back button shows nothing of the session');
    await context.addCookies([cookie]);
    await page.goto(office.url('/staff'));
    expect(!await isIn(page), 'the old cookie lets nobody in');
    await office.leave();
    await colleague.leave();
}
