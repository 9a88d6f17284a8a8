import { CANDIDATES, RAW } from './browser/candidates.ts';
import { Tabs, type TabPair } from './browser/tabs.ts';
import { keepResults } from './keeping.ts';
import { note } from './note.ts';
import type { Candidate } from './peers/ends.ts';
import { dropSections } from './peers/drops.ts';
import { idleSection, type Idle } from './peers/idle.ts';
import { ask, carry, pace, PACE_COLUMNS, TRIP_COLUMNS, type CarryingFigure } from './peers/jobs.ts';
import { TRIALS, type Trial } from './peers/loads.ts';
import { tiny } from './payloads.ts';
import { interleaved, marked, type Comparison, type Measure } from './rounds.ts';
import { reported, type FigureColumn, type Section } from './section.ts';

const ROUNDS = 7;
// a browser takes several times as long for a message as a process of Node
const MOST_MESSAGES = 20_000;
// with the pages of all others a page rests for less long than a process does beside everybody
const LEADS = 1;
// messages a second; a browser cannot keep up with many more
const PACES = [1_000, 5_000];
const DROP_ROUNDS = 3;
// a browser opens no more than 255 in a page
const IDLE_CONNECTIONS = 100;
const TRIPS = [
  { count: 2_000, inFlight: 1 },
  { count: 10_000, inFlight: 100 },
];

const CARRYING: readonly FigureColumn[] = [
  { key: 'capacity', heading: 'capacity/s', digits: 0 },
  { key: 'perSecond', heading: 'messages/s', digits: 0 },
  { key: 'mainMicros', heading: 'main thread µs', digits: 2 },
  { key: 'clientMicros', heading: 'client CPU µs', digits: 2, isBare: true },
  { key: 'serverMicros', heading: 'server CPU µs', digits: 2, isBare: true },
  { key: 'bytes', heading: 'bytes', digits: 1 },
];

/** What clients carry in Chromium, held against its own WebSocket in the same interleaved run. Writes `bench/results/browser.*` as well. */
export async function benchBrowser(report: (section: Section) => void): Promise<void> {
  const { sections, tell } = reported(report);
  const tabs = await Tabs.open();
  try {
    for (const trial of TRIALS) if (trial.payloads !== tiny) tell(await carrying(tabs, trial));
    for (const how of TRIPS) tell(await asking(tabs, how));
    for (const direction of ['up', 'down'] as const)
      for (const perSecond of PACES) tell(await pacing(tabs, direction, perSecond));
    const beside = { candidates: CANDIDATES, gather: tabs.gather };
    for (const section of await dropSections(note, { ...beside, rounds: DROP_ROUNDS, groups: 1 })) tell(freed(section));
    tell(await resting(beside));
  } finally {
    await tabs.stop();
  }
  keepResults(
    { ...ACCOUNT, facts: { Chromium: tabs.version, 'clocks of pages, µs at most wrong': tabs.errorMicros.toFixed(0) } },
    sections,
  );
}

async function carrying(tabs: Tabs, trial: Trial): Promise<Section> {
  note(trial.name);
  const load = { ...trial, messages: Math.min(trial.messages, MOST_MESSAGES), leads: LEADS };
  const results = await compared(tabs, async (pair): Promise<Measure<CarryingFigure | 'mainMicros'>> => {
    const measure = await carry(pair, load);
    const { main, page, network } = pair.spent();
    return { ...measure, mainMicros: (measure.clientMicros * main) / (page + network) };
  });
  return { title: `${trial.name}: what each end can carry`, figures: CARRYING, results };
}

async function asking(tabs: Tabs, how: { count: number; inFlight: number }): Promise<Section> {
  const title = `round trips, ${how.inFlight} in flight`;
  note(title);
  const results = await compared(tabs, (pair) => ask(pair, how));
  return { title, figures: TRIP_COLUMNS, results };
}

async function pacing(tabs: Tabs, direction: 'up' | 'down', perSecond: number): Promise<Section> {
  const title = `on the way ${direction} at ${perSecond} messages a second`;
  note(title);
  const results = await compared(tabs, (pair) => pace(pair, { direction, perSecond, seconds: 1 }));
  // the clock of each page is wrong by another time, but always by the same
  return { title, figures: PACE_COLUMNS.map((column) => ({ ...column, isBare: true })), results };
}

async function resting(beside: Pick<Idle, 'gather'>): Promise<Section> {
  const candidates = [RAW, ...CANDIDATES];
  const idle = { ...beside, candidates, connections: IDLE_CONNECTIONS, isApart: true };
  const section = freed(await idleSection(note, idle));
  // both ends are used again here, and have room left from what they did before
  return { ...section, figures: section.figures.filter(({ key }) => !['rss', 'serverRss'].includes(key)) };
}

// the project asks nothing of a browser
function freed({ title, figures, results }: Section): Section {
  return { title, figures, results };
}

async function compared<Figure extends string>(
  tabs: Tabs,
  job: (pair: TabPair) => Promise<Measure<Figure>>,
): Promise<Comparison[]> {
  const run = (candidate: Candidate) => async (): Promise<Measure<Figure>> => job(await tabs.of(candidate));
  const others = CANDIDATES.map((candidate) => ({ name: candidate.name, run: run(candidate) }));
  const [raw, ...rest] = await interleaved(run(RAW), others, { rounds: ROUNDS });
  return [...(raw ? [{ ...raw, name: RAW.name }] : []), ...rest].map(marked);
}

const ACCOUNT = {
  name: 'browser',
  title: 'Clients in a browser',
  versions: ['reconnecting-websocket', 'partysocket', 'socket.io-client'],
  notes: `Medians; in brackets the least and the most of ${ROUNDS} rounds after one that is thrown away, each run held against the runs of the browser's own WebSocket just before and after it. Each client is a page in a context and a
process of its own, each server a process of Node. The main thread is that of the page: nothing else of the page runs while it is busy. Client CPU is that of the page's process and of the process that holds
the browser's sockets, with all of their threads; \`capacity\` is what the busier end could carry in a second, by its time of the processor. Bytes are those of the server's socket in both directions. Every message is
parsed, and its receiver checks order, loss and repetition; a candidate with a fault is INVALID. How long a message is on its way at an even pace is no better than the clocks of both ends. Connections are lost in ${DROP_ROUNDS} rounds, and go silent in one, with everybody beside each other; idle ones are measured once, one candidate after the other, and their heap is that of the page, their time of the processor with what the browser's processes do for themselves: what its own WebSocket takes says how much that is. \`holdfast\` runs as users get it: health is watched, and an audit log is attached at its default level.
Everybody has defaults, but for ${CANDIDATES.flatMap(({ name, tuned }) => (tuned === undefined ? [] : [`${name} (${tuned})`])).join('; ')}.`,
};
