/** A process of its own: connections that are watched in the way its argument names, on sockets without a network. */
import { createInspector } from '@statelyai/inspect';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { EnhancedWebSocketService, type Inspect } from 'holdfast';
import { createAuditLog, memorySink, type AuditLog } from 'holdfast/audit';
import { fileSink } from 'holdfast/audit/node';
import { costOf } from './cost.ts';
import { lifeOf, type LifeCosts } from './near-life.ts';
import { NearSocket } from './near-socket.ts';
import { obey } from './peers/process.ts';
import type { Measure } from './rounds.ts';

/** What watches the connections of a process. `close` ends it. */
interface Watching {
  log?: AuditLog;
  inspect?: Inspect;
  close?: () => Promise<void>;
}

export type LifeCost = 'start' | 'recover' | 'stop' | 'life';
export type LoadCost = 'sent' | 'received';

const LIVES = 3;
const MESSAGES = 200_000;
const BURST = 100;
// longer than records are gathered, or an inspector puts off what it does
const GATHERED_MS = 150;

/** By the name of the argument. */
const WATCHED = {
  none: () => ({}),
  memory: () => logged(createAuditLog({ sinks: [memorySink()] })),
  file: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-'));
    const { log, close } = logged(createAuditLog({ sinks: [fileSink({ path: join(folder, 'log.jsonl') })] }));
    const swept = async (): Promise<void> => {
      await close();
      await rm(folder, { recursive: true });
    };
    return { log, close: swept };
  },
  'each message': () => logged(createAuditLog({ sinks: [memorySink()], level: 'messages' })),
  observer: () => ({ inspect: () => undefined }),
  inspector: () => ({ inspect: createInspector({ send: () => undefined }).inspect }),
} satisfies Record<string, () => Watching | Promise<Watching>>;

export type Way = keyof typeof WATCHED;

const orders = {
  /** CPU µs for each of so many connections, several times one after the other. */
  lives: async (connections: number): Promise<Measure<LifeCost>> => {
    const sum = { start: 0, recover: 0, stop: 0, life: 0 };
    for (let life = 0; life < LIVES; life++) {
      const costs = await watchedLife(await watching(), connections);
      for (const key of ['start', 'recover', 'stop'] as const) {
        sum[key] += costs[key] / LIVES;
        sum.life += costs[key] / LIVES;
      }
    }
    return sum;
  },
  /** CPU ns for each message of an open connection. */
  load: async (): Promise<Measure<LoadCost>> => loadOf(await watching()),
};

export type WatchedOrders = typeof orders;

obey(orders);

function watching(): Watching | Promise<Watching> {
  return WATCHED[process.argv[2] as Way]();
}

function logged(log: AuditLog): { log: AuditLog; close: () => Promise<void> } {
  return { log, close: () => log.close() };
}

async function watchedLife({ close, ...watched }: Watching, connections: number): Promise<LifeCosts> {
  const { start, recover, stop } = await lifeOf(serviceOf(watched), connections, GATHERED_MS);
  const closing = await costOf(async () => close?.());
  return { start: start / connections, recover: recover / connections, stop: (stop + closing) / connections };
}

async function loadOf({ close, ...watched }: Watching): Promise<Measure<LoadCost>> {
  const service = serviceOf(watched);
  const connection = service.connection(await service.connect({ serviceType: 'main' }));
  const [socket] = NearSocket.living;
  const message = JSON.stringify({ type: 'input', data: 'ls -la', n: 1 });
  const hear = socket?.onmessage as ((event: { data: string }) => unknown) | undefined;
  const sent = await inBursts(() => {
    connection.send(message);
  });
  const received = await inBursts(() => {
    hear?.({ data: message });
  });
  await service.destroy();
  await close?.();
  return { sent, received };
}

// ns for each time
async function inBursts(once: () => void): Promise<number> {
  const micros = await costOf(async () => {
    for (let number = 0; number < MESSAGES; number += BURST) {
      for (let place = 0; place < BURST; place++) once();
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
  return (micros / MESSAGES) * 1_000;
}

function serviceOf({ log, inspect }: Watching): EnhancedWebSocketService {
  const service = new EnhancedWebSocketService({
    services: { main: { url: 'ws://127.0.0.1:1/', retry: { baseMs: 100 } } },
    WebSocket: NearSocket,
    ...(inspect && { inspect }),
  });
  log?.attach(service);
  return service;
}
