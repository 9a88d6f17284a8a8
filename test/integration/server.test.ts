import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer, type ClientOptions } from 'ws';

import { SUBPROTOCOL } from '../../src/protocol/frames.ts';
import { createHoldfastServer, type HoldfastServer, type HoldfastServerOptions } from '../../src/server/index.ts';
import { attachWebSocketServer, serveWebSockets } from '../../src/server/ws.ts';
import { until } from '../support/deadline.ts';
import { CLIENT_LIMITS } from '../support/wire-client.ts';

interface Running {
  holdfast: HoldfastServer<WebSocket>;
  url: string;
}

/** The two ways to bring sockets to a server. */
const ways = {
  'by a WebSocketServer of the application': (holdfast: HoldfastServer<WebSocket>, http: Server) => {
    const webSocketServer = new WebSocketServer({ server: http });
    const attached = attachWebSocketServer(holdfast, webSocketServer);
    return () => {
      attached.close();
      webSocketServer.close();
    };
  },
  'by an HTTP server': (holdfast: HoldfastServer<WebSocket>, http: Server) => {
    const served = serveWebSockets(holdfast, http, { path: '/live' });
    return () => {
      served.close();
    };
  },
};

async function start(
  way: keyof typeof ways,
  options: Partial<HoldfastServerOptions<WebSocket>> = {},
): Promise<Running> {
  const http = createServer();
  const holdfast = createHoldfastServer<WebSocket>({
    authenticate: ({ auth = '' }) => ({ principal: auth }),
    ...options,
  });
  const stop = ways[way](holdfast, http);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    stop();
    await holdfast.close();
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
  });
  return { holdfast, url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}/live` };
}

/** A plain WebSocket that notes what it gets. */
class Peer {
  readonly received: (string | Buffer)[] = [];
  readonly socket: WebSocket;
  closed: number | undefined;
  error: string | undefined;

  constructor(url: string, protocols: string[] = [SUBPROTOCOL], options: ClientOptions = {}) {
    this.socket = new WebSocket(url, protocols, options);
    this.socket.on('message', (data: Buffer, isBinary) => this.received.push(isBinary ? data : data.toString()));
    this.socket.on('close', (code) => (this.closed = code));
    this.socket.on('error', ({ message }) => (this.error = message));
    onTestFinished(() => {
      this.socket.terminate();
    });
  }

  async frame(index: number): Promise<Record<string, unknown>> {
    const frame = await until(`frame ${index} is here`, () => this.received[index]);
    return JSON.parse(String(frame)) as Record<string, unknown>;
  }

  async hello(given: object = {}): Promise<Record<string, unknown>> {
    await this.frame(0);
    this.socket.send(
      JSON.stringify({ t: 'hello', v: 1, nonce: 'n1', auth: 'ann', caps: [], lim: CLIENT_LIMITS, ...given }),
    );
    return this.frame(1);
  }
}

describe.each(Object.keys(ways) as (keyof typeof ways)[])('a server that gets its sockets %s', (way) => {
  test('carries a session over two sockets', async () => {
    const { holdfast, url } = await start(way, {
      onSession: (session) => {
        session.onMessage(({ data }) => session.send(data instanceof Uint8Array ? data : { echo: data }));
      },
    });
    const first = new Peer(url);
    const { sid, tok, ep } = await first.hello();
    first.socket.send('1["a"]');
    expect(await until('the echo is here', () => first.received[2])).toBe('1,1[{"echo":"a"}]');
    first.socket.terminate();
    await until('the session is alone', () => holdfast.sessions[0]?.state === 'detached');
    const second = new Peer(url);
    const welcome = await second.hello({ nonce: 'n2', resume: { sid, tok, ep, rx: 0, lo: 2, hi: 1 } });
    expect(welcome).toMatchObject({ resumed: true, gen: 2 });
    expect(await until('the echo is here again', () => second.received[2])).toBe('1[{"echo":"a"}]');
    second.socket.send(Buffer.from([1, 2, 1, 1, 0, 2, 7, 8]));
    const bytes = await until('bytes are here', () => second.received[3]);
    expect([...(bytes as Buffer)]).toEqual([1, 2, 2, 1, 0, 2, 7, 8]);
    second.socket.send(`{"t":"ack","a":9}`);
    await until('it is closed', () => second.closed === 4001);
  });

  test('refuses an origin that is not on the list, and a client that speaks something else', async () => {
    const { url } = await start(way, { origins: ['https://a.example'] });
    const refused = new Peer(url, [SUBPROTOCOL], { origin: 'https://b.example' });
    await until('it is refused', () => refused.error?.includes('403'));
    const plain = new Peer(url, ['chat']);
    await until('it is refused', () => plain.error?.includes('400'));
    const allowed = new Peer(url, [SUBPROTOCOL], { origin: 'https://a.example' });
    expect(await allowed.frame(0)).toMatchObject({ t: 'srv' });
  });

  test('serves plain clients beside the others', async () => {
    const { url } = await start(way, {
      onPlain: (socket) => {
        socket.on('message', (data: Buffer) => {
          socket.send(`plain ${data.toString()}`);
        });
      },
    });
    const plain = new Peer(url, []);
    plain.socket.on('open', () => {
      plain.socket.send('hi');
    });
    const wired = new Peer(url);
    expect(await wired.hello()).toMatchObject({ t: 'welcome' });
    expect(await until('an answer is here', () => plain.received[0])).toBe('plain hi');
    expect([plain.socket.protocol, wired.socket.protocol]).toEqual(['', SUBPROTOCOL]);
  });

  test('drains, and refuses who comes then', async () => {
    const { holdfast, url } = await start(way);
    const client = new Peer(url);
    await client.hello();
    const drained = holdfast.drain({ deadlineMs: 50, why: 'deploy' });
    const away = await client.frame(2);
    expect(away).toMatchObject({ t: 'away', why: 'deploy' });
    // what is left of it by the platform's clock, which may have gone on since
    expect(away).toHaveProperty(
      'in',
      expect.toSatisfy((leftMs: number) => leftMs >= 0 && leftMs <= 50),
    );
    const late = new Peer(url);
    await until('it is refused', () => late.error?.includes('503'));
    await drained;
    await until('it is closed', () => client.closed === 4200);
    expect(holdfast.socketCount).toBe(0);
  });

  test('closes a frame that is too big, and one that is no UTF-8, and nobody else', async () => {
    const { url } = await start(way);
    const [big, other] = [new Peer(url), new Peer(url)];
    await big.hello();
    await other.hello({ auth: 'bob' });
    big.socket.send(`1["${'x'.repeat(300_000)}"]`);
    await until('it is closed', () => big.closed === 4006);
    other.socket.send('{"t":"ping","i":1,"ts":1}');
    expect(await other.frame(2)).toMatchObject({ t: 'pong', i: 1 });
  });

  test('takes no more into memory than four frames: what is larger is refused by its head, or by the part that is too much', async () => {
    const { url } = await start(way);
    const [whole, inParts, within] = [new Peer(url), new Peer(url), new Peer(url)];
    for (const peer of [whole, inParts, within]) await peer.frame(0);
    whole.socket.send(Buffer.alloc(1_048_577));
    for (let part = 0; part < 5; part++) inParts.socket.send(Buffer.alloc(262_144), { fin: part === 4 });
    within.socket.send(Buffer.alloc(1_048_576));
    await until('all are closed', () => whole.closed && inParts.closed && within.closed);
    expect([whole.closed, inParts.closed, within.closed]).toEqual([1009, 1009, 4006]);
  });
});

test('a server leaves other paths to others, and refuses them where there are none', async () => {
  const { url } = await start('by an HTTP server');
  const peer = new Peer(url.replace('/live', '/other'));
  await until('it is refused', () => peer.error?.includes('404'));
});
