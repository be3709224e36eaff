// How staff log in, by the forms that people use.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { GROUPS } from './gateway.mjs';

/** A code for a room, as the technician hands it out on paper; for nobody where `by` is empty. */
export async function codeFor(gateway, place, by = 'Cô Lan') {
    const said = await gateway.done(['code', 'issue', '--room', GROUPS[place], ...(by ? ['--by', by] : []),
        '--config', gateway.config, '--json']);
    return JSON.parse(said).codes[0].code;
}

/** A token of the state directory: `technician` or `inspector`. */
export async function token(gateway, role) {
    return (await readFile(join(gateway.dir, 'state', `${role}-token`), 'utf8')).trim();
}

/** Fills a form of a page in and sends it by its first button; the reply of the page that comes then. */
export async function send(page, form, fields = {}) {
    for (const [name, value] of Object.entries(fields)) {
        const field = form.locator(`[name="${name}"]`);
        if (await field.evaluate((one) => one.localName) === 'select') await field.selectOption(value);
        else await field.fill(value);
    }
    const before = page.url();
    const [last] = await Promise.all([
        page.waitForResponse((one) => one.request().isNavigationRequest() && one.status() !== 303),
        form.locator('button').first().click(),
    ]);
    await page.waitForLoadState();
    if (page.url() !== before) await page.waitForURL(last.url());
    return last;
}

/** The form that is sent to a path; with `has`, the one in which that is. */
export function form(page, path, has) {
    const all = page.locator(`form[action^="${path}"]`);
    return has ? all.filter({ has: page.locator(has) }) : all;
}

/** Logs in; the reply is the page of the role. */
export async function logIn(page, visitor, way, fields, lang = 'vi') {
    await page.goto(visitor.url(lang === 'en' ? '/staff?lang=en' : '/staff'));
    return send(page, form(page, '/staff/login', `input[name=way][value=${way}]`), fields);
}
