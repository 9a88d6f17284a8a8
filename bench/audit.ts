import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { EnhancedWebSocketService } from 'holdfast';
import { createAuditLog, memorySink, type AuditLog, type AuditLogOptions, type AuditSink } from 'holdfast/audit';
import { fileSink } from 'holdfast/audit/node';
import { costOf } from './cost.ts';
import { keepResults } from './keeping.ts';
import { NearSocket } from './near-socket.ts';
import { interleaved, type Measure } from './rounds.ts';
import type { FigureColumn, Section } from './section.ts';

type Cost = 'start' | 'recover' | 'stop' | 'life';
type Load = 'sent' | 'received';

const ROUNDS = 7;
const CONNECTIONS = 200;
const LIVES = 3;
const MESSAGES = 50_000;
const BURST = 100;
const MOST = 1.5;
const MOST_PER_MESSAGE = 1.1;
// longer than records are gathered
const GATHERED_MS = 150;

const COSTS: readonly (FigureColumn & { key: Cost })[] = [
  { key: 'start', heading: 'start', digits: 0 },
  { key: 'recover', heading: 'lose and recover', digits: 0 },
  { key: 'stop', heading: 'stop', digits: 0 },
  { key: 'life', heading: 'all of it', digits: 0 },
];
const LOADS: readonly (FigureColumn & { key: Load })[] = [
  { key: 'sent', heading: 'sent', digits: 0 },
  { key: 'received', heading: 'received', digits: 0 },
];

/** What an audit log costs: for each connection and what happens to it, and for each message. Writes `bench/results/audit.*` as well. */
export async function benchAudit(report: (section: Section) => void): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-'));
  let files = 0;
  const file = (): AuditSink => fileSink({ path: join(folder, `${(files += 1)}.jsonl`) });
  const kinds: [string, () => Pick<AuditLogOptions, 'sinks' | 'level'>][] = [
    ['memory', () => ({ sinks: [memorySink()] })],
    ['file', () => ({ sinks: [file()] })],
  ];
  const each: [string, () => Pick<AuditLogOptions, 'sinks' | 'level'>] = [
    'memory, each message',
    () => ({ sinks: [memorySink()], level: 'messages' }),
  ];
  try {
    const sections = [await lives(kinds), await loads([...kinds, each])];
    for (const section of sections) report(section);
    keepResults(ACCOUNT, sections);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function lives(kinds: readonly (readonly [string, () => AuditLogOptions])[]): Promise<Section> {
  const [without, ...results] = await interleaved(
    () => livesOf(() => undefined),
    kinds.map(([name, options]) => ({ name, run: () => livesOf(() => createAuditLog(options())) })),
    ROUNDS,
  );
  return {
    title: `CPU µs for each of ${CONNECTIONS} connections, at the default level`,
    figures: COSTS,
    base: 'none',
    results: [...(without ? [{ ...without, name: 'no log' }] : []), ...results],
    bars: results.map(({ name, ratios }) => barOf(name, ratios['life']?.median, MOST)),
  };
}

async function loads(kinds: readonly (readonly [string, () => AuditLogOptions])[]): Promise<Section> {
  const [without, ...results] = await interleaved(
    () => loadOf(undefined),
    kinds.map(([name, options]) => ({ name, run: () => loadOf(createAuditLog(options())) })),
    ROUNDS,
  );
  return {
    title: 'CPU ns for each message of an open connection',
    figures: LOADS,
    base: 'none',
    results: [...(without ? [{ ...without, name: 'no log' }] : []), ...results],
    bars: results
      .slice(0, -1)
      .flatMap(({ name, ratios }) =>
        LOADS.map(({ key, heading }) => barOf(`${name}, ${heading}`, ratios[key]?.median, MOST_PER_MESSAGE)),
      ),
  };
}

function barOf(name: string, value = Number.NaN, most = MOST): NonNullable<Section['bars']>[number] {
  return { name, value, most, isMet: value <= most };
}

async function livesOf(make: () => AuditLog | undefined): Promise<Measure<Cost>> {
  const sum = { start: 0, recover: 0, stop: 0, life: 0 };
  for (let life = 0; life < LIVES; life++) {
    const costs = await lifeOf(make());
    for (const key of ['start', 'recover', 'stop'] as const) {
      sum[key] += costs[key] / LIVES;
      sum.life += costs[key] / LIVES;
    }
  }
  return sum;
}

async function lifeOf(log: AuditLog | undefined): Promise<Omit<Measure<Cost>, 'life'>> {
  const service = serviceOf(log);
  let opens = 0;
  service.on('opened', () => {
    opens += 1;
  });
  const start = await costOf(async () => {
    for (let index = 0; index < CONNECTIONS; index++)
      void service.connect({ serviceType: 'main', key: String(index) }).catch(() => undefined);
    while (opens < CONNECTIONS) await sleep(10);
    await sleep(GATHERED_MS);
  });
  const recover = await costOf(async () => {
    for (const socket of [...NearSocket.living]) socket.end(1006);
    while (opens < 2 * CONNECTIONS) await sleep(10);
    await sleep(GATHERED_MS);
  });
  const stop = await costOf(async () => {
    await service.destroy({ deadlineMs: 60_000 });
    await log?.close();
  });
  return { start: start / CONNECTIONS, recover: recover / CONNECTIONS, stop: stop / CONNECTIONS };
}

async function loadOf(log: AuditLog | undefined): Promise<Measure<Load>> {
  const service = serviceOf(log);
  const id = await service.connect({ serviceType: 'main' });
  const connection = service.connection(id);
  const [socket] = NearSocket.living;
  const message = JSON.stringify({ type: 'input', data: 'ls -la', n: 1 });
  const sent = await costOf(async () => {
    for (let number = 0; number < MESSAGES; number += BURST) {
      for (let place = 0; place < BURST; place++) connection.send(message);
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
  const hear = socket?.onmessage as ((event: { data: string }) => unknown) | undefined;
  const received = await costOf(async () => {
    for (let number = 0; number < MESSAGES; number += BURST) {
      for (let place = 0; place < BURST; place++) hear?.({ data: message });
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
  await service.destroy();
  await log?.close();
  return { sent: (sent / MESSAGES) * 1_000, received: (received / MESSAGES) * 1_000 };
}

function serviceOf(log: AuditLog | undefined): EnhancedWebSocketService {
  const service = new EnhancedWebSocketService({
    services: { main: { url: 'ws://127.0.0.1:1/', retry: { baseMs: 100 } } },
    WebSocket: NearSocket,
  });
  log?.attach(service);
  return service;
}

const ACCOUNT = {
  name: 'audit',
  title: 'What an audit log costs',
  notes: `CPU time of the process, garbage collection and other threads included, and the ratio of each run to the runs without a log just before and after it: medians, then the least and
the most of ${ROUNDS} rounds. Sockets are objects without a network, so that what a connection does itself is all that is measured; with a network the ratios are smaller. What a log costs
that is not attached is nothing: then nothing of it runs.`,
};
