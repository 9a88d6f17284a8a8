import { writeFileSync } from 'node:fs';

import { endurancePicture } from './endurance-picture.ts';
import { keepResults } from './keeping.ts';
import { note } from './note.ts';
import { HOLDFAST } from './peers/candidates.ts';
import { AT_ONCE } from './peers/jobs.ts';
import { Pairs, type Pair } from './peers/pairs.ts';
import { alone, quantile, type Measure } from './rounds.ts';
import type { Bar, FigureColumn, Section } from './section.ts';
import type { Shape } from './turns.ts';

const CONNECTIONS = 50;
const MINUTES = 30;
/** Before that, caches fill: the audit log in memory keeps 10,000 records, and a loss of all connections leaves 1,000. */
const SETTLED_AFTER = 10;
const MINUTE_MS = 60_000;
const PER_MINUTE = 30_000;
// a thousand a second, for half of each minute
const STEADY: Shape = { name: 'steady', perTurn: 20, gapMs: 20 };
const DROP_AFTER_MS = 15_000;
const MOST_TIMES = 1.05;

const FIGURES: readonly FigureColumn[] = [
  { key: 'heap', heading: 'heap MB', digits: 2 },
  { key: 'rss', heading: 'RSS MB', digits: 1 },
  { key: 'serverHeap', heading: 'server heap MB', digits: 2 },
  { key: 'serverRss', heading: 'server RSS MB', digits: 1 },
];

type Memory = Measure<'heap' | 'rss' | 'serverHeap' | 'serverRss' | 'faults'>;

/** Half an hour of messages both ways, with every connection lost once a minute: memory has to stay where it is. Writes `bench/results/endurance.*` as well. */
export async function benchEndurance(report: (section: Section) => void): Promise<void> {
  const pairs = new Pairs();
  const memories: Memory[] = [];
  try {
    const pair = await pairs.of(HOLDFAST);
    const { candidate, client, server, url } = pair;
    await server.ask('forget');
    await client.ask('open', { name: candidate.name, url, form: 'json', count: CONNECTIONS, atOnce: AT_ONCE });
    for (let minute = 0; minute < MINUTES; minute++) {
      const rest = new Promise((resolve) => setTimeout(resolve, MINUTE_MS));
      memories.push(await lived(pair, minute));
      await rest;
      note(`minute ${minute + 1} of ${MINUTES}: ${memories.at(-1)?.heap.toFixed(2) ?? ''} MB at the client`);
    }
  } finally {
    await pairs.stop();
  }
  const section = sectionOf(memories);
  report(section);
  keepResults(ACCOUNT, [section]);
  writeFileSync(new URL('./results/endurance.svg', import.meta.url), endurancePicture(memories));
}

// messages of one minute, and what is in memory once they are through
async function lived({ client, server }: Pair, minute: number): Promise<Memory> {
  const span = { stream: 'terminal', from: minute * PER_MINUTE, to: (minute + 1) * PER_MINUTE };
  await Promise.all([client, server].map((end) => end.ask('expect', { ...span, lanes: CONNECTIONS })));
  const dropping = new Promise((resolve) => setTimeout(resolve, DROP_AFTER_MS)).then(() => server.ask('drop'));
  await Promise.all([dropping, ...[client, server].map((end) => end.ask('pour', { ...span, shape: STEADY }))]);
  const arrivals = await Promise.all([client.ask('complete'), server.ask('complete')]);
  const [own, other] = await Promise.all([client.ask('memory'), server.ask('memory')]);
  return {
    heap: megabytes(own.heap),
    rss: megabytes(own.rss),
    serverHeap: megabytes(other.heap),
    serverRss: megabytes(other.rss),
    faults: arrivals.reduce((sum, { faults }) => sum + faults, 0),
  };
}

function sectionOf(memories: readonly Memory[]): Section {
  const third = Math.floor((MINUTES - SETTLED_AFTER) / 3);
  const early = memories.slice(SETTLED_AFTER, SETTLED_AFTER + third);
  const late = memories.slice(-third);
  const grown = (name: string, key: 'heap' | 'serverHeap'): Bar => {
    const [before, after] = [early, late].map((some) =>
      quantile(
        some.map((memory) => memory[key]),
        0.5,
      ),
    );
    const value = (after ?? Number.NaN) / (before ?? Number.NaN);
    return { name, value, most: MOST_TIMES };
  };
  const faults = memories.reduce((sum, memory) => sum + memory.faults, 0);
  return {
    title: `${MINUTES} minutes on ${CONNECTIONS} connections, ${PER_MINUTE.toLocaleString('en')} messages a minute each way, all lost once a minute`,
    figures: FIGURES,
    results: [
      alone(`minutes ${SETTLED_AFTER + 1} to ${SETTLED_AFTER + third}`, early),
      alone(`minutes ${MINUTES - third + 1} to ${MINUTES}`, late),
    ],
    bars: [
      grown('heap, late to early', 'heap'),
      grown('server heap, late to early', 'serverHeap'),
      { name: 'lost, doubled, reordered', value: faults, most: 0 },
    ],
  };
}

function megabytes(bytes: number): number {
  return bytes / 1_048_576;
}

const ACCOUNT = {
  name: 'endurance',
  title: 'Half an hour of traffic',
  notes: `What is in use after a collection, once a minute, at both ends: medians, then the least and the most. \`holdfast.v1\` as users get it: health is watched, and an audit log is attached at its default level.
Messages are dealt out to all connections, every one is checked by number and order at its receiver, and after ${DROP_AFTER_MS / 1_000} s of each minute the server resets all sockets. The first ${SETTLED_AFTER} minutes are left out: until then the client's audit log fills, which keeps the last 10,000 records in memory. Source maps are off.

![Memory of both ends over half an hour](endurance.svg)`,
};
