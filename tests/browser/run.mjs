// The portal in a real browser: `.ci/browser` runs it.
//
//   node tests/browser/run.mjs --bin LACHAN --cache DIR --chromium CHROMIUM [--screenshots DIR] [--gallery DIR]
//
// --screenshots  the pictures of the documentation
// --gallery      a picture of every page in every look, for who changes pages
// --only         one part, by its name
//
// Law: nothing here waits for a time that the machine's speed decides; times are printed.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { attacks, sessions } from './attacks.mjs';
import { upstream } from './kit/dns.mjs';
import { Gateway } from './kit/gateway.mjs';
import { check, closing, part } from './kit/report.mjs';
import { tools, Unreachable } from './kit/tools.mjs';
import { site } from './kit/visitor.mjs';
import { pages } from './pages.mjs';
import { pictures } from './pictures.mjs';
import { staff } from './staff.mjs';
import { asked, minute, nothingKept, opened, selfCheck } from './story.mjs';

/** What `.ci/browser` takes for a skip. */
const SKIPPED = 77;

const PARTS = { asked, opened, selfCheck, attacks, sessions, pages, staff, nothingKept, pictures };

const { values: options } = parseArgs({
    options: {
        bin: { type: 'string' },
        cache: { type: 'string' },
        chromium: { type: 'string', default: 'chromium' },
        screenshots: { type: 'string' },
        gallery: { type: 'string' },
        only: { type: 'string' },
    },
});

async function main() {
    const scratch = await mkdtemp(join(tmpdir(), 'lachan-browser-'));
    const world = { isLong: Boolean(process.env.LACHAN_LONG), screenshots: options.screenshots, gallery: options.gallery };
    const ends = [() => rm(scratch, { recursive: true, force: true })];
    // Whoever ends the run ends what it started.
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => finish(ends).finally(() => process.exit(130)));
    try {
        const { chromium, axe } = await tools(options.cache, scratch);
        world.axe = axe;
        const dns = await upstream();
        ends.push(() => dns.close());
        world.site = await site();
        ends.push(() => world.site.closeAllConnections(), () => world.site.close());
        world.gateway = await Gateway.start({ bin: options.bin, dir: join(scratch, 'gateway'), upstream: dns.address().port });
        ends.push(() => world.gateway.stop());
        world.browser = await chromium.launch({
            handleSIGINT: false,
            handleSIGTERM: false,
            executablePath: options.chromium,
            args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
        });
        ends.push(() => world.browser.close());
        console.log(`${world.browser.version()} over ${options.bin}`);
        let ending = async () => {};
        if (!options.only) await part('a lesson of a minute', async () => { ending = await minute(world); });
        for (const [name, run] of Object.entries(PARTS)) {
            if (!options.only || options.only === name) await part(name, () => run(world));
        }
        if (!options.only) await part('the end of the minute', () => ending());
        check(await world.gateway.stop() === 0, 'the gateway ends by itself, without a fault');
        const log = await readFile(world.gateway.log, 'utf8');
        check(!/panicked|\bERROR\b/.test(log), 'the gateway logs no fault', log.split('\n').filter((line) => /panicked|ERROR/.test(line)).join(' | '));
        return closing();
    } catch (error) {
        if (!(error instanceof Unreachable)) throw error;
        console.log(`not reachable: ${error.message}`);
        return SKIPPED;
    } finally {
        await finish(ends);
    }
}

async function finish(ends) {
    for (let end = ends.pop(); end; end = ends.pop()) await end();
}

process.exit(await main());
