/**
 * A process of its own: a server of `holdfast.v1` and one of plain WebSockets, on one port. What its application is handed, and what it
 * says, is in its journal before anybody is told. Started with the port, the path of the journal and a seed as arguments.
 */
import { createServer } from 'node:http';
import { WebSocketServer, type WebSocket } from 'ws';

import { createHoldfastServer, type HoldfastError, type Session } from '../../../src/server/index.ts';
import { serveWebSockets } from '../../../src/server/ws.ts';
import { until } from '../deadline.ts';
import { Chance } from '../../../src/testing/chance.ts';
import { Journal, type ServerEntry } from './journal.ts';
import { heapBytes, obey } from './parent.ts';

const TICK_MS = 50;
const LONG = 20_000;

const [port = '', path = '', seed = ''] = process.argv.slice(2);
const journal = new Journal<ServerEntry>(path);
const chance = new Chance(Number(seed));
/** Says something in each conversation. */
const speakers = new Map<string, () => void>();
let asked = 0;

interface Uplink {
  n: number;
  r?: string;
}

/** A message of the server: which it is, where, and something to carry. */
function downlink(where: string, n: number): object {
  return { where, n, pad: 'x'.repeat(chance.happens(0.02) ? LONG : chance.below(100)) };
}

function converse(session: Session): void {
  const { id: where } = session;
  const note = ({ data }: { data: unknown }): number => {
    const { n } = data as Uplink;
    journal.write({ is: 'in', where, n });
    return n;
  };
  let last = 0;
  journal.write({ is: 'met', where, who: Number(session.principal) });
  session.onMessage(note);
  session.onRequest((request) => ({ n: note(request) }));
  session.on('ended', () => speakers.delete(where));
  speakers.set(where, () => {
    const n = ++last;
    const isRequest = chance.happens(0.1);
    const data = downlink(where, n);
    journal.write({ is: 'out', where, n });
    if (isRequest) asked += 1;
    const settled = isRequest ? session.request(data, { timeoutMs: 600_000 }) : session.send(data).settled;
    void settled
      .then(
        () => {
          journal.write({ is: 'settled', where, n });
        },
        (error: unknown) => {
          const { code } = error as HoldfastError;
          journal.write({ is: 'failed', where, n, code });
        },
      )
      .then(() => {
        if (isRequest) asked -= 1;
      });
  });
}

function echo(socket: WebSocket, query: URLSearchParams): void {
  const where = query.get('attempt') ?? '';
  let last = 0;
  journal.write({ is: 'met', where, who: Number(query.get('who')) });
  socket.on('error', () => undefined);
  socket.on('close', () => speakers.delete(where));
  socket.on('message', (data) => {
    const { n, r } = JSON.parse((data as Buffer).toString()) as Uplink;
    journal.write({ is: 'in', where, n });
    if (r !== undefined) socket.send(JSON.stringify({ re: r, n }));
  });
  speakers.set(where, () => {
    if (socket.readyState !== socket.OPEN) return;
    const n = ++last;
    journal.write({ is: 'out', where, n });
    socket.send(JSON.stringify(downlink(where, n)));
  });
}

const http = createServer();
const holdfast = createHoldfastServer<WebSocket>({
  authenticate: ({ auth }) => (auth === undefined ? null : { principal: auth }),
  ping: { intervalMs: 400, timeoutMs: 800 },
  onSession: converse,
  onError: ({ code, cause }) => {
    journal.write({ is: 'fault', why: `${code}: ${String(cause)}` });
  },
});
serveWebSockets(holdfast, http, { path: '/wire' });
const plain = new WebSocketServer({ noServer: true });
http.on('upgrade', (request, socket, head) => {
  const { pathname, searchParams } = new URL(request.url ?? '', 'ws://localhost');
  if (pathname !== '/plain') return;
  plain.handleUpgrade(request, socket, head, (webSocket) => {
    echo(webSocket, searchParams);
  });
});

const talking = setInterval(() => {
  for (const speak of speakers.values()) if (chance.happens(0.5)) for (let n = 1 + chance.below(3); n > 0; n--) speak();
}, TICK_MS);

const isSettled = (): boolean => asked === 0 && holdfast.sessions.every(({ unacknowledged }) => unacknowledged === 0);

obey({
  hush: () => {
    clearInterval(talking);
  },
  settle: () => until('the client has accepted everything', isSettled, 30_000),
  census: async () => {
    await until('everybody has left', () => holdfast.socketCount + plain.clients.size === 0, 5_000);
    return { sessions: holdfast.sessions.length, speakers: speakers.size, heapBytes: heapBytes() };
  },
});

http.listen(Number(port), '127.0.0.1', () => process.send?.('listening'));
