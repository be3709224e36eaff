// A visitor: a device of the school at an address of its own, and its browser.
//
// ```text
// Chromium ─ SOCKS: name, port ─▶ relay ─ lookup from 127.0.N.M ─▶ gateway
//                                   └── TCP from 127.0.N.M ─▶ portal, or the one site there is
// ```
//
// So Host, Origin and Referer are what they are at school, a name leads where the gateway says, and
// the portal sees the device's own address; it takes neither root nor namespaces.

import http from 'node:http';
import net from 'node:net';
import { once } from 'node:events';

import { lookup, SITE } from './dns.mjs';
import { NAME } from './gateway.mjs';

export const PHONE = { width: 360, height: 740 };
export const DESKTOP = { width: 1280, height: 800 };

/** The only site beyond the gateway: it says which Host was asked for. */
export async function site() {
    const server = http.createServer((request, reply) => {
        reply.setHeader('content-type', 'text/html; charset=utf-8');
        reply.end(server.pages?.[request.url] ?? `<!DOCTYPE html><title>site</title><h1>THE SITE ${request.headers.host}</h1>`);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return server;
}

export class Visitor {
    /** A device at an address; `world` has `gateway`, `site` and `browser`. */
    static async at(address, world) {
        const visitor = new Visitor();
        Object.assign(visitor, { address, world, contexts: [], sockets: new Set(), resolver: () => undefined });
        visitor.relay = net.createServer((socket) => visitor.serve(socket));
        visitor.relay.listen(0, '127.0.0.1');
        await once(visitor.relay, 'listening');
        return visitor;
    }

    /** A fresh browser on that device; the options are those of playwright's newContext. */
    async browser(options = {}) {
        const proxy = { server: `socks5://127.0.0.1:${this.relay.address().port}`, bypass: '<-loopback>' };
        const context = await this.world.browser.newContext({ viewport: DESKTOP, locale: 'vi-VN', ...options, proxy });
        context.setDefaultTimeout(30_000);
        this.contexts.push(context);
        return context;
    }

    /** What the gateway answers this device. */
    lookup(name, type) {
        return lookup(this.address, this.world.gateway.dns, name, type);
    }

    /** The address of a page of the portal. */
    url(path) {
        return `http://${NAME}:${this.world.gateway.portal}${path}`;
    }

    /** The median of five requests for a page, in milliseconds: no browser, no relay. */
    async time(path, headers = {}) {
        const times = [];
        for (let turn = 0; turn < 5; turn += 1) times.push((await this.request(path, { headers })).time);
        return times.sort((a, b) => a - b)[2];
    }

    /** A request without a browser, for what a browser would not send, and for figures. */
    async request(path, { method = 'GET', headers = {}, body = '' } = {}) {
        const began = performance.now();
        const request = http.request({
            host: '127.0.0.1', port: this.world.gateway.portal, localAddress: this.address, path, method, agent: false,
            headers: { host: `${NAME}:${this.world.gateway.portal}`, 'content-length': Buffer.byteLength(body), ...headers },
        });
        request.end(body);
        const [reply] = await once(request, 'response');
        const chunks = await reply.toArray();
        const time = performance.now() - began;
        return { status: reply.statusCode, headers: reply.headers, body: Buffer.concat(chunks), time };
    }

    async leave() {
        await Promise.all(this.contexts.map((context) => context.close()));
        this.sockets.forEach((socket) => socket.destroy());
        this.relay.close();
    }

    /** One connection of SOCKS 5 (RFC 1928), without authentication, to a name or an IPv4 address. */
    async serve(socket) {
        const near = new Reader(socket);
        this.sockets.add(socket);
        socket.on('error', () => {}).on('close', () => this.sockets.delete(socket));
        try {
            const [, methods] = await near.take(2);
            await near.take(methods);
            socket.write(Buffer.from([5, 0]));
            const [, , , kind] = await near.take(4);
            const host = kind === 3 ? (await near.take((await near.take(1))[0])).toString() : [...await near.take(4)].join('.');
            const port = (await near.take(2)).readUInt16BE(0);
            const to = await this.place(host, port);
            const far = net.connect({ host: '127.0.0.1', port: to, localAddress: this.address });
            far.on('error', () => socket.destroy());
            await once(far, 'connect');
            this.sockets.add(far.on('close', () => { this.sockets.delete(far); socket.destroy(); }));
            socket.on('close', () => far.destroy());
            socket.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
            near.rest((bytes) => far.write(bytes));
            socket.pipe(far);
            far.pipe(socket);
        } catch {
            // Host unreachable.
            if (!socket.destroyed) socket.end(Buffer.from([5, 4, 0, 1, 0, 0, 0, 0, 0, 0]));
        }
    }

    /** The port on loopback for a name, as the gateway answers it; `resolver` is another one
     * that the device asks first: an address, or nothing. */
    async place(host, port) {
        const address = net.isIPv4(host) ? host : this.resolver(host) ?? (await this.lookup(host)).addresses[0];
        if (address === SITE) return this.world.site.address().port;
        if (address === '127.0.0.1' && (port === 80 || port === this.world.gateway.portal)) return this.world.gateway.portal;
        throw new Error(`${host}:${port} leads nowhere`);
    }
}

/** Takes octets from a socket until the rest is piped. */
class Reader {
    constructor(socket) {
        Object.assign(this, { socket, held: Buffer.alloc(0) });
    }

    async take(length) {
        while (this.held.length < length) {
            const chunk = this.socket.read();
            if (chunk) this.held = Buffer.concat([this.held, chunk]);
            else if (this.socket.destroyed || this.socket.readableEnded) throw new Error('closed');
            else await once(this.socket, 'readable', { signal: AbortSignal.timeout(30_000) });
        }
        const taken = this.held.subarray(0, length);
        this.held = this.held.subarray(length);
        return taken;
    }

    rest(give) {
        if (this.held.length > 0) give(this.held);
    }
}
