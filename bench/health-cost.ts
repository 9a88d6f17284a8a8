import { fork, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { heard } from './child.ts';
import type { ClientCosts, ClientOrder, ClientReport, Idle } from './health-client.ts';
import { alone, type Measure } from './rounds.ts';
import type { FigureColumn, Section } from './section.ts';
import { startWireServer } from './wire-server-process.ts';

const script = fileURLToPath(new URL('./health-client.ts', import.meta.url));

const SIZES = [100, 1_000];
const WAYS: readonly (Pick<Idle, 'wire' | 'how'> & { path: string })[] = [
  { wire: 'plain', how: 'bare', path: '/raw' },
  { wire: 'plain', how: 'not monitored', path: '/raw' },
  { wire: 'plain', how: 'monitored', path: '/raw' },
  { wire: 'holdfast.v1', how: 'not monitored', path: '/holdfast' },
  { wire: 'holdfast.v1', how: 'monitored', path: '/holdfast' },
];
const ROUNDS = 3;
/** Two intervals of the default heartbeat: two probes of each connection. */
const WINDOW_MS = 50_000;
// the first probe of a connection comes after a second
const SETTLE_MS = 5_000;

type Cost = 'cpuMillis' | 'bytesPerMinute' | 'heapKilobytes';

const COSTS: readonly (FigureColumn & { key: Cost })[] = [
  { key: 'cpuMillis', heading: 'CPU ms an hour', digits: 1 },
  { key: 'bytesPerMinute', heading: 'bytes a minute', digits: 1 },
  { key: 'heapKilobytes', heading: 'heap kB', digits: 2 },
];

interface Cell {
  name: string;
  idle: Idle;
}

/** What an idle connection costs its client, with health monitoring and without, at the default interval. Takes about five minutes. */
export async function benchIdle(): Promise<Section> {
  const server = await startWireServer();
  try {
    const cells = SIZES.flatMap((connections) =>
      WAYS.map(({ wire, how, path }): Cell => ({
        name: `${connections.toLocaleString('en')} ${how === 'bare' ? 'ws that ping' : `${wire}, ${how}`}`,
        idle: { url: server.url + path, wire, how, connections },
      })),
    );
    const rounds: Measure<Cost>[][] = [];
    for (let round = 1; round <= ROUNDS; round++) {
      process.stderr.write(`idle connections: round ${round} of ${ROUNDS}\n`);
      rounds.push(await costsOf(cells));
    }
    return {
      title: 'what one idle connection costs its client, by how many there are',
      figures: COSTS,
      results: cells.map(({ name }, index) =>
        alone(
          name,
          rounds.flatMap((measures) => measures[index] ?? []),
        ),
      ),
    };
  } finally {
    server.stop();
  }
}

/** Opens them one cell after the other, in a process each, and measures all at once: what happens to the machine happens to all of them. */
async function costsOf(cells: readonly Cell[]): Promise<Measure<Cost>[]> {
  const children: ChildProcess[] = [];
  try {
    for (const { idle } of cells) {
      const child = fork(script, [], { execArgv: ['--import', 'tsx', '--expose-gc'] });
      children.push(child);
      child.send({ open: idle } satisfies ClientOrder);
      await heard(child, isOpen);
    }
    await sleep(SETTLE_MS);
    const costs = children.map(async (child) => {
      child.send({ measureMs: WINDOW_MS } satisfies ClientOrder);
      return perTime(await heard(child, areCosts), WINDOW_MS);
    });
    return await Promise.all(costs);
  } finally {
    for (const child of children) child.disconnect();
  }
}

const isOpen = (report: ClientReport): report is 'open' => report === 'open';
const areCosts = (report: ClientReport): report is ClientCosts => typeof report === 'object';

/** What was measured in a window, by the hour and by the minute. */
export function perTime({ cpuMicros, wireBytes, heapBytes }: ClientCosts, windowMs: number): Measure<Cost> {
  return {
    cpuMillis: (cpuMicros / 1_000) * (3_600_000 / windowMs),
    bytesPerMinute: wireBytes * (60_000 / windowMs),
    heapKilobytes: heapBytes / 1_024,
  };
}
