import { alone, type Comparison, type Measure } from '../rounds.ts';
import type { FigureColumn, Section } from '../section.ts';
import type { Candidate } from './ends.ts';
import { ALL, Pairs, type Pair } from './pairs.ts';

const IDLE_SECONDS = 60;

const FIGURES: readonly FigureColumn[] = [
  { key: 'heap', heading: 'heap kB', digits: 1, isBare: true },
  { key: 'rss', heading: 'RSS kB', digits: 1, isBare: true },
  { key: 'serverHeap', heading: 'server heap kB', digits: 1, isBare: true },
  { key: 'serverRss', heading: 'server RSS kB', digits: 1, isBare: true },
  { key: 'cpu', heading: 'CPU µs/s', digits: 2, isBare: true },
  { key: 'serverCpu', heading: 'server CPU µs/s', digits: 2, isBare: true },
  { key: 'openMs', heading: 'ms to open', digits: 2, isBare: true },
];

/** What a connection costs that nothing is sent on: in memory, and in time of the processor with the heartbeats that it has by itself. Everybody at once, in processes of their own. */
export async function idleSection(
  note: (what: string) => void,
  { candidates = ALL, connections = 1_000 }: { candidates?: readonly Candidate[]; connections?: number } = {},
): Promise<Section> {
  const pairs = new Pairs();
  const opened: { pair: Pair; measure: Measure }[] = [];
  try {
    for (const candidate of candidates) {
      note(`${connections} idle connections of ${candidate.name}`);
      const pair = await pairs.of(candidate);
      opened.push({ pair, measure: await openedBy(pair, connections) });
    }
    note(`everybody is idle for ${IDLE_SECONDS} s`);
    for (const { pair } of opened) await Promise.all([pair.client.ask('begin'), pair.server.ask('begin')]);
    await new Promise((resolve) => setTimeout(resolve, IDLE_SECONDS * 1_000));
    const results: Comparison[] = [];
    for (const { pair, measure } of opened) {
      const [client, server] = await Promise.all([pair.client.ask('cpuMicros'), pair.server.ask('cpuMicros')]);
      const perSecond = (micros: number): number => micros / connections / IDLE_SECONDS;
      const whole = { ...measure, cpu: perSecond(client), serverCpu: perSecond(server) };
      results.push(alone(pair.candidate.name, [whole]));
    }
    return {
      title: `one of ${connections.toLocaleString('en')} idle connections`,
      figures: FIGURES,
      results,
      bars: barsOf(results),
    };
  } finally {
    await pairs.stop();
  }
}

async function openedBy({ candidate, client, server, url }: Pair, connections: number): Promise<Measure> {
  const open = (count: number): Promise<void> => client.ask('open', { name: candidate.name, url, form: 'json', count });
  // what the first one loads is nobody's
  await open(1);
  const before = [await client.ask('memory'), await server.ask('memory')] as const;
  const began = performance.now();
  await open(connections);
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
    return { name, value, most, goal, isMet: value <= most };
  };
  return [
    bar('holdfast.v1, heap kB', 'heap', 14, 10),
    bar('holdfast.v1, RSS kB', 'rss', 38, 26),
    bar('holdfast.v1, CPU µs/s', 'cpu', 5, 3),
  ];
}
