import { writeFileSync } from 'node:fs';

import { keepResults } from './keeping.ts';
import { note } from './note.ts';
import { peersPicture } from './peers-picture.ts';
import { CANDIDATES, HOLDFAST, HOLDFAST_PLAIN, RAW, RECONNECTING } from './peers/candidates.ts';
import { dropSections } from './peers/drops.ts';
import type { Candidate } from './peers/ends.ts';
import { idleSection } from './peers/idle.ts';
import { ask, carry, framesOf, pace, PACE_COLUMNS, TRIP_COLUMNS } from './peers/jobs.ts';
import { TRIALS, type Trial } from './peers/loads.ts';
import { able, Pairs, type Pair } from './peers/pairs.ts';
import { sizesSection } from './peers/sizes.ts';
import { interleaved, marked, type Comparison, type Measure, type Turns } from './rounds.ts';
import { reported, type Bar, type FigureColumn, type Section } from './section.ts';

// before them, as many as it takes until the compiler is through with everybody's code
const FULLY = { rounds: 7, leading: 3, every: 4 };
const PACING = { rounds: 7, every: 4 };
const QUICKLY = { rounds: 5, every: 4 };
const DROP_ROUNDS = 5;
// messages a second
const SLOW_PACE = 1_000;
const FAST_PACE = 20_000;
const TRIPS = [
  { count: 4_000, inFlight: 1 },
  { count: 50_000, inFlight: 100 },
];

// of whom there are ten thousand idle ones; all of them would not fit the machine
const MANY = [
  RAW,
  ...CANDIDATES.filter(({ name }) =>
    [HOLDFAST.name, HOLDFAST_PLAIN.name, 'partysocket', 'socket.io, tuned'].includes(name),
  ),
];

const CARRYING: readonly FigureColumn[] = [
  { key: 'capacity', heading: 'capacity/s', digits: 0 },
  { key: 'perSecond', heading: 'messages/s', digits: 0 },
  { key: 'clientMicros', heading: 'client CPU µs', digits: 2, isBare: true },
  { key: 'serverMicros', heading: 'server CPU µs', digits: 2, isBare: true },
  { key: 'bytes', heading: 'bytes', digits: 1 },
  { key: 'frames', heading: 'frames/1,000', digits: 0, isBare: true },
];

/** Everybody side by side, held against raw `ws` in the same interleaved run. Writes `bench/results/peers.*` as well. */
export async function benchPeers(report: (section: Section) => void): Promise<void> {
  const { sections, tell } = reported(report);
  const pairs = new Pairs();
  try {
    for (const trial of TRIALS) tell(await carrying(pairs, trial, CANDIDATES, FULLY));
    for (const how of TRIPS) tell(await asking(pairs, how, CANDIDATES, FULLY));
    for (const direction of ['up', 'down'] as const)
      for (const perSecond of [SLOW_PACE, FAST_PACE]) tell(await pacing(pairs, direction, perSecond));
  } finally {
    await pairs.stop();
  }
  for (const section of await dropSections(note, { rounds: DROP_ROUNDS })) tell(section);
  tell(await idleSection(note));
  tell(await idleSection(note, { candidates: MANY, connections: 10_000, isApart: true }));
  tell(await sizesSection());
  keepResults(ACCOUNT, sections);
  writeFileSync(new URL('./results/peers.svg', import.meta.url), peersPicture(sections));
}

/** A part of it that is over in a minute: ours alone beside raw. */
export async function quickSections(): Promise<Section[]> {
  const pairs = new Pairs();
  const own = [HOLDFAST, HOLDFAST_PLAIN];
  const sections: Section[] = [];
  try {
    // nobody rests for long
    for (const trial of TRIALS.filter(({ isQuick }) => isQuick))
      sections.push(await carrying(pairs, { ...trial, leads: 1 }, own, QUICKLY));
    for (const how of TRIPS) sections.push(await asking(pairs, how, own, QUICKLY));
  } finally {
    await pairs.stop();
  }
  return sections;
}

/** Some of them with one load. */
export async function carrying(
  pairs: Pairs,
  trial: Trial,
  candidates: readonly Candidate[],
  turns: Turns,
): Promise<Section> {
  note(trial.name);
  const { payloads, direction, name, least, goal } = trial;
  const needs = [
    ...(direction === 'up' ? (['uplink'] as const) : []),
    ...(payloads.form === 'bytes' ? (['bytes'] as const) : []),
  ];
  const present = able(candidates, ...needs);
  const timed = await compared(pairs, { candidates: present, turns }, (pair) => carry(pair, trial));
  const results: Comparison[] = [];
  // raw is the first of them
  for (const [index, candidate] of [RAW, ...present].entries())
    results.push(withFrames(timed[index] as Comparison, await framesOf(await pairs.of(candidate), trial)));
  const bar = barOf(results, { name: `holdfast.v1, ${name}`, figure: 'capacity', least, ...(goal && { goal }) });
  return { title: `${name}: what each end can carry`, figures: CARRYING, results, bars: [bar] };
}

/** Some of them with so many round trips, so many at a time. */
export async function asking(
  pairs: Pairs,
  how: { count: number; inFlight: number },
  candidates: readonly Candidate[],
  turns: Turns,
): Promise<Section> {
  const name = `round trips, ${how.inFlight} in flight`;
  note(name);
  const results = await compared(pairs, { candidates, turns }, (pair) => ask(pair, how));
  const bar =
    how.inFlight === 1
      ? barOf(results, { name: 'holdfast.v1, p50', figure: 'p50', most: 1.2, goal: 1.1 })
      : barOf(results, { name: 'holdfast.v1, requests/s', figure: 'perSecond', least: 2, goal: 3.5 });
  return { title: name, figures: TRIP_COLUMNS, results, bars: [bar] };
}

async function pacing(pairs: Pairs, direction: 'up' | 'down', perSecond: number): Promise<Section> {
  const name = `on the way ${direction} at ${perSecond} messages a second`;
  note(name);
  // who cannot keep up has no latency, but a queue
  const isKeepingUp = ({ share = 1 }: Candidate): boolean => share === 1 || perSecond <= SLOW_PACE;
  const all = direction === 'up' ? able(CANDIDATES, 'uplink') : CANDIDATES;
  const turns = { candidates: all.filter(isKeepingUp), turns: PACING };
  const results = await compared(pairs, turns, (pair) => pace(pair, { direction, perSecond, seconds: 1 }));
  return { title: name, figures: PACE_COLUMNS, results };
}

async function compared<Figure extends string>(
  pairs: Pairs,
  { candidates, turns }: { candidates: readonly Candidate[]; turns: Turns },
  job: (pair: Pair) => Promise<Measure<Figure>>,
): Promise<Comparison[]> {
  const run = (candidate: Candidate) => async (): Promise<Measure<Figure>> => job(await pairs.of(candidate));
  const others = candidates.map((candidate) => ({ name: candidate.name, run: run(candidate) }));
  const results = await interleaved(run(RAW), others, turns);
  return results.map(marked);
}

function withFrames(one: Comparison, frames: number): Comparison {
  return { ...one, values: { ...one.values, frames: { median: frames, least: frames, most: frames } } };
}

function barOf(
  results: readonly Comparison[],
  { figure, ...bar }: Pick<Bar, 'name' | 'most' | 'least' | 'goal'> & { figure: string },
): Bar {
  const value = results.find(({ name }) => name === HOLDFAST.name)?.ratios[figure]?.median ?? Number.NaN;
  return { ...bar, value };
}

// who does not run as it is by itself, and how
function tuned(): string {
  const all = new Set([...CANDIDATES, ...RECONNECTING].filter((one) => one.tuned !== undefined));
  return [...all].map((one) => `${one.name} (${one.tuned ?? ''})`).join('; ');
}

const ACCOUNT = {
  name: 'peers',
  title: 'Everybody side by side',
  versions: [
    'undici',
    'reconnecting-websocket',
    'partysocket',
    'websocket-ts',
    'socket.io',
    'graphql-ws',
    'mqtt',
    'aedes',
  ],
  notes: `Medians; in brackets the least and the most of ${FULLY.rounds} rounds, each run held against the raw runs just before and after it: raw runs again after every ${FULLY.every} others. ${FULLY.leading} rounds before them are thrown away, one where messages come at an even pace; and a load is carried twice by whoever has rested before it is counted. Frames are those of the server's WebSockets in both directions, in a run that is not timed. Connections are lost in ${DROP_ROUNDS} rounds, and go silent in one, with a third of
everybody at a time; idle ones are measured once, everybody at once, but where they are 10,000. Client and
server are processes of their own, a pair for each candidate. \`capacity\` is what the busier end could carry in a second, by its time of the processor: it moves less than what the clock says on a machine that
is shared. Bytes are those of the server's socket in both directions. Every message is parsed, and its receiver checks order, loss and repetition; a candidate with a fault is INVALID.
\`holdfast\` runs as users get it: health is watched, and an audit log is attached at its default level; but nothing bounds its queue here, nor what waits at its server for a client, since nothing does with a bare \`ws\`. Everybody has defaults, but for
${tuned()}.

![How much of a bare ws on both ends everybody carries](peers.svg)`,
};
