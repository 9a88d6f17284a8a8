import { alone, marked, type Comparison, type Measure } from '../rounds.ts';
import type { FigureColumn, Section } from '../section.ts';
import type { Candidate } from './ends.ts';
import { ALL, gathered, type Gathering, type Pair } from './pairs.ts';

const IDLE_SECONDS = 60;
// as many as open before a process is taken for dead
const PORTION = 1_000;

const FIGURES: readonly FigureColumn[] = [
  { key: 'heap', heading: 'heap kB', digits: 1, isBare: true },
  { key: 'rss', heading: 'RSS kB', digits: 1, isBare: true },
  { key: 'serverHeap', heading: 'server heap kB', digits: 1, isBare: true },
  { key: 'serverRss', heading: 'server RSS kB', digits: 1, isBare: true },
  { key: 'cpu', heading: 'CPU µs/s', digits: 2, isBare: true },
  { key: 'serverCpu', heading: 'server CPU µs/s', digits: 2, isBare: true },
  { key: 'openMs', heading: 'ms to open', digits: 2, isBare: true },
];

/** Whose connections are idle, and how. */
export interface Idle {
  /** @default everybody */
  candidates?: readonly Candidate[];
  /** Of each. @default 1,000 */
  connections?: number;
  /** Whether one is idle after the other, for all of them would fill the machine. @default false */
  isApart?: boolean;
  /** @default in new processes */
  gather?: Gathering;
}

/**
 * What a connection costs that nothing is sent on: in memory, and in time of the processor with the heartbeats that it has by itself. Everybody at once, if nothing else is said, in processes of their own. Whoever loses a connection
 * meanwhile is INVALID.
 */
export async function idleSection(
  note: (what: string) => void,
  { candidates = ALL, connections = 1_000, isApart = false, gather = gathered }: Idle = {},
): Promise<Section> {
  const groups = isApart ? candidates.map((one) => [one]) : [candidates];
  const results: Comparison[] = [];
  for (const group of groups) results.push(...(await gather(group, (pairs) => idled(note, pairs, connections))));
  const title = `one of ${connections.toLocaleString('en')} idle connections`;
  return { title, figures: FIGURES, results, bars: barsOf(results) };
}

async function idled(note: (what: string) => void, pairs: readonly Pair[], connections: number): Promise<Comparison[]> {
  const opened: { pair: Pair; measure: Measure; upgrades: number }[] = [];
  for (const pair of pairs) {
    note(`${connections} idle connections of ${pair.candidate.name}`);
    opened.push({ pair, measure: await openedBy(pair, connections), upgrades: await pair.server.ask('upgrades') });
  }
  note(`idle for ${IDLE_SECONDS} s`);
  for (const { pair } of opened) await Promise.all([pair.client.ask('begin'), pair.server.ask('begin')]);
  await new Promise((resolve) => setTimeout(resolve, IDLE_SECONDS * 1_000));
  const results: Comparison[] = [];
  for (const { pair, measure, upgrades } of opened) {
    const [client, server] = await Promise.all([pair.client.ask('cpuMicros'), pair.server.ask('cpuMicros')]);
    const perSecond = (micros: number): number => micros / connections / IDLE_SECONDS;
    const faults = (await pair.server.ask('upgrades')) - upgrades;
    const whole = { ...measure, cpu: perSecond(client), serverCpu: perSecond(server), faults };
    results.push(marked(alone(pair.candidate.name, [whole])));
  }
  return results;
}

async function openedBy({ candidate, client, server, url }: Pair, connections: number): Promise<Measure> {
  const open = (count: number): Promise<void> => client.ask('open', { name: candidate.name, url, form: 'json', count });
  // what the first one loads is nobody's
  await open(1);
  const before = [await client.ask('memory'), await server.ask('memory')] as const;
  const began = performance.now();
  for (let left = connections; left > 0; left -= PORTION) await open(Math.min(left, PORTION));
  const openMs = (performance.now() - began) / connections;
  const after = [await client.ask('memory'), await server.ask('memory')] as const;
  const kB = (end: 0 | 1, what: 'heap' | 'rss'): number => (after[end][what] - before[end][what]) / connections / 1_024;
  return {
    heap: kB(0, 'heap'),
    rss: kB(0, 'rss'),
    serverHeap: kB(1, 'heap'),
    serverRss: kB(1, 'rss'),
    openMs,
  };
}

function barsOf(results: readonly Comparison[]) {
  const own = results.find(({ name }) => name === 'holdfast.v1')?.values;
  const bar = (name: string, key: string, most: number, goal: number) => {
    const value = own?.[key]?.median ?? Number.NaN;
    return { name, value, most, goal };
  };
  return [
    bar('holdfast.v1, heap kB', 'heap', 14, 10),
    bar('holdfast.v1, RSS kB', 'rss', 38, 26),
    bar('holdfast.v1, CPU µs/s', 'cpu', 5, 3),
  ];
}
