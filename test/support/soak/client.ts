/**
 * A process of its own: one service with its connections, which send messages all the time, and a journal of all that it tells of them.
 * Started with the port, the path of the journal, that of the audit log and a seed as arguments.
 */
import { WebSocket } from 'ws';

import { createAuditLog } from '../../../src/audit/index.ts';
import { fileSink } from '../../../src/audit/node/index.ts';
import { defineProfile, EnhancedWebSocketService, jsonProfile, type Connection } from '../../../src/index.ts';
import { pause, until } from '../deadline.ts';
import { Chance } from '../../../src/testing/chance.ts';
import { Journal, type ClientEntry } from './journal.ts';
import { heapBytes, listeners, obey, resources } from './parent.ts';
import { PLAIN_CONNECTIONS, WIRE_CONNECTIONS } from './scale.ts';

const TICK_MS = 50;
const LONG = 20_000;
// so many of them are more than the system takes in for a server that is frozen
const HUGE = 1_000_000;
const FLOOD = 6;

const [port = '', path = '', auditPath = '', seed = ''] = process.argv.slice(2);
const journal = new Journal<ClientEntry>(path);
const chance = new Chance(Number(seed));

interface Message {
  n: number;
  pad: string;
  r?: string;
}

interface Downlink {
  where: string;
  n: number;
  re?: string;
}

/** Which message a text is; `null` for the reply to a request. */
function numberIn(text: unknown): number | null {
  const n = /^\{"n":(\d+)/.exec(String(text))?.[1];
  return n === undefined ? null : Number(n);
}

/** The socket class of `ws`, which writes down what it took of the messages of plain connections. */
class NotingWebSocket extends WebSocket {
  constructor(url: string, protocols?: string[]) {
    super(url, protocols);
    const { pathname, searchParams } = new URL(url);
    if (pathname !== '/plain') return;
    const [who, where] = [Number(searchParams.get('who')), searchParams.get('attempt') ?? ''];
    const handOver = this.send.bind(this);
    Object.assign(this, {
      send: (data: string) => {
        handOver(data);
        journal.write({ is: 'handed', who, where, n: numberIn(data) ?? 0 });
      },
    });
  }
}

const common = {
  connectTimeoutMs: 1_000,
  heartbeat: { intervalMs: 400, promptMs: 100, lateMs: 200, timeoutMs: 800 },
  retry: { baseMs: 20, capMs: 500, promptMs: 50, stableMs: 1_000 },
  // as many as are sent in two seconds: a longer outage finds no room
  queue: { maxMessages: 40, maxBytes: FLOOD * HUGE + 1_000_000 },
};
const asking = defineProfile<Downlink, Message>({
  codec: 'json',
  replies: { tag: (message, r) => ({ ...message, r }), idOf: ({ re }) => re },
});

const before = { resources: resources(), listeners: listeners() };
const service = new EnhancedWebSocketService({
  WebSocket: NotingWebSocket,
  services: {
    wire: {
      ...common,
      url: `ws://127.0.0.1:${port}/wire`,
      wire: 'required',
      profile: jsonProfile,
      credentials: ({ params }) => params['who'] ?? '',
    },
    plain: {
      ...common,
      url: ({ params, attemptId }) => `ws://127.0.0.1:${port}/plain?who=${params['who']}&attempt=${attemptId}`,
      profile: asking,
    },
  },
  onError: ({ code, cause }) => {
    journal.write({ is: 'fault', why: `${code}: ${String(cause)}` });
  },
});
const log = createAuditLog({
  sinks: [fileSink({ path: auditPath })],
  onError: ({ code, cause }) => {
    journal.write({ is: 'fault', why: `${code}: ${String(cause)}` });
  },
});
log.attach(service);

/** By its number. */
const connections: Connection<unknown>[] = [];
const numbers = new Map<string, number>();
const last: number[] = [];
// messages and requests that were promised something
let promised = 0;

function whoIs({ connectionId }: { connectionId: string }): number {
  return numbers.get(connectionId) ?? -1;
}

service.on('settled', (event) => {
  const { messageId: id, fate, data, error } = event;
  const [code, cause] = [error?.code ?? '', (error?.cause as { code?: string } | undefined)?.code ?? ''];
  journal.write({ is: 'fate', who: whoIs(event), n: numberIn(data), id, fate, code, cause });
});
service.on('message', (event) => {
  const { where, n } = event.data as Downlink;
  journal.write({ is: 'got', who: whoIs(event), where, n });
});
service.on('opened', (event) => {
  journal.write({ is: 'opened', who: whoIs(event), isResumed: event.isResumed });
});
service.on('closed', (event) => {
  journal.write({ is: 'closed', who: whoIs(event), inDoubt: event.inDoubt, code: event.code });
});
service.on('discontinuity', (event) => {
  journal.write({ is: 'discontinuity', who: whoIs(event), why: event.why, inDoubt: event.inDoubt });
});
service.on('gaveUp', ({ because, error }) => {
  journal.write({ is: 'fault', why: `gave up: ${because}, ${error.code}` });
});
service.on('error', (error) => {
  const { closeCode = null } = error as { closeCode?: number };
  journal.write({ is: 'error', code: error.code, closeCode });
});

function begin(serviceType: 'wire' | 'plain', count: number): Promise<unknown>[] {
  return Array.from({ length: count }, () => {
    const who = connections.length;
    const opened = service.connect({ serviceType, key: String(who), params: { who: String(who) } });
    const connection = service.connection(`${serviceType}:key=${who}`);
    numbers.set(connection.id, who);
    connections.push(connection);
    last.push(0);
    connection.onRequest((data) => {
      const { where, n } = data as unknown as Downlink;
      journal.write({ is: 'got', who, where, n });
      return { re: n };
    });
    return opened;
  });
}

function send(who: number, length: number, isRequest = chance.happens(0.05)): void {
  const connection = connections[who];
  if (!connection) return;
  const n = (last[who] = (last[who] ?? 0) + 1);
  const isKeyed = chance.happens(0.1);
  const message: Message = { n, pad: 'x'.repeat(length) };
  const options = {
    ...(isKeyed && { idempotencyKey: `k${n}` }),
    ...(chance.happens(0.05) && { ttlMs: 300 }),
  };
  journal.write({ is: 'sent', who, n, isKeyed, isRequest });
  promised += 1;
  const told = (outcome: string): void => {
    promised -= 1;
    journal.write({ is: 'told', who, n, outcome });
  };
  const refused = ({ outcome }: { outcome: string }): void => {
    told(outcome);
  };
  if (isRequest) {
    connection.request(message, options).then((reply) => {
      told((reply as Message).n === n ? 'replied' : 'another reply');
    }, refused);
    return;
  }
  const receipt = connection.send(message, options);
  receipt.settled.then(({ outcome }) => {
    told(outcome);
  }, refused);
  if (chance.happens(0.05)) setTimeout(() => receipt.cancel(), chance.below(200));
}

function chatter(): void {
  for (const who of connections.keys()) {
    if (chance.happens(0.5)) continue;
    const isFlooding = who >= WIRE_CONNECTIONS && chance.happens(0.01);
    if (isFlooding) for (let count = 0; count < FLOOD; count++) send(who, HUGE);
    else
      for (let count = 1 + chance.below(3); count > 0; count--)
        send(who, chance.happens(0.02) ? LONG : chance.below(100));
  }
}

async function drained(): Promise<void> {
  await Promise.all(connections.map((connection) => connection.drainQueue({ timeoutMs: 30_000 })));
}

let talking: NodeJS.Timeout | undefined;
let heapBefore = 0;

obey({
  begin: async () => {
    await Promise.all([...begin('wire', WIRE_CONNECTIONS), ...begin('plain', PLAIN_CONNECTIONS)]);
    talking = setInterval(chatter, TICK_MS);
    await pause(1_000);
    heapBefore = heapBytes();
  },
  settle: async () => {
    clearInterval(talking);
    const isOpen = (): boolean => connections.every(({ status }) => status.state === 'open');
    await until('every connection is open', isOpen, 30_000);
    // its reply comes after everything that a plain server said before
    for (const who of connections.keys()) send(who, 0, true);
    await drained();
    await until('every promise is kept', () => promised === 0, 30_000);
  },
  counts: async () => {
    // what it was asked meanwhile it has answered
    await drained();
    return connections.map(({ status }) => status.messages);
  },
  end: async () => {
    const heapAfter = heapBytes();
    await service.destroy();
    await log.close();
    journal.close();
    await pause(50);
    const after = { resources: resources(), listeners: listeners() };
    return { before, after, heapBefore, heapAfter, connections: service.getConnections(), log: log.status };
  },
});
process.send?.('ready');
