// A gateway as built, with its portal, on loopback; and its command line.

import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';
import { once } from 'node:events';

/** The portal's name, the default of the program. */
export const NAME = 'lachan.internal';

/** Places of the school: the last octet is a device's. Whoever is nowhere is a pupil. */
export const PLACES = { upper: '127.0.2', primary: '127.0.1', room3: '127.0.3', room4: '127.0.4', room5: '127.0.6', staff: '127.0.5' };

/** The groups of the config; each place is one. */
export const GROUPS = { upper: 'khoi-12', primary: 'lop-2', room3: 'phong-3', room4: 'phong-4', room5: 'phong-5', staff: 'giao-vien' };

/** Names of the school's own list, by category. */
export const LISTED = {
    games: 'tro-choi.example',
    gambling: 'ca-cuoc.example',
    adult: 'nguoi-lon.example',
    self_harm: 'tu-hai.example',
};

/** A name of the games that pupils ask for, and that is opened. */
export const ASKED = 'hoc-lap-trinh.example';

/** A service that no pupil may use, but in a lesson: the word of policy, and a name of it. */
export const SERVICE = { word: 'service:tiktok', name: 'www.tiktok.com' };

/** A place that has none is a room. */
const LEVELS = { upper: 'upper-secondary', primary: 'primary', staff: 'staff' };

export class Gateway {
    /** Starts it in a directory of its own. */
    static async start({ bin, dir, upstream }) {
        await mkdir(dir, { recursive: true });
        const [dns, portal, admin] = await freePorts(3);
        for (const [category, name] of Object.entries(LISTED)) await writeFile(join(dir, `${category}.txt`), `${name}\n`);
        await appendFile(join(dir, 'games.txt'), `${ASKED}\n`);
        await writeFile(join(dir, 'gateway.toml'), config({ dns, portal, admin, upstream }));
        const gateway = new Gateway();
        Object.assign(gateway, { bin, dir, dns, portal, config: join(dir, 'gateway.toml'), log: join(dir, 'gateway.log') });
        gateway.child = spawn(bin, ['serve', '--config', gateway.config], { stdio: ['ignore', 'pipe', 'pipe'] });
        const log = createWriteStream(gateway.log);
        gateway.child.stdout.pipe(log, { end: false });
        gateway.child.stderr.pipe(log, { end: false });
        await gateway.logged(/\bready\b/);
        return gateway;
    }

    /** The first match in its log, within 30 s. */
    async logged(pattern) {
        for (let turn = 0; turn < 300; turn += 1) {
            const found = pattern.exec(await readFile(this.log, 'utf8').catch(() => ''));
            if (found) return found;
            if (this.child.exitCode !== null) break;
            await new Promise((done) => setTimeout(done, 100));
        }
        throw new Error(`no ${pattern} in the log of the gateway:\n${await readFile(this.log, 'utf8')}`);
    }

    /** Its command line: exit status and output. */
    async command(args, input = '') {
        const child = spawn(this.bin, args, { cwd: this.dir });
        const output = { stdout: '', stderr: '' };
        for (const stream of ['stdout', 'stderr']) child[stream].on('data', (bytes) => { output[stream] += bytes; });
        child.stdin.end(input);
        const [status] = await once(child, 'close');
        return { status, ...output };
    }

    /** A command that must succeed; its output. */
    async done(args, input) {
        const { status, stdout, stderr } = await this.command(args, input);
        if (status !== 0) throw new Error(`lachan ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`);
        return stdout;
    }

    async stop() {
        if (this.child.exitCode !== null) return this.child.exitCode;
        this.child.kill('SIGTERM');
        const [status] = await once(this.child, 'exit');
        return status;
    }
}

function config({ dns, portal, admin, upstream }) {
    const sources = Object.keys(LISTED)
        .map((category) => `[[lists.source]]\ncategory = "${category}"\npath = "${category}.txt"\n`);
    const groups = Object.keys(PLACES).map((place) => `[[group]]
name = "${GROUPS[place]}"
clients = ["${PLACES[place]}.0/24"]
${LEVELS[place] ? `level = "${LEVELS[place]}"` : 'profile = "room"'}
answer = "portal"
`);
    return `default_group = "${GROUPS.primary}"

[school]
id = "truong-vi-du"
name = "Trường THPT Ví Dụ"
level = "upper-secondary"
timezone = "Asia/Ho_Chi_Minh"

[listen]
dns = ["127.0.0.1:${dns}"]
allow = ["127.0.0.0/16"]

[admin]
listen = "127.0.0.1:${admin}"

[state]
dir = "state"

[upstream]
servers = ["udp://127.0.0.1:${upstream}"]

[portal]
listen = ["127.0.0.1:${portal}"]
staff_networks = ["${PLACES.staff}.0/24"]
contact = "phòng tin học"

[[portal.help]]
label = "Tổng đài quốc gia bảo vệ trẻ em"
label_en = "National child protection hotline"
number = "111"

[profile.room]
level = "lower-secondary"
deny = ["${SERVICE.word}"]

${[...sources, ...groups].join('\n')}`;
}

/** Ports that are free for TCP, below those that the kernel gives to clients; so for UDP, too. */
async function freePorts(count) {
    const found = [];
    while (found.length < count) {
        const port = 20_000 + Math.floor(Math.random() * 12_000);
        const server = net.createServer();
        const isFree = await new Promise((done) => {
            server.once('error', () => done(false)).listen(port, '127.0.0.1', () => server.close(() => done(true)));
        });
        if (isFree && !found.includes(port)) found.push(port);
    }
    return found;
}
