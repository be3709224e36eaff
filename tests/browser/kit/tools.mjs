// The two test tools, from the registry of npm: never shipped, and nothing is installed.
//
// Law: what runs is what is pinned here, by version and by sha512; the tarball is checked at every
// run and unpacked anew. Neither has dependencies.

import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const REGISTRY = 'https://registry.npmjs.org';

const TOOLS = {
    // Apache-2.0. Drives the system's Chromium; it brings no browser of its own.
    'playwright-core': {
        version: '1.65.1',
        sha512: 'hqPpz7blSMPxWVdoeE1yiBSzXsKiVOd2k+kjCvmUywD2GPO2Dd9HfcWnq9NN0GHbNZDFgZ9JfBFr+X5/BLo0qw==',
    },
    // MPL-2.0. The rules of accessibility.
    'axe-core': {
        version: '4.14.1',
        sha512: 'FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==',
    },
};

/** The registry cannot be reached: a skip for people, a failure in CI. */
export class Unreachable extends Error {}

/** Brings both tools below `scratch`; tarballs are kept in `cache`. */
export async function tools(cache, scratch) {
    await mkdir(cache, { recursive: true });
    for (const [name, tool] of Object.entries(TOOLS)) {
        const kept = join(cache, `${name}-${tool.version}.tgz`);
        const digest = (bytes) => createHash('sha512').update(bytes).digest('base64');
        let bytes = await readFile(kept).catch(() => null);
        if (bytes === null || digest(bytes) !== tool.sha512) {
            bytes = await fetched(`${REGISTRY}/${name}/-/${name}-${tool.version}.tgz`);
            if (digest(bytes) !== tool.sha512) {
                throw new Error(`${name} ${tool.version}: the registry has another tarball than the pinned one`);
            }
            await writeFile(`${kept}.new`, bytes);
            await rename(`${kept}.new`, kept);
        }
        const to = join(scratch, 'tools', name);
        await mkdir(to, { recursive: true });
        const tar = spawnSync('tar', ['xzf', '-', '-C', to, '--strip-components=1'], { input: bytes });
        if (tar.status !== 0) throw new Error(`${name}: tar: ${tar.stderr}`);
    }
    const { chromium } = await import(pathToFileURL(join(scratch, 'tools/playwright-core/index.mjs')));
    const axe = await readFile(join(scratch, 'tools/axe-core/axe.min.js'), 'utf8');
    return { chromium, axe };
}

async function fetched(url) {
    try {
        const reply = await fetch(url, { signal: AbortSignal.timeout(120_000) });
        if (!reply.ok) throw new Error(`HTTP ${reply.status}`);
        return Buffer.from(await reply.arrayBuffer());
    } catch (error) {
        throw new Unreachable(`${url}: ${error.cause?.code ?? error.message}`);
    }
}
