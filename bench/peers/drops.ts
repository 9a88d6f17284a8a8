import { alone, type Comparison, type Measure } from '../rounds.ts';
import type { Bar, FigureColumn, Section } from '../section.ts';
import { HOLDFAST, RECONNECTING } from './candidates.ts';
import { DropProxy, DROPS, type Drop } from './drop-proxy.ts';
import type { Candidate } from './ends.ts';
import { gathered, type Gathering, type Pair } from './pairs.ts';

const PER_SECOND = 250;
// who has been open for a while comes back sooner, and most of what is lost has been
const BEFORE_MS = 12_000;
// one after the other: what each does then is done for the first time in its process, and takes a core
const APART_MS = 500;
// as long as the slowest of those that come back by themselves may need, but from a hole
const AFTER_MS: Record<Drop, number> = { terminate: 6_000, close: 6_000, stall: 6_000, hole: 60_000 };
const SETTLING_MS = 5_000;

const FIGURES: readonly (FigureColumn & { key: DropFigure })[] = [
  { key: 'firstMs', heading: 'first after ms', digits: 0 },
  { key: 'lost', heading: 'lost', digits: 0 },
  { key: 'doubled', heading: 'doubled', digits: 0 },
  { key: 'reordered', heading: 'reordered', digits: 0 },
];

/** Whose connections are lost, and how often. */
export interface Losses {
  /** @default those who connect again by themselves */
  candidates?: readonly Candidate[];
  /** How often each of them is lost; in a hole it is once. */
  rounds: number;
  /** In how many groups they share the machine: what one does when it comes back is not to wait for all others. @default 3 */
  groups?: number;
  /** @default in new processes each time */
  gather?: Gathering;
}

/** 250 messages a second go up, and the connection is lost under them. */
export async function dropSections(note: (what: string) => void, losses: Losses): Promise<Section[]> {
  const sections: Section[] = [];
  for (const how of DROPS) {
    note(`a connection is lost: ${how}`);
    sections.push(await dropSection(how, how === 'hole' ? { ...losses, rounds: 1 } : losses));
  }
  return sections;
}

async function dropSection(
  how: Drop,
  { candidates = RECONNECTING, rounds, groups = 3, gather = gathered }: Losses,
): Promise<Section> {
  const measures = candidates.map((): Measure[] => []);
  for (let round = 0; round < rounds; round++) {
    for (let group = 0; group < groups; group++) {
      const isOfGroup = (_: unknown, index: number): boolean => index % groups === group;
      const measured = await gather(candidates.filter(isOfGroup), (pairs) => someDropped(pairs, how, round));
      const own = measures.filter(isOfGroup);
      for (const [index, measure] of measured.entries()) own[index]?.push(measure);
    }
  }
  const results = candidates.map(({ name }, index): Comparison => alone(name, measures[index] ?? []));
  return { title: TITLES[how], figures: FIGURES, results, bars: barsOf(how, results) };
}

// some beside each other, for none of them needs more than a part of a core; but first all of them start, which takes more than that
async function someDropped(pairs: readonly Pair[], how: Drop, round: number): Promise<Measure[]> {
  return Promise.all(
    pairs.map((pair, index) => {
      // who is the first is another each time
      const turn = (index + round) % pairs.length;
      return dropped(pair, { how, openMs: BEFORE_MS + turn * APART_MS, afterMs: AFTER_MS[how] });
    }),
  );
}

const TITLES: Record<Drop, string> = {
  terminate: 'the connection is reset under 250 messages a second',
  close: 'the server closes with 1001 under 250 messages a second',
  stall: 'nothing gets through for 200 ms under 250 messages a second, then the connection is reset',
  hole: 'nothing gets through any more under 250 messages a second, and nobody is told',
};

type DropFigure = 'firstMs' | 'lost' | 'doubled' | 'reordered';

/** A connection is lost once it has been open for so long, and its sender goes on for some time. */
export async function dropped(
  pair: Pair,
  how: { how: Drop; openMs: number; afterMs: number },
): Promise<Measure<DropFigure>> {
  const proxy = new DropProxy(Number(new URL(pair.url).port));
  try {
    return await droppedOn(pair, proxy, how);
  } finally {
    proxy.stop();
  }
}

async function droppedOn(
  { candidate, client, server }: Pair,
  proxy: DropProxy,
  { how, openMs, afterMs }: { how: Drop; openMs: number; afterMs: number },
): Promise<Measure<DropFigure>> {
  const url = await proxy.listen();
  await client.ask('open', { name: candidate.name, url, form: 'json', count: 1 });
  await server.ask('note');
  const seconds = (openMs + afterMs) / 1_000;
  const sent = client.ask('insist', { perSecond: PER_SECOND, seconds, settlingMs: SETTLING_MS });
  await new Promise((resolve) => setTimeout(resolve, openMs));
  const at = proxy.drop(how);
  const accepted = await sent;
  await new Promise((resolve) => setTimeout(resolve, 500));
  const came = proxy.cameAfter(at) ?? Infinity;
  const { numbers, times } = await server.ask('noted');
  // what has no number is none by the time it is here
  const seen = new Set(numbers.filter((n) => Number.isInteger(n) && n >= 0 && n < accepted));
  const first = times.find((time) => time > came) ?? Number.NaN;
  return {
    firstMs: (first - at) / 1_000,
    lost: accepted - seen.size,
    doubled: numbers.length - seen.size,
    reordered: numbers.filter((n, index) => index > 0 && n < (numbers[index - 1] ?? 0)).length,
  };
}

function barsOf(how: Drop, results: readonly Comparison[]): Bar[] {
  const own = results.find(({ name }) => name === HOLDFAST.name)?.values;
  const bar = (name: string, key: string, most: number, goal?: number): Bar => {
    const value = own?.[key]?.[key === 'firstMs' ? 'median' : 'most'] ?? Number.NaN;
    return { name: `holdfast.v1, ${name}`, value, most, ...(goal !== undefined && { goal }) };
  };
  const [most, goal] = how === 'hole' ? [5_000, 2_500] : [250, 150];
  return [
    // a stall is noticed when it ends
    ...(how === 'stall' ? [] : [bar('first message after ms', 'firstMs', most, goal)]),
    ...['lost', 'doubled', 'reordered'].map((key) => bar(key, key, 0)),
  ];
}
