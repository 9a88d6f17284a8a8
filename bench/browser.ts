import { CANDIDATES, RAW } from './browser/candidates.ts';
import { Tabs, type TabPair } from './browser/tabs.ts';
import { keepResults } from './keeping.ts';
import { note } from './note.ts';
import type { Candidate } from './peers/ends.ts';
import { ask, carry, TRIP_COLUMNS, type CarryingFigure } from './peers/jobs.ts';
import { TRIALS, type Trial } from './peers/loads.ts';
import { tiny } from './payloads.ts';
import { interleaved, marked, type Comparison, type Measure } from './rounds.ts';
import { reported, type FigureColumn, type Section } from './section.ts';

const ROUNDS = 7;
// a browser takes several times as long for a message as a process of Node
const MOST_MESSAGES = 20_000;
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
  } finally {
    await tabs.stop();
  }
  keepResults({ ...ACCOUNT, facts: { Chromium: tabs.version } }, sections);
}

async function carrying(tabs: Tabs, trial: Trial): Promise<Section> {
  note(trial.name);
  const load = { ...trial, messages: Math.min(trial.messages, MOST_MESSAGES) };
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
  notes: `Medians; in brackets the least and the most of ${ROUNDS} rounds, each run held against the runs of the browser's own WebSocket just before and after it. Each client is a page in a context and a
process of its own, each server a process of Node. The main thread is that of the page: nothing else of the page runs while it is busy. Client CPU is that of the page's process and of the process that holds
the browser's sockets, with all of their threads; \`capacity\` is what the busier end could carry in a second, by its time of the processor. Bytes are those of the server's socket in both directions. Every message is
parsed, and its receiver checks order, loss and repetition; a candidate with a fault is INVALID. \`holdfast\` runs as users get it: health is watched, and an audit log is attached at its default level.
Everybody has defaults, but for ${CANDIDATES.flatMap(({ name, tuned }) => (tuned === undefined ? [] : [`${name} (${tuned})`])).join('; ')}.`,
};
