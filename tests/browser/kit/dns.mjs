// Messages of DNS: the lookups of visitors, and the upstream that the gateway asks.

import dgram from 'node:dgram';
import { once } from 'node:events';

const A = 1, SOA = 6, OPT = 41;
const TYPES = { A, AAAA: 28, HTTPS: 65 };

/** The address of every name that the upstream is asked for: looks public, is served in-process. */
export const SITE = '192.0.2.80';
/** The TTL of the upstream: longer than anything that a teacher opens in a test. */
export const SITE_TTL = 86_400;

/** Answers every name with `SITE`; ends with the returned socket. */
export async function upstream() {
    const socket = dgram.createSocket('udp4');
    socket.on('message', (query, from) => {
        const reply = answer(query);
        if (reply) socket.send(reply, from.port, from.address);
    });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return socket;
}

function answer(query) {
    if (query.length < 17 || query.readUInt16BE(4) !== 1) return null;
    const end = endOfName(query, 12) + 4;
    const asksForA = query.readUInt16BE(end - 4) === A;
    const head = Buffer.from(query.subarray(0, 12));
    head.writeUInt16BE(0x8180, 2);
    head.writeUInt16BE(asksForA ? 1 : 0, 6);
    head.writeUInt16BE(asksForA ? 0 : 1, 8);
    const hasOpt = query.readUInt16BE(10) > 0;
    head.writeUInt16BE(hasOpt ? 1 : 0, 10);
    const data = asksForA
        ? Buffer.from(SITE.split('.').map(Number))
        : Buffer.concat([Buffer.from([0, 0]), numbers32(1, 3600, 600, 86_400, 300)]);
    const record = Buffer.alloc(asksForA ? 12 : 11);
    // An answer is at the question's name, a SOA at the root.
    const at = asksForA ? record.writeUInt16BE(0xc00c, 0) : record.writeUInt8(0, 0);
    record.writeUInt16BE(asksForA ? A : SOA, at);
    record.writeUInt16BE(1, at + 2);
    record.writeUInt32BE(SITE_TTL, at + 4);
    record.writeUInt16BE(data.length, at + 8);
    const opt = hasOpt ? Buffer.from([0, 0, OPT, 4, 208, 0, 0, 0, 0, 0, 0]) : Buffer.alloc(0);
    return Buffer.concat([head, query.subarray(12, end), record, data, opt]);
}

function numbers32(...all) {
    const octets = Buffer.alloc(4 * all.length);
    all.forEach((one, index) => octets.writeUInt32BE(one, 4 * index));
    return octets;
}

/** Asks the gateway at `port` as the client at `from`. */
export async function lookup(from, port, name, type = 'A') {
    const labels = name.split('.').filter(Boolean).map((label) => {
        const octets = Buffer.from(label);
        return Buffer.concat([Buffer.from([octets.length]), octets]);
    });
    const question = Buffer.from([0, 0, TYPES[type], 0, 1]);
    const id = 1 + Math.floor(Math.random() * 0xfffe);
    const head = Buffer.from([id >> 8, id & 0xff, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    const socket = dgram.createSocket('udp4');
    try {
        socket.bind(0, from);
        await once(socket, 'listening');
        const query = Buffer.concat([head, ...labels, question]);
        for (let turn = 0; turn < 3; turn += 1) {
            socket.send(query, port, '127.0.0.1');
            const reply = await once(socket, 'message', { signal: AbortSignal.timeout(3000) }).catch(() => null);
            if (reply && reply[0].readUInt16BE(0) === id) return read(reply[0]);
        }
        throw new Error(`no answer for ${name} from 127.0.0.1:${port}`);
    } finally {
        socket.close();
    }
}

function read(reply) {
    const rcode = reply[3] & 15;
    const answers = [];
    let at = endOfName(reply, 12) + 4;
    for (let left = reply.readUInt16BE(6); left > 0; left -= 1) {
        at = endOfName(reply, at);
        const length = reply.readUInt16BE(at + 8);
        if (reply.readUInt16BE(at) === A && length === 4) {
            answers.push({ ttl: reply.readUInt32BE(at + 4), address: [...reply.subarray(at + 10, at + 14)].join('.') });
        }
        at += 10 + length;
    }
    return { rcode, answers, addresses: answers.map((one) => one.address) };
}

function endOfName(message, at) {
    while (message[at] !== 0) {
        if (message[at] >= 0xc0) return at + 2;
        at += 1 + message[at];
    }
    return at + 1;
}
